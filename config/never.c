// SPDX-License-Identifier: MIT
// Holds requests to the rules of a pack's `never`. A server reads a path in more than one
// spelling, so each is tried: decoded, without dot segments, in any case.
#include "never.h"

#include "call.h"

#include <string.h>

static void free_rule(void *data)
{
    struct never_rule *rule = data;

    g_free(rule->call);
    g_free(rule->body);
    g_free(rule->says);
    g_free(rule);
}

// The rule's method and path for a path that has the system's own before it.
static char *pattern_of(const char *call)
{
    const char *path = strchr(call, ' ');
    g_autofree char *low = g_ascii_strdown(call, -1);

    if (path == NULL || path[1] != '/')
        return g_steal_pointer(&low);
    return g_strdup_printf("%.*s*%s", (int)(path - call) + 1, low, low + (path - call) + 1);
}

GPtrArray *never_rules_new(void)
{
    return g_ptr_array_new_with_free_func(free_rule);
}

void never_rules_add(GPtrArray *rules, const char *call, const char *body, const char *says)
{
    struct never_rule *rule = g_new0(struct never_rule, 1);

    rule->call = call != NULL ? pattern_of(call) : NULL;
    rule->body = g_strdup(body);
    rule->says = g_strdup(says);
    g_ptr_array_add(rules, rule);
}

static bool fits_call(const char *call, const GPtrArray *lines)
{
    g_autoptr(GPatternSpec) pattern = g_pattern_spec_new(call);

    for (unsigned i = 0; i < lines->len; i++)
        if (g_pattern_spec_match_string(pattern, lines->pdata[i]))
            return true;
    return false;
}

static void add_line(GPtrArray *lines, const char *method, const char *path, const char *query)
{
    g_autofree char *line = g_strconcat(method, " ", path, query, NULL);

    g_ptr_array_add(lines, g_ascii_strdown(line, -1));
}

static void add_lines(GPtrArray *lines, const char *method, const char *path, const char *query)
{
    g_autofree char *plain = g_canonicalize_filename(path, "/"); // no dots, no doubled slashes

    add_line(lines, method, path, "");
    add_line(lines, method, path, query);
    add_line(lines, method, plain, "");
    add_line(lines, method, plain, query);
}

// Method, path and query of a request in each spelling.
static GPtrArray *spell(const struct never_request *request)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    const char *query = strchrnul(request->path, '?');
    g_autofree char *path = g_strndup(request->path, (gsize)(query - request->path));
    g_autofree char *decoded = g_uri_unescape_string(path, NULL);
    g_autofree char *decoded_query = g_uri_unescape_string(query, NULL);

    add_lines(lines, request->method, path, query);
    add_lines(lines, request->method, decoded != NULL ? decoded : path,
              decoded_query != NULL ? decoded_query : "");
    return lines;
}

// Without blanks: JSON and XML may be written with them.
static GString *squeeze(const char *text, gsize length)
{
    GString *dense = g_string_sized_new(length);

    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isspace(text[i]))
            g_string_append_c(dense, text[i]);
    return dense;
}

static bool holds(const char *text, gsize length, const char *part)
{
    g_autoptr(GString) dense = squeeze(text, length);
    g_autoptr(GString) wanted = squeeze(part, strlen(part));

    return memmem(text, length, part, strlen(part)) != NULL ||
           (wanted->len > 0 && memmem(dense->str, dense->len, wanted->str, wanted->len) != NULL);
}

// As it is, or as the form that it may be.
static bool fits_body(const char *part, const struct never_request *request)
{
    if (request->body == NULL || request->length == 0)
        return false;
    gsize length = request->length;
    g_autofree char *form = g_memdup2(request->body, length);

    for (gsize i = 0; i < length; i++)
        if (form[i] == '+') // a blank
            form[i] = ' ';
    g_autoptr(GBytes) decoded = g_uri_unescape_bytes(form, (gssize)length, NULL, NULL);
    const char *text = decoded != NULL ? g_bytes_get_data(decoded, &length) : NULL;

    return holds(request->body, request->length, part) ||
           (text != NULL && holds(text, length, part));
}

const struct never_rule *never_find(const GPtrArray *rules, const struct never_request *request)
{
    if (rules == NULL)
        return NULL;
    g_autoptr(GPtrArray) lines = spell(request);

    for (unsigned i = 0; i < rules->len; i++) {
        const struct never_rule *rule = rules->pdata[i];

        if ((rule->call != NULL || rule->body != NULL) &&
            (rule->call == NULL || fits_call(rule->call, lines)) &&
            (rule->body == NULL || fits_body(rule->body, request)))
            return rule;
    }
    return NULL;
}

static void append_fields(GString *text, const GPtrArray *fields, const char *separator)
{
    for (unsigned i = 0; i < fields->len; i++) {
        const struct call_field *field = fields->pdata[i];

        g_string_append_printf(text, "%s%s=%s", separator, field->name,
                               template_source(field->value));
        separator = "&";
    }
}

// The path behind the host, where a whole URL is written.
static const char *path_of(const char *written)
{
    const char *host = strstr(written, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

    return path != NULL ? path : written;
}

const struct never_rule *never_find_call(const GPtrArray *rules, const struct call *call)
{
    const char *written = call->path != NULL ? path_of(template_source(call->path)) : "";
    g_autoptr(GString) path = g_string_new(written[0] == '/' ? "" : "/");
    g_autoptr(GString) body = g_string_new(call->body != NULL ? template_source(call->body) : NULL);

    g_string_append(path, written);
    append_fields(path, call->query, strchr(written, '?') != NULL ? "&" : "?");
    append_fields(body, call->form, "");
    const struct never_request request = {call->method, path->str, body->str, body->len};

    return never_find(rules, &request);
}
