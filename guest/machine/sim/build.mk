$(eval $(call library,sim,$(addprefix guest/machine/sim/,sim.c space.c wire.c)))
