$(eval $(call host_program,net-count,net/bench/count.c,net base))
