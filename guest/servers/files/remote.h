/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store as the directory manager has it: store_look, store_read and store_change of
 * guest/servers/fs/store.h by messages to the buffer manager behind the link "buffers".
 * Pages of directories stay here; nobody else changes them.
 */
#ifndef GUEST_SERVERS_FILES_REMOTE_H
#define GUEST_SERVERS_FILES_REMOTE_H

#include "guest/servers/fs/store.h"

/* 0 or an error; the rest of *s is not used. */
int remote_open(struct store *s);

#endif
