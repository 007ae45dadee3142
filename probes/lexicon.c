// SPDX-License-Identifier: MIT
// Gives a failure its cause, explanation and owner from patterns over code, text
// and status. After envelope and classify have found what the answer says; the
// data is lexicon.def, which packs will put their own entries in front of.
#include "lexicon.h"

#include "../base/regex.h"

#include <string.h>

enum { TEXT_MAX = 2048, FAILURE_MAX = 600 };
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

static const char *const status_phrases[] = {
#define STATUS_PHRASE(pattern) pattern,
#include "lexicon.def"
};
static const char *const generics[] = {
#define GENERIC(pattern) pattern,
#include "lexicon.def"
};
static const char *const traces[] = {
#define TRACE(pattern) pattern,
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

struct patterns {
    gsize ready;
    struct regex *entries[G_N_ELEMENTS(entries)];
    struct regex *codes[G_N_ELEMENTS(meanings)], *texts[G_N_ELEMENTS(meanings)]; // of meanings
    struct regex *status_phrase, *generic, *trace; // each one alternation
    struct regex *failure;                         // words of failure
    struct regex *tail;                            // ids behind a text
};
struct lexicon {
    struct patterns *patterns;
};

// One pattern out of many: whole texts, or anywhere.
static struct regex *compile_any(const char *const *patterns, size_t count, bool whole)
{
    g_autoptr(GString) all = g_string_new(whole ? "\\A\\W*(?:" : "(?:");
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(all, "%s(?:%s)", i ? "|" : "", patterns[i]);
    g_string_append(all, whole ? ")[\\s.!:;,)\\]]*\\z" : ")");
    g_autoptr(GError) error = NULL;
    struct regex *regex = regex_compile(all->str, REGEX_CASELESS, &error);
    if (!regex)
        g_error("lexicon.def: %s", error->message); // our own mistake, found by the first test
    return regex;
}

static void compile_entries(struct patterns *patterns)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        patterns->entries[i] = compile_any(&entries[i].pattern, 1, false);
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++) {
        patterns->codes[i] = compile_any(&meanings[i].code, 1, true);
        patterns->texts[i] = *meanings[i].text ? compile_any(&meanings[i].text, 1, true) : NULL;
    }
}

static void compile(struct patterns *patterns)
{
    static const char *const tails[] = {
        "\\s*[\\[(]?(?:correlation|request|activity|trace|report|reference|incident|error|log)"
        "[ -]?(?:id|number|code)\\b.*\\z"};
    static const char *const failures[] = {
        "\\b(?:error|exception|fail(?:ed|ure)?|fehler|fout|erreur|went wrong|denied|refused|"
        "declined|rejected)\\b|^(?:nok|ko|ng|not ok)\\W*$"};
    compile_entries(patterns);
    patterns->failure = compile_any(failures, G_N_ELEMENTS(failures), false);
    patterns->status_phrase = compile_any(status_phrases, G_N_ELEMENTS(status_phrases), true);
    patterns->generic = compile_any(generics, G_N_ELEMENTS(generics), true);
    patterns->trace = compile_any(traces, G_N_ELEMENTS(traces), false);
    patterns->tail = compile_any(tails, G_N_ELEMENTS(tails), false);
}

const struct lexicon *lexicon_common(void)
{
    static struct patterns patterns;
    static const struct lexicon common = {&patterns};
    return &common;
}

// Compiled when first asked: most programs, and most days, see good answers alone.
static const struct patterns *patterns_of(const struct lexicon *lexicon)
{
    struct patterns *patterns = lexicon->patterns;
    if (g_once_init_enter(&patterns->ready)) {
        compile(patterns);
        g_once_init_leave(&patterns->ready, 1);
    }
    return patterns;
}

static bool fits(const struct regex *regex, const char *text)
{
    return text && regex_match(regex, text, strnlen(text, TEXT_MAX), 0, NULL, NULL);
}

