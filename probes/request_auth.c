// SPDX-License-Identifier: MIT
// Who is calling: puts a system's authentication into a request that
// request_build.c has made. What a login has brought is added by its session.
#include "request.h"

#include "oauth1.h"

#include "../base/ids.h"

#include <string.h>

// What one request is authenticated with.
struct maker {
    struct template_context context;
    struct transfer_request *request;
};

// NULL and `error` where it cannot be filled, "" for a NULL template. The caller
// frees it.
static char *render(const struct maker *maker, const struct template *template, GError **error)
{
    return template ? template_render(template, &maker->context, NULL, error) : g_strdup("");
}

static bool add_authorization(const struct maker *maker, const char *value, GError **error)
{
    return request_add_header(maker->request->headers, "Authorization", value, error);
}

static bool authenticate_basic(const struct maker *maker, const struct config_auth *auth,
                               GError **error)
{
    g_autofree char *username = render(maker, auth->username, error);
    g_autofree char *password = username ? render(maker, auth->password, error) : NULL;
    if (!password)
        return false;
    if (strchr(username, ':')) {
        g_set_error_literal(error, REQUEST_ERROR, REQUEST_ERROR_AUTH,
                            "a user name for basic authentication must not hold a colon");
        return false;
    }
    g_autofree char *pair = g_strconcat(username, ":", password, NULL);
    g_autofree char *encoded = g_base64_encode((const guchar *)pair, strlen(pair));
    g_autofree char *value = g_strconcat("Basic ", encoded, NULL);
    return add_authorization(maker, value, error);
}

static bool authenticate_bearer(const struct maker *maker, const struct config_auth *auth,
                                GError **error)
{
    g_autofree char *token = render(maker, auth->token, error);
    g_autofree char *value = token ? g_strconcat("Bearer ", token, NULL) : NULL;
    return value && add_authorization(maker, value, error);
}

// What the transport does itself, told whom it is for. DOMAIN\user is how it knows a
// domain.
static bool authenticate_transport(const struct maker *maker, const struct config_auth *auth,
                                   enum transfer_auth_kind kind, GError **error)
{
    struct transfer_credentials *credentials = &maker->request->credentials;
    g_autofree char *username = render(maker, auth->username, error);
    g_autofree char *domain = username ? render(maker, auth->domain, error) : NULL;
    g_autofree char *password = domain ? render(maker, auth->password, error) : NULL;
    if (!password)
        return false;
    credentials->kind = kind;
    credentials->service = g_strdup(auth->service);
    if (kind == TRANSFER_AUTH_NEGOTIATE)
        return true;
    credentials->username =
        *domain ? g_strconcat(domain, "\\", username, NULL) : g_steal_pointer(&username);
    credentials->password = g_steal_pointer(&password);
    return true;
}

static bool authenticate_certificate(const struct maker *maker, const struct config_auth *auth,
                                     GError **error)
{
    struct transfer_credentials *credentials = &maker->request->credentials;
    g_autofree char *password = render(maker, auth->password, error);
    if (!password)
        return false;
    credentials->cert = g_strdup(auth->cert);
    credentials->key = g_strdup(auth->key);
    credentials->key_password = auth->password ? g_steal_pointer(&password) : NULL;
    return true;
}

// True where one of the first `count` headers has that name.
static bool is_given(const GPtrArray *headers, guint count, const char *name)
{
    for (guint i = 0; i < count; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        if (g_ascii_strcasecmp(header->name, name) == 0)
            return true;
    }
    return false;
}

static bool authenticate_header(const struct maker *maker, const struct config_auth *auth,
                                GError **error)
{
    GPtrArray *headers = maker->request->headers;
    guint given = headers->len;
    for (guint i = 0; i < auth->headers->len; i++) {
        const struct call_field *field = g_ptr_array_index(auth->headers, i);
        if (is_given(headers, given, field->name))
            continue;
        g_autofree char *value = render(maker, field->value, error);
        if (!value || !request_add_header(headers, field->name, value, error))
            return false;
    }
    return true;
}

