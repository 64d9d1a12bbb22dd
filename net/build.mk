$(eval $(call library,net,net/bulk.c net/due.c net/groups.c net/net.c net/nfsm.c net/peer.c \
    net/peer_in.c net/peer_out.c net/route.c net/through.c net/where.c))
# Stands above it where no kernel does.
$(eval $(call library,deaf,net/deaf.c))
include $(wildcard net/*/build.mk)