// The text without the id behind it, on which nothing depends.
static char *without_tail(const struct patterns *patterns, const char *text)
{
    size_t length = strnlen(text, TEXT_MAX);
    g_autoptr(GPtrArray) groups = NULL;
    if (regex_match(patterns->tail, text, length, 0, &groups, NULL)) {
        size_t tail = strlen(g_ptr_array_index(groups, 0));
        if (tail < length)
            length -= tail;
    }
    return g_strstrip(g_strndup(text, length));
}

enum lexicon_weight lexicon_weigh(const char *message)
{
    if (!message || !*message)
        return LEXICON_EMPTY;
    const struct patterns *patterns = patterns_of(lexicon_common());
    g_autofree char *text = without_tail(patterns, message);
    if (!*text)
        return LEXICON_EMPTY;
    if (fits(patterns->status_phrase, text))
        return LEXICON_STATUS;
    if (fits(patterns->generic, text) || fits(patterns->trace, text))
        return LEXICON_GENERIC;
    return LEXICON_SPECIFIC;
}

bool lexicon_tells_failure(const struct lexicon *lexicon, const char *message)
{
    if (!message || strlen(message) > FAILURE_MAX)
        return false;
    const struct patterns *patterns = patterns_of(lexicon);
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        if ((entries[i].where == TEXT || entries[i].where == LOOSE) &&
            fits(patterns->entries[i], message))
            return true;
    return fits(patterns->trace, message) || fits(patterns->failure, message);
}

bool lexicon_code_is_generic(const char *code, int status)
{
    static const char *const words[] = {"error",
                                        "fail",
                                        "nok",
                                        "ko",
                                        "false",
                                        "exception",
                                        "unknown",
                                        "failure",
                                        "failed",
                                        "unexpected",
                                        "UNEXPECTED_ERROR",
                                        "UnexpectedError",
                                        "internal",
                                        "internal_error",
                                        "InternalError",
                                        "server_error",
                                        "ServerError",
                                        "SERVER_ERROR",
                                        "api_error",
                                        "InternalServerError",
                                        "INTERNAL_SERVER_ERROR",
                                        "Internal_ServerError",
                                        "UNKNOWN_ERROR",
                                        "UnknownError",
                                        "generalException",
                                        "general_error",
                                        "GENERAL_ERROR",
                                        "Exception"};
    if (!code || !*code)
        return true;
    if (strlen(code) == 3 && strspn(code, "0123456789") == 3 &&
        (g_ascii_strtoll(code, NULL, 10) == status || status == 0))
        return true;
    const char *colon = strrchr(code, ':'); // SOAP-ENV:Server, soap:Receiver
    if (colon && (g_str_equal(colon + 1, "Server") || g_str_equal(colon + 1, "Receiver") ||
                  g_str_equal(colon + 1, "InternalServiceFault")))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(code, words[i]) == 0)
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

static const struct entry *find_entry(const struct patterns *patterns, enum where where,
                                      const char *text, int status)
{
    for (size_t i = 0; text && i < G_N_ELEMENTS(entries); i++)
        if (entries[i].where == where && is_believable(status, entries[i].cause) &&
            fits(patterns->entries[i], text))
            return &entries[i];
    return NULL;
}

