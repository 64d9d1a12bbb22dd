HOSTED_CHILD := guest/machine/hosted/child.c guest/machine/hosted/stub.S
$(eval $(call library,hosted_child,$(HOSTED_CHILD)))
