# The control domain: its pure parts as a library, and the image around them.

$(eval $(call library,control,$(addprefix guest/control/,$(addprefix store/,node.c domain.c txn.c \
    watch.c conn.c op.c node_ops.c conn_ops.c domain_ops.c ops.c init.c) words.c step.c json.c acpi.c layout.c)))

$(eval $(call domain_image,control,$(addprefix guest/control/,main.c ctl.c modules.c guests.c \
    rings.c self.c results.c commands.c domain_commands.c look_commands.c store_commands.c run.c port.c trace.c capture.c \
    devices.c snapshot.c snapshot_pages.c snapshot_commands.c \
    disks.c assign.c clock.c digest.c holdings.c),control virtio pci))
