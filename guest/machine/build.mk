$(eval $(call library,bundle,guest/machine/bundle.c))
