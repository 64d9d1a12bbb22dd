$(eval $(call library,base,base/crc32.c base/crc32c.c base/elf.c base/format.c base/heap.c base/memory.c base/wide.c))
