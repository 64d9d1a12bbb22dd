$(eval $(call library,splitdrv,$(addprefix splitdrv/,bus.c cache.c netback.c netfront.c pool.c)))
