# A domain that misbehaves on a vif when it is told to: for experiments.
$(eval $(call domain_image,foe,$(addprefix splitdrv/foe/,main.c deeds.c),splitdom splitdrv))
