// SPDX-License-Identifier: MIT
// Authentication by the transport: its names, whether libcurl has it, and what a
// 401 at the end of all its legs means. The legs themselves are curl's business.
#include "transfer_auth.h"

#include <curl/curl.h>
#include <string.h>

static const struct {
    const char *name;
    int feature; // of curl_version_info; 0 where it is always there
} KINDS[] = {
    [TRANSFER_AUTH_NONE] = {NULL, 0},
    [TRANSFER_AUTH_DIGEST] = {"Digest", 0},
    [TRANSFER_AUTH_NTLM] = {"NTLM", CURL_VERSION_NTLM},
    [TRANSFER_AUTH_NEGOTIATE] = {"Negotiate", CURL_VERSION_SPNEGO},
};

const char *transfer_auth_name(enum transfer_auth_kind kind)
{
    return KINDS[kind].name;
}

bool transfer_auth_is_possible(enum transfer_auth_kind kind)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return (info->features & KINDS[kind].feature) == KINDS[kind].feature;
}

// What the server offers, as far as `wanted` goes.
enum offer { OFFER_NONE, OFFER_SCHEME, OFFER_CHALLENGE };

// Appends the schemes that the server offers to `names`, in its order.
static enum offer read_offers(const GPtrArray *headers, const char *wanted, GString *names)
{
    enum offer offer = OFFER_NONE;
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = headers->pdata[i];
        size_t length = strcspn(header->value, " ,\t");
        if (g_ascii_strcasecmp(header->name, "WWW-Authenticate") != 0 || length == 0)
            continue;
        if (strlen(wanted) == length && g_ascii_strncasecmp(header->value, wanted, length) == 0)
            offer = header->value[length] == ' ' ? OFFER_CHALLENGE : OFFER_SCHEME;
        g_string_append_printf(names, "%s%.*s", names->len > 0 ? ", " : "", (int)MIN(length, 40),
                               header->value);
    }
    return offer;
}

// Servers that take the connection, and say in a page that they want a certificate.
static const char *read_page(const struct transfer_response *response)
{
    static const struct {
        int status;
        const char *text, *sentence;
    } PAGES[] = {
        {400, "No required SSL certificate was sent", "the server wants a client certificate"},
        {400, "The SSL certificate error", "the server refused the client certificate"},
        {403, "client certificate is required", "the server wants a client certificate"},
        {403, "client certificate", "the server refused the client certificate"},
    };
    gsize length = 0;
    const char *body = g_bytes_get_data(response->body, &length);
    for (size_t i = 0; body && i < G_N_ELEMENTS(PAGES); i++)
        if (response->status == PAGES[i].status &&
            g_strstr_len(body, (gssize)MIN(length, 8192), PAGES[i].text))
            return PAGES[i].sentence;
    return NULL;
}

static char *refused_by_status(const struct transfer_request *request,
                               const struct transfer_response *response)
{
    const char *name = transfer_auth_name(request->credentials.kind);
    if (!name || response->status != 401)
        return NULL;
    g_autoptr(GString) names = g_string_new(NULL);
    enum offer offer = read_offers(response->headers, name, names);
    if (offer == OFFER_NONE)
        return g_strdup_printf("the server does not take %s authentication here; it offers %s",
                               name, names->len > 0 ? names->str : "none");
    if (offer == OFFER_CHALLENGE && request->credentials.kind == TRANSFER_AUTH_NTLM)
        return g_strdup_printf("%s authentication did not come to its end: the server, or a proxy "
                               "before it, does not keep the connection",
                               name);
    return g_strdup_printf("%s authentication was refused: %s", name,
                           request->credentials.kind == TRANSFER_AUTH_NEGOTIATE
                               ? "the Kerberos ticket was not accepted"
                               : "wrong user or password");
}

char *transfer_auth_refused(const struct transfer_request *request,
                            const struct transfer_response *response)
{
    if (response->outcome != TRANSFER_ANSWERED)
        return NULL;
    char *refused = refused_by_status(request, response);
    return refused ? refused : g_strdup(read_page(response));
}