// In the order of the table, codes and texts each against their own; what is
// beside the message only where that says nothing.
static const struct entry *find_meaning(const struct patterns *patterns, const char *code,
                                        const char *message, bool specific, int status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        const char *text = NULL;
        if (entries[i].where == CODE)
            text = code;
        else if (entries[i].where == TEXT ||
                 (entries[i].where == LOOSE && specific && is_vague(status)))
            text = message;
        if (text && is_believable(status, entries[i].cause) && fits(patterns->entries[i], text))
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
static bool apply_family(const struct patterns *patterns, const char *family, bool with_text,
                         struct verdict *verdict)
{
    for (size_t i = 0; family && i < G_N_ELEMENTS(meanings); i++) {
        const struct meaning *meaning = &meanings[i];
        if (!g_str_equal(meaning->family, family) || (*meaning->text != '\0') != with_text ||
            !fits(patterns->codes[i], verdict->code ? verdict->code : "") ||
            (with_text && !fits(patterns->texts[i], verdict->message)))
            continue;
        fill(verdict, meaning->cause, meaning->act, meaning->explanation);
        return true;
    }
    return false;
}

// How much the message says.
struct saying {
    bool specific;
    bool trace; // the inside of a program, which is about the program, not the request
};

static const struct entry *find_by_words(const struct patterns *patterns,
                                         const struct lexicon_answer *answer,
                                         const struct verdict *verdict, struct saying saying,
                                         int status)
{
    const struct entry *entry = NULL;
    if (!saying.specific && !saying.trace && is_vague(status))
        entry = find_entry(patterns, TEXT, answer->context, status);
    return entry ? entry
                 : find_meaning(patterns, verdict->code, saying.trace ? NULL : verdict->message,
                                saying.specific, status);
}

// SOAP has 500 for every fault: its code says where the server is to blame. A trace
// is always about the server.
static int correct_status(const struct lexicon_answer *answer, const char *code,
                          struct saying saying, int status)
{
    bool server = code && (strstr(code, "Server") || strstr(code, "Receiver"));
    if (saying.specific && status == 500 && !server && g_strcmp0(answer->family, "soap") == 0)
        return 400;
    return saying.trace && status < 400 ? 500 : status;
}

void lexicon_apply_answer(const struct lexicon *lexicon, const struct lexicon_answer *answer,
                          struct verdict *verdict)
{
    if (verdict->class == VERDICT_CLASS_OK)
        return;
    const struct patterns *patterns = patterns_of(lexicon);
    int status = answer->status;
    if (apply_family(patterns, answer->family, true, verdict))
        return;
    if (status < 400)
        status = status_in_code(verdict->code, status);
    struct saying saying = {.specific = lexicon_weigh(verdict->message) == LEXICON_SPECIFIC};
    saying.trace = !saying.specific && fits(patterns->trace, verdict->message);
    const struct entry *entry = find_by_words(patterns, answer, verdict, saying, status);
    if (!entry && apply_family(patterns, answer->family, false, verdict))
        return;
    status = correct_status(answer, verdict->code, saying, status);
    if (!entry && (saying.specific || !verdict->message || status < 400))
        entry = find_entry(patterns, WEAK, verdict->code, status);
    if (entry)
        fill(verdict, entry->cause, entry->act, entry->explanation);
    else
        apply_status(status, verdict);
}

void lexicon_apply(const struct lexicon *lexicon, int status, struct verdict *verdict)
{
    const struct lexicon_answer answer = {.status = status};
    lexicon_apply_answer(lexicon, &answer, verdict);
}

const char *lexicon_explain(enum lexicon_explanation which)
{
    static const enum explanation of[] = {
        [LEXICON_DNS] = EXPLAIN_NETWORK_DNS,
        [LEXICON_CONNECT] = EXPLAIN_NETWORK_CONNECT,
        [LEXICON_TLS] = EXPLAIN_NETWORK_TLS,
        [LEXICON_SLOW] = EXPLAIN_NETWORK_SLOW,
        [LEXICON_CUT] = EXPLAIN_NETWORK_CUT,
        [LEXICON_TOO_LARGE] = EXPLAIN_TOO_LARGE,
        [LEXICON_PAGE] = EXPLAIN_PAGE,
        [LEXICON_NOT_DATA] = EXPLAIN_NOT_DATA,
        [LEXICON_NO_BODY] = EXPLAIN_EMPTY,
        [LEXICON_EXPECTATION] = EXPLAIN_EXPECTATION,
        [LEXICON_PROTECTED] = EXPLAIN_FIREWALL,
        [LEXICON_CERTIFICATE] = EXPLAIN_AUTH_CERTIFICATE,
        [LEXICON_CREDENTIALS] = EXPLAIN_AUTH,
    };
    return explanations[of[which]];
}
