# Pure: both ends of each driver and the handshake's table. splitdom: the same in a domain.
$(eval $(call library,splitdrv,$(addprefix splitdrv/,aside.c blkback.c blkfront.c bus.c cache.c netback.c netfront.c pool.c)))
$(eval $(call library,splitdom,$(addprefix splitdrv/,backends.c device.c domain.c rings.c vbd.c vif.c vif_back.c \
    vif_front.c wire.c)))
include $(wildcard splitdrv/*/build.mk)
