# One-file guests on the runtime, driven by the control domain; see their headers.

TESTLIBS_rt := base

$(foreach g,abi hostile victim,$(eval $(call domain_image,test-$(g),tests/rt/guests/$(g).c,)))
