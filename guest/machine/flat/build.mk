$(eval $(call host_program,kernel-bench,guest/machine/flat/bench.c,kernel net base))
