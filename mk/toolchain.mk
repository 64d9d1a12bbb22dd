# Compilers and flags of every kind of object we build.
#
# A variant is a name, a compiler and its flags; mk/rules.mk turns each into
# pattern rules build/VARIANT/path/file.o. TOOLCHAIN=clang builds the same tree
# with clang, in a build directory of its own.

TOOLCHAIN ?= gcc
ifeq ($(TOOLCHAIN),clang)
BUILD     ?= build/clang
CC_target := clang
else ifeq ($(TOOLCHAIN),gcc)
BUILD     ?= build
CC_target := gcc
else
$(error TOOLCHAIN=$(TOOLCHAIN) is unknown: say gcc or clang)
endif

LD      := ld.bfd
AR      := ar
OBJCOPY := objcopy

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wundef -Wvla \
        -Wwrite-strings -Wimplicit-fallthrough
COMMON := -std=gnu11 -I. $(WARN) -fno-strict-aliasing -fno-common -g -gdwarf-4 \
          -ffile-prefix-map=$(CURDIR)=. -fno-ident

# Code without a C library below it: hypervisor and domains.
FREESTANDING := -ffreestanding -fno-builtin -fno-stack-protector -fno-pie -fno-pic \
                -fno-asynchronous-unwind-tables -fcf-protection=none -m64 -march=x86-64 \
                -ffunction-sections -fdata-sections
# Small copies of known size in moves, all others by base/memory.c; never by string
# instructions, which emulators run byte for byte.
ifeq ($(TOOLCHAIN),gcc)
FREESTANDING += -mmemcpy-strategy=unrolled_loop:128:noalign,libcall:-1:noalign \
                -mmemset-strategy=unrolled_loop:128:noalign,libcall:-1:noalign
endif
NO_FPU := -mno-sse -mno-mmx -mno-80387 -mgeneral-regs-only

CC_hyp      := $(CC_target)
CFLAGS_hyp  := $(COMMON) $(FREESTANDING) $(NO_FPU) -O2 -mno-red-zone -mcmodel=kernel \
               -fno-omit-frame-pointer -DOSMOSIS_HYP=1

CC_dom      := $(CC_target)
CFLAGS_dom  := $(COMMON) $(FREESTANDING) $(NO_FPU) -O2 -mno-red-zone -mcmodel=kernel \
               -DOSMOSIS_DOM=1

# A DEMOS program: ring 3, static, against libdemos only; may use SSE. Its kernel calls are
# CALL instructions inside inline code, so no red zone.
CC_prog     := $(CC_target)
CFLAGS_prog := $(COMMON) $(FREESTANDING) -O2 -msse2 -mno-red-zone -DOSMOSIS_PROG=1

# The host: plain (for tools and figures), sanitized (for tests), fuzzed.
CC_host     := $(CC_target)
CFLAGS_host := $(COMMON) -O2 -DOSMOSIS_HOST=1

CC_san      := gcc
CFLAGS_san  := $(COMMON) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=all -DOSMOSIS_HOST=1 -DOSMOSIS_CHECKED=1

CC_fuzz     := clang
CFLAGS_fuzz := $(COMMON) -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=all -DOSMOSIS_HOST=1 -DOSMOSIS_CHECKED=1

VARIANTS := hyp dom prog host san fuzz
