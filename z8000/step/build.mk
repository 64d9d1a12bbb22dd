$(eval $(call host_program,z8000/z8000-step,z8000/step/main.c z8000/step/case.c \
    z8000/step/world.c,z8000))
