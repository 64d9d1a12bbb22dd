$(eval $(call demos_program,shell,$(addprefix guest/servers/shell/,carry.c files.c jobs.c main.c nodes.c)))
