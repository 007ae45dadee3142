// SPDX-License-Identifier: MIT
// Selects from a response, or from a captured value. Comes after the transfer;
// expectations, captures and lookups judge and take what it selects.
#include "selector.h"

#include "../base/json.h"
#include "charset.h"
#include "exchange.h"
#include "multipart.h"
#include "quoting.h"

#include <math.h>
#include <string.h>

// Matches of a pattern in one text: a body is hostile.
#define MATCHES_MOST 1000

struct selection {
    const struct selector *selector;
    struct subject *subject;
    const struct template_context *context;
};

void subject_init_response(struct subject *subject, const struct transfer_response *response)
{
    *subject = (struct subject){.response = response};
}

void subject_init_value(struct subject *subject, const struct value *value)
{
    *subject = (struct subject){.value = value};
}

static void clear_markup(struct subject_markup *markup)
{
    xml_document_free(markup->document);
    g_free(markup->problem);
}

void subject_clear(struct subject *subject)
{
    cJSON_Delete(subject->own_document);
    arena_free(subject->arena);
    clear_markup(&subject->xml);
    clear_markup(&subject->html);
    g_free(subject->text);
    *subject = (struct subject){0};
}

// The body, or the value, as text; borrowed from the subject.
static const char *subject_text(struct subject *subject)
{
    if (!subject->text)
        subject->text = subject->response ? exchange_body_text(subject->response)
                                          : value_to_text(subject->value);
    return subject->text;
}

// A node takes several times the bytes that it was written with. The usual body's are
// in blocks that malloc keeps at hand: it tidies all its memory up for a larger one.
static struct arena *arena_for(struct subject *subject, size_t length)
{
    if (!subject->arena)
        subject->arena = arena_new(length < 4096 ? 1000 : MIN(length * 5, 256 * 1024));
    return subject->arena;
}

static const cJSON *parse_text(struct subject *subject)
{
    const char *text = subject_text(subject);
    size_t length = strlen(text);
    return json_parse_into(arena_for(subject, length), text, length, NULL);
}

// JSON is UTF-8, but a server may say otherwise and mean it, or send UTF-16.
static bool names_charset(const struct transfer_response *response)
{
    const char *type = transfer_headers_find(response->headers, "Content-Type");
    g_autofree char *lower = type ? g_ascii_strdown(type, -1) : NULL;
    return lower && strstr(lower, "charset=") && !strstr(lower, "utf-8");
}

// A batch that came as multipart, as the JSON that it would have been; or NULL.
static cJSON *parse_batch(const struct transfer_response *response)
{
    size_t length = 0;
    const char *body = g_bytes_get_data(response->body, &length);
    const char *type = transfer_headers_find(response->headers, "Content-Type");
    if (!body || !type || g_ascii_strncasecmp(type, "multipart/", strlen("multipart/")) != 0)
        return NULL;
    g_autoptr(GPtrArray) parts = multipart_read(body, length, type);
    return parts ? multipart_to_batch(parts) : NULL;
}

static const cJSON *parse_body(struct subject *subject)
{
    size_t length = 0;
    const char *body = g_bytes_get_data(subject->response->body, &length);
    subject->own_document = parse_batch(subject->response);
    if (subject->own_document)
        return subject->own_document;
    g_autoptr(GError) error = NULL;
    const cJSON *document =
        json_parse_into(arena_for(subject, length), body ? body : "", length, &error);
    if (!document && length > 0 &&
        (charset_is_wide(body, length) ||
         (g_error_matches(error, JSON_ERROR, JSON_ERROR_ENCODING) &&
          names_charset(subject->response))))
        return parse_text(subject);
    return document;
}

const cJSON *subject_document(struct subject *subject)
{
    const struct value *value = subject->value;
    if (value && value->json && !cJSON_IsString(value->json))
        return value->json;
    if (!subject->document_tried) {
        subject->document_tried = true;
        subject->document = subject->response ? parse_body(subject) : parse_text(subject);
    }
    return subject->document;
}

// The body as XML or HTML, read when first asked for.
static const struct subject_markup *read_markup(struct subject *subject, enum selector_kind kind)
{
    bool html = kind == SELECTOR_HTML;
    struct subject_markup *markup = html ? &subject->html : &subject->xml;
    g_autoptr(GError) error = NULL;
    if (markup->tried)
        return markup;
    const char *text = subject_text(subject);
    markup->tried = true;
    markup->document = html ? xml_parse_html(text, &error) : xml_parse(text, &error);
    markup->problem = error ? g_strdup(error->message) : NULL;
    return markup;
}

