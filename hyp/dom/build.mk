# What domains are made of. Pure enough for the host: tests/hyp supplies the machine below.
$(eval $(call library,hypdom,$(sort $(wildcard hyp/dom/*.c)) hyp/dev/lapic.c))
