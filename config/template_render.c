// SPDX-License-Identifier: MIT
// Renders compiled templates: a flat list of pieces into one string, each hole
// filled from the caller's context and escaped for its place. Compiled by
// template_parse.c; used for whatever a call sends.
#include "template_parts.h"

#include "../base/encode.h"
#include "../base/ids.h"
#include "../base/json.h"
#include "../base/zone.h"

#include <string.h>

G_DEFINE_QUARK(template - error - quark, template_error)

static bool fail_value(GError **error, const char *hole, const char *problem)
{
    g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, "{{%s}} %s", hole, problem);
    return false;
}

static bool fail_unsafe(GError **error, enum template_escape escape, const char *source)
{
    g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE, "%s holds a %s", source,
                escape == TEMPLATE_ESCAPE_XML
                    ? "control character, which XML cannot carry"
                    : "line break, which must not go into a header or an address");
    return false;
}

static GTimeZone *operand_zone(const struct template_hole *hole,
                               const struct template_context *context)
{
    if (hole->zone)
        return g_time_zone_ref(hole->zone);
    GTimeZone *zone = context->timezone ? zone_find(context->timezone) : NULL;
    return zone ? zone : g_time_zone_new_utc();
}

static bool find_own(const struct template_hole *hole, const struct template_context *context,
                     struct template_operand *operand)
{
    switch (hole->own) {
    case TEMPLATE_OWN_NOW:
        operand->timed = true;
        operand->us = context->now.us;
        return true;
    case TEMPLATE_OWN_UUID:
        operand->text = ids_uuid();
        return true;
    case TEMPLATE_OWN_RANDOM:
        operand->text = template_random(32);
        return true;
    case TEMPLATE_OWN_NONE:
    default:
        return false;
    }
}

static bool takes_none(const struct template_hole *hole)
{
    const struct template_use *first = hole->uses->len ? g_ptr_array_index(hole->uses, 0) : NULL;
    return first && first->filter->takes_none;
}

// What the hole begins with, before its filters.
static bool find_operand(const struct template_hole *hole, const struct template_context *context,
                         struct template_operand *operand, GError **error)
{
    if (hole->quoted) {
        operand->text = template_render(hole->quoted, context, &operand->secret, error);
        return operand->text;
    }
    if (find_own(hole, context, operand))
        return true;
    bool raw = hole->raw && context->raw_value;
    const struct value *value = raw              ? context->raw_value(hole->name, context->user)
                                : context->value ? context->value(hole->name, context->user)
                                                 : NULL;
    if ((!value || !value->json) && takes_none(hole)) {
        operand->text = g_strdup("");
        return true;
    }
    if (!value || !value->json)
        return fail_value(error, hole->name, "has no value");
    operand->json = value->json;
    operand->secret = value->secret;
    return true;
}

