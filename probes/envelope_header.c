// SPDX-License-Identifier: MIT
// What headers say of a failure: the challenge of a 401 (RFC 6750, OAuth 1), and
// the headers in which some systems put what their body leaves out. Asked for
// failures, after the body; its own code and message go first.
#include "envelope.h"

#include "lexicon.h"

#include "../base/transfer_message.h"

#include <string.h>

enum { TEXT_MAX = 1024 };

// Exact Online; AFAS; Azure; AWS; gRPC and gateways.
static const struct {
    const char *name;
    bool is_message;
} known[] = {
    {"reason", false},
    {"x-profit-error", true},
    {"x-ms-error-code", false},
    {"x-error-code", false},
    {"x-error-message", true},
    {"x-error-description", true},
    {"x-error-detail", true},
    {"x-error", true},
    {"x-amzn-errortype", false},
    {"x-amzn-error-message", true},
    {"x-error-reason", true},
    {"x-application-error-code", false},
    {"x-application-error-info", true},
    {"grpc-message", true},
};

// What headers said.
struct said {
    char *code, *message;
};

static void keep(char **to, char *text)
{
    if (*to || !text || !*g_strstrip(text))
        g_free(text);
    else
        *to = text;
}

// Reads the value at `*at`, quoted with escapes or a word, and goes behind it. The
// caller frees it.
static char *read_value(const char **at)
{
    GString *value = g_string_new(NULL);
    bool quoted = **at == '"';
    const char *c = *at + quoted;
    for (; *c && (quoted ? *c != '"' : !strchr(", \t", *c)); c++) {
        if (quoted && *c == '\\' && c[1])
            c++;
        if (value->len < TEXT_MAX)
            g_string_append_c(value, *c);
    }
    *at = c + (quoted && *c);
    return g_string_free(value, false);
}

// The parameter `name` of a challenge, or NULL. The caller frees it.
static char *find_parameter(const char *challenge, const char *name)
{
    for (const char *at = challenge; *at;) {
        at += strspn(at, ", \t");
        const char *key = at;
        while (g_ascii_isalnum(*at) || (*at && strchr("_-*", *at)))
            at++;
        size_t length = (size_t)(at - key);
        at += strspn(at, " \t");
        if (length == 0 || *at != '=') {
            at += length == 0 && *at;
            continue;
        }
        at += 1 + strspn(at + 1, " \t");
        g_autofree char *value = read_value(&at);
        if (length == strlen(name) && g_ascii_strncasecmp(key, name, length) == 0)
            return g_steal_pointer(&value);
    }
    return NULL;
}

static char *unescape(char *text)
{
    char *plain = text ? g_uri_unescape_string(g_strdelimit(text, "+", ' '), NULL) : NULL;
    if (!plain)
        return text;
    g_free(text);
    return plain;
}

static void read_challenge(struct said *said, const char *challenge)
{
    keep(&said->message, find_parameter(challenge, "error_description"));
    keep(&said->code, find_parameter(challenge, "error"));
    keep(&said->message, unescape(find_parameter(challenge, "oauth_problem_advice")));
    keep(&said->code, unescape(find_parameter(challenge, "oauth_problem")));
}

static void read_known(struct said *said, const struct transfer_header *header)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_ascii_strcasecmp(header->name, known[i].name) == 0)
            keep(known[i].is_message ? &said->message : &said->code,
                 g_strndup(header->value, MIN(strlen(header->value), TEXT_MAX)));
}

static void make_valid(char **text)
{
    if (!*text)
        return;
    char *valid = g_utf8_make_valid(*text, -1);
    g_free(*text);
    *text = valid;
}

// "AccessDeniedException:http://…" and "invalid_token ": the word that counts.
static void shorten(char *code)
{
    if (code && !strchr(code, ' '))
        code[strcspn(code, ":;")] = '\0';
}

void envelope_read_headers(struct envelope *envelope, const GPtrArray *headers, int status)
{
    struct said said = {NULL, NULL};
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        if (g_ascii_strcasecmp(header->name, "WWW-Authenticate") == 0)
            read_challenge(&said, header->value);
        else
            read_known(&said, header);
    }
    make_valid(&said.code);
    make_valid(&said.message);
    shorten(said.code);
    if (said.message && lexicon_weigh(said.message) > lexicon_weigh(envelope->message)) {
        g_free(envelope->message);
        envelope->message = g_steal_pointer(&said.message);
        envelope->told = true;
    }
    if (said.code && *said.code && lexicon_code_is_generic(envelope->code, status)) {
        g_free(envelope->code);
        envelope->code = g_steal_pointer(&said.code);
        envelope->told = true;
    }
    g_free(said.code);
    g_free(said.message);
}
