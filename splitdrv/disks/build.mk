DISKS := splitdrv/disks
$(eval $(call library,disks,$(DISKS)/disk.c))
$(eval $(call domain_image,disks,$(DISKS)/main.c $(DISKS)/vbdback.c,disks splitdom splitdrv))
