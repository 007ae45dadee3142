// SPDX-License-Identifier: MIT
// What the standby takes, kept beside the store in STORE.standby: a database whose blocks were
// taken beforehand, so that it can be written on a full disk, and is there after kill -9.
#ifndef MONITOR_STANDBY_FILE_H
#define MONITOR_STANDBY_FILE_H

#include "../base/db.h"

struct standby_file;

// Opens the file of the store at `store_path`, with its room; it is made where it is missing. NULL
// and a sentence where that cannot be done, or another process has it.
struct standby_file *standby_file_open(const char *store_path, GError **error);

// Where it is, for people; borrowed.
const char *standby_file_path(const struct standby_file *file);

// What a former process left and the store has not been given, opened for the caller, or NULL. The
// memory begins where the store is. False where it cannot be read.
bool standby_file_left(struct standby_file *file, struct db *memory, struct db **left,
                       GError **error);

// From now on, what is new in this memory is kept.
void standby_file_follow(struct standby_file *file, struct db *memory);

// Keeps what is new since the last time, and what became of the notice with this sequence
// (0: none). The first time shows whether anything can be kept. No transaction may be open.
bool standby_file_keep(struct standby_file *file, struct db *memory, int64_t notice,
                       GError **error);

// Makes what is kept outlive a power cut, too: it waits for the disk, and may be called from any
// thread.
struct standby_file_sync {
    int fds[2];
};
struct standby_file_sync standby_file_to_sync(const struct standby_file *file);
void standby_file_sync(const struct standby_file_sync *sync);

// What another process, which has the file, keeps there and the store does not have, as this
// memory knows it; NULL where there is nothing, or it cannot be read.
struct db *standby_file_peek(const char *store_path, struct db *memory);

// Notes in the store, within the transaction that gives all back, that it has it: a file that
// is not emptied afterwards is not given twice.
bool standby_file_give(const struct standby_file *file, struct db *store, GError **error);

// The store has it all. False where it could not be emptied; then it is at the next start.
bool standby_file_empty(struct standby_file *file, GError **error);

// What is in the file stays. NULL is allowed.
void standby_file_free(struct standby_file *file);

typedef struct standby_file standby_file_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(standby_file_t, standby_file_free)

#endif
