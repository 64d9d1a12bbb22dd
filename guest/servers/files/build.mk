FILES := guest/servers/files
$(eval $(call library,verify,$(FILES)/verify.c))
$(eval $(call demos_program,ramdisk,$(FILES)/ramdisk.c $(FILES)/verify.c))
$(eval $(call demos_program,disk,$(FILES)/device.c $(FILES)/verify.c))
$(eval $(call demos_program,buffers,$(FILES)/buffers.c $(FILES)/disk.c \
    $(filter-out %/dir.c,$(wildcard guest/servers/fs/*.c))))
$(eval $(call demos_program,directories,$(FILES)/directories.c $(FILES)/remote.c guest/servers/fs/dir.c))
$(eval $(call demos_program,files,$(FILES)/main.c))
$(eval $(call demos_program,files-check,$(FILES)/check.c))
$(eval $(call demos_program,files-keep,$(FILES)/keep.c))