static void operand_clear(struct template_operand *operand)
{
    g_free(operand->text);
    g_clear_pointer(&operand->zone, g_time_zone_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(template_operand_t, operand_clear)

static bool apply_filters(const struct template_hole *hole, const struct template_context *context,
                          struct template_operand *operand, GError **error)
{
    if (hole->moved) {
        if (!template_operand_to_time(operand, error))
            return false;
        operand->us += hole->offset_ms * 1000;
    }
    for (guint i = 0; i < hole->uses->len; i++) {
        const struct template_use *use = g_ptr_array_index(hole->uses, i);
        if (!use->filter->apply(operand, use, context, error))
            return false;
    }
    return true;
}

static bool evaluate_hole(const struct template_hole *hole, const struct template_context *context,
                          struct template_operand *operand, GError **error)
{
    GError *problem = NULL;
    // Only times need a zone, and looking one up is dear.
    if (hole->own == TEMPLATE_OWN_NOW || hole->moved || hole->uses->len)
        operand->zone = operand_zone(hole, context);
    if (find_operand(hole, context, operand, &problem) &&
        apply_filters(hole, context, operand, &problem)) {
        if (operand->secret && operand->text && hole->uses->len && context->made)
            context->made(operand->text, context->made_user);
        return true;
    }
    g_assert(problem);
    if (!strstr(problem->message, "{{"))
        g_prefix_error(&problem, "{{%s}}: ", hole->source);
    g_propagate_error(error, problem);
    return false;
}

// The text of an operand without a copy where it has one; `owned` is set to
// what the caller frees.
static const char *peek_text(const struct template_operand *operand, char **owned)
{
    if (operand->json && cJSON_IsString(operand->json))
        return operand->json->valuestring;
    if (!operand->json && !operand->timed)
        return operand->text;
    *owned = template_operand_text(operand);
    return *owned;
}

// In place of a JSON scalar: with the value's type.
static void append_json_value(GString *out, const struct template_operand *operand, bool raw)
{
    g_autofree char *owned = NULL;
    const char *text = peek_text(operand, &owned);
    bool literal = operand->json ? !cJSON_IsString(operand->json) : operand->number;
    if (raw || literal) {
        g_string_append(out, text);
        return;
    }
    g_string_append_c(out, '"');
    encode_json(out, text, strlen(text));
    g_string_append_c(out, '"');
}

// Blanks too: a reader of XML may join or change them where they are bare.
static void append_xml(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\t' || *text == '\n' || *text == '\r')
            g_string_append_printf(out, "&#%d;", *text);
        else
            encode_xml(out, text, 1);
    }
}

static void append_escaped(GString *out, enum template_escape escape, const char *text)
{
    size_t length = strlen(text);
    switch (escape) {
    case TEMPLATE_ESCAPE_JSON_STRING:
        encode_json(out, text, length);
        break;
    case TEMPLATE_ESCAPE_SEGMENT:
        encode_percent(out, text, length, "");
        break;
    case TEMPLATE_ESCAPE_HOST:
        encode_percent(out, text, length, ":[]");
        break;
    case TEMPLATE_ESCAPE_QUERY:
        encode_percent(out, text, length, ENCODE_QUERY_KEEP);
        break;
    case TEMPLATE_ESCAPE_FORM:
        encode_form(out, text, length);
        break;
    case TEMPLATE_ESCAPE_XML:
        append_xml(out, text);
        break;
    case TEMPLATE_ESCAPE_NONE:
    case TEMPLATE_ESCAPE_URL:
    case TEMPLATE_ESCAPE_HEADER:
    case TEMPLATE_ESCAPE_JSON_VALUE:
    default:
        g_string_append_len(out, text, (gssize)length);
    }
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' && !strchr("\t\n\r", *text))
            return true;
    return false;
}

static bool is_unsafe(enum template_escape escape, const char *text, bool raw)
{
    bool one_line = escape == TEMPLATE_ESCAPE_HEADER || escape == TEMPLATE_ESCAPE_URL ||
                    (raw && (escape == TEMPLATE_ESCAPE_SEGMENT || escape == TEMPLATE_ESCAPE_HOST ||
                             escape == TEMPLATE_ESCAPE_QUERY));
    if (escape == TEMPLATE_ESCAPE_XML && has_control(text))
        return true;
    return one_line && strpbrk(text, "\r\n");
}

static bool render_hole(GString *out, const struct template_piece *piece,
                        const struct template_context *context, bool *secret, GError **error)
{
    g_auto(template_operand_t) operand = {0};
    if (!evaluate_hole(piece->hole, context, &operand, error))
        return false;
    *secret |= operand.secret;
    if (piece->escape == TEMPLATE_ESCAPE_JSON_VALUE) {
        append_json_value(out, &operand, piece->hole->raw);
        return true;
    }
    g_autofree char *owned = NULL;
    const char *text = peek_text(&operand, &owned);
    if (is_unsafe(piece->escape, text, piece->hole->raw)) {
        g_autofree char *source = g_strdup_printf("{{%s}}", piece->hole->source);
        return fail_unsafe(error, piece->escape, source);
    }
    append_escaped(out, piece->hole->raw ? TEMPLATE_ESCAPE_NONE : piece->escape, text);
    return true;
}

char *template_reference_unset(const struct template_reference *reference)
{
    const char *name = reference->name;
    switch (reference->kind) {
    case TEMPLATE_REFERENCE_FILE:
        return g_strdup_printf("${file:%s} is not set: write its value into that file, which "
                               "erpwatch has to be able to read",
                               name);
    case TEMPLATE_REFERENCE_CREDENTIAL:
        return g_strdup_printf("${credential:%s} is not set: run under systemd with "
                               "LoadCredential=%s:PATH, or use ${file:PATH}",
                               name, name);
    case TEMPLATE_REFERENCE_ENV:
    default:
        return g_strdup_printf("${env:%s} is not set: set %s where erpwatch is started (for the "
                               "service, in /etc/erpwatch/environment), or write what stands for "
                               "it otherwise: ${env:%s:-DEFAULT}",
                               name, name, name);
    }
}

char *template_first_unset(const GPtrArray *references)
{
    bool any = references && references->len > 0;
    return any ? template_reference_unset(references->pdata[0]) : NULL;
}

static bool render_reference(GString *out, const struct template_piece *piece,
                             const struct template_context *context, bool *secret, GError **error)
{
    const struct template_reference *reference = piece->reference;
    const char *text = context->reference ? context->reference(reference, context->user) : NULL;
    if (!text)
        text = reference->fallback;
    if (!text) {
        g_autofree char *unset = template_reference_unset(reference);
        g_set_error_literal(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, unset);
        return false;
    }
    *secret |= reference->secret;
    if (is_unsafe(piece->escape, text, false))
        return fail_unsafe(error, piece->escape, reference->name);
    append_escaped(out, piece->escape, text);
    return true;
}

char *template_render(const struct template *template, const struct template_context *context,
                      bool *secret, GError **error)
{
    const char *constant = template_constant(template);
    if (constant)
        return g_strdup(constant);
    g_autoptr(GString) out = g_string_new(NULL);
    bool touched = false;
    for (guint i = 0; i < template->pieces->len; i++) {
        const struct template_piece *piece = template_piece_at(template, i);
        bool good = true;
        if (piece->kind == TEMPLATE_LITERAL)
            g_string_append_len(out, piece->text, (gssize)piece->length);
        else if (piece->kind == TEMPLATE_HOLE)
            good = render_hole(out, piece, context, &touched, error);
        else
            good = render_reference(out, piece, context, &touched, error);
        if (!good)
            return NULL;
    }
    if (secret && touched)
        *secret = true;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

// A hole that is the whole template gives its value with its type.
static struct value *evaluate_whole(const struct template_hole *hole,
                                    const struct template_context *context, GError **error)
{
    g_auto(template_operand_t) operand = {0};
    if (!evaluate_hole(hole, context, &operand, error))
        return NULL;
    if (operand.json)
        return value_new(cJSON_Duplicate(operand.json, true), operand.secret);
    g_autofree char *text = template_operand_text(&operand);
    if (operand.number)
        return value_new(json_new_number(text), operand.secret);
    return value_new_text(text, operand.secret);
}

struct value *template_evaluate(const struct template *template,
                                const struct template_context *context, GError **error)
{
    const struct template_piece *first =
        template->pieces->len ? template_piece_at(template, 0) : NULL;
    bool typed = first && (first->escape == TEMPLATE_ESCAPE_JSON_VALUE ||
                           first->escape == TEMPLATE_ESCAPE_NONE);
    if (template->pieces->len == 1 && first->kind == TEMPLATE_HOLE && typed && !first->hole->raw)
        return evaluate_whole(first->hole, context, error);
    bool secret = false;
    g_autofree char *text = template_render(template, context, &secret, error);
    if (!text)
        return NULL;
    if (!template->json)
        return value_new_text(text, secret);
    cJSON *json = json_parse(text, strlen(text), error);
    return json ? value_new(json, secret) : NULL;
}

void template_append(struct template *head, struct template *tail)
{
    g_array_append_vals(head->pieces, tail->pieces->data, tail->pieces->len);
    g_array_set_size(tail->pieces, 0);
    char *source = g_strconcat(head->source, tail->source, NULL);
    g_free(head->source);
    head->source = source;
    template_free(tail);
}

const char *template_constant(const struct template *template)
{
    if (template->pieces->len == 0)
        return "";
    const struct template_piece *first = template_piece_at(template, 0);
    return template->pieces->len == 1 && first->kind == TEMPLATE_LITERAL ? first->text : NULL;
}

static void visit_hole(const struct template_hole *hole, template_visit each, void *user)
{
    if (hole->quoted)
        template_foreach(hole->quoted, each, user);
    else if (hole->own == TEMPLATE_OWN_NONE)
        each(hole->name, NULL, user);
    for (guint i = 0; i < hole->uses->len; i++) {
        const struct template_use *use = g_ptr_array_index(hole->uses, i);
        if (use->text)
            template_foreach(use->text, each, user);
        else if (use->filter->argument == TEMPLATE_ARGUMENT_KEY)
            each(use->argument, NULL, user);
    }
}

void template_foreach(const struct template *template, template_visit each, void *user)
{
    for (guint i = 0; i < template->pieces->len; i++) {
        const struct template_piece *piece = template_piece_at(template, i);
        if (piece->kind == TEMPLATE_HOLE)
            visit_hole(piece->hole, each, user);
        else if (piece->kind == TEMPLATE_MACHINE)
            each(NULL, piece->reference, user);
    }
}

bool template_begins_with_hole(const struct template *template)
{
    return template->pieces->len > 0 && template_piece_at(template, 0)->kind != TEMPLATE_LITERAL;
}

const char *template_source(const struct template *template)
{
    return template->source;
}

void template_hole_free(struct template_hole *hole)
{
    if (!hole)
        return;
    g_free(hole->name);
    g_free(hole->source);
    template_free(hole->quoted);
    g_ptr_array_unref(hole->uses);
    g_clear_pointer(&hole->zone, g_time_zone_unref);
    g_free(hole);
}

void template_reference_free(struct template_reference *reference)
{
    if (!reference)
        return;
    g_free(reference->name);
    g_free(reference->fallback);
    g_free(reference);
}

void template_free(struct template *template)
{
    if (!template)
        return;
    for (guint i = 0; i < template->pieces->len; i++) {
        struct template_piece *piece = template_piece_at(template, i);
        g_free(piece->text);
        template_hole_free(piece->hole);
        template_reference_free(piece->reference);
    }
    g_array_unref(template->pieces);
    g_free(template->source);
    g_free(template);
}
