/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of several files at once, as whoever keeps names asks for them: a few steps that
 * one commit takes together.
 */
#include "base/memory.h"
#include "guest/servers/fs/store.h"

static int create(struct store *s, const struct store_step *step, struct row *made)
{
    bool known = step->kind == FS_FILE || step->kind == FS_DIRECTORY;
    u32 file;
    int error = !known ? FS_E_KIND : store_create(s, step->kind, step->owner, &file);

    return error ? error : store_look(s, file, made);
}

static int write(struct store *s, const struct store_step *step, const struct row *made)
{
    u8 bytes[FS_ENTRY];
    s64 done;

    memcpy(bytes, step->bytes, FS_ENTRY);
    if (step->names) {
        be32_put(bytes + FS_D_FILE, made->file);
        be32_put(bytes + FS_D_GENERATION, made->generation);
    }
    done = store_write(s, step->file ? step->file : made->file, step->offset, bytes, FS_ENTRY);
    return done == FS_ENTRY ? FS_OK : done < 0 ? (int)done : FS_E_FULL;
}

static int perform(struct store *s, const struct store_step *step, struct row *made)
{
    switch (step->op) {
    case STEP_CREATE: return made->file ? FS_E_EXISTS : create(s, step, made);
    case STEP_WRITE: return write(s, step, made);
    case STEP_DELETE: return store_delete(s, step->file);
    default: return FS_E_KIND;
    }
}

int store_change(struct store *s, const struct store_step *steps, u32 count, struct row *made)
{
    int error = FS_OK;

    *made = (struct row){0};
    store_begin(s);
    for (u32 i = 0; !error && i < count; i++)
        error = perform(s, &steps[i], made);
    if (error && made->file)
        store_delete(s, made->file);
    store_end(s);
    return error;
}
