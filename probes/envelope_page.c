// SPDX-License-Identifier: MIT
// Pages and plain texts: what a web server, gateway or login form shows to a
// person. Where in a page the useful sentence stands is a table; a plain text
// is its own message.
#include "envelope_part.h"

#include "lexicon.h"

#include "../base/regex.h"

#include <string.h>

enum { PAGE_MAX = 256 * 1024 };

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
    envelope->login = login;
    envelope_pick_finish(&pick, envelope);
}

// OAuth 1 and others answer with a form: error=…&error_description=…
static bool read_form(struct envelope *envelope, const char *text)
{
    static const char *const names[] = {"oauth_problem", "error", "message", "error_description"};
    if (strpbrk(text, " \n\t") || !strchr(text, '='))
        return false;
    struct envelope_pick pick;
    envelope_pick_init(&pick);
    g_auto(GStrv) fields = g_strsplit(text, "&", 32);
    for (char **field = fields; *field; field++) {
        char *equals = strchr(*field, '=');
        for (size_t i = 0; equals && i < G_N_ELEMENTS(names); i++) {
            if (strncmp(*field, names[i], (size_t)(equals - *field)) != 0 ||
                strlen(names[i]) != (size_t)(equals - *field))
                continue;
            g_strdelimit(equals + 1, "+", ' ');
            g_autofree char *value = g_uri_unescape_string(equals + 1, NULL);
            bool code = i < 2 && value && !strchr(value, ' ');
            envelope_pick_offer(&pick, code ? value : NULL, value);
            envelope->failure = true;
        }
    }
    envelope_pick_finish(&pick, envelope);
    return envelope->failure;
}

void envelope_read_text(struct envelope *envelope, const char *body, size_t length)
{
    static const char failure_pattern[] =
        "\\A\\W*(?:(?:fatal |parse |http |server |internal |sql |soap[- ]|php )*"
        "(?:error|exception|failure|failed|fault|warning)\\b|traceback \\(most|"
        "(?:ora|msg)-?\\d+|uncaught |unhandled |[\\w.]+(?:exception|error): )";
    g_autofree char *text = g_strndup(body, MIN(length, 8192));
    g_strstrip(text);
    if (read_form(envelope, text))
        return;
    g_autofree char *failure = first_group(failure_pattern, text, strlen(text));
    g_autofree char *code = find_code(text);
    struct envelope_pick pick;
    envelope_pick_init(&pick);
    envelope_pick_offer(&pick, code, text);
    envelope->failure = failure != NULL;
    envelope_pick_finish(&pick, envelope);
}
