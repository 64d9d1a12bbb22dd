$(eval $(call host_program,kernel-bench,guest/machine/flat/bench.c guest/machine/unpaged.c,kernel net base))
