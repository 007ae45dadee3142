// SPDX-License-Identifier: MIT
// What one process at a time may do, out of very many things: numbered places in a file that
// the processes of this machine share. Taking one asks no kernel: it goes through all
// locks of a file at each one that is taken, and thousands may be held at once. A claim
// ends with its holder: whoever comes across one of a dead process takes it over.
#ifndef BASE_CLAIMS_H
#define BASE_CLAIMS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// Who claims. `is_alive` is asked about the number of another one.
struct claims_holder {
    uint64_t number; // his own among all processes, never used again; not 0
    bool (*is_alive)(void *context, uint64_t number);
    void *context;
};

struct claims;

// Opens the file at `path`, which is created (mode 0600) where it is missing.
struct claims *claims_open(const char *path, const struct claims_holder *holder, GError **error);

// Takes what has this number; false where another process that is alive has it, or one of the
// few others in its place. To be taken by this process as often as it is released: it
// knows itself what it has.
bool claims_take(struct claims *claims, uint64_t number);
void claims_release(struct claims *claims, uint64_t number);

// Does not release what is still taken. NULL is allowed.
void claims_free(struct claims *claims);

typedef struct claims claims_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(claims_t, claims_free)

#endif
