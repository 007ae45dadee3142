// SPDX-License-Identifier: MIT
// The verdict as a plain value: made by classify, kept by the store, shown by
// the commands and the mails. Here are only its words, its JSON and its memory.
#include "verdict.h"

#include <string.h>

static const char *const state_words[] = {
#define VERDICT_STATE(name, word) [VERDICT_##name] = word,
#include "verdict.def"
};
static const char *const class_words[] = {
#define VERDICT_CLASS(name, word, sentence) [VERDICT_CLASS_##name] = word,
#include "verdict.def"
};
static const char *const phase_words[] = {
#define VERDICT_PHASE(name, word) [VERDICT_PHASE_##name] = word,
#include "verdict.def"
};
static const char *const cause_words[] = {
#define VERDICT_CAUSE(name, word) [VERDICT_CAUSE_##name] = word,
#include "verdict.def"
};

static const char *word_at(const char *const *words, size_t count, int index)
{
    return index >= 0 && (size_t)index < count ? words[index] : NULL;
}

static int word_find(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; word && i < count; i++)
        if (words[i] && strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

const char *verdict_state_word(enum verdict_state state)
{
    return word_at(state_words, G_N_ELEMENTS(state_words), (int)state);
}

const char *verdict_class_word(enum verdict_class class)
{
    return word_at(class_words, G_N_ELEMENTS(class_words), (int)class);
}

const char *verdict_phase_word(enum verdict_phase phase)
{
    return word_at(phase_words, G_N_ELEMENTS(phase_words), (int)phase);
}

const char *verdict_cause_word(enum verdict_cause cause)
{
    return word_at(cause_words, G_N_ELEMENTS(cause_words), (int)cause);
}

int verdict_state_of(const char *word)
{
    return word_find(state_words, G_N_ELEMENTS(state_words), word);
}

int verdict_class_of(const char *word)
{
    return word_find(class_words, G_N_ELEMENTS(class_words), word);
}

int verdict_phase_of(const char *word)
{
    return word_find(phase_words, G_N_ELEMENTS(phase_words), word);
}

int verdict_cause_of(const char *word)
{
    return word_find(cause_words, G_N_ELEMENTS(cause_words), word);
}

struct verdict *verdict_new(void)
{
    struct verdict *verdict = g_new0(struct verdict, 1);
    verdict->correlation = cJSON_CreateObject();
    return verdict;
}

void verdict_free(struct verdict *verdict)
{
    if (!verdict)
        return;
    g_free(verdict->code);
    g_free(verdict->message);
    g_free(verdict->explanation);
    g_free(verdict->act);
    g_free(verdict->failed_expectation);
    cJSON_Delete(verdict->correlation);
    g_free(verdict->next);
    cJSON_Delete(verdict->languages);
    g_free(verdict->source);
    g_free(verdict->pack);
    g_free(verdict);
}

struct verdict *verdict_copy(const struct verdict *verdict)
{
    struct verdict *copy = g_new0(struct verdict, 1);
    *copy = *verdict;
    copy->code = g_strdup(verdict->code);
    copy->message = g_strdup(verdict->message);
    copy->explanation = g_strdup(verdict->explanation);
    copy->act = g_strdup(verdict->act);
    copy->failed_expectation = g_strdup(verdict->failed_expectation);
    copy->correlation = cJSON_Duplicate(verdict->correlation, true);
    copy->next = g_strdup(verdict->next);
    copy->languages = verdict->languages ? cJSON_Duplicate(verdict->languages, true) : NULL;
    copy->source = g_strdup(verdict->source);
    copy->pack = g_strdup(verdict->pack);
    return copy;
}

// Only where an entry of a pack spoke: the contract's object has no such members otherwise.
static void add_pack(cJSON *json, const struct verdict *verdict)
{
    if (!verdict->pack)
        return;
    json_add_text(json, "next", verdict->next);
    if (verdict->languages)
        cJSON_AddItemToObject(json, "languages", cJSON_Duplicate(verdict->languages, true));
    json_add_text(json, "source", verdict->source);
    json_add_text(json, "pack", verdict->pack);
}

static void read_pack(const cJSON *json, struct verdict *verdict)
{
    const cJSON *languages = json_member(json, "languages");
    verdict->next = g_strdup(json_text(json, "next"));
    if (cJSON_IsObject(languages))
        verdict->languages = cJSON_Duplicate(languages, true);
    verdict->source = g_strdup(json_text(json, "source"));
    verdict->pack = g_strdup(json_text(json, "pack"));
}

cJSON *verdict_to_json(const struct verdict *verdict)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "class", verdict_class_word(verdict->class));
    json_add_text(json, "phase", verdict_phase_word(verdict->phase));
    json_add_text(json, "cause", verdict_cause_word(verdict->cause));
    json_add_text(json, "code", verdict->code);
    json_add_text(json, "message", verdict->message);
    json_add_text(json, "explanation", verdict->explanation);
    json_add_text(json, "act", verdict->act);
    json_add_text(json, "failed_expectation", verdict->failed_expectation);
    cJSON_AddItemToObject(json, "correlation", cJSON_Duplicate(verdict->correlation, true));
    add_pack(json, verdict);
    // Only where it is so: the contract's object has no such member otherwise.
    if (verdict->ours)
        cJSON_AddTrueToObject(json, "ours");
    return json;
}

// A word of a list: true where it is absent (the list's zero) or known.
static bool read_word(const cJSON *json, const char *key, int (*of)(const char *), int *value)
{
    const char *word = json_text(json, key);
    *value = word ? of(word) : 0;
    return *value >= 0;
}

struct verdict *verdict_from_json(const cJSON *json)
{
    int class, phase, cause;
    if (!cJSON_IsObject(json) || !json_text(json, "class"))
        return NULL;
    if (!read_word(json, "class", verdict_class_of, &class) ||
        !read_word(json, "phase", verdict_phase_of, &phase) ||
        !read_word(json, "cause", verdict_cause_of, &cause))
        return NULL;
    struct verdict *verdict = g_new0(struct verdict, 1);
    verdict->class = (enum verdict_class) class;
    verdict->phase = (enum verdict_phase)phase;
    verdict->cause = (enum verdict_cause)cause;
    verdict->code = g_strdup(json_text(json, "code"));
    verdict->message = g_strdup(json_text(json, "message"));
    verdict->explanation = g_strdup(json_text(json, "explanation"));
    verdict->act = g_strdup(json_text(json, "act"));
    verdict->failed_expectation = g_strdup(json_text(json, "failed_expectation"));
    const cJSON *correlation = json_member(json, "correlation");
    verdict->correlation =
        cJSON_IsObject(correlation) ? cJSON_Duplicate(correlation, true) : cJSON_CreateObject();
    read_pack(json, verdict);
    verdict->ours = cJSON_IsTrue(json_member(json, "ours"));
    return verdict;
}
