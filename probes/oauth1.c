// SPDX-License-Identifier: MIT
// Signs requests after RFC 5849. The server computes the same text from what
// arrives, so all is taken from the request as it is sent, byte for byte. Called by
// request_build.c before each sending: a nonce serves once.
#include "oauth1.h"

#include "../base/encode.h"

#include <string.h>

// One parameter, both texts encoded as section 3.6 has it: so they are sorted.
struct parameter {
    char *name, *value;
};

static void parameter_free(void *data)
{
    struct parameter *parameter = data;
    g_free(parameter->name);
    g_free(parameter->value);
    g_free(parameter);
}

static char *encode(const char *text)
{
    GString *out = g_string_new(NULL);
    encode_percent(out, text, strlen(text), "");
    return g_string_free(out, FALSE);
}

// The byte at `at` of a form and how long it is there: 3 for %XX, else 1.
static size_t decode_byte(const char *at, size_t left, char *byte)
{
    *byte = *at == '+' ? ' ' : *at;
    if (*at != '%' || left < 3 || !g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]))
        return 1;
    *byte = (char)(g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2]));
    return 3;
}

// From a form's encoding to that of the signature; a NUL survives it.
static char *recode(const char *text, size_t length)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < length;) {
        char byte;
        i += decode_byte(text + i, length - i, &byte);
        encode_percent(out, &byte, 1, "");
    }
    return g_string_free(out, FALSE);
}

static void add(GPtrArray *parameters, char *name, char *value)
{
    struct parameter *parameter = g_new(struct parameter, 1);
    *parameter = (struct parameter){name, value};
    g_ptr_array_add(parameters, parameter);
}

// Adds those of a query or form; a name without = has an empty value.
static void add_form(GPtrArray *parameters, const char *form, size_t length)
{
    for (const char *end = form + length; form < end;) {
        const char *next = memchr(form, '&', (size_t)(end - form));
        size_t size = (size_t)((next ? next : end) - form);
        const char *equals = memchr(form, '=', size);
        size_t name = equals ? (size_t)(equals - form) : size;
        if (size > 0)
            add(parameters, recode(form, name),
                recode(equals ? equals + 1 : "", equals ? size - name - 1 : 0));
        form += size + 1;
    }
}

static gint compare(gconstpointer left, gconstpointer right)
{
    const struct parameter *a = *(const struct parameter *const *)left;
    const struct parameter *b = *(const struct parameter *const *)right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : strcmp(a->value, b->value);
}

// Section 3.4.1.3.2; the caller frees it.
static char *normalise(GPtrArray *parameters)
{
    GString *out = g_string_new(NULL);
    g_ptr_array_sort(parameters, compare);
    for (guint i = 0; i < parameters->len; i++) {
        const struct parameter *parameter = parameters->pdata[i];
        g_string_append_printf(out, "%s%s=%s", i > 0 ? "&" : "", parameter->name, parameter->value);
    }
    return g_string_free(out, FALSE);
}

// The host as the Host header has it: in lower case, without the scheme's own port.
static char *base_host(const char *authority, size_t length, bool https)
{
    g_autofree char *whole = g_ascii_strdown(authority, (gssize)length);
    const char *own = https ? ":443" : ":80";
    if (g_str_has_suffix(whole, own))
        whole[strlen(whole) - strlen(own)] = '\0';
    else if (g_str_has_suffix(whole, ":"))
        whole[strlen(whole) - 1] = '\0';
    if (g_str_is_ascii(whole))
        return g_steal_pointer(&whole);
    char *ascii = g_hostname_to_ascii(whole);
    return ascii ? ascii : g_steal_pointer(&whole);
}

// Section 3.4.1.2; `query` receives where the query begins, or NULL. The caller
// frees it.
static char *base_uri(const char *url, const char **query)
{
    const char *authority = strstr(url, "://");
    authority = authority ? authority + 3 : url;
    size_t length = strcspn(authority, "/?#");
    const char *path = authority + length;
    size_t path_length = strcspn(path, "?#");
    bool https = g_ascii_strncasecmp(url, "https:", strlen("https:")) == 0;
    g_autofree char *host = base_host(authority, length, https);
    *query = path[path_length] == '?' ? path + path_length + 1 : NULL;
    return g_strdup_printf("%s://%s%.*s", https ? "https" : "http", host,
                           path_length > 0 ? (int)path_length : 1, path_length > 0 ? path : "/");
}

