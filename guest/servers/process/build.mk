$(eval $(call library,balance,$(addprefix guest/servers/process/,balance.c loads.c)))
$(eval $(call demos_program,manager,$(addprefix guest/servers/process/,balance.c fellows.c made.c main.c)))
$(eval $(call demos_program,loads,guest/servers/process/loads.c guest/servers/process/loads_main.c))
