// SPDX-License-Identifier: MIT
// Locks between processes that the kernel drops at any death: open-file-description
// locks on files of their own. A lock belongs to the open file, so two holders
// within one process exclude each other too.
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCK_ERROR lock_error_quark()
GQuark lock_error_quark(void);
enum lock_error {
    LOCK_ERROR_HELD,   // somebody else has it
    LOCK_ERROR_FAILED, // the file cannot be opened or locked
    LOCK_ERROR_FULL    // there is no room for it
};

// What stands for this errno.
enum lock_error lock_error_of(int number);

struct lock;

// Takes the whole file at `path`, which is created (mode 0600) where it is
// missing. Does not wait.
struct lock *lock_take(const char *path, GError **error);

// True where somebody holds the file at `path`.
bool lock_is_held(const char *path);

// Gives the lock back; the file stays. NULL is allowed.
void lock_free(struct lock *lock);

// Gives the lock back and removes its file.
void lock_free_and_remove(struct lock *lock);

typedef struct lock lock_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(lock_t, lock_free)

#endif
