// SPDX-License-Identifier: MIT
// Gives a failure its cause, explanation and owner from patterns over code, text
// and status. After envelope and classify have found what the answer says; a pack's
// entries (lexicon_pack) come first, then the data of lexicon.def.
#include "lexicon.h"

#include "lexicon_parts.h"

#include <string.h>

enum { FAILURE_MAX = 600 };
enum where { CODE, TEXT, LOOSE, WEAK };

static const char *const explanations[] = {
#define EXPLANATION(id, english) english,
#include "lexicon.def"
};
enum explanation {
#define EXPLANATION(id, english) EXPLAIN_##id,
#include "lexicon.def"
};

static const struct entry {
    enum where where;
    const char *pattern;
    enum verdict_cause cause;
    const char *act;
    enum explanation explanation;
} entries[] = {
#define LEXICON(where, pattern, cause, act, explanation)                                           \
    {where, pattern, VERDICT_CAUSE_##cause, act, EXPLAIN_##explanation},
#include "lexicon.def"
};

static const struct status_default {
    int first, last;
    enum verdict_cause cause;
    const char *act;
    enum explanation explanation;
    enum verdict_cause vague;
} statuses[] = {
#define STATUS(first, last, cause, act, explanation, vague)                                        \
    {first, last, VERDICT_CAUSE_##cause, act, EXPLAIN_##explanation, VERDICT_CAUSE_##vague},
#include "lexicon.def"
};

static const struct meaning {
    const char *family, *code, *text;
    enum verdict_cause cause;
    const char *act;
    enum explanation explanation;
} meanings[] = {
#define MEANING(family, code, text, cause, act, explanation)                                       \
    {family, code, text, VERDICT_CAUSE_##cause, act, EXPLAIN_##explanation},
#include "lexicon.def"
};

struct tables {
    gsize ready;
    struct patterns *entries;
    struct patterns *codes, *texts; // of meanings
};

// A good answer asks nothing of it, and compiling takes longer than a whole run.
struct lexicon {
    const struct tables *(*tables)(void);
};

static void fill_in(struct tables *tables)
{
    tables->entries = patterns_new(REGEX_PLAIN);
    tables->codes = patterns_new(REGEX_PLAIN);
    tables->texts = patterns_new(REGEX_PLAIN);
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        patterns_add(tables->entries, entries[i].pattern);
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++) {
        lexicon_add_whole(tables->codes, &meanings[i].code, 1);
        lexicon_add_whole(tables->texts, &meanings[i].text, 1);
    }
}

static const struct tables *common_tables(void)
{
    static struct tables common;
    if (g_once_init_enter(&common.ready)) {
        fill_in(&common);
        g_once_init_leave(&common.ready, 1);
    }
    return &common;
}

const struct lexicon *lexicon_common(void)
{
    static const struct lexicon common = {common_tables};
    return &common;
}

bool lexicon_tells_failure(const struct lexicon *lexicon, const char *message)
{
    if (!message || strlen(message) > FAILURE_MAX)
        return false;
    g_autoptr(patterns_text_t) text = lexicon_text(message);
    for (guint i = 0; i < G_N_ELEMENTS(entries); i++)
        if ((entries[i].where == TEXT || entries[i].where == LOOSE) &&
            patterns_fit(lexicon->tables()->entries, i, text))
            return true;
    return lexicon_speaks_of_failure(text);
}

bool lexicon_knows_code(const struct lexicon *lexicon, const char *code)
{
    g_autoptr(patterns_text_t) text = lexicon_text(code);
    for (guint i = 0; i < G_N_ELEMENTS(entries); i++)
        if ((entries[i].where == CODE || entries[i].where == WEAK) &&
            patterns_fit(lexicon->tables()->entries, i, text))
            return true;
    return false;
}

// A status that says much by itself leaves less to the words: a 403 is about who
// may do what, whichever record its text names.
static bool is_believable(int status, enum verdict_cause cause)
{
    if (status == 429)
        return cause == VERDICT_CAUSE_RATE_LIMIT;
    if (status == 401 || status == 403)
        return cause == VERDICT_CAUSE_AUTH || cause == VERDICT_CAUSE_PERMISSION ||
               cause == VERDICT_CAUSE_LICENSE || cause == VERDICT_CAUSE_RATE_LIMIT ||
               cause == VERDICT_CAUSE_LOCKED;
    // the gateway says that something behind it is away, in whatever words
    return cause != VERDICT_CAUSE_SERVER_FAULT || status < 502 || status > 504;
}

// Statuses that stand for anything: there the words that occur anywhere decide.
static bool is_vague(int status)
{
    return status <= 400 || status == 402 || status == 417 || status == 422 || status == 500;
}

// What is asked about: an answer, with its texts made ready for many patterns.
struct question {
    const struct lexicon *lexicon;
    const char *family;
    int status;
    struct patterns_text *code, *message, *context;
    bool specific; // the message says something
    bool trace;    // it is the inside of a program: about the program, not the request
};

static const struct entry *find_entry(const struct question *question, enum where where,
                                      const struct patterns_text *text, int status)
{
    for (guint i = 0; text && i < G_N_ELEMENTS(entries); i++)
        if (entries[i].where == where && is_believable(status, entries[i].cause) &&
            patterns_fit(question->lexicon->tables()->entries, i, text))
            return &entries[i];
    return NULL;
}

// In the order of the table, codes and texts each against their own; what is
// beside the message only where that says nothing.
static const struct entry *find_meaning(const struct question *question)
{
    bool loose = question->specific && is_vague(question->status);
    for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
        const struct patterns_text *text = NULL;
        if (entries[i].where == CODE)
            text = question->code;
        else if (!question->trace &&
                 (entries[i].where == TEXT || (entries[i].where == LOOSE && loose)))
            text = question->message;
        if (text && is_believable(question->status, entries[i].cause) &&
            patterns_fit(question->lexicon->tables()->entries, i, text))
            return &entries[i];
    }
    return NULL;
}

static void fill(struct verdict *verdict, enum verdict_cause cause, const char *act,
                 enum explanation explanation)
{
    if (verdict->cause == VERDICT_CAUSE_NONE)
        verdict->cause = cause;
    if (!verdict->act)
        verdict->act = g_strdup(act);
    if (!verdict->explanation)
        verdict->explanation = g_strdup(explanations[explanation]);
}

static void apply_status(int status, struct verdict *verdict)
{
    bool cryptic = verdict->class == VERDICT_CLASS_CRYPTIC;
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        const struct status_default *row = &statuses[i];
        if (status < row->first || status > row->last)
            continue;
        bool vague = cryptic && row->vague == VERDICT_CAUSE_UNKNOWN;
        fill(verdict, cryptic ? row->vague : row->cause, row->act,
             vague ? EXPLAIN_UNKNOWN : row->explanation);
        return;
    }
    fill(verdict, VERDICT_CAUSE_UNKNOWN, "erp-partner", EXPLAIN_UNKNOWN);
}