const char *subject_markup_problem(struct subject *subject, enum selector_kind kind)
{
    return read_markup(subject, kind)->problem;
}

bool subject_is_readable(struct subject *subject, enum selector_kind kind)
{
    if (kind == SELECTOR_XML || kind == SELECTOR_HTML)
        return !subject_markup_problem(subject, kind);
    return kind != SELECTOR_JSON || subject_document(subject);
}

static GPtrArray *select_number(double number)
{
    GPtrArray *found = json_list_new();
    g_ptr_array_add(found, cJSON_CreateNumber(number));
    return found;
}

static GPtrArray *select_status(const struct selection *selection, GError **error)
{
    (void)error;
    const struct transfer_response *response = selection->subject->response;
    return response && response->status ? select_number(response->status) : json_list_new();
}

static GPtrArray *select_time(const struct selection *selection, GError **error)
{
    (void)error;
    const struct subject *subject = selection->subject;
    return subject->response ? select_number(floor(subject->elapsed_ms)) : json_list_new();
}

static GPtrArray *select_size(const struct selection *selection, GError **error)
{
    (void)error;
    struct subject *subject = selection->subject;
    if (subject->response)
        return select_number((double)g_bytes_get_size(subject->response->body));
    return select_number((double)strlen(subject_text(subject)));
}

static GPtrArray *select_certificate(const struct selection *selection, GError **error)
{
    (void)error;
    const struct transfer_response *response = selection->subject->response;
    bool certified = response && response->certified;
    return certified ? select_number((double)response->certificate_left_ms) : json_list_new();
}

// The selector's argument with its holes filled; the caller frees it.
static char *fill_argument(const struct selection *selection, enum quoting_place place,
                           GError **error)
{
    const char *argument = selection->selector->argument;
    if (!selection->context || (!strstr(argument, "{{") && !strstr(argument, "${")))
        return g_strdup(argument);
    return quoting_fill(argument, selection->context, place, error);
}

static char *fill_name(const struct selection *selection, GError **error)
{
    const char *argument = selection->selector->argument;
    if (!selection->context || (!strstr(argument, "{{") && !strstr(argument, "${")))
        return g_strdup(argument);
    g_autoptr(template_t) template = template_new(argument, TEMPLATE_PLACE_TEXT, false, error);
    return template ? template_render(template, selection->context, NULL, error) : NULL;
}

static GPtrArray *select_header(const struct selection *selection, GError **error)
{
    const struct transfer_response *response = selection->subject->response;
    g_autofree char *name = fill_name(selection, error);
    if (!name)
        return NULL;
    GPtrArray *found = json_list_new();
    for (unsigned i = 0; response && i < response->headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(response->headers, i);
        if (g_ascii_strcasecmp(header->name, name) == 0)
            g_ptr_array_add(found, cJSON_CreateString(header->value));
    }
    return found;
}

// The value that a Set-Cookie line gives to the cookie `name`, or NULL. The
// caller frees it.
static char *cookie_value(const char *line, const char *name)
{
    size_t length = strlen(name);
    line += strspn(line, " \t");
    if (strncmp(line, name, length) != 0)
        return NULL;
    line += length + strspn(line + length, " \t");
    if (*line != '=')
        return NULL;
    return g_strstrip(g_strndup(line + 1, strcspn(line + 1, ";")));
}

// One result: a cookie that is set twice has its last value, as in a browser.
static GPtrArray *select_cookie(const struct selection *selection, GError **error)
{
    const struct transfer_response *response = selection->subject->response;
    g_autofree char *name = fill_name(selection, error);
    if (!name)
        return NULL;
    GPtrArray *found = json_list_new();
    for (unsigned i = 0; response && i < response->headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(response->headers, i);
        if (g_ascii_strcasecmp(header->name, "Set-Cookie") != 0)
            continue;
        g_autofree char *value = cookie_value(header->value, name);
        if (!value)
            continue;
        g_ptr_array_set_size(found, 0);
        g_ptr_array_add(found, cJSON_CreateString(value));
    }
    return found;
}

// The path of a selector whose argument has holes. The caller frees it.
static struct jsonpath *fill_path(const struct selection *selection, GError **error)
{
    g_autofree char *argument = fill_argument(selection, QUOTING_JSONPATH, error);
    return argument ? jsonpath_compile(argument, error) : NULL;
}