char *oauth1_base_string(const char *method, const char *url, const char *form,
                         const char *const *parameters)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(parameter_free);
    const char *query;
    g_autofree char *uri = base_uri(url, &query);
    if (query)
        add_form(all, query, strcspn(query, "#"));
    if (form)
        add_form(all, form, strlen(form));
    for (size_t i = 0; parameters[i]; i += 2)
        add(all, encode(parameters[i]), encode(parameters[i + 1]));
    g_autofree char *normal = normalise(all);
    g_autofree char *upper = g_ascii_strup(method, -1);
    g_autofree char *encoded_uri = encode(uri);
    g_autofree char *encoded_parameters = encode(normal);
    g_autofree char *verb = encode(upper);
    return g_strconcat(verb, "&", encoded_uri, "&", encoded_parameters, NULL);
}

char *oauth1_signature(bool sha1, const char *base, const char *consumer_secret,
                       const char *token_secret)
{
    g_autofree char *consumer = encode(consumer_secret);
    g_autofree char *token = encode(token_secret ? token_secret : "");
    g_autofree char *key = g_strconcat(consumer, "&", token, NULL);
    g_autoptr(GHmac) hmac =
        g_hmac_new(sha1 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256, (const guchar *)key, strlen(key));
    guint8 digest[32];
    gsize length = sizeof digest;
    g_hmac_update(hmac, (const guchar *)base, -1);
    g_hmac_get_digest(hmac, digest, &length);
    return g_base64_encode(digest, length);
}

// The body where it takes part in the signature (section 3.4.1.3.1), or NULL.
static char *form_of(const struct transfer_request *request)
{
    static const char FORM[] = "application/x-www-form-urlencoded";
    const char *type = transfer_headers_find(request->headers, "Content-Type");
    gsize length = 0;
    if (!request->body || !type || g_ascii_strncasecmp(type, FORM, strlen(FORM)) != 0 ||
        !strchr("; \t", type[strlen(FORM)]))
        return NULL;
    const char *data = g_bytes_get_data(request->body, &length);
    return g_strndup(data, length);
}

// The realm is not encoded as the others are: RFC 2617 has it as a quoted text.
static GString *begin_header(const char *realm)
{
    GString *out = g_string_new("OAuth ");
    if (!realm)
        return out;
    g_string_append(out, "realm=\"");
    for (; *realm; realm++) {
        if (*realm == '"' || *realm == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *realm);
    }
    g_string_append(out, "\", ");
    return out;
}

static void append_parameter(GString *out, const char *name, const char *value)
{
    g_autofree char *encoded = encode(value);
    g_string_append_printf(out, "%s=\"%s\"", name, encoded);
}

char *oauth1_authorization(const struct oauth1_keys *keys, const struct transfer_request *request,
                           int64_t timestamp_s, const char *nonce)
{
    g_autofree char *timestamp = g_strdup_printf("%" G_GINT64_FORMAT, timestamp_s);
    const char *parameters[] = {"oauth_consumer_key",
                                keys->consumer_key,
                                "oauth_nonce",
                                nonce,
                                "oauth_signature_method",
                                keys->sha1 ? "HMAC-SHA1" : "HMAC-SHA256",
                                "oauth_timestamp",
                                timestamp,
                                "oauth_version",
                                "1.0",
                                keys->token ? "oauth_token" : NULL,
                                keys->token,
                                NULL};
    g_autofree char *form = form_of(request);
    g_autofree char *base = oauth1_base_string(request->method, request->url, form, parameters);
    g_autofree char *signature =
        oauth1_signature(keys->sha1, base, keys->consumer_secret, keys->token_secret);
    GString *out = begin_header(keys->realm);
    for (size_t i = 0; parameters[i]; i += 2) {
        append_parameter(out, parameters[i], parameters[i + 1]);
        g_string_append(out, ", ");
    }
    append_parameter(out, "oauth_signature", signature);
    return g_string_free(out, FALSE);
}

struct oauth1_keys *oauth1_keys_new(void)
{
    return g_new0(struct oauth1_keys, 1);
}

void oauth1_keys_free(struct oauth1_keys *keys)
{
    if (!keys)
        return;
    g_free(keys->consumer_key);
    g_free(keys->consumer_secret);
    g_free(keys->token);
    g_free(keys->token_secret);
    g_free(keys->realm);
    g_free(keys);
}
