$(eval $(call library,splitworld,tests/splitdrv/world.c))
TESTLIBS_splitdrv := splitworld disks virtio splitdrv base
