$(eval $(call host_program,net-count,net/tools/count.c,net deaf base))
