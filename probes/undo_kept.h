// SPDX-License-Identifier: MIT
// Undos as the ledger keeps them, as texts, each read once: a debt is paid at each run of a flow
// that creates something, and to read its undo takes longer than to send it.
#ifndef PROBES_UNDO_KEPT_H
#define PROBES_UNDO_KEPT_H

#include "../config/call.h"

// An undo with the lookup of its step (or NULL), for as long as somebody holds it.
struct undo_read {
    struct undo *undo;
    struct lookup *lookup;
};

struct undo_kept;

// An empty table; undo_kept_free ends it.
struct undo_kept *undo_kept_new(void);

// What undo_parse makes of `source`; NULL and `error` where it is none. The caller releases it.
struct undo_read *undo_kept_take(struct undo_kept *kept, const char *source, GError **error);
void undo_kept_release(struct undo_read *read);

// Those that are held stay until they are released. NULL is allowed.
void undo_kept_free(struct undo_kept *kept);

#endif
