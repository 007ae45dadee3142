// SPDX-License-Identifier: MIT
// The filters of templates, as one table. A filter changes the operand on its
// way from the value to the hole; escaping for the place comes after them all.
#include "template_parts.h"

#include "../base/encode.h"
#include "../base/json.h"

#include <string.h>
#include <sys/random.h>

static bool fail(GError **error, const char *what, const char *text)
{
    // The value may be long; its beginning is enough to know it by.
    g_autofree char *head = g_utf8_make_valid(text, (gssize)MIN(strlen(text), 60));
    g_autofree char *message = g_strdup_printf("%s is not %s", head, what);
    g_set_error_literal(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, message);
    return false;
}

static char *format_time(const struct template_operand *operand, const char *format)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(operand->us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, operand->zone) : NULL;
    char *text = local ? g_date_time_format(local, format) : NULL;
    return text ? text : g_strdup("");
}

// RFC 3339, with Z where the zone is at UTC.
static char *time_text(const struct template_operand *operand)
{
    g_autofree char *offset = format_time(operand, "%:z");
    bool zulu = strcmp(offset, "+00:00") == 0;
    return format_time(operand, zulu ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S%:z");
}

char *template_operand_text(const struct template_operand *operand)
{
    if (operand->timed)
        return time_text(operand);
    if (!operand->json)
        return g_strdup(operand->text);
    char buffer[32];
    if (cJSON_IsString(operand->json))
        return g_strdup(operand->json->valuestring);
    if (cJSON_IsNumber(operand->json))
        return g_strdup(json_number_text(operand->json, buffer));
    return json_print(operand->json, false);
}

static void take_text(struct template_operand *operand, char *text)
{
    g_free(operand->text);
    operand->text = text;
    operand->json = NULL;
    operand->number = false;
    operand->timed = false;
}

bool template_operand_to_time(struct template_operand *operand, GError **error)
{
    if (operand->timed)
        return true;
    g_autofree char *text = template_operand_text(operand);
    const char *clock = strchr(text, ':') ? "" : "T00:00:00";
    g_autofree char *full = g_strconcat(text, clock, NULL);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(full, operand->zone);
    if (!time)
        return fail(error, "a time or date", operand->secret ? "the value" : text);
    take_text(operand, NULL);
    operand->timed = true;
    operand->us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return true;
}

char *template_random(int length)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char *text = g_malloc0((gsize)length + 1);
    for (int done = 0; done < length;) {
        unsigned char byte = 0;
        if (getrandom(&byte, 1, 0) != 1)
            byte = (unsigned char)g_random_int_range(0, 252);
        // 252 is the last multiple of 36: above it, some letters would be likelier.
        if (byte < 252)
            text[done++] = letters[byte % 36];
    }
    return text;
}

#define FILTER(name)                                                                               \
    static bool name(struct template_operand *operand, const struct template_use *use,             \
                     const struct template_context *context, GError **error)

FILTER(apply_base64)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    take_text(operand, g_base64_encode((const guchar *)text, strlen(text)));
    return true;
}

FILTER(apply_url)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    GString *out = g_string_new(NULL);
    encode_percent(out, text, strlen(text), "");
    take_text(operand, g_string_free(out, FALSE));
    return true;
}

FILTER(apply_xml)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    GString *out = g_string_new(NULL);
    encode_xml(out, text, strlen(text));
    take_text(operand, g_string_free(out, FALSE));
    return true;
}

FILTER(apply_json)
{
    (void)use, (void)context, (void)error;
    if (operand->json && !cJSON_IsString(operand->json)) {
        take_text(operand, template_operand_text(operand));
        return true;
    }
    g_autofree char *text = template_operand_text(operand);
    if (operand->number)
        return true;
    GString *out = g_string_new("\"");
    encode_json(out, text, strlen(text));
    g_string_append_c(out, '"');
    take_text(operand, g_string_free(out, FALSE));
    return true;
}

// A literal of OData: what is within its quotes has each quote twice.
FILTER(apply_odata)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    take_text(operand, g_strjoinv("''", parts));
    return true;
}

FILTER(apply_time)
{
    (void)context;
    if (!template_operand_to_time(operand, error))
        return false;
    take_text(operand, format_time(operand, use->argument));
    return true;
}

FILTER(apply_date)
{
    (void)use, (void)context;
    if (!template_operand_to_time(operand, error))
        return false;
    take_text(operand, format_time(operand, "%Y-%m-%d"));
    return true;
}

// The parser has already put the zone into the hole.
FILTER(apply_zone)
{
    (void)use, (void)context;
    return template_operand_to_time(operand, error);
}