// One way of authentication; a header that the call itself gives stays.
static bool authenticate(const struct maker *maker, const struct config_auth *auth, GError **error)
{
    bool given = transfer_headers_find(maker->request->headers, "Authorization");
    switch (auth->kind) {
    case CONFIG_AUTH_BASIC:
        return given || authenticate_basic(maker, auth, error);
    case CONFIG_AUTH_BEARER:
        return given || authenticate_bearer(maker, auth, error);
    case CONFIG_AUTH_DIGEST:
        return given || authenticate_transport(maker, auth, TRANSFER_AUTH_DIGEST, error);
    case CONFIG_AUTH_NTLM:
        return given || authenticate_transport(maker, auth, TRANSFER_AUTH_NTLM, error);
    case CONFIG_AUTH_NEGOTIATE:
        return given || authenticate_transport(maker, auth, TRANSFER_AUTH_NEGOTIATE, error);
    case CONFIG_AUTH_CLIENT_CERT:
        return authenticate_certificate(maker, auth, error);
    case CONFIG_AUTH_HEADER:
        return authenticate_header(maker, auth, error);
    case CONFIG_AUTH_OAUTH1: // request_sign
    case CONFIG_AUTH_OAUTH2: // these by the session
    case CONFIG_AUTH_SESSION:
    case CONFIG_AUTH_CSRF:
    default:
        return true;
    }
}

bool request_authenticate(struct transfer_request *request, const struct config_system *system,
                          struct values *values, struct clock_wall now, GError **error)
{
    const struct maker maker = {.context = values_context(values, now), .request = request};
    for (guint i = 0; i < system->auth->len; i++) {
        if (!authenticate(&maker, g_ptr_array_index(system->auth, i), error))
            return false;
    }
    return true;
}

// NULL and `error` where one of them cannot be filled.
static struct oauth1_keys *render_keys(const struct maker *maker,
                                       const struct config_oauth1 *config, GError **error)
{
    g_autoptr(oauth1_keys_t) keys = oauth1_keys_new();
    const struct {
        char **text;
        const struct template *template;
    } fields[] = {{&keys->consumer_key, config->consumer_key},
                  {&keys->consumer_secret, config->consumer_secret},
                  {&keys->token, config->token},
                  {&keys->token_secret, config->token_secret},
                  {&keys->realm, config->realm}};
    keys->sha1 = config->sha1;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].template && !(*fields[i].text = render(maker, fields[i].template, error)))
            return NULL;
    }
    return g_steal_pointer(&keys);
}

// 32 letters and digits: what every server takes.
static char *make_nonce(void)
{
    g_autofree char *uuid = ids_uuid();
    g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
    return g_strjoinv("", parts);
}

static bool sign_oauth1(const struct maker *maker, const struct config_oauth1 *config,
                        GError **error)
{
    g_autoptr(oauth1_keys_t) keys = render_keys(maker, config, error);
    if (!keys)
        return false;
    g_autofree char *nonce = make_nonce();
    g_autofree char *value =
        oauth1_authorization(keys, maker->request, maker->context.now.us / G_USEC_PER_SEC, nonce);
    return add_authorization(maker, value, error);
}

bool request_sign(struct transfer_request *request, const struct config_system *system,
                  struct values *values, struct clock_wall now, GError **error)
{
    for (guint i = 0; i < system->auth->len; i++) {
        const struct config_auth *auth = g_ptr_array_index(system->auth, i);
        if (auth->kind != CONFIG_AUTH_OAUTH1 ||
            transfer_headers_find(request->headers, "Authorization"))
            continue;
        const struct maker maker = {.context = values_context(values, now), .request = request};
        if (!sign_oauth1(&maker, auth->oauth1, error))
            return false;
    }
    return true;
}
