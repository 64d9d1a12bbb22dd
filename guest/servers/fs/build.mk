FS := guest/servers/fs
$(eval $(call library,fs,$(addprefix $(FS)/,bytes.c cache.c change.c check.c dir.c extent.c journal.c \
    make.c quota.c row.c space.c store.c)))
$(eval $(call host_program,demos-fs,$(addprefix $(FS)/tool/,disk.c main.c),fs base))
