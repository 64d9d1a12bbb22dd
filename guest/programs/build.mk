$(eval $(call demos_program,init,guest/programs/init.c guest/machine/bundle.c))
$(foreach p,bottleneck counter-server hello hostile large lines links match mover nomad overlap ping ps work crowd ring tour traffic tree,\
    $(eval $(call demos_program,$(p),guest/programs/$(p).c)))
$(eval $(call library,delays,guest/programs/delays.c))
$(eval $(call demos_program,counter-client,guest/programs/counter-client.c guest/programs/delays.c))
$(foreach p,bench compare filebench movebench netbench startbench,\
    $(eval $(call demos_program,$(p),guest/programs/$(p).c guest/programs/measure.c)))
$(eval $(call demos_program,conformance,$(addprefix guest/programs/conformance/,calls.c exceptions.c faults.c float.S \
    floats.c growth.c links.c main.c messages.c moves.c processes.c roles.c \
    twins.c)))
KEEPERS := guest/programs/keepers
$(eval $(call library,chacha,$(KEEPERS)/chacha.c))
$(eval $(call demos_program,vault,$(KEEPERS)/vault.c $(KEEPERS)/chacha.c))
$(foreach p,meter shared together,$(eval $(call demos_program,$(p),$(KEEPERS)/$(p).c)))
$(eval $(call demos_program,keepers-check,$(KEEPERS)/check.c))

# $(call node_bundle,NAME): build/bundles/NAME, all programs and guest/programs/NAME.boot.
define node_bundle
$(BUILD)/bundles/$(1): guest/programs/$(1).boot $(PROGRAMS) $(BUILD)/demos-node
	@mkdir -p $$(@D)
	$(Q)$(BUILD)/demos-node --programs $(BUILD)/programs --list $$< --pack $$@
BUNDLES += $(BUILD)/bundles/$(1)
endef
ifneq ($(wildcard guest/kernel/build.mk),)
$(eval $(call node_bundle,demo))
$(eval $(call node_bundle,conformance))
$(eval $(call node_bundle,bench))
endif
IMAGES += $(PROGRAMS) $(BUNDLES)
