# The control domain: its pure parts as a library, and the image around them.

$(eval $(call library,control,$(addprefix guest/control/,$(addprefix store/,node.c domain.c txn.c \
    watch.c conn.c ops.c init.c))))
