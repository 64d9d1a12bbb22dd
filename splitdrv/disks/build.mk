DISKS := splitdrv/disks
$(eval $(call library,disks,$(addprefix $(DISKS)/,device.c disk.c past.c)))
$(eval $(call domain_image,disks,$(addprefix $(DISKS)/,main.c vbdback.c) guest/machine/trace.c,disks splitdom splitdrv virtio))
