# One PVH kernel for each shape: build/images/suite-LEVELS. A shape is a variant of its own,
# because the width and the paging are the compiler's business.
SUITE_SOURCES := $(wildcard tests/hyp/suite/*.c) tests/hyp/suite/start.S base/format.c base/memory.c
SUITE_32 := $(filter-out -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone,$(CFLAGS_dom)) -m32 -march=i686

define suite_variant
CC_suite$(1) := $(CC_target)
CFLAGS_suite$(1) := $(2) -DLEVELS=$(1)
endef
define suite_kernel
$(BUILD)/images/suite-$(1): $(call objects,suite$(1),$(SUITE_SOURCES)) tests/hyp/suite/suite.lds
	@mkdir -p $$(@D)
	$(Q)$(LD) -m $(2) -nostdlib -z noexecstack --no-warn-rwx-segments --gc-sections --build-id=none \
	    -T tests/hyp/suite/suite.lds -o $$@ $$(filter %.o,$$^)
TEST_BINARIES += $(BUILD)/images/suite-$(1)
endef
$(eval $(call suite_variant,4,$(CFLAGS_dom)))
$(foreach l,3 2 0,$(eval $(call suite_variant,$(l),$(SUITE_32))))
$(foreach l,4 3 2 0,$(eval $(call variant_rules,suite$(l))))
$(eval $(call suite_kernel,4,elf_x86_64))
$(foreach l,3 2 0,$(eval $(call suite_kernel,$(l),elf_i386)))
