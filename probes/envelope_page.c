// SPDX-License-Identifier: MIT
// Pages and plain texts: what a web server, gateway or login form shows to a
// person. Where in a page the useful sentence stands is a table; a plain text
// is its own message.
#include "envelope_part.h"

#include "lexicon.h"

#include "../base/regex.h"

#include <string.h>

enum { PAGE_MAX = 256 * 1024, INNER_MAX = 64 * 1024, PAIRS_MAX = 100 };

// Where the sentence is, best first. Group 1 is it, as HTML.
static const char *const sentences[] = {
    "<title[^>]*>(.{0,600}?)</title>",
    "<h1[^>]*>(.{1,600}?)</h1>",
    "<b>\\s*message:?\\s*</b>:?\\s*(?:<u>)?(.{1,600}?)(?:</u>|</p>|<b>)", // Tomcat
    "<h2[^>]*>(.{1,600}?)</h2>",
    "<(?:p|h3|li)(?: [^>]*)?>(.{1,600}?)</(?:p|h3|li)>",
};

// Codes that pages and texts carry: the sub-status of IIS, what gateways name.
static const char *const codes[] = {
    "\\b([1-5]\\d\\d\\.\\d{1,2})\\b",
    "\\berror(?: code:? |[: #]+)(\\d{4,6}|[A-Z][A-Z0-9_]*[_-]?\\d{2,})\\b",
    "\\berror code: (\\d{3,6})\\b",
    "\\b((?:ORA|SQL|MSG|AADSTS|ERR|CX)[-_]?\\d{3,7}[A-Z]?)\\b",
    "\\boauth_problem=([a-z_]+)",
};

// Marks of a page that asks who one is.
static const char login_pattern[] =
    "<input[^>]{1,300}type=[\"']?password|<form[^>]{1,300}(?:log[-_]?in|sign[-_]?in|j_security)";

// Marks of a page by which a protection service refuses; they often have status 200.
static const char protection_pattern[] =
    "requested url was rejected|your support id is|_incapsula_resource|incapsula incident|"
    "cf-browser-verification|challenge-platform|attention required! \\| cloudflare|"
    "reference&#32;&#35;\\d|perimeterx|ddos protection by";

static char *first_group(const char *pattern, const char *text, size_t length)
{
    g_autoptr(regex_compiled_t) regex = regex_compile(pattern, REGEX_CASELESS, NULL);
    g_autoptr(GPtrArray) groups = NULL;
    if (!regex || !regex_match(regex, text, length, 0, &groups, NULL) || groups->len < 1)
        return NULL;
    const char *group = g_ptr_array_index(groups, groups->len > 1 ? 1 : 0);
    return g_strdup(group);
}

// The page without scripts, styles and comments, which hold no sentence.
static char *visible_part(const char *body, size_t length)
{
    static const struct {
        const char *open, *close;
    } hidden[] = {{"<!--", "-->"}, {"<script", "</script"}, {"<style", "</style"}};
    g_autofree char *text = g_strndup(body, MIN(length, PAGE_MAX));
    g_autofree char *lower = g_ascii_strdown(text, -1);
    GString *out = g_string_sized_new(strlen(text));
    size_t at = 0;
    while (text[at]) {
        const char *close = NULL;
        for (size_t i = 0; text[at] == '<' && i < G_N_ELEMENTS(hidden) && !close; i++)
            if (g_str_has_prefix(lower + at, hidden[i].open))
                close = hidden[i].close;
        if (!close) {
            g_string_append_c(out, text[at++]);
            continue;
        }
        const char *end = strstr(lower + at, close);
        at = end ? (size_t)(end - lower) + strlen(close) : strlen(text);
    }
    return g_string_free(out, false);
}

static char *find_code(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        char *code = first_group(codes[i], text, strlen(text));
        if (code)
            return code;
    }
    return NULL;
}

static void offer_sentences(struct envelope_pick *pick, const char *page)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++) {
        g_autofree char *html = first_group(sentences[i], page, strlen(page));
        g_autofree char *text = html ? envelope_plain_text(html, strlen(html)) : NULL;
        if (text && *text)
            envelope_pick_offer(pick, NULL, text);
    }
}

void envelope_read_html(struct envelope *envelope, const char *body, size_t length)
{
    g_autofree char *page = visible_part(body, length);
    g_autofree char *text = envelope_plain_text(page, strlen(page));
    g_autofree char *login = first_group(login_pattern, page, strlen(page));
    struct envelope_pick pick;
    envelope_pick_init(&pick);
    offer_sentences(&pick, page);
    if (!pick.message && *text && g_utf8_strlen(text, -1) <= 400)
        envelope_pick_offer(&pick, NULL, text);
    g_autofree char *code = pick.message ? find_code(pick.message) : NULL;
    if (code)
        envelope_pick_offer(&pick, code, NULL);
    envelope_pick_add_context(&pick, text);
    g_autofree char *protection = first_group(protection_pattern, body, MIN(length, PAGE_MAX));
    envelope->login = login;
    envelope->protection = protection;
    envelope_pick_finish(&pick, envelope);
}