// cXML, batches and others answer 200 and put the status that counts into the code.
static int status_in_code(const char *code, int status)
{
    if (!code || strlen(code) != 3 || strspn(code, "0123456789") != 3)
        return status;
    // Banks and gateways have numbers of their own, with three digits too.
    int number = (int)g_ascii_strtoll(code, NULL, 10);
    bool http = (number >= 400 && number <= 431) || (number >= 500 && number <= 504);
    bool cxml = number == 450 || (number >= 550 && number <= 569);
    return http || cxml ? number : status;
}

// What the code means in its protocol; `with_text` asks the rows that want a text,
// else those that want none. True where it is filled in.
static bool apply_family(const struct question *question, bool with_text, struct verdict *verdict)
{
    g_autoptr(patterns_text_t) none = question->code ? NULL : lexicon_text("");
    const struct patterns_text *code = question->code ? question->code : none;
    for (guint i = 0; question->family && i < G_N_ELEMENTS(meanings); i++) {
        const struct meaning *meaning = &meanings[i];
        if (!g_str_equal(meaning->family, question->family) ||
            (*meaning->text != '\0') != with_text ||
            !patterns_fit(question->lexicon->tables()->codes, i, code) ||
            (with_text && !patterns_fit(question->lexicon->tables()->texts, i, question->message)))
            continue;
        fill(verdict, meaning->cause, meaning->act, meaning->explanation);
        return true;
    }
    return false;
}

