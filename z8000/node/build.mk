$(eval $(call library,z8000node,$(addprefix z8000/node/,maps.c node.c ports.c)))
