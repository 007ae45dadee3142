// SPDX-License-Identifier: MIT
// Candidates for code and message, as the readers of envelopes offer them, and
// which of them is taken: the first text that says something.
#include "envelope_part.h"

#include "lexicon.h"

#include <string.h>

enum { MESSAGE_MAX = 4096, CONTEXT_MAX = 4096 };

void envelope_pick_init(struct envelope_pick *pick)
{
    memset(pick, 0, sizeof *pick);
}

static char *copy_bounded(const char *text)
{
    size_t length = strlen(text);
    if (length <= MESSAGE_MAX)
        return g_strdup(text);
    const char *end = g_utf8_find_prev_char(text, text + MESSAGE_MAX);
    return g_strndup(text, end ? (size_t)(end - text) : 0);
}

void envelope_pick_add_context(struct envelope_pick *pick, const char *text)
{
    if (text && !pick->context)
        pick->context = g_string_new(NULL);
    if (!text || pick->context->len + strlen(text) > CONTEXT_MAX)
        return;
    g_string_append(pick->context, text);
    g_string_append_c(pick->context, '\n');
}

void envelope_pick_offer(struct envelope_pick *pick, const char *code, const char *message)
{
    if (code && !*code)
        code = NULL;
    if (code && !pick->first)
        pick->first = copy_bounded(code);
    int weight = (int)lexicon_weigh(message);
    if (weight <= pick->weight) {
        if (g_strcmp0(message, pick->message) != 0)
            envelope_pick_add_context(pick, message);
        return;
    }
    pick->weight = weight;
    envelope_pick_add_context(pick, pick->message);
    g_free(pick->message);
    pick->message = copy_bounded(message);
    g_free(pick->code);
    pick->code = code ? copy_bounded(code) : NULL;
}

void envelope_pick_offer_status(struct envelope_pick *pick, const char *status)
{
    if (!pick->last)
        pick->last = copy_bounded(status);
}

void envelope_pick_finish(struct envelope_pick *pick, struct envelope *envelope)
{
    const char *code = pick->code;
    if (!code || pick->weight != LEXICON_SPECIFIC)
        code = pick->first ? pick->first : pick->last;
    // A reader that found nothing may have been asked before this one.
    g_free(envelope->code);
    g_free(envelope->message);
    g_free(envelope->context);
    envelope->code = g_strdup(code);
    envelope->message = g_steal_pointer(&pick->message);
    envelope->context = pick->context ? g_string_free(pick->context, false) : NULL;
    g_free(pick->code);
    g_free(pick->first);
    g_free(pick->last);
    memset(pick, 0, sizeof *pick);
}

void envelope_free(struct envelope *envelope)
{
    if (!envelope)
        return;
    g_free(envelope->code);
    g_free(envelope->message);
    g_free(envelope->context);
    cJSON_Delete(envelope->ids);
    g_free(envelope);
}
