// SPDX-License-Identifier: MIT
// One phrase for what a step's call did, from the step's JSON: used in subjects,
// headlines and lists of steps. Tables from class and phase to words.
#include "tell_failure.h"
#include "facts.h"
#include "safe_text.h"

#include <string.h>

enum { SEGMENT_CHARS = 48, KEY_CHARS = 12, CODE_CHARS = 80, MESSAGE_CHARS = 90 };

static gboolean is_id(const char *segment)
{
    return strpbrk(segment, "0123456789") != NULL &&
           strspn(segment, "0123456789abcdefABCDEF-") == strlen(segment);
}

// "salesOrders(9d2c…36 characters)" says no more than "salesOrders(…)".
static char *short_segment(const char *segment)
{
    const char *key = strchr(segment, '(');
    const char *end = key != NULL ? strrchr(key, ')') : NULL;
    g_autofree char *shorter = NULL;

    if (end != NULL && end - key > KEY_CHARS)
        shorter = g_strdup_printf("%.*s(…)%s", (int)(key - segment), segment, end + 1);
    return safe_text_line(shorter != NULL ? shorter : segment, SEGMENT_CHARS);
}

// The path of a URL without query, split at its slashes; empty segments are dropped.
static GPtrArray *path_segments(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host != NULL ? host + 3 : url, '/');
    g_autofree char *plain = g_strndup(path ? path : "", path ? strcspn(path, "?#") : 0);
    g_auto(GStrv) parts = g_strsplit(plain, "/", -1);
    GPtrArray *segments = g_ptr_array_new_with_free_func(g_free);

    for (char **part = parts; *part != NULL; part++) {
        if (**part != '\0')
            g_ptr_array_add(segments, g_strdup(*part));
    }
    return segments;
}

static char *short_path(const char *url)
{
    g_autoptr(GPtrArray) segments = path_segments(url);
    g_autofree char *last = NULL, *before = NULL;
    guint count = segments->len;

    if (count == 0)
        return g_strdup("/");
    last = short_segment(g_ptr_array_index(segments, count - 1));
    if (count < 2 || !is_id(g_ptr_array_index(segments, count - 1)))
        return g_strconcat("/", last, NULL);
    before = short_segment(g_ptr_array_index(segments, count - 2));
    return g_strconcat("/", before, "/", last, NULL);
}

char *tell_call(const cJSON *step)
{
    const char *url = facts_text(step, "request", "url");
    const char *method = facts_text(step, "request", "method");
    g_autofree char *clean_method = NULL, *path = NULL;

    if (url == NULL || method == NULL)
        return safe_text_line(json_text(step, "step"), CODE_CHARS);
    clean_method = safe_text_line(method, KEY_CHARS);
    path = short_path(url);
    return g_strconcat(clean_method, " ", path, NULL);
}

static char *host_of(const cJSON *step)
{
    const char *url = facts_text(step, "request", "url");
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    g_autofree char *plain = NULL;

    if (host == NULL)
        return safe_text_line(json_text(step, "system"), CODE_CHARS);
    plain = g_strndup(host + 3, strcspn(host + 3, "/?#"));
    return safe_text_line(plain, CODE_CHARS);
}

// A failure without an answer, by class and phase.
struct silence {
    const char *class, *phase, *text; // phase NULL: any
};

static const struct silence silences[] = {
    {"timeout", "dns", WORDS_MARK("{host}: the name was not found in time")},
    {"timeout", "connect", WORDS_MARK("{host} took no connection in time")},
    {"timeout", "tls", WORDS_MARK("{host} gave no TLS connection in time")},
    {"timeout", "transfer", WORDS_MARK("{call}: the answer did not arrive in time")},
    {"timeout", "poll", WORDS_MARK("{call} did not give what was awaited in time")},
    {"timeout", NULL, WORDS_MARK("{call} did not answer in time")},
    {"unreachable", "dns", WORDS_MARK("{host}: the name is not found")},
    {"unreachable", "tls", WORDS_MARK("{host} gives no valid TLS connection")},
    {"unreachable", "connect", WORDS_MARK("{host} takes no connection")},
    {"unreachable", NULL, WORDS_MARK("{host} broke the connection")},
};

static gboolean is_equal(const char *left, const char *right)
{
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static const char *silence_text(const cJSON *verdict)
{
    const char *class = json_text(verdict, "class");
    const char *phase = json_text(verdict, "phase");

    for (gsize i = 0; i < G_N_ELEMENTS(silences); i++) {
        if (is_equal(class, silences[i].class) &&
            (silences[i].phase == NULL || is_equal(phase, silences[i].phase)))
            return silences[i].text;
    }
    return NULL;
}

static char *status_text(const cJSON *step)
{
    gint64 status = json_integer(step, "status", 0);

    return status > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, status) : g_strdup("");
}

