VM := guest/servers/vm
$(eval $(call library,slots,$(VM)/slots.c))
$(eval $(call demos_program,pager,$(VM)/pager.c $(VM)/slots.c))
$(eval $(call demos_program,luggage,$(VM)/luggage.c))
$(eval $(call demos_program,paging,$(VM)/paging.c))
