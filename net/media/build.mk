$(eval $(call library,media,net/media/addresses.c net/media/command.c net/media/medium.c net/media/rules.c net/media/words.c))
