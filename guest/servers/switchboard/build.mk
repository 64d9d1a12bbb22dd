$(eval $(call library,board,guest/servers/switchboard/board.c))
$(eval $(call demos_program,switchboard,guest/servers/switchboard/board.c guest/servers/switchboard/main.c))
$(eval $(call demos_program,switchboard-check,guest/servers/switchboard/check.c))
$(foreach p,announce keep with,$(eval $(call demos_program,$(p),guest/servers/switchboard/$(p).c)))
