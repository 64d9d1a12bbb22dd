$(eval $(call library,membertable,guest/servers/memory/table.c))
$(eval $(call demos_program,memory,guest/servers/memory/table.c guest/servers/memory/main.c))
$(eval $(call demos_program,member,guest/servers/memory/member.c))
