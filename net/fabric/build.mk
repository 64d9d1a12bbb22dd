$(eval $(call library,fabric,net/fabric/capture.c net/fabric/checksum.c net/fabric/fabric.c))
$(eval $(call domain_image,fabric,$(addprefix net/fabric/,main.c outlet.c outside.c vifback.c),\
    fabric media splitdom splitdrv virtio))
$(eval $(call domain_image,netping,net/fabric/ping.c,net deaf splitdom splitdrv))
$(eval $(call domain_image,netflood,net/fabric/flood.c,net deaf splitdom splitdrv))
