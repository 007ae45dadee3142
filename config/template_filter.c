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

// The key of an hmac: a quoted text, or the value of a name.
static char *find_key(struct template_operand *operand, const struct template_use *use,
                      const struct template_context *context, GError **error)
{
    if (use->text)
        return template_render(use->text, context, &operand->secret, error);
    const struct value *value =
        context->value ? context->value(use->argument, context->user) : NULL;
    if (!value) {
        g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, "{{%s}}, a key, has no value",
                    use->argument);
        return NULL;
    }
    operand->secret |= value->secret;
    return value_to_text(value);
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

static const struct template_filter filters[] = {
    {"base64", TEMPLATE_ARGUMENT_NONE, apply_base64},
    {"url", TEMPLATE_ARGUMENT_NONE, apply_url},
    {"json", TEMPLATE_ARGUMENT_NONE, apply_json},
    {"xml", TEMPLATE_ARGUMENT_NONE, apply_xml},
    {"raw", TEMPLATE_ARGUMENT_NONE, NULL},
    {"odata", TEMPLATE_ARGUMENT_NONE, apply_odata},
    {"date", TEMPLATE_ARGUMENT_NONE, apply_date},
    {"epoch", TEMPLATE_ARGUMENT_NONE, apply_epoch},
    {"number", TEMPLATE_ARGUMENT_NONE, apply_number},
    {"text", TEMPLATE_ARGUMENT_NONE, apply_text},
    {"upper", TEMPLATE_ARGUMENT_NONE, apply_upper},
    {"lower", TEMPLATE_ARGUMENT_NONE, apply_lower},
    {"hmac_sha256", TEMPLATE_ARGUMENT_KEY, apply_hmac_sha256},
    {"time", TEMPLATE_ARGUMENT_TEXT, apply_time},
    {"zone", TEMPLATE_ARGUMENT_ZONE, apply_zone},
    {"random", TEMPLATE_ARGUMENT_COUNT, apply_random},
};

static const struct template_filter hmac_base64 = {"hmac_sha256", TEMPLATE_ARGUMENT_KEY,
                                                   apply_hmac_sha256_base64};

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
