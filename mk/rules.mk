# Pattern rules of the variants, and the shapes of thing we build on the host.
#
#   $(eval $(call library,NAME,SOURCES))   build/VARIANT/libNAME.a for every variant asked for
#   $(eval $(call host_program,NAME,SOURCES,LIBRARIES,FLAGS))   build/NAME, a tool people run
#   $(eval $(call fast_program,NAME,SOURCES,LIBRARIES,FLAGS))   the same, for what runs millions of times
#   $(eval $(call domain_image,NAME,SOURCES,LIBRARIES,FLAGS))    build/images/NAME, what a domain boots

define variant_rules
$(BUILD)/$(1)/%.o: %.c mk/toolchain.mk $(wildcard mk/$(1).mk)
	@mkdir -p $$(@D)
	$(Q)$(CC_$(1)) $(CFLAGS_$(1)) $$(CFLAGS_only_$$(subst /,_,$$(*D))) -MMD -MP -c $$< -o $$@
$(BUILD)/$(1)/%.o: %.S mk/toolchain.mk $(wildcard mk/$(1).mk)
	@mkdir -p $$(@D)
	$(Q)$(CC_$(1)) $(CFLAGS_$(1)) -D__ASSEMBLY__ -MMD -MP -c $$< -o $$@
endef
$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))

objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(patsubst %.S,$(BUILD)/$(1)/%.o,$(2)))

# Made anew, too, when the list of its sources is another: an object that is only in between and not there asks
# for nothing.
define library_variant
$(BUILD)/$(3)/lib$(1).a: $(call objects,$(3),$(2)) $(lastword $(MAKEFILE_LIST))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && $(AR) rcsD $$@ $$(filter %.o,$$^)
endef
define library
SOURCES_$(1) := $(2)
$(foreach v,$(VARIANTS),$(eval $(call library_variant,$(1),$(2),$(v))))
endef

define program_variant
$(BUILD)/$(1): $(call objects,$(5),$(2)) $(foreach l,$(3),$(BUILD)/$(5)/lib$(l).a)
	@mkdir -p $$(@D)
	$(Q)$(CC_$(5)) $(LDFLAGS_$(5)) $(4) -o $$@ -Wl,--start-group $$^ -Wl,--end-group
HOST_PROGRAMS += $(BUILD)/$(1)
endef
host_program = $(call program_variant,$(1),$(2),$(3),$(4),host)
fast_program = $(call program_variant,$(1),$(2),$(3),$(4),fast)

# A domain's image: its own sources and libraries on the runtime, at guest/rt/domain.lds.
define domain_image
$(BUILD)/images/$(1): $(call objects,dom,$(2)) $(foreach l,$(3) rt base,$(BUILD)/dom/lib$(l).a) \
        guest/rt/domain.lds
	@mkdir -p $$(@D)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections --build-id=none \
	    $(4) -T guest/rt/domain.lds -o $$@ --start-group $$(filter %.o %.a,$$^) --end-group
IMAGES += $(BUILD)/images/$(1)
endef

.SECONDARY:
