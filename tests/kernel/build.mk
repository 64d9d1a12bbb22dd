$(eval $(call library,kernelmodel,tests/kernel/model.c))
TESTLIBS_kernel := kernelmodel sim kernel net base
