$(eval $(call demos_program,shell,$(addprefix guest/servers/shell/,files.c jobs.c main.c nodes.c)))
