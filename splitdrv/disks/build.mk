DISKS := splitdrv/disks
$(eval $(call library,disks,$(DISKS)/disk.c $(DISKS)/past.c))
$(eval $(call domain_image,disks,$(addprefix $(DISKS)/,device.c main.c vbdback.c) guest/machine/trace.c,disks splitdom splitdrv virtio))
