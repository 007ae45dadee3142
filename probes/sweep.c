// SPDX-License-Identifier: MIT
// Judges the records that a sweep has found. A record is ours where `only` holds and a
// field that it names holds the mark; ERPs that ignore filters show us everybody's.
#include "sweep.h"

#include "capture.h"
#include "expect.h"
#include "moment.h"

#include <string.h>

// Characters of a run's id, and of a name that is shown.
enum { RUN_ID_LENGTH = 12, NAME_MOST = 200, RECORDS_SHOWN = 1000 };

static const struct {
    const char *word, *sentence;
} states[] = {
#define SWEEP_STATE(name, word, sentence) [SWEEP_##name] = {word, sentence},
#include "sweep.def"
#undef SWEEP_STATE
};

void sweep_record_free(struct sweep_record *record)
{
    if (!record)
        return;
    g_free(record->name);
    g_free(record->run);
    g_free(record->problem);
    values_free(record->values);
    cJSON_Delete(record->known);
    g_free(record);
}

struct sweep_result *sweep_result_new(const struct config_sweep *sweep, struct clock_wall now)
{
    struct sweep_result *result = g_new0(struct sweep_result, 1);
    result->sweep = g_strdup(sweep->id);
    result->system = g_strdup(sweep->system->id);
    result->started = result->ended = now;
    result->records = g_ptr_array_new_with_free_func((GDestroyNotify)sweep_record_free);
    return result;
}

void sweep_result_free(struct sweep_result *result)
{
    if (!result)
        return;
    g_free(result->sweep);
    g_free(result->system);
    g_free(result->problem);
    g_ptr_array_unref(result->records);
    g_free(result);
}

/* Whose it is. */

// Where the mark stands in a text, or NULL; ERPs that change case keep it recognisable.
static const char *find_mark(const char *text, const char *mark)
{
    size_t length = strlen(mark);
    for (; strlen(text) >= length; text++)
        if (g_ascii_strncasecmp(text, mark, length) == 0)
            return text;
    return NULL;
}

// True for what selects a field: a text that stands anywhere in an item does not make it
// ours.
static bool selects_field(const struct selector *selector)
{
    static const char *const whole[] = {"$", "/", "/*", NULL};
    bool path = selector->kind == SELECTOR_JSON || selector->kind == SELECTOR_XML;
    return path && !g_strv_contains(whole, selector->argument);
}

// The first text that a condition of `only` selects and that holds the mark, or NULL. The
// caller frees it.
static char *marked_text(const struct sweep_judging *judging, struct subject *subject)
{
    const struct template_context context = values_context(judging->values, judging->now);
    const GPtrArray *only = judging->sweep->only;
    for (guint i = 0; i < only->len; i++) {
        const struct expectation *expectation = only->pdata[i];
        if (!selects_field(expectation->selector))
            continue;
        g_autoptr(GPtrArray) found =
            selector_select(expectation->selector, subject, &context, NULL);
        for (guint k = 0; found && k < found->len; k++) {
            const cJSON *value = found->pdata[k];
            if (cJSON_IsString(value) && find_mark(value->valuestring, judging->mark))
                return g_utf8_make_valid(value->valuestring,
                                         NAME_MOST < strlen(value->valuestring) ? NAME_MOST : -1);
        }
    }
    return NULL;
}

// The run's id behind the mark, or as much of it as the system has kept. The caller frees it.
static char *run_of(const char *name, const char *mark)
{
    const char *at = find_mark(name, mark);
    size_t length = 0;
    if (!at)
        return g_strdup("");
    at += strlen(mark);
    while (length < RUN_ID_LENGTH && g_ascii_isalnum(at[length]))
        length++;
    return g_ascii_strup(at, (gssize)length);
}

static bool only_holds(const struct sweep_judging *judging, struct subject *subject)
{
    g_autofree char *failed = NULL;
    return expect_judge(judging->sweep->only, subject, judging->values, judging->now, &failed) ==
           EXPECT_HOLDS;
}

/* How old it is, and what is known of it. */

