// SPDX-License-Identifier: MIT
// A number that the processes of this machine share, in a file of its own that is mapped into
// memory: it survives any of them, and costs neither a call of the kernel nor a sync.
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct tally;

// Opens the file at `path`, which is created (mode 0600, the number is 0) where it is missing.
struct tally *tally_open(const char *path, GError **error);

// The number now.
int64_t tally_read(const struct tally *tally);

// Makes it this number, unless it is greater already. Any thread may.
void tally_raise(struct tally *tally, int64_t number);

// Makes it `number` where it still is `former`.
bool tally_replace(struct tally *tally, int64_t former, int64_t number);

// NULL is allowed.
void tally_free(struct tally *tally);

typedef struct tally tally_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tally_t, tally_free)

#endif
