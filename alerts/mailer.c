// SPDX-License-Identifier: MIT
// What deliver, deliver --stdin and mail-test have in common: compose, send,
// and take the secrets out of what servers answer.
#include "mailer.h"
#include "compose_mail.h"

#include "../base/redact.h"

enum { NAME_PART = 60 }; // of each part of a file's name, at most

struct mailer {
    struct delivery *delivery;
    struct redact *redact;
};

struct mailer *mailer_new(const struct config *config, int64_t session_ms, struct lock *lock,
                          GError **error)
{
    struct delivery *delivery = delivery_new(config, session_ms, error);
    if (delivery == NULL)
        return NULL;
    struct mailer *mailer = g_new0(struct mailer, 1);
    delivery->child_frees = lock;
    mailer->delivery = delivery;
    mailer->redact = redact_new();
    if (config->secrets)
        secret_store_redact(config->secrets, mailer->redact);
    return mailer;
}

const char *mailer_server(const struct mailer *mailer)
{
    return mailer->delivery->key;
}

char *mailer_describe(const struct mailer *mailer)
{
    static const char *const security[] = {[CONFIG_SECURITY_STARTTLS] = "starttls",
                                           [CONFIG_SECURITY_TLS] = "tls",
                                           [CONFIG_SECURITY_NONE] = "no encryption"};
    const struct delivery *delivery = mailer->delivery;
    if (delivery->client == DELIVERY_DIRECTORY)
        return g_strdup_printf("directory %s", delivery->directory);
    return g_strdup_printf("%s, %s, by %s", delivery->key, security[delivery->security],
                           delivery_client_name(delivery->client));
}

GBytes *mailer_compose(const cJSON *facts, bool lighter, GError **error)
{
    return lighter ? compose_mail_bare(facts, error) : compose_mail(facts, error);
}

// A name that sorts by time and is the same at each attempt: time, kind, contact, notice. However
// long the contact's id is, the notice's is whole: no two notices have one name.
static char *file_name(const cJSON *facts)
{
    const char *parts[] = {json_text(facts, "at"), json_text(facts, "kind"),
                           json_text(json_member(facts, "contact"), "id"),
                           json_text(facts, "notice")};
    GString *name = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (i > 0)
            g_string_append_c(name, '-');
        const char *part = parts[i] ? parts[i] : "";
        for (const char *p = part; *p != '\0' && p - part < NAME_PART; p++)
            if (g_ascii_isalnum(*p) || *p == '_')
                g_string_append_c(name, *p);
    }
    return g_string_free(name, FALSE);
}

struct delivery_report *mailer_send(const struct mailer *mailer, const cJSON *facts,
                                    const GPtrArray *recipients, GBytes *bytes)
{
    g_autofree char *name = file_name(facts);
    const struct delivery_mail mail = {name, recipients, bytes};
    struct delivery_report *report = delivery_send(mailer->delivery, &mail);
    for (guint i = 0; i < report->count; i++) {
        struct delivery_reply *reply = &report->replies[i];
        g_autofree char *clean = redact_text(mailer->redact, reply->text, -1);
        g_strlcpy(reply->text, clean, sizeof reply->text);
    }
    return report;
}

void mailer_free(struct mailer *mailer)
{
    if (mailer == NULL)
        return;
    delivery_free(mailer->delivery);
    redact_free(mailer->redact);
    g_free(mailer);
}
