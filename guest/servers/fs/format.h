/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies on a disk. All integers are big-endian; a block is 512 bytes, the unit that a
 * disk writes or tears. The README of this folder draws the layout.
 *
 * A file is a row of the file table: its size, its owner (for quotas) and the extents that
 * hold its bytes in order. Rows continue in extent blocks when nine extents are too few.
 * Directories are files whose blocks are journalled like the tables.
 */
#ifndef GUEST_SERVERS_FS_FORMAT_H
#define GUEST_SERVERS_FS_FORMAT_H

#include "base/bytes.h"

enum {
    FS_BLOCK = 512,
    FS_VERSION = 1,
    FS_ROW = 128,
    FS_ROWS_PER_BLOCK = FS_BLOCK / FS_ROW,
    FS_ROW_EXTENTS = 9,
    FS_MORE_EXTENTS = 62,
    FS_NAME_MAX = 55,
    FS_ENTRY = 64,
    FS_BITS_PER_BLOCK = FS_BLOCK * 8,
};
#define FS_SUPER_MAGIC   0x44454d4f53465331ull /* "DEMOSFS1" */
#define FS_JOURNAL_MAGIC 0x4a524e4cu
#define FS_MORE_MAGIC    0x4d4f5245u
#define FS_FILE_MAX      (1ull << 30)

/* Files that every disk has. Row 0 is never used: file number 0 means none. */
enum { FS_ROOT = 1, FS_QUOTAS = 2, FS_FIRST_FREE = 3 };

enum fs_kind {
    FS_FREE = 0,
    FS_FILE = 1,
    FS_DIRECTORY = 2,
    FS_DYING = 3, /* has no name any more: its blocks are being given back */
};

/* Offsets in block 0; the rest is zero, the CRC covers the bytes before it. */
enum {
    FS_S_MAGIC = 0,
    FS_S_VERSION = 8,
    FS_S_BLOCKS = 12,
    FS_S_JOURNAL = 16,
    FS_S_JOURNAL_LEN = 20,
    FS_S_BITMAP = 24,
    FS_S_TABLE = 28,
    FS_S_TABLE_LEN = 32, /* in blocks */
    FS_S_DATA = 36,
    FS_S_CRC = 40,
};

/* Offsets in a row. */
enum {
    FS_R_KIND = 0,       /* u16 */
    FS_R_EXTENTS = 2,    /* u16: how many, all together */
    FS_R_GENERATION = 4, /* u32: grows when the row is used again */
    FS_R_SIZE = 8,       /* u64: bytes */
    FS_R_OWNER = 16,     /* u32 */
    FS_R_BLOCKS = 20,    /* u32: held, extent blocks included */
    FS_R_MORE = 24,      /* u32: first extent block, 0 for none */
    FS_R_CHANGED = 32,   /* u64: time of the last change, ns */
    FS_R_EXTENT = 56,    /* FS_ROW_EXTENTS times { u32 start, u32 count } */
};

/* Offsets in an extent block: magic, next, then FS_MORE_EXTENTS extents. */
enum { FS_M_MAGIC = 0, FS_M_NEXT = 4, FS_M_EXTENT = 8 };

/* Offsets in the journal's first block; block numbers follow FS_J_LIST, then (from the next
 * whole block on) the contents. The CRC covers list and contents. */
enum { FS_J_MAGIC = 0, FS_J_COUNT = 4, FS_J_SEQUENCE = 8, FS_J_CRC = 16, FS_J_LIST = 20 };

/* Offsets in a directory entry; an entry whose file is 0 is free. */
enum { FS_D_FILE = 0, FS_D_GENERATION = 4, FS_D_LEN = 8, FS_D_NAME = 9 };

/* The quota file: pairs of u32 owner, u32 limit in blocks. */
enum { FS_QUOTA_PAIR = 8 };

_Static_assert(FS_R_EXTENT + FS_ROW_EXTENTS * 8 == FS_ROW, "a row is full");
_Static_assert(FS_M_EXTENT + FS_MORE_EXTENTS * 8 <= FS_BLOCK, "an extent block fits");
_Static_assert(FS_D_NAME + FS_NAME_MAX == FS_ENTRY, "an entry is full");

enum fs_error {
    FS_OK = 0,
    FS_E_IO = -1,    /* the disk failed */
    FS_E_FULL = -2,  /* no block, row or entry left */
    FS_E_QUOTA = -3, /* the owner's limit */
    FS_E_NONE = -4,  /* no such file or name */
    FS_E_EXISTS = -5,
    FS_E_KIND = -6,    /* a directory where a file is wanted, or the other way */
    FS_E_NAME = -7,    /* empty, too long, or with a forbidden byte */
    FS_E_BIG = -8,     /* past FS_FILE_MAX */
    FS_E_DAMAGED = -9, /* what the disk says cannot be */
    FS_E_BUSY = -10,   /* not empty; or a directory moved below itself */
    FS_E_MEMORY = -11,
};

#endif
