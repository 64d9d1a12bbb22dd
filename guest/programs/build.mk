$(eval $(call demos_program,init,guest/programs/init.c guest/machine/bundle.c base/elf.c))
$(eval $(call demos_program,hello,guest/programs/hello.c))
IMAGES += $(PROGRAMS)
