# The hypervisor: linked twice, so that the symbol table of the first link is in the second.
# 64-bit code in a 32-bit ELF file at its machine addresses: what multiboot loaders take.
include $(wildcard hyp/*/build.mk)

HYP_SOURCES := $(wildcard hyp/boot/*.S hyp/*.c hyp/boot/*.c hyp/mm/*.c hyp/cpu/*.c hyp/cpu/*.S \
    hyp/virt/*.c hyp/virt/svm/*.c hyp/virt/svm/*.S) \
    hyp/dev/log.c hyp/dev/mailbox.c hyp/dev/serial.c hyp/dev/trace.c
HYP_OBJECTS := $(call objects,hyp,$(HYP_SOURCES))
HYP_LIBRARIES := $(BUILD)/hyp/libhypdom.a $(BUILD)/hyp/libbase.a
HYP_LINK = $(LD) -m elf_x86_64 -nostdlib --gc-sections -z noexecstack -z max-page-size=4096 \
    --build-id=none -T hyp/hyp.lds -o $@ $(filter %.o,$^) \
    --start-group $(HYP_LIBRARIES) --end-group

# The parts without a machine below them, for tests on the host.
$(eval $(call library,hypmm,hyp/mm/buddy.c))
$(eval $(call library,hypdecode,hyp/virt/decode.c))

$(BUILD)/hyp/osmosis.1: $(HYP_OBJECTS) $(BUILD)/hyp/hyp/symbols0.o $(HYP_LIBRARIES) hyp/hyp.lds
	$(Q)$(HYP_LINK)
$(BUILD)/hyp/osmosis.64: $(HYP_OBJECTS) $(BUILD)/hyp/hyp/symbols1.o $(HYP_LIBRARIES) hyp/hyp.lds
	$(Q)$(HYP_LINK)
$(BUILD)/hyp/hyp/symbols0.s: hyp/symbols.awk
	@mkdir -p $(@D)
	$(Q)awk -f $< /dev/null >$@
$(BUILD)/hyp/hyp/symbols1.s: $(BUILD)/hyp/osmosis.1 hyp/symbols.awk
	$(Q)nm -n $< | awk -f hyp/symbols.awk >$@
$(BUILD)/hyp/hyp/symbols%.o: $(BUILD)/hyp/hyp/symbols%.s
	$(Q)$(CC_hyp) -c $< -o $@
$(BUILD)/hyp/osmosis: $(BUILD)/hyp/osmosis.64
	$(Q)$(OBJCOPY) -S -O elf32-i386 --change-section-vma '*-0xffffffff80000000' $< $@
IMAGES += $(BUILD)/hyp/osmosis

# The CD that `make iso` makes: the control domain, a domain to greet us, and its plan.
ISO_IMAGES := $(BUILD)/images/control $(BUILD)/images/hello
$(BUILD)/osmosis.iso: hyp/mkiso $(BUILD)/hyp/osmosis $(ISO_IMAGES) hyp/iso.plan
	$(Q)cp hyp/iso.plan $(BUILD)/hyp/plan
	$(Q)hyp/mkiso $@ $(BUILD)/hyp/osmosis "clock=real" $(ISO_IMAGES) $(BUILD)/hyp/plan