// Forms and lists of pairs: OAuth 1 (oauth_problem=…), payment gateways
// (ACK=Failure&L_LONGMESSAGE0=…, Status=INVALID and one pair a line). They become
// an object, so that the table of shapes serves them too. NULL where it is none.
static cJSON *pairs_of(const char *text)
{
    bool lines = strchr(text, '\n') != NULL;
    if (!strchr(text, '=') || (!lines && strpbrk(text, " \t") && !strchr(text, '&')))
        return NULL;
    g_autoptr(cJSON) object = cJSON_CreateObject();
    g_auto(GStrv) pairs = g_strsplit(text, lines ? "\n" : "&", PAIRS_MAX);
    for (char **pair = pairs; *pair; pair++) {
        char *equals = strchr(g_strstrip(*pair), '=');
        size_t name = equals ? (size_t)(equals - *pair) : 0;
        if (!**pair)
            continue;
        if (name == 0 || name > 64 || strcspn(*pair, " <>{}\"'") < name)
            return NULL;
        if (!lines)
            g_strdelimit(equals + 1, "+", ' ');
        *equals = '\0';
        g_autofree char *value =
            lines ? g_strdup(equals + 1) : g_uri_unescape_string(equals + 1, NULL);
        json_add_text(object, *pair, value && g_utf8_validate(value, -1, NULL) ? value : "");
    }
    return object->child ? g_steal_pointer(&object) : NULL;
}

static bool read_pairs(struct envelope *envelope, const char *text)
{
    g_autoptr(cJSON) object = pairs_of(text);
    if (!object)
        return false;
    const char *problem = json_text(object, "oauth_problem");
    envelope_read_json(envelope, object, false);
    if (problem) {
        envelope->failure = true;
        g_free(envelope->code);
        envelope->code = g_strdup(problem);
        if (!envelope->message)
            envelope->message = g_strdup(problem);
    }
    // pairs that say nothing are pairs all the same, and no text
    return envelope->message || envelope->code || cJSON_GetArraySize(object) > 1;
}

// The status line of an answer in the text that failed, or NULL.
static const char *failed_part(const char *text)
{
    for (const char *at = strstr(text, "HTTP/1."); at; at = strstr(at + 1, "HTTP/1.")) {
        const char *status = at + strlen("HTTP/1.");
        if (g_ascii_isdigit(status[0]) && status[1] == ' ' && strchr("45", status[2]) &&
            status[2] && g_ascii_isdigit(status[3]) && g_ascii_isdigit(status[4]))
            return at;
    }
    return NULL;
}

// An answer inside the text: a part of a batch whose boundaries are lost, or JSON
// behind a warning of the language or a line of a log.
static bool read_inner(struct envelope *envelope, const char *text)
{
    const char *part = failed_part(text);
    const char *brace = strchr(part ? part : text, '{');
    size_t length = brace ? strlen(brace) : 0;
    // Of several parts, the first: it ends where the next boundary begins.
    const char *boundary = brace ? strstr(brace, "\n--") : NULL;
    for (; boundary && part && brace + length > boundary; length--)
        continue;
    while (length > 0 && brace[length - 1] != '}')
        length--;
    g_autoptr(cJSON) document = length > 2 ? json_parse(brace, length, NULL) : NULL;
    if (document)
        envelope_read_json(envelope, document, false);
    envelope->failure = envelope->failure || part;
    envelope->status = part ? (int)g_ascii_strtoull(strchr(part, ' '), NULL, 10) : 0;
    return document && (envelope->message || envelope->code);
}

// A table of values: its heading may well have a column named error.
static bool is_table(const char *text)
{
    const char *end = strchr(text, '\n');
    for (const char *mark = ";\t|"; end && *mark; mark++) {
        int first = 0, second = 0;
        for (const char *c = text; c < end; c++)
            first += *c == *mark;
        for (const char *c = end + 1; *c && *c != '\n'; c++)
            second += *c == *mark;
        if (first > 1 && first == second)
            return true;
    }
    return false;
}

void envelope_read_text(struct envelope *envelope, const char *body, size_t length)
{
    static const char failure_pattern[] =
        "\\A\\W*(?:(?:fatal |parse |http |server |internal |sql |soap[- ]|php )*"
        "(?:error|exception|failure|failed|fault|warning)\\b|traceback \\(most|"
        "(?:ora|msg)-?\\d+|uncaught |unhandled |[\\w.]+(?:exception|error): )";
    g_autofree char *text = g_strndup(body, MIN(length, INNER_MAX));
    g_strstrip(text);
    if (read_pairs(envelope, text) || read_inner(envelope, text))
        return;
    // What follows a blank line is advice and detail.
    char *paragraph = strstr(text, "\n\n");
    paragraph = paragraph ? paragraph : strstr(text, "\r\n\r\n");
    g_autofree char *rest = paragraph && paragraph > text ? g_strdup(paragraph) : NULL;
    if (rest)
        *paragraph = '\0';
    g_autofree char *failure = first_group(failure_pattern, text, strlen(text));
    g_autofree char *code = find_code(text);
    struct envelope_pick pick;
    envelope_pick_init(&pick);
    envelope_pick_offer(&pick, code, text);
    envelope_pick_add_context(&pick, rest);
    envelope->failure = envelope->failure || failure;
    envelope->suspect = !is_table(text);
    envelope_pick_finish(&pick, envelope);
}

void envelope_read_broken(struct envelope *envelope, const char *body, size_t length)
{
    static const char message_pattern[] =
        "\"(?:message|error_description|errorMessage|detail|value)\"\\s*:\\s*"
        "\"((?:[^\"\\\\]|\\\\.){1,1000})\"";
    static const char code_pattern[] =
        "\"(?:code|errorCode|error_code)\"\\s*:\\s*\"?([A-Za-z0-9_.:/-]{1,80})";
    size_t seen = MIN(length, INNER_MAX);
    g_free(envelope->message);
    g_free(envelope->code);
    envelope->message = first_group(message_pattern, body, seen);
    envelope->code = first_group(code_pattern, body, seen);
}
