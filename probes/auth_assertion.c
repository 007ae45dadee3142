// SPDX-License-Identifier: MIT
// Makes the claims and the head of a client's assertion; base/jwt signs them.
#include "auth_assertion.h"

#include "../base/ids.h"
#include "../base/json.h"
#include "../base/jwt.h"
#include "../base/wipe.h"
#include "../config/config_oauth2.h"

// Servers refuse a long life (NetSuite: an hour) and a late clock.
#define GOOD_FOR_S 300
#define CLOCK_LATE_S 10

static const enum jwt_algorithm algorithms[] = {
    [CONFIG_ALGORITHM_PS256] = JWT_PS256,
    [CONFIG_ALGORITHM_ES256] = JWT_ES256,
    [CONFIG_ALGORITHM_RS256] = JWT_RS256,
};

static bool add_claim(cJSON *claims, const char *name, struct value *value)
{
    if (!value)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(claims, name);
    cJSON_AddItemToObject(claims, name, cJSON_Duplicate(value->json, true));
    value_free(value);
    return true;
}

static cJSON *make_claims(const struct config_session *session, struct values *values,
                          struct clock_wall now, GError **error)
{
    const struct config_oauth2 *oauth2 = session->oauth2;
    struct template_context context = values_context(values, now);
    g_autoptr(cJSON) claims = cJSON_CreateObject();
    g_autofree char *id = template_render(oauth2->client_id, &context, NULL, error);
    g_autofree char *url = id ? template_render(session->login->path, &context, NULL, error) : NULL;
    g_autofree char *unique = ids_uuid();
    gint64 now_s = now.us / G_USEC_PER_SEC;
    if (!url)
        return NULL;
    json_add_text(claims, "iss", id);
    json_add_text(claims, "sub", id);
    json_add_text(claims, "aud", url);
    json_add_text(claims, "jti", unique);
    json_add_integer(claims, "iat", now_s - CLOCK_LATE_S);
    json_add_integer(claims, "nbf", now_s - CLOCK_LATE_S);
    json_add_integer(claims, "exp", now_s + GOOD_FOR_S);
    for (guint i = 0; i < oauth2->assertion->claims->len; i++) {
        const struct call_field *field = oauth2->assertion->claims->pdata[i];
        if (!add_claim(claims, field->name, template_evaluate(field->value, &context, error)))
            return NULL;
    }
    return g_steal_pointer(&claims);
}

static char *read_file(const char *path, const char *what, GError **error)
{
    g_autoptr(GError) problem = NULL;
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, &problem))
        g_set_error(error, JWT_ERROR, JWT_ERROR_KEY,
                    "the %s of client_assertion cannot be read: %s", what, problem->message);
    return text;
}

static cJSON *make_head(const struct config_assertion *assertion, struct values *values,
                        struct clock_wall now, GError **error)
{
    struct template_context context = values_context(values, now);
    g_autoptr(cJSON) head = cJSON_CreateObject();
    if (assertion->kid) {
        g_autofree char *kid = template_render(assertion->kid, &context, NULL, error);
        if (!kid)
            return NULL;
        json_add_text(head, "kid", kid);
    }
    if (assertion->certificate) {
        g_autofree char *pem = read_file(assertion->certificate, "certificate", error);
        if (!pem || !jwt_add_thumbprints(head, pem, error))
            return NULL;
    }
    return g_steal_pointer(&head);
}

char *auth_assertion_make(const struct config_session *session, struct values *values,
                          struct clock_wall now, GError **error)
{
    const struct config_assertion *assertion = session->oauth2->assertion;
    g_autoptr(cJSON) claims = make_claims(session, values, now, error);
    g_autoptr(cJSON) head = claims ? make_head(assertion, values, now, error) : NULL;
    char *key = head ? read_file(assertion->key, "key", error) : NULL;
    char *signed_text =
        key ? jwt_sign(algorithms[assertion->algorithm], key, head, claims, error) : NULL;
    wipe_text(key);
    return signed_text;
}
