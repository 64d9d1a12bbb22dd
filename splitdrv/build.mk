# Pure: both ends of each driver and the handshake's table. splitdom: the same in a domain.
$(eval $(call library,splitdrv,$(addprefix splitdrv/,blkback.c blkfront.c bus.c cache.c netback.c netfront.c pool.c)))
$(eval $(call library,splitdom,$(addprefix splitdrv/,device.c domain.c vbd.c vif.c wire.c)))
include $(wildcard splitdrv/*/build.mk)