static void judge_age(struct sweep_record *record, const struct sweep_judging *judging,
                      struct subject *subject)
{
    const struct config_sweep *sweep = judging->sweep;
    const struct template_context context = values_context(judging->values, judging->now);
    g_autoptr(GPtrArray) found = selector_select(sweep->at, subject, &context, NULL);
    bool one = found && found->len == 1;
    if (!one || !moment_read(found->pdata[0], sweep->zone, judging->zone, &record->at)) {
        g_autofree char *selector = selector_describe(sweep->at);
        g_autofree char *value = one ? json_print(found->pdata[0], false) : NULL;
        record->at.us = -1;
        record->state = SWEEP_UNDATED;
        record->problem = one ? g_strdup_printf("%s is %.60s", selector, value)
                              : g_strdup_printf("%s selected %u values, not one", selector,
                                                found ? found->len : 0);
    } else if (judging->now.us - record->at.us <= sweep->older_ms * 1000) {
        record->state = SWEEP_YOUNG;
    }
}

static void add_known(struct sweep_record *record, const char *name)
{
    const struct value *value = values_find(record->values, name);
    if (value && value->json && !value->secret)
        cJSON_AddItemToObject(record->known, name, cJSON_Duplicate(value->json, true));
}

static void take_values(struct sweep_record *record, const struct sweep_judging *judging,
                        struct subject *subject)
{
    const struct config_sweep *sweep = judging->sweep;
    g_autofree char *failed = NULL;
    record->values = values_copy(judging->values);
    record->known = cJSON_CreateObject();
    bool taken =
        capture_take(sweep->captures, subject, record->values, NULL, judging->now, &failed) &&
        capture_set(sweep->set, record->values, judging->now, &failed);
    for (guint i = 0; i < sweep->captures->len; i++)
        add_known(record, ((const struct capture *)sweep->captures->pdata[i])->name);
    for (guint i = 0; i < sweep->set->len; i++)
        add_known(record, ((const struct call_field *)sweep->set->pdata[i])->name);
    if (taken || record->state != SWEEP_DUE)
        return;
    record->state = SWEEP_FAILED;
    record->problem = g_steal_pointer(&failed);
}

static struct sweep_record *judge_subject(const struct sweep_judging *judging,
                                          struct subject *subject)
{
    if (!only_holds(judging, subject))
        return NULL;
    struct sweep_record *record = g_new0(struct sweep_record, 1);
    record->at.us = -1;
    record->name = marked_text(judging, subject);
    if (record->name) {
        record->run = run_of(record->name, judging->mark);
        judge_age(record, judging, subject);
    } else {
        record->state = SWEEP_UNMARKED;
        record->name = g_strdup("");
        record->run = g_strdup("");
    }
    take_values(record, judging, subject);
    return record;
}

struct sweep_record *sweep_judge(const struct sweep_judging *judging, const cJSON *item)
{
    const struct value value = {.json = (cJSON *)(uintptr_t)item}; // only read
    struct subject subject;
    subject_init_value(&subject, &value);
    struct sweep_record *record = judge_subject(judging, &subject);
    subject_clear(&subject);
    return record;
}

/* All of them. */

// True where the record may be one that this run has made: the system may have cut the id.
static bool is_of_run(const struct sweep_record *record, const char *run)
{
    size_t length = strlen(record->run);
    return length > 0 && g_ascii_strncasecmp(record->run, run, length) == 0;
}

void sweep_hold(GPtrArray *records, const GPtrArray *runs)
{
    for (guint i = 0; i < records->len; i++) {
        struct sweep_record *record = records->pdata[i];
        for (guint k = 0; k < runs->len && record->state != SWEEP_UNMARKED; k++)
            if (is_of_run(record, runs->pdata[k]))
                record->state = SWEEP_OWED;
    }
}

unsigned sweep_count(const struct sweep_result *result, enum sweep_state state)
{
    unsigned count = 0;
    for (guint i = 0; i < result->records->len; i++)
        count += ((const struct sweep_record *)result->records->pdata[i])->state == state;
    return count;
}

struct clock_wall sweep_ripe(const struct sweep_result *result, int64_t older_ms)
{
    struct clock_wall first = {0};
    for (guint i = 0; i < result->records->len; i++) {
        const struct sweep_record *record = result->records->pdata[i];
        int64_t ripe_us = record->at.us + older_ms * 1000;
        if (record->state == SWEEP_YOUNG && (first.us == 0 || ripe_us < first.us))
            first.us = ripe_us;
    }
    return first;
}

/* What is said of it. */

