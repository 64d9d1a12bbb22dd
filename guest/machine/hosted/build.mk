HOSTED_CHILD := guest/machine/hosted/child.c guest/machine/hosted/stub.S
HOSTED := $(addprefix guest/machine/hosted/,disk.c ether.c loop.c machine.c main.c pack.c packet.c place.c terminal.c)
$(eval $(call library,hosted_child,$(HOSTED_CHILD)))
$(eval $(call library,hosted_ether,guest/machine/hosted/ether.c))
ifneq ($(wildcard guest/kernel/build.mk),)
$(eval $(call host_program,demos-node,$(HOSTED) guest/machine/copy.c $(MACHINE_COMMON),hosted_child kernel net bundle base,-static))
endif
