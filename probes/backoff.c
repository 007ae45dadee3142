// SPDX-License-Identifier: MIT
// The arithmetic of leaving a system alone. Used by flow_gate, which asks it about each
// call; the store keeps it.
#include "backoff.h"

#define CLOCK_SLACK_US (INT64_C(60) * G_USEC_PER_SEC)

struct backoff *backoff_new(void)
{
    return g_new0(struct backoff, 1);
}

struct backoff *backoff_copy(const struct backoff *state)
{
    struct backoff *copy = backoff_new();
    *copy = *state;
    copy->flow = g_strdup(state->flow);
    copy->why = g_strdup(state->why);
    copy->digest = g_strdup(state->digest);
    return copy;
}

bool backoff_equals(const struct backoff *left, const struct backoff *right)
{
    return left->level == right->level && left->since.us == right->since.us &&
           left->until.us == right->until.us && left->allowed == right->allowed &&
           g_strcmp0(left->flow, right->flow) == 0 && g_strcmp0(left->why, right->why) == 0 &&
           g_strcmp0(left->digest, right->digest) == 0;
}

void backoff_free(struct backoff *state)
{
    if (!state)
        return;
    g_free(state->flow);
    g_free(state->why);
    g_free(state->digest);
    g_free(state);
}

bool backoff_holds(const struct backoff *state, struct clock_wall now)
{
    // a clock that was set back must not hold it for as long as it was set
    return now.us < state->until.us && now.us > state->since.us - CLOCK_SLACK_US;
}

int64_t backoff_span_ms(int level, int64_t after_ms, int64_t up_to_ms)
{
    int64_t span_ms = MIN(after_ms, up_to_ms);
    for (int i = 1; i < level && span_ms < up_to_ms; i++)
        span_ms = span_ms > up_to_ms / 2 ? up_to_ms : span_ms * 2;
    return span_ms;
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

// A new span begins.
static void begin(struct backoff *state, const struct backoff_refusal *refusal, int64_t span_ms)
{
    bool first = state->level <= 1;
    bool strict = state->level == 0 && span_ms <= BACKOFF_STRICT_MS;
    state->since = refusal->now;
    state->until.us = MAX(state->until.us, refusal->now.us + span_ms * 1000);
    state->allowed = first && !strict && refusal->flow ? refusal->confirming : 0;
    set_text(&state->flow, refusal->flow);
    set_text(&state->why, refusal->why);
    set_text(&state->digest, refusal->digest);
}

void backoff_refuse(struct backoff *state, const struct backoff_refusal *refusal)
{
    bool within = refusal->sent.us <= state->since.us || backoff_holds(state, refusal->now);
    int64_t asked_us = refusal->now.us + refusal->retry_after_ms * 1000;
    if (refusal->after_ms > 0 && (state->level == 0 || !within)) {
        state->level++;
        int64_t span_ms = backoff_span_ms(state->level, refusal->after_ms, refusal->up_to_ms);
        begin(state, refusal, MAX(span_ms, refusal->retry_after_ms));
    } else if (refusal->retry_after_ms > 0 && !within) {
        begin(state, refusal, refusal->retry_after_ms);
    } else if (refusal->retry_after_ms > 0) {
        state->until.us = MAX(state->until.us, asked_us);
    }
}
