# One PVH image per file: build/guests/NAME; guest.c and child.c are in all of them.
HYP_GUESTS := $(patsubst tests/hyp/guests/%.c,%,$(filter-out %/guest.c %/child.c,$(wildcard tests/hyp/guests/*.c)))
define hyp_guest
$(BUILD)/guests/$(1): $(call objects,dom,tests/hyp/guests/start.S tests/hyp/guests/guest.c \
    tests/hyp/guests/child.c tests/hyp/guests/$(1).c) $(BUILD)/dom/libbase.a tests/hyp/guests/guest.lds
	@mkdir -p $$(@D)
	$(Q)$(LD) -nostdlib -z noexecstack --no-warn-rwx-segments -T tests/hyp/guests/guest.lds -o $$@ $$(filter %.o %.a,$$^)
TEST_BINARIES += $(BUILD)/guests/$(1)
endef
$(foreach g,$(HYP_GUESTS),$(eval $(call hyp_guest,$(g))))
