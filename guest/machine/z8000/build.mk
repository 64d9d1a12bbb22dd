# The DEMOS kernel with a Z8001 as its user processor. Programs and trap entry are there
# when the assembler is (z8000/asm/build.mk).
Z8000_MACHINE := $(addprefix guest/machine/z8000/,board.c call.c disk.c image.c hold.c loop.c maps.c pages.c place.c space.c thread.c turn.c)
Z8000_HOSTED := $(addprefix guest/machine/z8000/,main.c host.c apart_hosted.c) guest/machine/hosted/terminal.c
Z8000_SHARED := $(addprefix guest/machine/,frames.c network.c service.c)
$(eval $(call host_program,demos-z8000,$(Z8000_HOSTED) $(Z8000_MACHINE) $(Z8000_SHARED),hosted_ether kernel net slots z8000node z8000 base))
$(eval $(call domain_image,z8000,guest/machine/z8000/domain.c guest/machine/z8000/apart_domain.c $(Z8000_MACHINE) $(Z8000_SHARED) guest/machine/console.c guest/machine/orders.c guest/machine/trace.c,\
    kernel net slots bundle splitdom splitdrv z8000node z8000))

Z8000_PROGRAMS := $(patsubst guest/machine/z8000/programs/%.s,$(BUILD)/z8000/demos/%.bin,$(wildcard guest/machine/z8000/programs/*.s))
$(BUILD)/z8000/demos/%.bin: guest/machine/z8000/programs/%.s $(wildcard guest/machine/z8000/programs/*.inc)
	@mkdir -p $(@D)
	$(Q)$(Z8K)/z8k-coff-as -z8001 -Iguest/machine/z8000/programs -o $(@:.bin=.o) $<
	$(Q)$(Z8K)/z8k-coff-ld -mz8001 -Ttext=0 -e 0 -o $(@:.bin=.coff) $(@:.bin=.o)
	$(Q)$(Z8K)/z8k-coff-objcopy -O binary $(@:.bin=.coff) $@
$(BUILD)/z8000/demos/trap.bin: guest/machine/z8000/trap.s
	@mkdir -p $(@D)
	$(Q)$(Z8K)/z8k-coff-as -z8001 -o $(@:.bin=.o) $<
	$(Q)$(Z8K)/z8k-coff-ld -mz8001 -Ttext=0 -e 0 -o $(@:.bin=.coff) $(@:.bin=.o)
	$(Q)$(Z8K)/z8k-coff-objcopy -O binary $(@:.bin=.coff) $@
ifneq ($(shell harness/z8k-binutils --where 2>/dev/null),)
HOST_PROGRAMS += $(BUILD)/z8000/demos/trap.bin $(Z8000_PROGRAMS)
endif