enum sweep_outcome sweep_outcome(const struct sweep_result *result)
{
    if (result->cut_off)
        return SWEEP_UNKNOWN;
    if (!result->searched)
        return SWEEP_SEARCH_FAILED;
    bool left = result->problem || sweep_count(result, SWEEP_FAILED) > 0 ||
                sweep_count(result, SWEEP_UNDATED) > 0 || sweep_count(result, SWEEP_UNMARKED) > 0;
    return left ? SWEEP_LEFT : SWEEP_OK;
}

const char *sweep_outcome_word(enum sweep_outcome outcome)
{
    static const char *const words[] = {[SWEEP_OK] = "ok",
                                        [SWEEP_LEFT] = "left",
                                        [SWEEP_SEARCH_FAILED] = "failed",
                                        [SWEEP_UNKNOWN] = "unknown"};
    return words[outcome];
}

static void append_count(GString *text, unsigned count, const char *what)
{
    if (count > 0)
        g_string_append_printf(text, "%s%u %s", text->len > 0 ? ", " : "", count, what);
}

static const char *first_problem(const struct sweep_result *result)
{
    for (guint i = 0; i < result->records->len; i++) {
        const struct sweep_record *record = result->records->pdata[i];
        if (record->problem)
            return record->problem;
    }
    return NULL;
}

char *sweep_summary(const struct sweep_result *result)
{
    GString *text = g_string_new(NULL);
    if (result->problem)
        return g_string_free(g_string_append(text, result->problem), FALSE);
    append_count(text, sweep_count(result, SWEEP_DUE), "would be deleted");
    append_count(text, sweep_count(result, SWEEP_DELETED), "deleted");
    append_count(text, sweep_count(result, SWEEP_FAILED), "could not be deleted");
    append_count(text, sweep_count(result, SWEEP_UNDATED), "left without a time");
    append_count(text, sweep_count(result, SWEEP_UNMARKED), "left without the mark");
    append_count(text, sweep_count(result, SWEEP_YOUNG), "too young");
    append_count(text, sweep_count(result, SWEEP_OWED), "left to the undo of their run");
    if (text->len == 0)
        g_string_append(text, "nothing was left behind");
    const char *problem = first_problem(result);
    if (problem)
        g_string_append_printf(text, ": %s", problem);
    return g_string_free(text, FALSE);
}

static cJSON *record_to_json(const struct sweep_record *record)
{
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "name", record->name);
    json_add_text(object, "run", record->run[0] ? record->run : NULL);
    json_add_time(object, "at", record->at);
    json_add_text(object, "state", states[record->state].word);
    json_add_text(object, "why", states[record->state].sentence);
    json_add_text(object, "problem", record->problem);
    cJSON_AddItemToObject(object, "known", cJSON_Duplicate(record->known, true));
    return object;
}

static void add_counts(cJSON *object, const struct sweep_result *result)
{
    unsigned due = sweep_count(result, SWEEP_DUE), deleted = sweep_count(result, SWEEP_DELETED);
    unsigned failed = sweep_count(result, SWEEP_FAILED), found = result->records->len;
    json_add_integer(object, "pages", result->pages);
    json_add_integer(object, "listed", result->listed);
    json_add_integer(object, "found", found);
    json_add_integer(object, "due", due);
    json_add_integer(object, "deleted", deleted);
    json_add_integer(object, "failed", failed);
    json_add_integer(object, "left", found - due - deleted - failed);
}

cJSON *sweep_result_to_json(const struct sweep_result *result, const struct redact *redact)
{
    cJSON *object = cJSON_CreateObject();
    g_autofree char *summary = sweep_summary(result);
    json_add_text(object, "sweep", result->sweep);
    json_add_text(object, "system", result->system);
    json_add_text(object, "state", sweep_outcome_word(sweep_outcome(result)));
    json_add_time(object, "started", result->started);
    json_add_time(object, "ended", result->ended);
    json_add_integer(object, "duration_ms", (result->ended.us - result->started.us) / 1000);
    cJSON_AddBoolToObject(object, "dry_run", result->dry_run);
    add_counts(object, result);
    json_add_text(object, "problem", result->problem);
    json_add_text(object, "summary", summary);
    cJSON *records = cJSON_AddArrayToObject(object, "records");
    for (guint i = 0; i < result->records->len && i < RECORDS_SHOWN; i++)
        cJSON_AddItemToArray(records, record_to_json(result->records->pdata[i]));
    redact_json(redact, object);
    return object;
}
