// SPDX-License-Identifier: MIT
// From the configuration's `mail` to where and how a session goes: the server,
// the secrets, and which mail client can do it. Comes before delivery.c.
#include "delivery.h"

#include "../base/wipe.h"

#include <string.h>

// libesmtp's PLAIN plug-in copies user and password into 513 bytes.
enum { ESMTP_SECRET_BYTES = 255 };

static const int default_ports[] = {
    [CONFIG_SECURITY_STARTTLS] = 587, [CONFIG_SECURITY_TLS] = 465, [CONFIG_SECURITY_NONE] = 25};

static bool fail(GError **error, const char *message)
{
    g_set_error_literal(error, DELIVERY_ERROR, DELIVERY_ERROR_SETTINGS, message);
    return false;
}

static const struct value *no_value(const char *name, void *user)
{
    (void)name;
    (void)user;
    return NULL;
}

static const char *find_secret(const struct template_reference *reference, void *user)
{
    return secret_store_find(user, reference);
}

// One text of the configuration with its references filled in; *text stays NULL without one.
static bool render(const struct config *config, const struct template *template, char **text,
                   GError **error)
{
    const struct template_context context = {
        .value = no_value, .reference = find_secret, .user = config->secrets};
    if (template == NULL)
        return true;
    *text = template_render(template, &context, NULL, error);
    return *text != NULL;
}

static bool render_secrets(struct delivery *delivery, const struct config *config, GError **error)
{
    const struct config_mail *mail = &config->mail;
    return render(config, mail->username, &delivery->username, error) &&
           render(config, mail->password, &delivery->password, error) &&
           render(config, mail->oauth2_token_url, &delivery->token_url, error) &&
           render(config, mail->oauth2_client_id, &delivery->client_id, error) &&
           render(config, mail->oauth2_client_secret, &delivery->client_secret, error) &&
           render(config, mail->oauth2_scope, &delivery->scope, error) &&
           render(config, mail->oauth2_refresh_token, &delivery->refresh_token, error);
}

// "host", "host:port", "[::1]:port".
static bool read_server(struct delivery *delivery, const char *server, GError **error)
{
    const char *bracket = server[0] == '[' ? strchr(server, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : server, ':');
    guint64 port = (guint64)default_ports[delivery->security];
    const char *end = colon ? colon : server + strlen(server);
    if (colon && !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return fail(error, "mail.server has no good port: write host:port");
    delivery->port = (int)port;
    delivery->host = bracket ? g_strndup(server + 1, (gsize)(bracket - server - 1))
                             : g_strndup(server, (gsize)(end - server));
    delivery->key = g_strdup_printf("%s:%d", delivery->host, delivery->port);
    return delivery->host[0] != '\0' ? true : fail(error, "mail.server names no host");
}

// The address of "Name <address>".
static char *address_of(const char *from)
{
    const char *open = from ? strrchr(from, '<') : NULL;
    const char *close = open ? strchr(open, '>') : NULL;
    if (close)
        return g_strndup(open + 1, (gsize)(close - open - 1));
    return g_strstrip(g_strdup(from ? from : ""));
}

// Why libesmtp cannot send this, or NULL.
static const char *esmtp_cannot(const struct delivery *delivery)
{
    if (delivery->security == CONFIG_SECURITY_TLS)
        return "libesmtp has no implicit TLS (port 465): write security: starttls, or library: "
               "auto";
    if (delivery->token_url)
        return "libesmtp has no XOAUTH2: write library: auto";
    if (strchr(delivery->host, ':'))
        return "libesmtp takes no IPv6 address: write a name, or library: auto";
    if ((delivery->username && strlen(delivery->username) > ESMTP_SECRET_BYTES) ||
        (delivery->password && strlen(delivery->password) > ESMTP_SECRET_BYTES))
        return "libesmtp takes no user name or password above 255 bytes: write library: auto";
    return NULL;
}

static bool choose_client(struct delivery *delivery, enum config_mail_library library,
                          GError **error)
{
    const char *cannot = esmtp_cannot(delivery);
    if (library == CONFIG_LIBRARY_LIBESMTP && cannot)
        return fail(error, cannot);
    delivery->client =
        library == CONFIG_LIBRARY_LIBCURL || cannot ? DELIVERY_LIBCURL : DELIVERY_LIBESMTP;
    return true;
}

static bool read_mail(struct delivery *delivery, const struct config *config, GError **error)
{
    const struct config_mail *mail = &config->mail;
    delivery->security = mail->security;
    delivery->ca = g_strdup(mail->ca);
    delivery->from = address_of(mail->from);
    if (mail->directory) {
        delivery->client = DELIVERY_DIRECTORY;
        delivery->directory = g_strdup(mail->directory);
        delivery->key = g_strdup(mail->directory);
        return true;
    }
    if (mail->server == NULL)
        return fail(error, "mail has neither server nor directory: nothing can be sent");
    if (!render_secrets(delivery, config, error) || !read_server(delivery, mail->server, error))
        return false;
    if (!delivery_address_is_safe(delivery->from))
        return fail(error, "mail.from has no address that can be sent from");
    if (delivery->security == CONFIG_SECURITY_NONE && !config_is_loopback(delivery->host))
        return fail(error, "mail.security: none is for a loopback address only: write starttls");
    return choose_client(delivery, mail->library, error);
}

struct delivery *delivery_new(const struct config *config, int64_t timeout_ms, GError **error)
{
    struct delivery *delivery = g_new0(struct delivery, 1);
    delivery->timeout_ms = timeout_ms;
    if (read_mail(delivery, config, error))
        return delivery;
    delivery_free(delivery);
    return NULL;
}

void delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    g_free(delivery->key);
    g_free(delivery->directory);
    g_free(delivery->host);
    g_free(delivery->from);
    g_free(delivery->ca);
    g_free(delivery->username);
    wipe_text(delivery->password);
    g_free(delivery->token_url);
    g_free(delivery->client_id);
    wipe_text(delivery->client_secret);
    g_free(delivery->scope);
    wipe_text(delivery->refresh_token);
    g_free(delivery);
}
