$(eval $(call library,sim,$(addprefix guest/machine/sim/,loop.c memory.c pages.c sim.c \
    space.c thread.c wire.c)))
