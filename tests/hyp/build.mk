# dom/ and the machine below it, which is tests/hyp/world.c with the real frames and nested
# tables: one library, because each half calls the other.
$(eval $(call library,hypworld,tests/hyp/world.c tests/hyp/builder.c tests/hyp/tables.c tests/hyp/hostile.c \
    hyp/mm/frame.c hyp/mm/p2m.c hyp/mm/p2m_fill.c $(SOURCES_hypdom)))
TESTLIBS_hyp := hypworld hypmm hypdecode base
include tests/hyp/guests/build.mk tests/hyp/suite/build.mk
