# What the x86 and the hosted machine share. It calls each of them and is called back, so
# an image or program takes the sources; the libraries are for tests.
MACHINE_SPACE := $(addprefix guest/machine/,frames.c memory.c space.c)
MACHINE_COMMON := $(MACHINE_SPACE) $(addprefix guest/machine/,boot.c disk.c network.c page.c registers.c service.c)
$(eval $(call library,bundle,guest/machine/bundle.c))
$(eval $(call library,space,$(MACHINE_SPACE) guest/machine/copy.c guest/machine/registers.c))
