/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing one line of JSON into a buffer. What does not fit is left out member by member,
 * and "cut":true says so, so the line stays well-formed.
 */
#ifndef GUEST_CONTROL_JSON_H
#define GUEST_CONTROL_JSON_H

#include "base/types.h"

struct json {
    char *buf;
    size_t room, len;
    bool comma, cut, in_item, in_array;
};

void json_begin(struct json *j, char *buf, size_t room);
void json_text(struct json *j, const char *key, const char *value);
/* Of `len` bytes, which need not be text. */
void json_bytes(struct json *j, const char *key, const char *value, size_t len);
void json_number(struct json *j, const char *key, u64 value);
void json_bool(struct json *j, const char *key, bool value);
/* An array of objects: json_open, then json_item before each one's members, json_close. */
void json_open(struct json *j, const char *key);
void json_item(struct json *j);
void json_item_end(struct json *j);
void json_close(struct json *j);
/* Ends the object and the line; the length. */
size_t json_end(struct json *j);

#endif
