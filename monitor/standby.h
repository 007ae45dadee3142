// SPDX-License-Identifier: MIT
// Incidents and mail of the agent, or of `check --notify`, while the store cannot be written: the
// same tables in memory, begun from what the store says, and mails sent one by one over `deliver
// --stdin`. When the store can be written again, it is told all that happened.
#ifndef MONITOR_STANDBY_H
#define MONITOR_STANDBY_H

#include "../alerts/outbox.h"
#include "watch.h"

struct standby;

// Nothing is held in memory until the first result comes. `path` is the store's,
// `config_path` is given to the child that delivers.
struct standby *standby_new(uv_loop_t *loop, const char *path, const char *config_path);

// Keeps what is taken in a file beside the store too, from now on, and takes over what a former
// process left there. Where that cannot be done, the log says so, once; where another process has
// the file, only when it is needed, and another call tries again.
void standby_use_file(struct standby *standby, const struct config *config);

// As watch_submit; where the store cannot be written, the result is taken here, and `done` hears
// of no error.
void standby_submit(struct standby *standby, struct writer *writer, const struct config *config,
                    struct watch_event *event, watch_done done, void *context);

// Results are taken here from now on, though the store seems to take them: it cannot be read.
void standby_take_over(struct standby *standby, const struct config *config, enum db_error cause);

// Takes a result that the store could not.
bool standby_result(struct standby *standby, const struct config *config,
                    const struct watch_event *event, struct watch_answer *answer, GError **error);

// Does what time brings about: mutes that end, the next notice that is due, unless one is being
// sent. To be called every second.
void standby_serve(struct standby *standby, const struct config *config);

// Sends what is due now, one notice after the other, each tried once; then calls `done` on the
// loop. For a process that does not stay: `config` is borrowed until then.
void standby_deliver(struct standby *standby, const struct config *config,
                     void (*done)(void *context), void *context);

// Gives all back through the writer, whatever its state. False where there is nothing to give, or
// the file is damaged; else `done` is called, and `config` is borrowed until then.
bool standby_give_back(struct standby *standby, struct writer *writer, const struct config *config,
                       void (*done)(void *context), void *context);

// True while a child sends a notice: to give back then may send that one twice.
bool standby_is_sending(const struct standby *standby);

// True while something is held that the store does not have.
bool standby_is_used(const struct standby *standby);

// A child that delivers is left to its own. NULL is allowed.
void standby_free(struct standby *standby);

// The parts, for the tests: the notice that is due now, marked as being sent (NULL: none), what
// `deliver --stdin` is given of it, and its report (NULL: it gave none) taken down.
struct outbox_item *standby_take_notice(struct db *memory, const struct config *config,
                                        struct clock_wall now);
char *standby_facts(const struct outbox_item *item);
bool standby_settle(struct db *memory, const struct outbox_item *item, const cJSON *report,
                    struct clock_wall now, GError **error);

// Fills an empty memory with what the store at `path` says, as far as it can be read.
void standby_begin(struct db *memory, const char *path);

// Forgets the oldest runs above what is kept; true where there were some.
bool standby_trim(struct db *memory);

// Writes what the memory holds into the store, within the caller's transaction.
bool standby_merge(struct db *memory, struct db *store, const struct config *config,
                   GError **error);

typedef struct standby standby_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(standby_t, standby_free)

#endif