// What came back, as far as it fits into a line: the code, else the message.
static char *answer_phrase(const struct words *words, const cJSON *step, const char *call)
{
    const cJSON *verdict = json_member(step, "verdict");
    g_autofree char *status = status_text(step);
    g_autofree char *code = safe_text_line(json_text(verdict, "code"), CODE_CHARS);
    g_autofree char *message = safe_text_line(json_text(verdict, "message"), MESSAGE_CHARS);

    if (*status == '\0')
        return words_fill(words, *message ? "{call}: {message}" : WORDS_MARK("{call} failed"),
                          "call", call, "message", message, NULL);
    if (*code != '\0' && strcmp(code, status) != 0)
        return words_fill(words, "{call} answered {status} {code}", "call", call, "status", status,
                          "code", code, NULL);
    if (*message != '\0')
        return words_fill(words, "{call} answered {status}: {message}", "call", call, "status",
                          status, "message", message, NULL);
    return words_fill(words, "{call} answered {status}", "call", call, "status", status, NULL);
}

static char *unexpected_phrase(const struct words *words, const cJSON *step, const char *call)
{
    const cJSON *verdict = json_member(step, "verdict");
    g_autofree char *status = status_text(step);
    g_autofree char *expected =
        safe_text_line(json_text(verdict, "failed_expectation"), MESSAGE_CHARS);

    if (*expected == '\0')
        return answer_phrase(words, step, call);
    return words_fill(words, "{call} answered {status}, not as expected: {expected}", "call", call,
                      "status", status, "expected", expected, NULL);
}

char *tell_failure(const struct words *words, const cJSON *step)
{
    const cJSON *verdict = json_member(step, "verdict");
    const char *silence = silence_text(verdict);
    g_autofree char *call = tell_call(step);
    g_autofree char *host = NULL;

    if (silence != NULL) {
        host = host_of(step);
        return words_fill(words, silence, "call", call, "host", host, NULL);
    }
    if (is_equal(json_text(verdict, "class"), "unexpected"))
        return unexpected_phrase(words, step, call);
    return answer_phrase(words, step, call);
}

// The closed lists of verdict.def, in words.
struct meaning {
    const char *word, *name, *sentence;
};

static const struct meaning classes[] = {
    {"ok", WORDS_MARK("good"), NULL},
    {"timeout", WORDS_MARK("timeout"), WORDS_MARK("No answer came in time.")},
    {"unreachable", WORDS_MARK("unreachable"), WORDS_MARK("No connection could be made.")},
    {"error_code", WORDS_MARK("error code"), WORDS_MARK("The answer states what failed.")},
    {"cryptic", WORDS_MARK("cryptic"), WORDS_MARK("It failed, and the answer does not say why.")},
    {"unexpected", WORDS_MARK("unexpected"),
     WORDS_MARK("The answer is well-formed, but not what the shop needs.")},
    {"mismatch", WORDS_MARK("mismatch"), WORDS_MARK("Two systems disagree.")},
};

static const struct meaning causes[] = {
    {"auth", WORDS_MARK("login"), WORDS_MARK("The login or its token is refused.")},
    {"permission", WORDS_MARK("permission"), WORDS_MARK("The user is known, but may not do this.")},
    {"validation", WORDS_MARK("validation"),
     WORDS_MARK("The system refuses what was sent: a rule of its own is not met.")},
    {"not_found", WORDS_MARK("not found"),
     WORDS_MARK("A record or an address that has to be there is missing.")},
    {"conflict", WORDS_MARK("conflict"),
     WORDS_MARK("The record exists already or was changed in between.")},
    {"locked", WORDS_MARK("locked"), WORDS_MARK("Somebody or something holds the record.")},
    {"rate_limit", WORDS_MARK("rate limit"), WORDS_MARK("Too many calls in too short a time.")},
    {"unavailable", WORDS_MARK("unavailable"), WORDS_MARK("The system is down or overloaded.")},
    {"server_fault", WORDS_MARK("server fault"),
     WORDS_MARK("The system failed inside: its own logs say more.")},
    {"contract", WORDS_MARK("changed interface"),
     WORDS_MARK("The interface is not what it was agreed to be.")},
    {"license", WORDS_MARK("license"), WORDS_MARK("A license is missing, used up or expired.")},
    {"network", WORDS_MARK("network"), WORDS_MARK("The way to the system is broken.")},
    {"unknown", WORDS_MARK("unknown"), NULL},
};

static const struct meaning *find_meaning(const struct meaning *list, gsize count, const char *word)
{
    for (gsize i = 0; i < count; i++) {
        if (is_equal(list[i].word, word))
            return &list[i];
    }
    return NULL;
}

static const struct meaning *class_of(const cJSON *verdict)
{
    return find_meaning(classes, G_N_ELEMENTS(classes), json_text(verdict, "class"));
}

static const struct meaning *cause_of(const cJSON *verdict)
{
    return find_meaning(causes, G_N_ELEMENTS(causes), json_text(verdict, "cause"));
}

char *tell_class_meaning(const struct words *words, const cJSON *verdict)
{
    const struct meaning *class = class_of(verdict);
    const struct meaning *cause = cause_of(verdict);

    if (cause != NULL && cause->sentence != NULL)
        return g_strdup(words_get(words, cause->sentence));
    if (class != NULL && class->sentence != NULL)
        return g_strdup(words_get(words, class->sentence));
    return g_strdup("");
}

char *tell_class(const struct words *words, const cJSON *verdict)
{
    const struct meaning *class = class_of(verdict);
    const struct meaning *cause = cause_of(verdict);
    const char *class_name = class != NULL ? words_get(words, class->name) : "";

    if (cause == NULL)
        return g_strdup(class_name);
    return g_strdup_printf("%s, %s", class_name, words_get(words, cause->name));
}
