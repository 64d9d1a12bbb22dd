$(eval $(call library,netsim,tests/net/sim.c tests/net/graph.c))
TESTLIBS_net := netsim fabric net deaf media base

# A program for test_capture.py: it writes a capture of a small scenario to its standard output.
$(BUILD)/tests/net/capture: $(BUILD)/san/tests/net/capture.o \
        $(foreach l,fabric net deaf media base,$(BUILD)/san/lib$(l).a)
	@mkdir -p $(@D)
	$(Q)$(CC_san) -fsanitize=address,undefined -o $@ $^
TEST_BINARIES += $(BUILD)/tests/net/capture
