// SPDX-License-Identifier: MIT
// From a call of the configuration to the request that goes out: URL, headers,
// body. request_auth.c adds who is calling, the flow runner cookies and sessions.
#include "request.h"

#include "request_url.h"

#include "../base/encode.h"

#include <string.h>

// Kept of a response unless the runner says another number.
#define MAX_BODY (4 * 1024 * 1024)
// Sent from a file at most.
#define MAX_FILE (64 * 1024 * 1024)

G_DEFINE_QUARK(request - error - quark, request_error)

// What all parts of one request are made from.
struct builder {
    const struct call *call;
    const struct config_system *system;
    struct template_context context;
    struct transfer_request *request;
    bool elsewhere; // it goes to a host of `allow_hosts`
};

static bool is_header_name(const char *name)
{
    if (!*name)
        return false;
    for (; *name; name++) {
        if (!g_ascii_isalnum(*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    }
    return true;
}

bool request_add_header(GPtrArray *headers, const char *name, const char *value, GError **error)
{
    if (!is_header_name(name) || strpbrk(value, "\r\n")) {
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_HEADER,
                    "the header \"%s\" cannot be sent: its name or its value holds what must not "
                    "stand in a header",
                    name);
        return false;
    }
    transfer_headers_add(headers, name, value);
    return true;
}

static bool add_field(struct builder *builder, const struct call_field *field, GError **error)
{
    g_autofree char *value = template_render(field->value, &builder->context, NULL, error);
    return value && request_add_header(builder->request->headers, field->name, value, error);
}

// The fields in whose place `winners` have none of that name.
static bool add_fields(struct builder *builder, const GPtrArray *fields, const GPtrArray *winners,
                       GError **error)
{
    for (guint i = 0; i < fields->len; i++) {
        const struct call_field *field = g_ptr_array_index(fields, i);
        bool beaten = false;
        for (guint k = 0; winners && k < winners->len && !beaten; k++) {
            const struct call_field *winner = g_ptr_array_index(winners, k);
            beaten = g_ascii_strcasecmp(winner->name, field->name) == 0;
        }
        if (!beaten && !add_field(builder, field, error))
            return false;
    }
    return true;
}

static bool build_headers(struct builder *builder, GError **error)
{
    GPtrArray *headers = builder->request->headers;
    const GPtrArray *own = builder->call->headers;
    // `auth: none` leaves off whatever may be a credential, and so does another host
    bool known = !builder->call->no_auth && !builder->elsewhere;
    if ((known && !add_fields(builder, builder->system->headers, own, error)) ||
        !add_fields(builder, own, NULL, error))
        return false;
    bool markup =
        builder->call->body_kind == CALL_BODY_XML || builder->call->body_kind == CALL_BODY_SOAP;
    if (!transfer_headers_find(headers, "Accept"))
        transfer_headers_add(headers, "Accept",
                             markup ? "application/xml, text/xml, application/soap+xml, */*"
                                    : "application/json, */*");
    return true;
}

static void encode_field(GString *out, const char *text, bool form)
{
    if (form)
        encode_form(out, text, strlen(text));
    else
        encode_percent(out, text, strlen(text), ENCODE_QUERY_KEEP);
}

static void begin_field(GString *out, const char *name, bool form)
{
    if (out->len > 0)
        g_string_append_c(out, '&');
    encode_field(out, name, form);
    g_string_append_c(out, '=');
}

// The fields of a map, which is a value; nothing for an empty text.
static bool render_map(GString *out, const struct builder *builder, const struct call_field *field,
                       bool form, GError **error)
{
    g_autoptr(value_t) map = template_evaluate(field->value, &builder->context, error);
    if (!map)
        return false;
    if (!cJSON_IsObject(map->json) && !value_is_empty(map)) {
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_URL, "%s is no map of fields",
                    template_source(field->value));
        return false;
    }
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, map->json)
    {
        const struct value each = {.json = (cJSON *)(uintptr_t)member}; // only read
        g_autofree char *text = value_to_text(&each);
        begin_field(out, member->string, form);
        encode_field(out, text, form);
    }
    return true;
}

// name=value&…; names are encoded here, values where their templates stand.
static GString *render_fields(struct builder *builder, const GPtrArray *fields, bool form,
                              GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < fields->len; i++) {
        const struct call_field *field = g_ptr_array_index(fields, i);
        if (strcmp(field->name, CALL_FIELDS) == 0) {
            if (!render_map(out, builder, field, form, error))
                return NULL;
            continue;
        }
        g_autofree char *value = template_render(field->value, &builder->context, NULL, error);
        if (!value)
            return NULL;
        begin_field(out, field->name, form);
        g_string_append(out, value);
    }
    return g_steal_pointer(&out);
}

// What `allow_hosts` lists; of char *. One that cannot be filled in allows nothing.
static GPtrArray *allowed_hosts(const struct config_system *system,
                                const struct template_context *context)
{
    GPtrArray *hosts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; system->allow_hosts && i < system->allow_hosts->len; i++) {
        char *text = template_render(system->allow_hosts->pdata[i], context, NULL, NULL);
        if (text)
            g_ptr_array_add(hosts, text);
    }
    return hosts;
}

