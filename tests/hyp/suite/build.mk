# One PVH kernel for each shape: build/images/suite-LEVELS. A shape is a variant of its own,
# because the width and the paging are the compiler's business. Then the same kernels in
# other files: at other addresses, and 64-bit code in ELF32.
SUITE_SOURCES := $(wildcard tests/hyp/suite/*.c) tests/hyp/suite/start.S base/format.c base/memory.c
SUITE_32 := $(filter-out -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone,$(CFLAGS_dom)) -m32 -march=i686
SUITE := $(BUILD)/images/suite-

define suite_variant
CC_suite$(1) := $(CC_target)
CFLAGS_suite$(1) := $(2) -DLEVELS=$(1)
endef
# suite_kernel NAME, LEVELS, emulation, address
define suite_kernel
$(SUITE)$(1): $(call objects,suite$(2),$(SUITE_SOURCES)) tests/hyp/suite/suite.lds
	@mkdir -p $$(@D)
	$(Q)$(LD) -m $(3) -nostdlib -z noexecstack --no-warn-rwx-segments --gc-sections --build-id=none \
	    --defsym=suite_at=$(4) -T tests/hyp/suite/suite.lds -o $$@ $$(filter %.o,$$^)
TEST_BINARIES += $(SUITE)$(1)
endef
$(eval $(call suite_variant,4,$(CFLAGS_dom)))
$(foreach l,3 2 0,$(eval $(call suite_variant,$(l),$(SUITE_32))))
$(foreach l,4 3 2 0,$(eval $(call variant_rules,suite$(l))))
$(eval $(call suite_kernel,4,4,elf_x86_64,0x100000))
$(foreach l,3 2 0,$(eval $(call suite_kernel,$(l),$(l),elf_i386,0x100000)))
$(eval $(call suite_kernel,low,0,elf_i386,0))
$(eval $(call suite_kernel,high,2,elf_i386,0x1400000))
$(SUITE)narrow: $(SUITE)4
	$(Q)$(OBJCOPY) -O elf32-i386 $< $@
$(SUITE)x32: $(SUITE)4
	$(Q)$(OBJCOPY) -O elf32-x86-64 $< $@
TEST_BINARIES += $(SUITE)narrow $(SUITE)x32
