# The domain runtime. Images are made of it by $(call domain_image,...), mk/rules.mk.

$(eval $(call library,rt,$(addprefix guest/rt/,entry.S stubs.S begin.c option.c life.c asked.c suspend.c trap.c \
    conring.c console.c event.c fifo.c grant.c time.c native.c map.c frame.c store.c store_calls.c vcpu.c)))

# What of it is pure, for tests on the host.
$(eval $(call library,conring,guest/rt/conring.c))

$(eval $(call domain_image,hello,guest/rt/hello.c,))
$(eval $(call domain_image,pair,guest/rt/pair.c,))
