MACHINE_X86 := $(addprefix guest/machine/x86/,call.S cpu.c disk.c ether.c float.c loop.c machine.c main.c place.c suspend.c traps.c user_copy.S user.c)
ifneq ($(wildcard guest/kernel/build.mk),)
$(eval $(call domain_image,node,$(MACHINE_X86) $(MACHINE_COMMON) guest/machine/balloon.c guest/machine/console.c guest/machine/orders.c guest/machine/trace.c,\
    kernel net bundle splitdom splitdrv virtio pci))
endif
