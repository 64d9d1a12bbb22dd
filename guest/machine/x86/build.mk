MACHINE_X86 := $(addprefix guest/machine/x86/,call.S cpu.c disk.c ether.c float.c loop.c machine.c main.c place.c suspend.c traps.c user_copy.S user.c)
ifneq ($(wildcard guest/kernel/build.mk),)
NODE_X86 := $(MACHINE_X86) $(MACHINE_COMMON) $(addprefix guest/machine/,balloon.c console.c orders.c trace.c)
NODE_X86_LIBRARIES := kernel net bundle splitdom splitdrv virtio pci
$(eval $(call domain_image,node,$(NODE_X86),$(NODE_X86_LIBRARIES)))
endif
