FILES := guest/servers/files
$(eval $(call demos_program,ramdisk,$(FILES)/ramdisk.c))
$(eval $(call demos_program,files,$(FILES)/main.c $(FILES)/disk.c $(wildcard guest/servers/fs/*.c)))
$(eval $(call demos_program,files-check,$(FILES)/check.c))
