/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: directories as files of the store. Entry 0 of a directory has no name and points
 * at its parent. What changes several files is one store_change, so a crash finds all of
 * it or none.
 */
#ifndef GUEST_SERVERS_FS_DIR_H
#define GUEST_SERVERS_FS_DIR_H

#include "guest/servers/fs/store.h"

struct dir_entry {
    u32 file, generation;
    u32 at; /* index in the directory */
    u8 len;
    char name[FS_NAME_MAX + 1]; /* NUL-terminated */
};

/* FS_E_NAME unless 1 to FS_NAME_MAX bytes without '/' and NUL, and not "." or "..". */
int dir_name_allowed(const char *name, size_t len);
int dir_find(struct store *s, u32 dir, const char *name, size_t len, struct dir_entry *found);
/* The next entry at or after index *at; FS_E_NONE after the last. */
int dir_next(struct store *s, u32 dir, u32 *at, struct dir_entry *entry);
int dir_create(struct store *s, u32 dir, const char *name, size_t len, enum fs_kind kind,
               u32 owner, u32 *file);
/* Takes the name away; the file's blocks follow by and by. A directory must be empty. */
int dir_remove(struct store *s, u32 dir, const char *name, size_t len);
/* Moves a name; a file of the new name is replaced, a directory is not. */
int dir_rename(struct store *s, u32 from, const char *name, size_t len, u32 to,
               const char *new_name, size_t new_len);
int dir_parent(struct store *s, u32 dir, u32 *parent);
/* Walks a path of names parted by '/' from `dir`; "" is `dir` itself. The last name that
 * need not exist is left in *last when `last` is not NULL. */
int dir_walk(struct store *s, u32 dir, const char *path, size_t len, u32 *file,
             const char **last, size_t *last_len);

#endif
