$(eval $(call host_program,z8000/z8000-node,$(addprefix z8000/bench/,main.c paging.c rig.c speed.c table.c),z8000node z8000))
