// SPDX-License-Identifier: MIT
// A pack's entries: what the codes and texts of one kind of system mean, said in all
// languages, with what to do now. lexicon asks here before its own entries.
#include "lexicon.h"
#include "lexicon_parts.h"

#include "../config/pack_lexicon.h"

#include <string.h>

static bool fits_status(const struct pack_meaning *meaning, int status)
{
    for (guint i = 0; i < meaning->statuses->len; i++) {
        const struct pack_statuses *range =
            &g_array_index(meaning->statuses, struct pack_statuses, i);
        if (status >= range->first && status <= range->last)
            return true;
    }
    return meaning->statuses->len == 0;
}

// A pattern that takes codes which nobody has ever written is about no code at all.
static bool takes_any(const struct pack_lexicon *pack, guint index)
{
    static const char *const made_up[] = {"Qzxw_Jvkq", "73915",     "-73915",
                                          "qzx",       "QZX-73915", "qzxw.jvkq"};
    for (size_t i = 0; i < G_N_ELEMENTS(made_up); i++) {
        g_autoptr(patterns_text_t) text = lexicon_text(made_up[i]);
        if (patterns_fit(pack->codes, index, text))
            return true;
    }
    return false;
}

// The entry of a status alone, for an answer that says no more than that.
static const struct pack_meaning *find_status(const struct pack_lexicon *pack, int status)
{
    for (guint i = 0; i < pack->meanings->len; i++) {
        const struct pack_meaning *meaning = pack->meanings->pdata[i];
        if (!meaning->code && !meaning->message && fits_status(meaning, status))
            return meaning;
    }
    return NULL;
}

// The first entry that fits, of those with a code or of those with a text alone.
static const struct pack_meaning *find(const struct pack_lexicon *pack, bool coded,
                                       enum lexicon_sure sure, int status,
                                       const struct patterns_text *code,
                                       const struct patterns_text *message)
{
    for (guint i = 0; i < pack->meanings->len; i++) {
        const struct pack_meaning *meaning = pack->meanings->pdata[i];
        if ((coded ? meaning->code != NULL : !meaning->code && meaning->message) &&
            fits_status(meaning, status) &&
            (!meaning->code || patterns_fit(pack->codes, i, code)) &&
            (!meaning->message || patterns_fit(pack->messages, i, message)) &&
            !(sure == LEXICON_BY_CODE && takes_any(pack, i)))
            return meaning;
    }
    return NULL;
}

// The code decides over the words, wherever they stand in the pack; what is beside the
// message counts where that says nothing.
static const struct pack_meaning *find_all(const struct pack_lexicon *pack,
                                           const struct lexicon_answer *answer,
                                           enum lexicon_sure sure, const struct verdict *verdict)
{
    g_autoptr(patterns_text_t) code = lexicon_text(verdict->code);
    g_autoptr(patterns_text_t) message = lexicon_text(verdict->message);
    bool specific = lexicon_weigh(verdict->message) == LEXICON_SPECIFIC;
    g_autoptr(patterns_text_t) context =
        answer->context && !specific ? lexicon_text(answer->context) : NULL;
    const struct pack_meaning *found = find(pack, true, sure, answer->status, code, message);
    if (!found && context)
        found = find(pack, true, sure, answer->status, code, context);
    if (!found && sure == LEXICON_ANY)
        found = find(pack, false, sure, answer->status, NULL, message);
    if (!found && sure == LEXICON_ANY && context)
        found = find(pack, false, sure, answer->status, NULL, context);
    if (!found && sure == LEXICON_ANY && !specific)
        found = find_status(pack, answer->status);
    return found;
}

static cJSON *other_languages(const struct pack_meaning *meaning)
{
    cJSON *languages = cJSON_CreateObject();
    for (unsigned i = PACK_ENGLISH + 1; i < PACK_LANGUAGES; i++) {
        cJSON *language = cJSON_AddObjectToObject(languages, pack_language(i));
        json_add_text(language, "explanation", meaning->says[i]);
        json_add_text(language, "next", meaning->next[i]);
    }
    return languages;
}

static void take_text(char **to, const char *text)
{
    g_free(*to);
    *to = g_strdup(text);
}

// The pack knows its system better than whatever has been said so far.
static void take(const struct pack_lexicon *pack, const struct pack_meaning *meaning,
                 struct verdict *verdict)
{
    int cause = verdict_cause_of(meaning->cause);
    if (cause > VERDICT_CAUSE_NONE)
        verdict->cause = (enum verdict_cause)cause;
    take_text(&verdict->act, meaning->act);
    take_text(&verdict->explanation, meaning->says[PACK_ENGLISH]);
    take_text(&verdict->next, meaning->next[PACK_ENGLISH]);
    take_text(&verdict->source, meaning->source);
    take_text(&verdict->pack, pack->pack);
    cJSON_Delete(verdict->languages);
    verdict->languages = other_languages(meaning);
}

bool lexicon_apply_pack(const struct pack_lexicon *pack, const struct lexicon_answer *answer,
                        enum lexicon_sure sure, struct verdict *verdict)
{
    bool says =
        verdict->class == VERDICT_CLASS_ERROR_CODE || verdict->class == VERDICT_CLASS_CRYPTIC;
    const struct pack_meaning *meaning = says ? find_all(pack, answer, sure, verdict) : NULL;
    if (meaning)
        take(pack, meaning, verdict);
    return meaning != NULL;
}

// Numbers are used by everybody.
static bool is_name(const char *code)
{
    for (; *code; code++)
        if (g_ascii_isalpha(*code))
            return true;
    return false;
}

// The entry by which the pack knows the answer for its own, or NULL.
static const struct pack_meaning *recognise(const struct pack_lexicon *pack, bool common,
                                            const struct lexicon_answer *answer,
                                            const struct verdict *verdict)
{
    const struct pack_meaning *meaning = find_all(pack, answer, LEXICON_BY_CODE, verdict);
    bool own = meaning && (meaning->message || (!common && is_name(verdict->code)));
    return own ? meaning : NULL;
}

const struct pack_lexicon *lexicon_find_pack(const struct lexicon *common, const GPtrArray *packs,
                                             int status, const struct verdict *verdict)
{
    const struct lexicon_answer answer = {.status = status};
    const struct pack_lexicon *found = NULL;
    const struct pack_meaning *first = NULL;
    if (lexicon_code_is_generic(verdict->code, status))
        return NULL;
    bool known = lexicon_knows_code(common, verdict->code);
    for (guint i = 0; i < packs->len; i++) {
        const struct pack_lexicon *pack = packs->pdata[i];
        const struct pack_meaning *meaning = recognise(pack, known, &answer, verdict);
        if (!meaning)
            continue;
        if (first && strcmp(first->cause, meaning->cause) != 0)
            return NULL;
        // Of two that agree, the one that also knows the text.
        if (!first || (meaning->message && !first->message)) {
            found = pack;
            first = meaning;
        }
    }
    return found;
}
