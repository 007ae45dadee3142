// SPDX-License-Identifier: MIT
// The durable queue of notices not yet accepted by the mail server: the SQL of
// its tables. Called inside the caller's transaction, where nothing else is said.
//
// A recipient is one address of one notice, and has a state of its own: waiting,
// sending, accepted, given_up, held (by the flood limit), summarised.
#ifndef ALERTS_OUTBOX_H
#define ALERTS_OUTBOX_H

#include "../base/db.h"
#include "delivery_plan.h"
#include "notice.h"

// Statements that create the outbox tables: a step of the store's schema.
extern const char outbox_schema[];

// What a query for recipients (as r) in one of these states adds, word for word as the index
// says: else SQLite goes through all that were ever written to.
#define OUTBOX_IS_OPEN "r.state IN ('waiting', 'sending', 'held')"

// Queues a notice, once: the same id again changes nothing. `due` is when it may first go
// out (later than now while it waits for company).
bool outbox_add(struct db *db, const struct notice *notice, struct clock_wall now,
                struct clock_wall due, GError **error);

// Writes a notice anew that still waits for company: its facts, priority and contact stay
// under the same id. Nothing happens where it is not there or was begun.
bool outbox_update(struct db *db, const struct notice *notice, GError **error);

// The contacts (of char *, owned) to whom an opening of this incident was begun, by id.
GPtrArray *outbox_begun(struct db *db, const char *incident, GError **error);

// Adds all notices of another outbox, with what became of their recipients. Of those whose
// id is there already, only who has got them is taken over.
bool outbox_copy(struct db *from, struct db *to, GError **error);

// When something is next due, or us -1 where nothing waits. No transaction needed.
struct clock_wall outbox_next_due(struct db *db, GError **error);

// A notice whose turn it is, with the addresses that are due now. One session.
struct outbox_item {
    int64_t sequence;
    char *notice, *incident, *contact, *kind;
    int priority;
    cJSON *facts;
    bool lighter;          // goes without attachments
    GBytes *mail;          // the composed bytes of this form, or NULL before the first attempt
    GPtrArray *recipients; // of char *: addresses
    GArray *attempts;      // of int: of each, those before this one
    bool exempt;           // never held by the flood limit
    bool tried;            // some attempt was made before
};

// True where the server as a whole is to be left alone until `*until`. `digest` of the
// configuration: another one than at the failure is tried at once.
bool outbox_server_waits(struct db *db, const char *server, const char *digest,
                         struct clock_wall now, struct clock_wall *until, GError **error);

// The first notice, in the order of queueing, with an address that is due and that no
// earlier notice of the same incident holds up; NULL where there is none, or with `error`.
struct outbox_item *outbox_take(struct db *db, struct clock_wall now, GError **error);

// Keeps the composed bytes of the item's form, before their first attempt.
bool outbox_keep_mail(struct db *db, const struct outbox_item *item, GBytes *mail, GError **error);

// Marks the item's recipients as being sent to, and counts the attempt. To be committed
// before the session begins.
bool outbox_mark_sending(struct db *db, struct outbox_item *item, struct clock_wall now,
                         GError **error);

// Records what became of one recipient of an item that was marked as sending.
bool outbox_record(struct db *db, const struct outbox_item *item, const char *address,
                   const struct delivery_reply *reply, enum delivery_fate fate,
                   struct clock_wall now, GError **error);

// Records that an address has got a notice that waits here: it was sent from elsewhere (from
// memory). Nothing happens where it does not wait.
bool outbox_settle(struct db *db, const char *notice, const char *address, struct clock_wall now,
                   GError **error);

// The item's remaining recipients get it without attachments from now on.
bool outbox_make_lighter(struct db *db, const struct outbox_item *item, GError **error);

// Records a failure of the server as a whole, or (reply NULL) that it works.
bool outbox_server_record(struct db *db, const char *server, const char *digest,
                          const struct delivery_reply *reply, struct clock_wall now,
                          GError **error);

// Makes due again what a dead process was sending. Only under the lock of deliver.
bool outbox_reclaim(struct db *db, GError **error);

// True where every recipient of every opening of the incident was given up.
bool outbox_nobody_told(struct db *db, const char *incident, GError **error);

// How many recipients are in which state. No transaction needed.
struct outbox_counts {
    int waiting; // sending and held ones included
    int accepted, given_up, summarised;
};
bool outbox_count(struct db *db, struct outbox_counts *counts, GError **error);

// What `status` shows: [{notice, incident, kind, contact, priority, recipient, state, attempts,
// reply, last, due}] of each recipient that is given up or was tried in vain, oldest first.
// The caller frees it.
cJSON *outbox_problems(struct db *db, GError **error);

// The state of one incident's notices as `incident ID` shows it: the same members, of all its
// recipients. The caller frees it.
cJSON *outbox_of_incident(struct db *db, const char *incident, GError **error);

// The incidents (of char *, owned) of whose opening nobody could be told.
GPtrArray *outbox_untold_incidents(struct db *db, GError **error);

// Forgets bodies and evidence of notices that ended before `evidence`, and whole notices that
// ended before `all`; at most `limit` rows of each, so that transactions stay small.
bool outbox_prune(struct db *db, struct clock_wall evidence, struct clock_wall all, int limit,
                  GError **error);

// Frees it; NULL is allowed.
void outbox_item_free(struct outbox_item *item);

typedef struct outbox_item outbox_item_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(outbox_item_t, outbox_item_free)

#endif
