// SPDX-License-Identifier: MIT
// Access and refresh tokens in the store, and who may renew one: one process at a time, by a
// lock of its own beside the store. What probes/auth_token decides is kept here, durably.
#ifndef MONITOR_TOKEN_KEEP_H
#define MONITOR_TOKEN_KEEP_H

#include "../probes/token_store.h"
#include "store.h"
#include "writer.h"

// Tokens as probes see them: over `writer` and with the locks of `store`, which both have to
// outlive it. The engine borrows what token_keep_door gives.
struct token_keep;
struct token_keep *token_keep_new(uv_loop_t *loop, struct writer *writer,
                                  const struct store *store);
const struct token_store *token_keep_door(const struct token_keep *keep);
void token_keep_free(struct token_keep *keep);

#endif
