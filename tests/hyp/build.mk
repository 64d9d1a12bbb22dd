# The machine below dom/ is tests/hyp/world.c, with the real frames and nested tables.
$(eval $(call library,hypworld,tests/hyp/world.c hyp/mm/frame.c hyp/mm/p2m.c))
TESTLIBS_hyp := hypdom hypworld hypmm hypdecode hypdom base
