$(eval $(call library,netsim,tests/net/sim.c))
TESTLIBS_net := netsim net media base
