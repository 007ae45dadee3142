// SPDX-License-Identifier: MIT
// JSON as RFC 8259 has it, over cJSON: strict where cJSON is lax, and numbers
// keep the digits that they were written with (ids above 2^53, 12.10).
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "arena.h"
#include "clock.h"

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>

// What went wrong while reading JSON.
#define JSON_ERROR json_error_quark()
GQuark json_error_quark(void);
enum json_error { JSON_ERROR_SYNTAX, JSON_ERROR_ENCODING, JSON_ERROR_DEPTH };

// From now on, want of memory in cJSON ends the program as in GLib, in place of a tree with
// a part missing. Once, before the first tree.
void json_init(void);

// Reads one JSON text of `length` bytes (a leading BOM is skipped), nested 1000
// deep at most. Every number has its literal in `valuestring`. \u0000 and half a
// surrogate pair become U+FFFD, since a C string would cut or break there. NULL
// and `error`, with line and column, where it is not JSON. The caller frees the
// tree with cJSON_Delete.
cJSON *json_parse(const char *text, size_t length, GError **error);

// The same for a tree that is only looked at: it is made of the arena's memory and
// ends with it. Several times cheaper than a tree of its own.
const cJSON *json_parse_into(struct arena *arena, const char *text, size_t length, GError **error);

// Writes a tree compactly (or indented), numbers by their literal. The caller
// frees the text with g_free.
char *json_print(const cJSON *tree, bool indented);

// The literal digits of a number: as it was written, or as cJSON would print
// it. Borrowed from `number` or from `buffer` (at least 32 bytes).
const char *json_number_text(const cJSON *number, char buffer[32]);

// A number node with the given literal, which has to be a JSON number.
cJSON *json_new_number(const char *literal);

// True where the whole text is a number as JSON writes one.
bool json_is_number(const char *text);

// The member `key` (case counts, the first of several) of an object, or NULL;
// borrowed.
const cJSON *json_member(const cJSON *object, const char *key);

// The text of a string member, or NULL; borrowed.
const char *json_text(const cJSON *object, const char *key);

// The value of a number member, or `fallback`.
gint64 json_integer(const cJSON *object, const char *key, gint64 fallback);

// An empty list that owns the values put into it.
GPtrArray *json_list_new(void);

// Adds a string member, or null where `text` is NULL.
void json_add_text(cJSON *object, const char *key, const char *text);

// Adds a time as text (clock_wall_format), or null where there is none (0).
void json_add_time(cJSON *object, const char *key, struct clock_wall time);

// Adds an integer member with all its digits.
void json_add_integer(cJSON *object, const char *key, gint64 number);

// True where both trees are the same JSON value (RFC 9535 section 2.3.5.2.2):
// members in any order, numbers compared as numbers.
bool json_equal(const cJSON *left, const cJSON *right);

// How `left` is to `right`, both numbers: less than, equal to or greater than 0
// in `order`. False where one is not finite (only a computed one can be so).
bool json_order_numbers(const cJSON *left, const cJSON *right, int *order);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(cJSON, cJSON_Delete)

#endif
