// SPDX-License-Identifier: MIT
// The names of one run and their values: captures, set, vars, with, and the
// given ones (run.id, mark, now, …). Feeds template rendering.
#ifndef PROBES_VALUES_H
#define PROBES_VALUES_H

#include "../config/config.h"

struct values;

// An empty space of names; `secrets` (borrowed) answers ${…} references,
// `zone` is the time zone of {{now}}.
struct values *values_new(const struct secret_store *secrets, const char *zone);

// Gives `name` a value (taken), in place of a former one; NULL takes it away.
void values_set(struct values *values, const char *name, struct value *value);
void values_set_text(struct values *values, const char *name, const char *text, bool secret);

// Takes away what a login gave: login.NAME.
void values_forget_login(struct values *values);

// The value of a name, or NULL; borrowed until it is set anew.
const struct value *values_find(const struct values *values, const char *name);

// A template context over these values at `now`.
struct template_context values_context(struct values *values, struct clock_wall now);

// All values as a JSON object, secrets left out: what the ledger keeps; and
// back, added to `values`.
cJSON *values_to_json(const struct values *values);
void values_add_json(struct values *values, const cJSON *object);

// True where one of the values is a secret, or a template made one of a secret.
bool values_have_secrets(const struct values *values);

// Adds the secret values, and what filters made of secrets, to `redact`.
struct redact;
void values_redact(const struct values *values, struct redact *redact);

// A copy that the caller owns; frees. NULL is allowed.
struct values *values_copy(const struct values *values);
void values_free(struct values *values);

#endif
