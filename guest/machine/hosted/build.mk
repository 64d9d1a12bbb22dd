HOSTED_CHILD := guest/machine/hosted/child.c guest/machine/hosted/stub.S
$(eval $(call library,hosted_child,$(HOSTED_CHILD)))
$(eval $(call library,hosted,$(addprefix guest/machine/hosted/,loop.c machine.c pack.c place.c)))
ifneq ($(wildcard guest/kernel/build.mk),)
$(eval $(call host_program,demos-node,guest/machine/hosted/main.c,hosted place space hosted_child kernel net bundle base))
endif