static enum reach judge_reach(const struct builder *builder, const char *base, const char *url,
                              GError **error)
{
    g_autoptr(GPtrArray) hosts = allowed_hosts(builder->system, &builder->context);
    g_autofree char *why = NULL;
    enum reach reach = reach_judge(base, hosts, url, &why);
    g_autofree char *place = reach_describe(url);
    if (reach == REACH_REFUSED)
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_ORIGIN, "%s was not called: %s", place,
                    why);
    return reach;
}

static char *render_base(const struct builder *builder, GError **error)
{
    char *text = template_render(builder->system->url, &builder->context, NULL, error);
    g_autofree char *base = text ? request_url_fit(text) : NULL;
    return base && request_url_check(base, error) ? g_steal_pointer(&base) : NULL;
}

enum reach request_reach(const char *url, const struct config_system *system, struct values *values,
                         struct clock_wall now, GError **error)
{
    const struct builder builder = {.system = system, .context = values_context(values, now)};
    g_autofree char *base = render_base(&builder, error);
    return base ? judge_reach(&builder, base, url, error) : REACH_REFUSED;
}

static bool is_whole(const struct call *call)
{
    return call->whole_url || (call->path && template_begins_with_hole(call->path));
}

enum reach request_destination(const struct call *call, const struct config_system *system,
                               struct values *values, struct clock_wall now, GError **error)
{
    const struct builder builder = {.system = system, .context = values_context(values, now)};
    if (!is_whole(call) || call->elsewhere)
        return REACH_OWN;
    g_autofree char *base = render_base(&builder, NULL);
    char *path = base ? template_render(call->path, &builder.context, NULL, NULL) : NULL;
    g_autofree char *url = path ? request_url_fit(path) : NULL;
    return url ? judge_reach(&builder, base, url, error) : REACH_OWN;
}

void request_set_tls(struct transfer_request *request, const struct config_system *system,
                     bool elsewhere)
{
    request->tls.ca = elsewhere ? NULL : system->tls_ca;
    request->tls.no_verify = !elsewhere && system->tls_no_verify;
}

// How another server's certificate is judged is not the system's business.
static void set_tls(struct builder *builder, const char *url, const char *base)
{
    const struct call *call = builder->call;
    request_set_tls(builder->request, builder->system,
                    builder->elsewhere || (call->elsewhere && !request_has_same_origin(url, base)));
    if (call->elsewhere_ca)
        builder->request->tls.ca = call->elsewhere_ca;
}

// False where the whole address may not be called.
static bool check_whole(struct builder *builder, const char *url, const char *base, GError **error)
{
    if (builder->call->elsewhere)
        return request_url_check(url, error);
    enum reach reach = judge_reach(builder, base, url, error);
    builder->elsewhere = reach == REACH_ALLOWED;
    return reach != REACH_REFUSED;
}

// The URL without the call's query.
static char *build_address(struct builder *builder, GError **error)
{
    const struct call *call = builder->call;
    g_autofree char *base = render_base(builder, error);
    if (!base)
        return NULL;
    g_autofree char *path =
        call->path ? template_render(call->path, &builder->context, NULL, error) : g_strdup("");
    if (!path)
        return NULL;
    bool whole = is_whole(call);
    char *joined = whole ? g_steal_pointer(&path) : request_url_join(base, path);
    g_autofree char *url = request_url_fit(joined);
    if (whole && !check_whole(builder, url, base, error))
        return NULL;
    set_tls(builder, url, base);
    return g_steal_pointer(&url);
}

// The address, which it takes, and the call's query.
static char *add_query(struct builder *builder, char *address, GError **error)
{
    g_autofree char *taken = address;
    GString *query = render_fields(builder, builder->call->query, false, error);
    if (!query)
        return NULL;
    g_autofree char *fit = request_url_fit(g_string_free(query, FALSE));
    if (!*fit)
        return g_steal_pointer(&taken);
    GString *url = g_string_new(taken);
    request_url_add_query(url, fit, strlen(fit));
    return g_string_free(url, FALSE);
}

static bool build_url(struct builder *builder, GError **error)
{
    char *url = build_address(builder, error);
    char *fragment = url ? strchr(url, '#') : NULL;
    if (fragment)
        *fragment = '\0';
    if (url && builder->call->query->len > 0)
        url = add_query(builder, url, error);
    builder->request->url = url;
    return url != NULL;
}

static GBytes *take_text(char *text)
{
    return text ? g_bytes_new_take(text, strlen(text)) : NULL;
}

// The lines of a multipart body end in CRLF (RFC 2046), which YAML cannot write.
static char *with_line_ends(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 64);
    for (const char *c = text; *c; c++) {
        if (*c == '\n' && (c == text || c[-1] != '\r'))
            g_string_append_c(out, '\r');
        g_string_append_c(out, *c);
    }
    return g_string_free(out, false);
}

