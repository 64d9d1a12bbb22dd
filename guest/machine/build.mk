# What the x86 and the hosted machine share. Each adds the calls that spaces make.
$(eval $(call library,bundle,guest/machine/bundle.c))
$(eval $(call library,space,guest/machine/frames.c guest/machine/memory.c guest/machine/space.c))
$(eval $(call library,place,$(addprefix guest/machine/,boot.c registers.c service.c)))
