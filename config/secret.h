// SPDX-License-Identifier: MIT
// The values of ${env:}, ${file:} and ${credential:}: read once when the
// configuration is read, and which of them are secrets.
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "template.h"

struct redact;
struct secret_store;

// An empty store.
struct secret_store *secret_store_new(void);

// Reads the value that `reference` names: from the environment, a file (its
// last newline is dropped; relative to `directory`), or systemd's credentials.
// False and `error`, one sentence, where it is unset, empty or unreadable.
bool secret_store_load(struct secret_store *store, const struct template_reference *reference,
                       const char *directory, GError **error);

// What was loaded, or the reference's fallback, or NULL; borrowed from the store.
const char *secret_store_find(const struct secret_store *store,
                              const struct template_reference *reference);

// Adds a literal that stands where a secret is due (a password in the file).
void secret_store_add_literal(struct secret_store *store, const char *secret);

// Adds every secret to `redact`.
void secret_store_redact(const struct secret_store *store, struct redact *redact);

// Frees it, with its secrets wiped; NULL is allowed.
void secret_store_free(struct secret_store *store);

#endif
