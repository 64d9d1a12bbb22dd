$(eval $(call library,hypdom,$(wildcard hyp/dom/*.c) hyp/dev/lapic.c))
