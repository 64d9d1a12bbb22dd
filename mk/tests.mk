# tests/AREA/test_*.c and fuzz_*.c: one binary each, linked with the libraries that
# tests/AREA/build.mk names in TESTLIBS_AREA, which may call each other. Included last, when all
# of those are known.

AREAS := $(patsubst tests/%/build.mk,%,$(wildcard tests/*/build.mk))
define test_area
$(BUILD)/tests/$(1)/%: $(BUILD)/san/tests/$(1)/%.o $(foreach l,$(TESTLIBS_$(1)),$(BUILD)/san/lib$(l).a)
	@mkdir -p $$(@D)
	$(Q)$(CC_san) -fsanitize=address,undefined -o $$@ -Wl,--start-group $$^ -Wl,--end-group
$(BUILD)/fuzz/$(1)/%: $(BUILD)/fuzz/tests/$(1)/%.o $(foreach l,$(TESTLIBS_$(1)),$(BUILD)/fuzz/lib$(l).a)
	@mkdir -p $$(@D)
	$(Q)$(CC_fuzz) -fsanitize=fuzzer,address,undefined -o $$@ -Wl,--start-group $$^ -Wl,--end-group
TEST_BINARIES += $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/$(1)/test_*.c))
FUZZ_BINARIES += $(patsubst tests/%.c,$(BUILD)/fuzz/%,$(wildcard tests/$(1)/fuzz_*.c))
endef
$(foreach a,$(AREAS),$(eval $(call test_area,$(a))))
