# The node's programs, when the assembler is there (harness/z8k-binutils builds it).
Z8K := $(shell harness/z8k-binutils --where 2>/dev/null)
Z8000_IMAGES := $(addprefix $(BUILD)/z8000/,kernel.bin stub.bin single.bin user.bin load.bin)
$(BUILD)/z8000/%.bin: z8000/asm/%.s
	@mkdir -p $(@D)
	$(Q)$(Z8K)/z8k-coff-as -z8001 -o $(@:.bin=.o) $<
	$(Q)$(Z8K)/z8k-coff-ld -mz8001 -Ttext=0 -e 0 -o $(@:.bin=.coff) $(@:.bin=.o)
	$(Q)$(Z8K)/z8k-coff-objcopy -O binary $(@:.bin=.coff) $@
ifneq ($(Z8K),)
HOST_PROGRAMS += $(Z8000_IMAGES)
endif
