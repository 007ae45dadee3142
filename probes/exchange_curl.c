// SPDX-License-Identifier: MIT
// The command line that sends a request of the evidence again, for whoever wants
// to try it. Every word that came from elsewhere stands in single quotes: what a
// value holds is never read by the shell, nor by curl as an option or a file.
#include "exchange.h"

#include <string.h>

enum { BODY_MAX = 4096 };

static bool has_control(const char *text)
{
    for (const char *at = text; *at; at++)
        if (g_ascii_iscntrl(*at) && *at != '\n')
            return true;
    return false;
}

// POSIX: within single quotes only the single quote is special. Control bytes
// would be obeyed by the terminal that the line is pasted into.
static void append_quoted(GString *line, const char *text)
{
    g_string_append_c(line, '\'');
    for (const char *at = text; *at; at++) {
        if (*at == '\'')
            g_string_append(line, "'\\''");
        else if (!g_ascii_iscntrl(*at) || *at == '\n')
            g_string_append_c(line, *at);
    }
    g_string_append_c(line, '\'');
}

static void append_option(GString *line, const char *option, const char *value)
{
    g_string_append_printf(line, " %s ", option);
    append_quoted(line, value);
}

static void append_url(GString *line, const char *url)
{
    if (strpbrk(url, "[]{}"))
        g_string_append(line, " --globoff");
    if (strstr(url, "/."))
        g_string_append(line, " --path-as-is");
    append_option(line, "--url", url);
}

static void append_method(GString *line, const char *method, bool with_body)
{
    if (strcmp(method, "HEAD") == 0)
        g_string_append(line, " --head");
    else if (strcmp(method, with_body ? "POST" : "GET") != 0)
        append_option(line, "--request", method);
}

// curl would take @name for a file; "name;" is how it is told of an empty value. It
// decodes what it asked for only where --compressed asked.
static void append_header(GString *line, const char *name, const char *value)
{
    g_autofree char *text = NULL;
    if (!name || !value || *name == '@' || has_control(name) || has_control(value) ||
        (g_ascii_strcasecmp(name, "Accept") == 0 && strcmp(value, "*/*") == 0))
        return;
    if (g_ascii_strcasecmp(name, "Accept-Encoding") == 0) {
        g_string_append(line, " --compressed");
        return;
    }
    text = *value ? g_strconcat(name, ": ", value, NULL) : g_strconcat(name, ";", NULL);
    append_option(line, "--header", text);
}

// The password is left out: curl asks for it.
static void append_credentials(GString *line, const cJSON *auth)
{
    const char *scheme = json_text(auth, "scheme"), *user = json_text(auth, "user");
    g_autofree char *option = scheme ? g_ascii_strdown(scheme, -1) : NULL;
    if (!option)
        return;
    g_string_append_printf(line, " --%s", option);
    append_option(line, "--user", user ? user : ":");
}

static void append_certificate(GString *line, const cJSON *exchange)
{
    const char *cert = json_text(exchange, "certificate");
    const char *key = json_text(exchange, "certificate_key");
    if (!cert || !key)
        return;
    append_option(line, "--cert", cert);
    append_option(line, "--key", key);
}

// Returns whether one of them is Content-Type. The Authorization header is curl's
// own business where it authenticates.
static bool append_headers(GString *line, const cJSON *headers, bool authenticates)
{
    bool typed = false;
    const cJSON *pair;
    cJSON_ArrayForEach(pair, headers)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
        if (!authenticates || !name || g_ascii_strcasecmp(name, "Authorization") != 0)
            append_header(line, name, cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1)));
        typed = typed || (name && g_ascii_strcasecmp(name, "Content-Type") == 0);
    }
    return typed;
}

// A body that was cut, is long, or would not survive a terminal is left out.
static bool is_sendable(const cJSON *exchange, const char *body)
{
    gint64 size = json_integer(json_member(exchange, "sizes"), "request_body", 0);
    return size <= BODY_MAX && strlen(body) <= BODY_MAX && !has_control(body) &&
           !cJSON_IsTrue(json_member(exchange, "request_body_cut"));
}

static void append_body(GString *line, const cJSON *exchange, const char *body, bool typed)
{
    if (!typed)
        append_option(line, "--header", "Content-Type:");
    if (is_sendable(exchange, body))
        append_option(line, "--data-raw", body);
    else
        g_string_append(line, " --data-binary '@body'  # body: the request's text in exchange.har");
}

char *exchange_curl_line(const cJSON *exchange)
{
    const char *method = json_text(exchange, "method");
    const char *url = json_text(exchange, "url");
    const char *body = json_text(exchange, "request_body");
    bool with_body = body && *body;
    GString *line = g_string_new("curl --include");
    if (cJSON_IsTrue(json_member(exchange, "insecure")))
        g_string_append(line, " --insecure");
    append_method(line, method ? method : "GET", with_body);
    append_url(line, url ? url : "");
    const cJSON *auth = json_member(exchange, "auth");
    append_certificate(line, exchange);
    append_credentials(line, auth);
    bool typed = append_headers(line, json_member(exchange, "request_headers"), auth);
    if (with_body)
        append_body(line, exchange, body, typed);
    return g_string_free(line, FALSE);
}
