// SPDX-License-Identifier: MIT
// A value as flows see it: JSON (text is a JSON string), and whether it is a
// secret. Numbers keep their literal digits (base/json.h).
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>

struct value {
    cJSON *json; // owned
    bool secret; // never shown; whatever is made of it is secret too
};

// A value that owns `json`.
struct value *value_new(cJSON *json, bool secret);

// A text value; `text` is copied.
struct value *value_new_text(const char *text, bool secret);

// Frees the value and its JSON; NULL is allowed.
void value_free(struct value *value);

// The value as plain text: a string as it is, a number with its literal digits,
// true, false, null as JSON writes them, arrays and objects as compact JSON.
// The caller frees it.
char *value_to_text(const struct value *value);

// True for null, the empty text, and NULL.
bool value_is_empty(const struct value *value);

typedef struct value value_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(value_t, value_free)

#endif
