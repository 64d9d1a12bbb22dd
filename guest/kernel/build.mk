$(eval $(call library,kernel,$(addprefix guest/kernel/,arrive.c asked.c bulk.c call.c control.c depart.c elf.c exception.c fault.c \
	fast.c forward.c handover.c inherit.c keeper.c kernel.c link.c locate.c message.c migrate.c move.c node.c notice.c park.c queue.c receive.c \
	object.c page.c pageout.c past.c region.c remote.c replay.c sched.c send.c start.c state.c switchboard.c \
	task.c transfer.c travel.c)))
