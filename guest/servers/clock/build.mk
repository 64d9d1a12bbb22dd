$(eval $(call library,estimate,guest/servers/clock/estimate.c))
$(eval $(call demos_program,calendar,guest/servers/clock/estimate.c guest/servers/clock/main.c))
$(eval $(call demos_program,date,guest/servers/clock/date.c))