static GPtrArray *select_json(const struct selection *selection, GError **error)
{
    const struct jsonpath *path = selection->selector->path;
    g_autoptr(jsonpath_t) filled = path ? NULL : fill_path(selection, error);
    if (!path && !filled)
        return NULL;
    const cJSON *document = subject_document(selection->subject);
    return document ? jsonpath_select(path ? path : filled, document) : json_list_new();
}

static struct xml_path *fill_xpath(const struct selection *selection, GError **error)
{
    g_autofree char *argument =
        quoting_fill_xpath(selection->selector->argument, selection->context, error);
    return argument ? xml_path_compile(argument, selection->selector->namespaces, error) : NULL;
}

// xml and html.
typedef GPtrArray *(*select_path)(const struct xml_path *path, struct xml_document *document,
                                  GError **error);

static GPtrArray *select_by_path(const struct selection *selection, select_path select,
                                 GError **error)
{
    const struct xml_path *path = selection->selector->xpath;
    g_autoptr(xml_path_t) filled = path ? NULL : fill_xpath(selection, error);
    if (!path && !filled)
        return NULL;
    const struct subject_markup *markup =
        read_markup(selection->subject, selection->selector->kind);
    return markup->document ? select(path ? path : filled, markup->document, error)
                            : json_list_new();
}

static GPtrArray *select_markup(const struct selection *selection, GError **error)
{
    return select_by_path(selection, xml_path_select, error);
}

static GPtrArray *find_matches(const struct regex *regex, struct subject *subject, GError **error)
{
    const char *text = subject_text(subject);
    g_autoptr(GPtrArray) texts = regex_find_all(regex, text, strlen(text), MATCHES_MOST, error);
    if (!texts)
        return NULL;
    GPtrArray *found = json_list_new();
    for (unsigned i = 0; i < texts->len; i++)
        g_ptr_array_add(found, cJSON_CreateString(g_ptr_array_index(texts, i)));
    return found;
}

static GPtrArray *select_regex(const struct selection *selection, GError **error)
{
    if (selection->selector->regex)
        return find_matches(selection->selector->regex, selection->subject, error);
    g_autofree char *pattern = fill_argument(selection, QUOTING_REGEX, error);
    g_autoptr(regex_compiled_t) filled =
        pattern ? regex_compile(pattern, REGEX_PLAIN, error) : NULL;
    return filled ? find_matches(filled, selection->subject, error) : NULL;
}

static GPtrArray *select_body(const struct selection *selection, GError **error)
{
    (void)error;
    GPtrArray *found = json_list_new();
    g_ptr_array_add(found, cJSON_CreateString(subject_text(selection->subject)));
    return found;
}

static const struct {
    const char *word;
    GPtrArray *(*select)(const struct selection *selection, GError **error);
} kinds[] = {
    [SELECTOR_STATUS] = {"status", select_status},
    [SELECTOR_TIME] = {"time", select_time},
    [SELECTOR_SIZE] = {"size", select_size},
    [SELECTOR_HEADER] = {"header", select_header},
    [SELECTOR_COOKIE] = {"cookie", select_cookie},
    [SELECTOR_JSON] = {"json", select_json},
    [SELECTOR_REGEX] = {"regex", select_regex},
    [SELECTOR_BODY] = {"body", select_body},
    [SELECTOR_XML] = {"xml", select_markup},
    [SELECTOR_HTML] = {"html", select_markup},
    [SELECTOR_CERTIFICATE] = {"certificate", select_certificate},
};

GPtrArray *selector_select(const struct selector *selector, struct subject *subject,
                           const struct template_context *context, GError **error)
{
    const struct selection selection = {
        .selector = selector, .subject = subject, .context = context};
    // What is found never refers to `selection`.
    // cppcheck-suppress returnDanglingLifetime
    return kinds[selector->kind].select(&selection, error);
}

GPtrArray *selector_select_parts(const struct selector *selector, struct subject *subject,
                                 const struct template_context *context, GError **error)
{
    const struct selection selection = {
        .selector = selector, .subject = subject, .context = context};
    if (selector->kind != SELECTOR_XML)
        return selector_select(selector, subject, context, error);
    // cppcheck-suppress returnDanglingLifetime
    return select_by_path(&selection, xml_path_select_documents, error);
}

char *selector_describe(const struct selector *selector)
{
    if (selector->kind == SELECTOR_JSON || selector->kind == SELECTOR_XML ||
        selector->kind == SELECTOR_HTML)
        return g_strdup(selector->argument);
    if (!selector->argument)
        return g_strdup(kinds[selector->kind].word);
    return g_strdup_printf("%s %s", kinds[selector->kind].word, selector->argument);
}