static const struct entry *find_by_words(const struct question *question)
{
    const struct entry *entry = NULL;
    if (!question->specific && !question->trace && is_vague(question->status))
        entry = find_entry(question, TEXT, question->context, question->status);
    return entry ? entry : find_meaning(question);
}

// SOAP has 500 for every fault: its code says where the server is to blame. A trace
// is always about the server.
static int correct_status(const struct question *question, const char *code)
{
    int status = question->status;
    bool server = code && (strstr(code, "Server") || strstr(code, "Receiver"));
    if (question->specific && status == 500 && !server && g_strcmp0(question->family, "soap") == 0)
        return 400;
    return question->trace && status < 400 ? 500 : status;
}

static void apply_common(struct question *question, struct verdict *verdict)
{
    if (apply_family(question, true, verdict))
        return;
    if (question->status < 400)
        question->status = status_in_code(verdict->code, question->status);
    const struct entry *entry = find_by_words(question);
    if (!entry && apply_family(question, false, verdict))
        return;
    int status = correct_status(question, verdict->code);
    if (!entry && (question->specific || !verdict->message || status < 400))
        entry = find_entry(question, WEAK, question->code, status);
    if (entry)
        fill(verdict, entry->cause, entry->act, entry->explanation);
    else
        apply_status(status, verdict);
}

void lexicon_apply_answer(const struct lexicon *lexicon, const struct lexicon_answer *answer,
                          struct verdict *verdict)
{
    if (verdict->class == VERDICT_CLASS_OK ||
        (answer->pack && lexicon_apply_pack(answer->pack, answer, LEXICON_ANY, verdict)))
        return;
    g_autoptr(patterns_text_t) code = lexicon_text(verdict->code);
    g_autoptr(patterns_text_t) message = lexicon_text(verdict->message);
    g_autoptr(patterns_text_t) context = lexicon_text(answer->context);
    struct question question = {
        .lexicon = lexicon,
        .family = answer->family,
        .status = answer->status,
        .code = code,
        .message = message,
        .context = context,
        .specific = lexicon_weigh(verdict->message) == LEXICON_SPECIFIC,
    };
    question.trace = !question.specific && lexicon_is_trace(message);
    apply_common(&question, verdict);
}

void lexicon_apply(const struct lexicon *lexicon, int status, struct verdict *verdict)
{
    const struct lexicon_answer answer = {.status = status};
    lexicon_apply_answer(lexicon, &answer, verdict);
}

const char *lexicon_explain(enum lexicon_explanation which)
{
    static const enum explanation of[] = {
        [LEXICON_DNS] = EXPLAIN_NETWORK_DNS,    [LEXICON_CONNECT] = EXPLAIN_NETWORK_CONNECT,
        [LEXICON_TLS] = EXPLAIN_NETWORK_TLS,    [LEXICON_SLOW] = EXPLAIN_NETWORK_SLOW,
        [LEXICON_CUT] = EXPLAIN_NETWORK_CUT,    [LEXICON_TOO_LARGE] = EXPLAIN_TOO_LARGE,
        [LEXICON_PAGE] = EXPLAIN_PAGE,          [LEXICON_NOT_DATA] = EXPLAIN_NOT_DATA,
        [LEXICON_NO_BODY] = EXPLAIN_EMPTY,      [LEXICON_EXPECTATION] = EXPLAIN_EXPECTATION,
        [LEXICON_PROTECTED] = EXPLAIN_FIREWALL, [LEXICON_CERTIFICATE] = EXPLAIN_AUTH_CERTIFICATE,
        [LEXICON_CREDENTIALS] = EXPLAIN_AUTH,
    };
    return explanations[of[which]];
}
