# Osmosis. `make run` and `make test` need nothing else: they install what they
# miss, build, and go. Each folder says in its build.mk what it builds.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
Q := $(if $(V),,@)
PYTHON := /usr/bin/python3
PREFIX ?= /usr/local

include mk/toolchain.mk mk/fast.mk mk/rules.mk
include $(wildcard */build.mk tests/*/build.mk)
include mk/tests.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all deps run test test-quick test-long bench lint format clean install iso path \
        test-binaries print-flags
all: $(HOST_PROGRAMS) $(IMAGES)
	@:

test-binaries: $(TEST_BINARIES) $(FUZZ_BINARIES)

# Installs what this machine lacks (as root, or by sudo after saying what).
deps:
	$(Q)harness/deps

# A first look waits for what building and running need, not for what tests and figures do.
run:
	$(Q)harness/deps --needed
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)harness/osmosis run harness/clusters/demo.toml

test: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all test-binaries
	$(Q)$(PYTHON) -m pytest tests -n 2 --dist loadgroup -q

test-quick:
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all test-binaries
	$(Q)$(PYTHON) -m pytest tests -n 2 --dist loadgroup -q -m 'not slow'

test-long: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all test-binaries
	$(Q)OSMOSIS_LONG=1 $(PYTHON) -m pytest tests -n 2 --dist loadgroup -q

bench: deps
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all $(BUILD)/guests/rows
	$(Q)harness/osmosis bench

# Where the instructions of one row go: make path OP=P3.
path: $(BUILD)/guests/rows $(BUILD)/hyp/osmosis
	$(Q)harness/osmosis path $(OP)

iso: $(BUILD)/osmosis.iso

lint:
	$(Q)harness/lint

# What harness/lint hands to the analysers: each variant's name and flags.
print-flags:
	@$(foreach v,$(VARIANTS),echo '$(v) $(CFLAGS_$(v))';)

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build

install: all
	$(Q)harness/install-tree $(DESTDIR)$(PREFIX)
