// SPDX-License-Identifier: MIT
// Asks for a service's ticket before curl needs it: curl would ask in the middle of a
// call, for as long as a dead ticket server takes, say nothing of why there is none,
// and send the request without it. Called by transfer_thread.c in a call's thread.
#include "transfer_kerberos.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>
#include <stdbool.h>
#include <string.h>

// The library's words for its own code; the caller frees them.
static char *words_of(OM_uint32 major, OM_uint32 code)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    bool own = code != 0;
    gss_OID mechanism = own ? (gss_OID)gss_mech_krb5 : GSS_C_NO_OID;
    if (gss_display_status(&minor, own ? code : major, own ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                           mechanism, &more, &text) != GSS_S_COMPLETE)
        return g_strdup_printf("error %u", code);
    char *words = g_strndup(text.value, text.length);
    gss_release_buffer(&minor, &text);
    return words;
}

static enum transfer_kerberos meaning_of(OM_uint32 major, OM_uint32 code)
{
    static const struct {
        krb5_error_code code;
        enum transfer_kerberos meaning;
    } CODES[] = {
        {KRB5KRB_AP_ERR_TKT_EXPIRED, TRANSFER_KERBEROS_NO_LOGIN},
        {KRB5_CC_NOTFOUND, TRANSFER_KERBEROS_NO_LOGIN},
        {KRB5_FCC_NOFILE, TRANSFER_KERBEROS_NO_LOGIN},
        {KRB5_KDC_UNREACH, TRANSFER_KERBEROS_UNREACHABLE},
        {KRB5_REALM_CANT_RESOLVE, TRANSFER_KERBEROS_UNREACHABLE},
    };
    OM_uint32 error = GSS_ROUTINE_ERROR(major);
    for (size_t i = 0; i < G_N_ELEMENTS(CODES); i++)
        if (code == (OM_uint32)CODES[i].code)
            return CODES[i].meaning;
    return error == GSS_S_NO_CRED || error == GSS_S_CREDENTIALS_EXPIRED ? TRANSFER_KERBEROS_NO_LOGIN
                                                                        : TRANSFER_KERBEROS_REFUSED;
}

static char *say(enum transfer_kerberos meaning, const char *name, const char *words)
{
    if (meaning == TRANSFER_KERBEROS_NO_LOGIN)
        return g_strdup_printf("the user that erpwatch runs as has no valid Kerberos ticket: %s; "
                               "have one renewed for it, by kinit or from a keytab",
                               words);
    return g_strdup_printf("no Kerberos ticket for %s: %s", name, words);
}

enum transfer_kerberos transfer_kerberos_prepare(const char *service, const char *host,
                                                 char **problem)
{
    g_autofree char *text = g_strconcat(service, "@", host, NULL);
    gss_buffer_desc input = {.length = strlen(text), .value = text};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    OM_uint32 minor, ignored;
    OM_uint32 major = gss_import_name(&minor, &input, GSS_C_NT_HOSTBASED_SERVICE, &name);
    if (!GSS_ERROR(major))
        major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, name,
                                     (gss_OID)gss_mech_krb5, 0, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                     GSS_C_NO_BUFFER, NULL, &token, NULL, NULL);
    enum transfer_kerberos meaning = TRANSFER_KERBEROS_READY;
    *problem = NULL;
    if (GSS_ERROR(major)) {
        g_autofree char *words = words_of(major, minor);
        meaning = meaning_of(major, minor);
        *problem = say(meaning, text, words);
    }
    gss_release_buffer(&ignored, &token);
    gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    gss_release_name(&ignored, &name);
    return meaning;
}
