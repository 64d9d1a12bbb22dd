# The variant `fast`: a host program that runs millions of times, compiled as a whole: kernel, network and
# media call each other for every message, and a sixth of all that is what one file cannot know of another.

CC_fast     := $(CC_target)
CFLAGS_fast := $(COMMON) -O3 -DOSMOSIS_HOST=1
ifeq ($(TOOLCHAIN),gcc)
CFLAGS_fast += -flto
# A bound of strnlen() is what may be, not what is there: seen as a whole it looks too large.
LDFLAGS_fast := -O3 -flto=auto -Wno-stringop-overread -ffile-prefix-map=$(CURDIR)=.
AR := gcc-ar
endif
VARIANTS += fast