FILTER(apply_epoch)
{
    (void)use, (void)context;
    if (!template_operand_to_time(operand, error))
        return false;
    take_text(operand,
              g_strdup_printf("%" G_GINT64_FORMAT, (gint64)(operand->us / G_USEC_PER_SEC)));
    operand->number = true;
    return true;
}

FILTER(apply_number)
{
    (void)use, (void)context;
    g_autofree char *text = template_operand_text(operand);
    if (!json_is_number(text))
        return fail(error, "a number", operand->secret ? "the value" : text);
    take_text(operand, g_steal_pointer(&text));
    operand->number = true;
    return true;
}

FILTER(apply_text)
{
    (void)use, (void)context, (void)error;
    take_text(operand, template_operand_text(operand));
    return true;
}

FILTER(apply_upper)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    take_text(operand, g_utf8_strup(text, -1));
    return true;
}

FILTER(apply_lower)
{
    (void)use, (void)context, (void)error;
    g_autofree char *text = template_operand_text(operand);
    take_text(operand, g_utf8_strdown(text, -1));
    return true;
}

FILTER(apply_random)
{
    (void)context, (void)error;
    take_text(operand, template_random(use->number));
    return true;
}

// The key of an hmac, or what stands in for nothing: a quoted text, or the value of a
// name.
static char *find_key(struct template_operand *operand, const struct template_use *use,
                      const struct template_context *context, GError **error)
{
    if (use->text)
        return template_render(use->text, context, &operand->secret, error);
    const struct value *value =
        context->value ? context->value(use->argument, context->user) : NULL;
    if (!value) {
        g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, "{{%s}} has no value",
                    use->argument);
        return NULL;
    }
    operand->secret |= value->secret;
    return value_to_text(value);
}

static bool is_nothing(const struct template_operand *operand)
{
    if (operand->timed)
        return false;
    if (operand->json)
        return cJSON_IsNull(operand->json) ||
               (cJSON_IsString(operand->json) && !*operand->json->valuestring) ||
               ((cJSON_IsArray(operand->json) || cJSON_IsObject(operand->json)) &&
                !operand->json->child);
    return !operand->text || !*operand->text;
}

FILTER(apply_default)
{
    if (!is_nothing(operand))
        return true;
    char *text = find_key(operand, use, context, error);
    if (text)
        take_text(operand, text);
    return text;
}

// True where the condition of `if` and `unless` holds: it is neither empty nor false.
static bool is_so(struct template_operand *operand, const struct template_use *use,
                  const struct template_context *context, bool *so, GError **error)
{
    g_autofree char *text = find_key(operand, use, context, error);
    *so = text && *text && strcmp(text, "false") != 0 && strcmp(text, "null") != 0;
    return text;
}

FILTER(apply_if)
{
    bool so = false;
    if (!is_so(operand, use, context, &so, error))
        return false;
    if (!so)
        take_text(operand, g_strdup(""));
    return true;
}

FILTER(apply_unless)
{
    bool so = false;
    if (!is_so(operand, use, context, &so, error))
        return false;
    if (so)
        take_text(operand, g_strdup(""));
    return true;
}

// <tag>text</tag>; a member's key is the attribute `name`.
static void add_element(GString *out, const char *tag, const cJSON *member, const char *text)
{
    g_string_append_printf(out, "<%s", tag);
    if (member && member->string) {
        g_string_append(out, " name=\"");
        encode_xml(out, member->string, strlen(member->string));
        g_string_append_c(out, '"');
    }
    g_string_append_c(out, '>');
    encode_xml(out, text, strlen(text));
    g_string_append_printf(out, "</%.*s>", (int)strcspn(tag, " \t\r\n"), tag);
}

// An element for the value; for a list or a map, one for each of it; nothing for
// nothing.
FILTER(apply_element)
{
    g_autofree char *tag = template_render(use->text, context, &operand->secret, error);
    if (!tag)
        return false;
    g_autoptr(GString) out = g_string_new(NULL);
    bool many = operand->json && (cJSON_IsArray(operand->json) || cJSON_IsObject(operand->json));
    if (!many && !is_nothing(operand)) {
        g_autofree char *text = template_operand_text(operand);
        add_element(out, tag, NULL, text);
    }
    for (const cJSON *child = many ? operand->json->child : NULL; child; child = child->next) {
        struct template_operand each = {.json = child};
        g_autofree char *text = template_operand_text(&each);
        add_element(out, tag, child, text);
    }
    take_text(operand, g_string_free(g_steal_pointer(&out), FALSE));
    return true;
}

