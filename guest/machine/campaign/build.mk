$(eval $(call library,campaign,$(addprefix guest/machine/campaign/,board.c boot.c counter.c ledger.c moment.c plan.c \
    ports.c ring.c script.c table.c tour.c world.c)))
$(eval $(call fast_program,campaign,guest/machine/campaign/main.c,campaign sim fabric media kernel net base))
