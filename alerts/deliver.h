// SPDX-License-Identifier: MIT
// Sends what is due in the outbox, once; or one notice without an outbox. Blocks
// as mail servers do: it belongs in a process of its own (`erpwatch deliver`).
#ifndef ALERTS_DELIVER_H
#define ALERTS_DELIVER_H

#include "../base/db.h"
#include "../config/config.h"
#include "notice.h"

#include <stdio.h>

struct deliver_options {
    int64_t session_ms; // one session takes no longer
    int64_t total_ms;   // no session begins later than this
    FILE *out;          // a line for each recipient of each notice; NULL for none
};

// What became of the recipients. In the outbox, `waiting` counts all that still wait there.
struct deliver_tally {
    bool busy; // another deliver is at work on this store: nothing was done
    int accepted, waiting, given_up;
};

// Sends what is due in the store's outbox. False and `error` where the store or the
// configuration does not let it; what a server says is no error.
bool deliver_outbox(struct db *db, const struct config *config,
                    const struct deliver_options *options, struct deliver_tally *tally,
                    GError **error);

// Sends one notice once, without a store (failure-semantics 26). `facts` are its facts; a member
// "recipients" (array of addresses) names those still owed, else all addresses of its contact
// are. Gives {"notice", "recipients": [{"recipient", "state", "stage", "code", "reply"}]}, with
// `state` accepted, waiting or given_up. The caller frees it.
cJSON *deliver_facts(const cJSON *facts, const struct config *config,
                     const struct deliver_options *options, struct deliver_tally *tally,
                     GError **error);

#endif
