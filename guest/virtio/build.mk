# Pure: virtqueue. virtio: the driver over the domain runtime. pci: finding devices, and their messages.
$(eval $(call library,virtio,$(addprefix guest/virtio/,blk.c device.c domain.c net.c queue.c)))
$(eval $(call library,pci,$(addprefix guest/virtio/,message.c pci.c)))
