$(eval $(call library,kernelmodel,tests/kernel/model.c tests/kernel/remotes.c))
TESTLIBS_kernel := kernelmodel sim kernel net base