// In lower-case hex.
FILTER(apply_hmac_sha256)
{
    g_autofree char *key = find_key(operand, use, context, error);
    if (!key)
        return false;
    g_autofree char *text = template_operand_text(operand);
    take_text(operand, g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)key,
                                                 strlen(key), text, (gssize)strlen(text)));
    return true;
}

// The same as the base64 of its 32 bytes, which is what `hmac_sha256 | base64`
// means to everyone who signs with it.
FILTER(apply_hmac_sha256_base64)
{
    g_autofree char *key = find_key(operand, use, context, error);
    if (!key)
        return false;
    g_autofree char *text = template_operand_text(operand);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)key, strlen(key));
    g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text));
    guint8 digest[32];
    gsize length = sizeof digest;
    g_hmac_get_digest(hmac, digest, &length);
    take_text(operand, g_base64_encode(digest, length));
    return true;
}

// The first 96 bits as base64 (RFC 2404). Of a list, each text ends with a NUL byte, as in
// the CredentialMac of cXML.
FILTER(apply_hmac_sha1_96)
{
    g_autofree char *key = is_nothing(operand) ? NULL : find_key(operand, use, context, error);
    if (!key)
        return is_nothing(operand);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guchar *)key, strlen(key));
    bool list = operand->json && cJSON_IsArray(operand->json);
    for (const cJSON *child = list ? operand->json->child : NULL; child; child = child->next) {
        const struct template_operand each = {.json = child};
        g_autofree char *text = template_operand_text(&each);
        g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text) + 1);
    }
    g_autofree char *text = list ? NULL : template_operand_text(operand);
    if (text)
        g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text));
    guint8 digest[20];
    gsize length = sizeof digest;
    g_hmac_get_digest(hmac, digest, &length);
    take_text(operand, g_base64_encode(digest, 12));
    return true;
}

static const struct template_filter filters[] = {
    {"base64", TEMPLATE_ARGUMENT_NONE, apply_base64, false, false},
    {"url", TEMPLATE_ARGUMENT_NONE, apply_url, false, false},
    {"json", TEMPLATE_ARGUMENT_NONE, apply_json, false, false},
    {"xml", TEMPLATE_ARGUMENT_NONE, apply_xml, false, false},
    {"raw", TEMPLATE_ARGUMENT_NONE, NULL, false, false},
    {"odata", TEMPLATE_ARGUMENT_NONE, apply_odata, false, false},
    {"date", TEMPLATE_ARGUMENT_NONE, apply_date, false, false},
    {"epoch", TEMPLATE_ARGUMENT_NONE, apply_epoch, false, false},
    {"number", TEMPLATE_ARGUMENT_NONE, apply_number, false, false},
    {"text", TEMPLATE_ARGUMENT_NONE, apply_text, false, false},
    {"upper", TEMPLATE_ARGUMENT_NONE, apply_upper, false, false},
    {"lower", TEMPLATE_ARGUMENT_NONE, apply_lower, false, false},
    {"hmac_sha256", TEMPLATE_ARGUMENT_KEY, apply_hmac_sha256, false, false},
    {"hmac_sha1_96", TEMPLATE_ARGUMENT_KEY, apply_hmac_sha1_96, true, false},
    {"time", TEMPLATE_ARGUMENT_TEXT, apply_time, false, false},
    {"zone", TEMPLATE_ARGUMENT_ZONE, apply_zone, false, false},
    {"random", TEMPLATE_ARGUMENT_COUNT, apply_random, false, false},
    {"default", TEMPLATE_ARGUMENT_KEY, apply_default, true, false},
    {"if", TEMPLATE_ARGUMENT_KEY, apply_if, true, false},
    {"unless", TEMPLATE_ARGUMENT_KEY, apply_unless, true, false},
    {"element", TEMPLATE_ARGUMENT_TAG, apply_element, true, true},
};

static const struct template_filter hmac_base64 = {"hmac_sha256", TEMPLATE_ARGUMENT_KEY,
                                                   apply_hmac_sha256_base64, false, false};

const struct template_filter *template_filter_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (strcmp(filters[i].name, name) == 0)
            return &filters[i];
    }
    return NULL;
}

const struct template_filter *template_filter_joined(const struct template_filter *first,
                                                     const struct template_filter *second)
{
    return first->apply == apply_hmac_sha256 && second->apply == apply_base64 ? &hmac_base64 : NULL;
}

const char *const *template_filter_names(void)
{
    static const char *names[G_N_ELEMENTS(filters) + 1];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        for (size_t i = 0; i < G_N_ELEMENTS(filters); i++)
            names[i] = filters[i].name;
        g_once_init_leave(&ready, 1);
    }
    return names;
}
