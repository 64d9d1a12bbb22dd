$(eval $(call library,splitworld,tests/splitdrv/world.c))
# What carries the handshake out over the store, which tests make up.
$(eval $(call library,splitdevice,splitdrv/device.c splitdrv/backends.c))
TESTLIBS_splitdrv := splitworld disks virtio splitdevice splitdrv base