static GBytes *text_body(struct builder *builder, GError **error)
{
    g_autofree char *text = template_render(builder->call->body, &builder->context, NULL, error);
    const char *type = transfer_headers_find(builder->request->headers, "Content-Type");
    if (text && type && g_ascii_strncasecmp(type, "multipart/", strlen("multipart/")) == 0)
        return take_text(with_line_ends(text));
    return take_text(g_steal_pointer(&text));
}

static GBytes *form_body(struct builder *builder, GError **error)
{
    GString *text = render_fields(builder, builder->call->form, true, error);
    return text ? g_string_free_to_bytes(text) : NULL;
}

static GBytes *file_body(struct builder *builder, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(builder->call->body_file, FALSE, &problem);
    if (file && g_mapped_file_get_length(file) <= MAX_FILE)
        // A copy: the file may be cut while the request is in flight.
        return g_bytes_new(g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
    g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_BODY, "the body cannot be read: %s",
                problem ? problem->message : "the file is larger than 64 MiB");
    return NULL;
}

// The action where the version of SOAP wants it: in a header of its own, always
// there and always in quotes, or in the Content-Type, only where there is one.
static bool add_soap_action(struct builder *builder, GError **error)
{
    const struct call *call = builder->call;
    GPtrArray *headers = builder->request->headers;
    bool old = call->soap == CALL_SOAP_1_1;
    if (transfer_headers_find(headers, old ? "SOAPAction" : "Content-Type"))
        return true;
    g_autofree char *action =
        call->soap_action ? template_render(call->soap_action, &builder->context, NULL, error)
                          : g_strdup("");
    if (!action)
        return false;
    if (strpbrk(action, "\"\\")) {
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_HEADER,
                    "the SOAP action %s cannot be sent: it holds a quote or a backslash", action);
        return false;
    }
    if (!old && !*action)
        return true;
    g_autofree char *value = g_strdup_printf(
        "%s\"%s\"", old ? "" : "application/soap+xml; charset=utf-8; action=", action);
    return request_add_header(headers, old ? "SOAPAction" : "Content-Type", value, error);
}

static GBytes *soap_body(struct builder *builder, GError **error)
{
    if (!add_soap_action(builder, error))
        return NULL;
    GPtrArray *headers = builder->request->headers;
    if (!transfer_headers_find(headers, "Content-Type"))
        transfer_headers_add(headers, "Content-Type",
                             builder->call->soap == CALL_SOAP_1_1
                                 ? "text/xml; charset=utf-8"
                                 : "application/soap+xml; charset=utf-8");
    return text_body(builder, error);
}

static const struct body_kind {
    const char *content_type;
    GBytes *(*build)(struct builder *builder, GError **error);
} body_kinds[] = {
    [CALL_BODY_NONE] = {NULL, NULL},
    [CALL_BODY_JSON] = {"application/json", text_body},
    [CALL_BODY_FORM] = {"application/x-www-form-urlencoded", form_body},
    [CALL_BODY_TEXT] = {"text/plain; charset=utf-8", text_body},
    [CALL_BODY_FILE] = {"application/octet-stream", file_body},
    [CALL_BODY_XML] = {"application/xml; charset=utf-8", text_body},
    [CALL_BODY_SOAP] = {NULL, soap_body},
};

static bool build_body(struct builder *builder, GError **error)
{
    const struct body_kind *kind = &body_kinds[builder->call->body_kind];
    if (!kind->build)
        return true;
    builder->request->body = kind->build(builder, error);
    if (!builder->request->body)
        return false;
    if (kind->content_type && !transfer_headers_find(builder->request->headers, "Content-Type"))
        transfer_headers_add(builder->request->headers, "Content-Type", kind->content_type);
    return true;
}

bool request_is_allowed(const struct transfer_request *request, const struct config_system *system,
                        GError **error)
{
    if (!system->never)
        return true;
    const char *host = strstr(request->url, "://");
    const char *path = host ? strpbrk(host + strlen("://"), "/?") : NULL;
    gsize length = 0;
    const char *body = request->body ? g_bytes_get_data(request->body, &length) : NULL;
    const struct never_request asked = {request->method, path ? path : "/", body, length};
    const struct never_rule *rule = never_find(system->never, &asked);
    if (rule)
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_NEVER,
                    "the pack %s never makes such a call: %s; nothing was sent", system->pack,
                    rule->says);
    return !rule;
}

struct transfer_request *request_build(const struct call *call, const struct config_system *system,
                                       struct values *values, struct clock_wall now, GError **error)
{
    g_autoptr(transfer_request_t) request = transfer_request_new(call->method, NULL);
    struct builder builder = {.call = call, .system = system, .request = request};
    builder.context = values_context(values, now);
    request->timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : system->timeout_ms;
    request->max_body = MAX_BODY;
    request->may_reuse = call_is_safe(call);
    if (build_url(&builder, error) && build_headers(&builder, error) &&
        build_body(&builder, error) &&
        (call->elsewhere || request_is_allowed(request, system, error)))
        return g_steal_pointer(&request);
    return NULL;
}
