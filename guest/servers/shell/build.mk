$(eval $(call library,line,guest/servers/shell/line.c))
$(eval $(call demos_program,shell,$(addprefix guest/servers/shell/,carry.c files.c jobs.c line.c main.c nodes.c pipe.c)))
