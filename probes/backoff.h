// SPDX-License-Identifier: MIT
// How long a system is left alone after it refused us. Pure: the same failures give the
// same spans; time comes in.
#ifndef PROBES_BACKOFF_H
#define PROBES_BACKOFF_H

#include "../base/clock.h"

#include <glib.h>
#include <stdbool.h>

// A shorter wait that a system asks for is kept to by confirming runs, too; after a longer
// one somebody would learn too late that nothing works.
#define BACKOFF_STRICT_MS (INT64_C(5) * 60 * 1000)

// Where one system stands.
struct backoff {
    int level;               // how often in a row it refused us; 0: it only asked for time
    struct clock_wall since; // of the span
    struct clock_wall until; // left alone until then
    char *flow;              // whose run was refused: its confirming runs are let through,
    int allowed;             // so many of them
    char *why;               // "status 401 (auth) at \"log in\"": no text from outside
    char *digest;            // of the system's configuration then
};

// A refusal. Borrowed texts.
struct backoff_refusal {
    struct clock_wall now;
    struct clock_wall sent; // when the refused request was
    int64_t after_ms;       // of `backoff`; 0: none, or not such a failure
    int64_t up_to_ms;       // of `backoff`
    int64_t retry_after_ms; // what the answer asks for, 0 for nothing
    const char *flow;       // NULL for none
    int confirming;         // runs that would confirm the flow's failure
    const char *why, *digest;
};

// True while it is left alone.
bool backoff_holds(const struct backoff *state, struct clock_wall now);

// The span before the `level`-th try in a row: `after` doubled each time, up to `up_to`.
int64_t backoff_span_ms(int level, int64_t after_ms, int64_t up_to_ms);

// Takes note of a refusal. What was sent before the span began, or was let through within
// it, does not make it longer, but for what the answer itself asks for.
void backoff_refuse(struct backoff *state, const struct backoff_refusal *refusal);

// A state in which nothing was refused, copies, and frees; NULL is allowed in the last.
struct backoff *backoff_new(void);
struct backoff *backoff_copy(const struct backoff *state);
bool backoff_equals(const struct backoff *left, const struct backoff *right);
void backoff_free(struct backoff *state);

typedef struct backoff backoff_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(backoff_t, backoff_free)

#endif
