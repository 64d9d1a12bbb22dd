# One-file guests on the runtime, driven by the control domain; see their headers.

TESTLIBS_rt := conring base

$(foreach g,abi victim,$(eval $(call domain_image,test-$(g),tests/rt/guests/$(g).c,)))
$(eval $(call domain_image,test-hostile,$(addprefix tests/rt/guests/,hostile.c ring3.c watch.c),))
$(eval $(call domain_image,test-stays,$(addprefix tests/rt/guests/,stays.c watch.c),))
