// SPDX-License-Identifier: MIT
// How much a text says: nothing, a status in words, a stack trace, or something. Asked
// by the readers of envelopes, by classify and by the lexicon itself; the words are
// those of lexicon.def.
#include "lexicon.h"
#include "lexicon_parts.h"

#include <string.h>

enum { TEXT_MAX = 2048 };

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

static const char tail[] =
    "\\s*[\\[(]?(?:correlation|request|activity|trace|report|reference|incident|error|log)"
    "[ -]?(?:id|number|code)\\b.*\\z";
// What one language has here, the others have too: the class may not depend on it.
static const char failures[] =
    "\\b(?<!\\bno |\\b0 |without |keine |kein |ohne |geen |zonder |aucune |sans |sin |ningún )"
    "(?:error|exception|fail(?:ed|ure)?|went wrong|denied|refused|declined|rejected|"
    "could not|unable to|"
    "fehler|fehlgeschlagen|gescheitert|schief ?gegangen|verweigert|abgelehnt|konnten? nicht|"
    "fout|mislukt|gefaald|misgegaan|geweigerd|afgewezen|kon niet|konden niet|"
    "erreur|échec|échoué|mal passé|refusée?s?|rejetée?s?|n['’](?:a|ont) pas pu|"
    "falló|fallado|fallid[oa]s?|salió mal|denegad[oa]s?|rechazad[oa]s?|no se (?:pudo|ha "
    "podido))\\b|^(?:nok|ko|ng|not ok)\\W*$";

enum { STATUS_PHRASES, GENERICS, TRACES, FAILURES };

struct weights {
    struct patterns *patterns; // in the order above
    struct regex *tail;        // ids behind a text
};

struct patterns_text *lexicon_text(const char *text)
{
    return text ? patterns_text_new(text, strnlen(text, TEXT_MAX)) : NULL;
}

static char *either(const char *const *each, size_t count)
{
    GString *all = g_string_new(NULL);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(all, "%s(?:%s)", i ? "|" : "", each[i]);
    return g_string_free(all, FALSE);
}

void lexicon_add_whole(struct patterns *patterns, const char *const *each, size_t count)
{
    g_autofree char *all = either(each, count);
    g_autofree char *whole = g_strdup_printf("\\A\\W*(?:%s)[\\s.!:;,)\\]]*\\z", all);
    patterns_add(patterns, whole);
}

static const struct weights *weights(void)
{
    static struct weights all;
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        g_autofree char *trace = either(traces, G_N_ELEMENTS(traces));
        all.patterns = patterns_new(REGEX_PLAIN);
        lexicon_add_whole(all.patterns, status_phrases, G_N_ELEMENTS(status_phrases));
        lexicon_add_whole(all.patterns, generics, G_N_ELEMENTS(generics));
        patterns_add(all.patterns, trace);
        patterns_add(all.patterns, failures);
        all.tail = regex_compile(tail, REGEX_CASELESS, NULL);
        g_once_init_leave(&ready, 1);
    }
    return &all;
}

// The text without the id behind it, on which nothing depends.
static char *without_tail(const char *text)
{
    size_t length = strnlen(text, TEXT_MAX);
    g_autoptr(GPtrArray) groups = NULL;
    if (regex_match(weights()->tail, text, length, 0, &groups, NULL)) {
        size_t behind = strlen(g_ptr_array_index(groups, 0));
        if (behind < length)
            length -= behind;
    }
    return g_strstrip(g_strndup(text, length));
}

enum lexicon_weight lexicon_weigh(const char *message)
{
    if (!message || !*message)
        return LEXICON_EMPTY;
    g_autofree char *plain = without_tail(message);
    if (!*plain)
        return LEXICON_EMPTY;
    g_autoptr(patterns_text_t) text = lexicon_text(plain);
    if (patterns_fit(weights()->patterns, STATUS_PHRASES, text))
        return LEXICON_STATUS;
    if (patterns_fit(weights()->patterns, GENERICS, text) || lexicon_is_trace(text))
        return LEXICON_GENERIC;
    return LEXICON_SPECIFIC;
}

bool lexicon_is_trace(const struct patterns_text *text)
{
    return patterns_fit(weights()->patterns, TRACES, text);
}

bool lexicon_speaks_of_failure(const struct patterns_text *text)
{
    return lexicon_is_trace(text) || patterns_fit(weights()->patterns, FAILURES, text);
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
