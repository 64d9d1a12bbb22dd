TESTLIBS_z8000 := z8000node z8000

# The hosted node under ThreadSanitizer, for test_z8000_apart.py: its own sources and those of its
# libraries, as demos-z8000 has them.
CC_race := gcc
CFLAGS_race := $(COMMON) -O1 -fsanitize=thread -DOSMOSIS_HOST=1
$(eval $(call variant_rules,race))
Z8000_RACE := $(Z8000_HOSTED) $(Z8000_MACHINE) $(Z8000_SHARED) \
    $(foreach l,hosted_ether kernel net slots z8000node z8000 base,$(SOURCES_$(l)))
$(BUILD)/tests/z8000/race: $(call objects,race,$(Z8000_RACE))
	@mkdir -p $(@D)
	$(Q)$(CC_race) -fsanitize=thread -o $@ $^
TEST_BINARIES += $(BUILD)/tests/z8000/race
