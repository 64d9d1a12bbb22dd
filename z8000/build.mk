# The Z8000: processor core, the tool that steps it, the node around it.
$(eval $(call library,z8000,$(addprefix z8000/,alu.c block.c decode.c engine.c epu.c fast.c fast_block.c \
    fast_decode.c fast_pages.c flow.c io.c muldiv.c rows.c shift.c state.c system.c trap.c)))
include $(wildcard z8000/*/build.mk)
