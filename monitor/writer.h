// SPDX-License-Identifier: MIT
// The one thread of a process that writes the store. Jobs come from the loop's
// thread, are done in groups (what one turn of the loop submits goes together, and
// everything that waits while one commit runs forms the next), and are answered on
// the loop after the commit.
#ifndef MONITOR_WRITER_H
#define MONITOR_WRITER_H

#include "../base/db.h"

#include <uv.h>

struct writer;

// What a job does, in the writer's thread, within a transaction and a savepoint
// of its own where a job of its group fails. It may be called again, after what it did was
// rolled back: it must start afresh each time. False and `error`: its changes are rolled back
// alone.
typedef bool (*writer_work)(struct db *db, void *context, GError **error);

// The answer, on the loop. `error` NULL: committed. Else a DB_ERROR, or what the
// job said; borrowed.
typedef void (*writer_done)(const GError *error, void *context);

struct writer_job {
    writer_work work;
    writer_done done; // NULL where nobody waits for the answer
    void *context;
    bool frees;   // what must still be written where the disk is full: it ends debts
    bool patient; // may wait a tenth of a second for company: runs come in batches
};

// The reserve that is given up for jobs that free: `release` deletes it (false
// where there is none), `restore` makes it anew (false where the disk is still
// full). Both are called in the writer's thread. NULL for none.
struct writer_reserve {
    bool (*release)(void *self);
    bool (*restore)(void *self);
    void *self;
    bool gone; // it was given up already
};

// Starts the thread. `db` is owned by the writer from now on. `room` jobs may
// wait before writer_has_room says no.
struct writer *writer_new(uv_loop_t *loop, struct db *db, unsigned room,
                          const struct writer_reserve *reserve, GError **error);

// Queues a job, which begins at the end of the loop's turn. Never refused: what already runs has to
// be stored. Answers come in the order of submission within a group and from group to group.
void writer_submit(struct writer *writer, const struct writer_job *job);

// False while the queue is full: hold back what would make more jobs. `callback`
// is called once, on the loop, when there is room again.
bool writer_has_room(struct writer *writer);
void writer_on_room(struct writer *writer, void (*callback)(void *context), void *context);

// The last group's failure (full, read-only, corrupt …), or NULL while all is
// well; borrowed until the next answer. On the loop's thread.
const GError *writer_problem(const struct writer *writer);

// How many groups were committed, and how many jobs in them.
uint64_t writer_groups(const struct writer *writer);
uint64_t writer_jobs(const struct writer *writer);

// Finishes what waits, answers it, ends the thread and closes the database; then
// calls `closed` on the loop, and the writer is freed.
void writer_close(struct writer *writer, void (*closed)(void *context), void *context);

#endif
