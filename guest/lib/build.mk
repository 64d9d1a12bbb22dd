# libdemos, and the shape of a program against it:
#
#   $(eval $(call demos_program,NAME,SOURCES))    build/programs/NAME; build/debug/NAME for gdb
$(eval $(call library,demos,$(addprefix guest/lib/,calendar.c file.c input.c keeper.c members.c memory.c message.c print.c process.c \
        server.c start.c switchboard.c time.c words.c)))

PROGRAM_LIBS := $(BUILD)/prog/libdemos.a $(BUILD)/prog/libbase.a
define demos_program
$(BUILD)/debug/$(1): $(call objects,prog,$(2)) $(PROGRAM_LIBS) guest/lib/program.lds
	@mkdir -p $$(@D)
	$(Q)$(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 --gc-sections --build-id=none \
	    -T guest/lib/program.lds -o $$@ $$(filter-out %.lds,$$^)
$(BUILD)/programs/$(1): $(BUILD)/debug/$(1)
	@mkdir -p $$(@D)
	$(Q)$(OBJCOPY) --strip-debug $$< $$@
PROGRAMS += $(BUILD)/programs/$(1)
IMAGES += $(BUILD)/debug/$(1)
endef
