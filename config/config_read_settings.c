// SPDX-License-Identifier: MIT
// Reads `agent` and `mail`, which stand once in all files. Used by config_load.
#include "config_read.h"

#include "config_problem.h"

#include <gio/gio.h>

#include <string.h>

enum { DAY_MS = 86400000, MIB = 1024 * 1024 };

static char *machine_timezone(void)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();

    return g_strdup(g_time_zone_get_identifier(zone));
}

static bool is_zone(const char *name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(name);

    return zone != NULL;
}

char *config_read_timezone(struct config_reader *reader, const struct config_node *node,
                           const char *fallback)
{
    const char *name = config_node_text(node);

    if (name != NULL && is_zone(name))
        return g_strdup(name);
    if (name != NULL)
        config_problem_error(reader->problems, node->place,
                             "\"%s\" is no time zone: write one such as Europe/Brussels or UTC",
                             name);
    return fallback != NULL ? g_strdup(fallback) : machine_timezone();
}

static void read_online(struct config_reader *reader, const struct config_node *node,
                        struct config_agent *agent)
{
    agent->online = config_read_texts(node);
    for (unsigned i = 0; i < agent->online->len; i++) {
        const char *url = agent->online->pdata[i];

        if (!g_str_has_prefix(url, "https://") && !g_str_has_prefix(url, "http://"))
            config_problem_error(reader->problems, node->place,
                                 "\"%s\" is no URL: write https://HOST", url);
    }
}

void config_read_agent(struct config_reader *reader, const struct config_node *node)
{
    struct config_agent *agent = &reader->config->agent;
    const struct config_node *keep = config_node_get(node, "keep");
    const char *mark = config_node_text(config_node_get(node, "mark"));

    agent->timezone = config_read_timezone(reader, config_node_get(node, "timezone"), NULL);
    agent->store = config_read_filename(config_node_get(node, "store"));
    if (agent->store == NULL)
        agent->store = g_strdup("/var/lib/erpwatch/erpwatch.db");
    agent->keep_runs_ms = config_read_duration(config_node_get(keep, "runs"), 90 * (int64_t)DAY_MS);
    agent->keep_evidence_ms =
        config_read_duration(config_node_get(keep, "evidence"), 30 * (int64_t)DAY_MS);
    agent->parallel = config_read_integer(config_node_get(node, "parallel"), 256);
    agent->stop_ms = config_read_duration(config_node_get(node, "stop"), 30000);
    agent->mark = g_strdup(mark != NULL ? mark : "ERPW-");
    agent->max_body = config_read_size(config_node_get(node, "max_body"), 4 * (int64_t)MIB);
    read_online(reader, config_node_get(node, "online"), agent);
}

bool config_is_address(const char *text)
{
    const char *at = strrchr(text, '@');

    if (at == NULL || at == text || at[1] == '\0' || at[1] == '.' || strlen(text) > 254)
        return false;
    for (const char *each = text; *each != '\0'; each++) {
        if ((unsigned char)*each <= ' ' || *each == 0x7f || strchr("<>,;:\"()[]\\", *each) != NULL)
            return false;
    }
    return strchr(text, '@') == at && at[strlen(at) - 1] != '.';
}

// `Name <address>` or an address alone.
static bool is_sender(const char *text)
{
    const char *open = strrchr(text, '<');

    for (const char *each = text; *each != '\0'; each++) {
        if ((unsigned char)*each < ' ' || *each == 0x7f)
            return false;
    }
    if (open == NULL)
        return config_is_address(text);
    size_t length = strlen(open);

    if (open[length - 1] != '>')
        return false;
    g_autofree char *address = g_strndup(open + 1, length - 2);

    return config_is_address(address);
}

static bool is_loopback_server(const char *server)
{
    g_autoptr(GSocketConnectable) address = g_network_address_parse(server, 0, NULL);

    return address != NULL &&
           config_is_loopback(g_network_address_get_hostname(G_NETWORK_ADDRESS(address)));
}

// host:port; the port of the kind of security where it is left out.
static char *read_server(struct config_reader *reader, const struct config_node *node,
                         enum config_security security)
{
    static const char *const ports[] = {"587", "465", "25"};
    const char *text = config_node_text(node);

    if (text == NULL)
        return NULL;
    bool bracket = text[0] == '[';
    const char *colon = bracket ? strstr(text, "]:") : strchr(text, ':');
    bool good = text[0] != '\0' && text[0] != ':' && strpbrk(text, " /@\t\r\n") == NULL;

    if (colon == NULL && good && (!bracket || g_str_has_suffix(text, "]")))
        return g_strdup_printf("%s:%s", text, ports[security]);
    guint64 port = 0;

    if (colon != NULL)
        colon += bracket;
    if (!good || colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        config_problem_error(reader->problems, node->place,
                             "\"%s\" is no mail server: write HOST:PORT, as in "
                             "smtp.example.com:587",
                             text);
    return g_strdup(text);
}

static void read_oauth2(struct config_reader *reader, const struct config_node *node,
                        struct config_mail *mail)
{
    const struct {
        const char *key;
        struct template **template;
        bool secret;
    } parts[] = {{"token_url", &mail->oauth2_token_url, false},
                 {"client_id", &mail->oauth2_client_id, false},
                 {"client_secret", &mail->oauth2_client_secret, true},
                 {"scope", &mail->oauth2_scope, false},
                 {"refresh_token", &mail->oauth2_refresh_token, true}};

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        const struct config_node *value = config_node_get(node, parts[i].key);

        if (value == NULL)
            continue;
        *parts[i].template =
            parts[i].secret ? config_read_secret(reader, value, TEMPLATE_PLACE_TEXT, parts[i].key)
                            : config_read_template(reader, value, TEMPLATE_PLACE_TEXT, false);
    }
    if (mail->oauth2_client_secret == NULL && mail->oauth2_refresh_token == NULL)
        config_problem_error(reader->problems, node->place,
                             "\"oauth2\" needs a client_secret or a refresh_token");
}

static void read_login(struct config_reader *reader, const struct config_node *node,
                       struct config_mail *mail)
{
    const struct config_entry *username = config_node_entry(node, "username");
    const struct config_entry *password = config_node_entry(node, "password");
    const struct config_entry *oauth2 = config_node_entry(node, "oauth2");

    if (username != NULL)
        mail->username = config_read_template(reader, username->value, TEMPLATE_PLACE_TEXT, false);
    if (password != NULL)
        mail->password =
            config_read_secret(reader, password->value, TEMPLATE_PLACE_TEXT, "mail.password");
    if (oauth2 != NULL)
        read_oauth2(reader, oauth2->value, mail);
    if (password != NULL && oauth2 != NULL)
        config_problem_error(reader->problems, oauth2->place,
                             "\"oauth2\" stands in place of the password: leave one out");
    if (username != NULL && password == NULL && oauth2 == NULL)
        config_problem_error(reader->problems, username->place,
                             "\"username\" needs a password, or oauth2");
    if (username == NULL && (password != NULL || oauth2 != NULL))
        config_problem_error(reader->problems, (password != NULL ? password : oauth2)->place,
                             "\"username\" is missing beside this");
}

static void check_way(struct config_reader *reader, const struct config_node *node,
                      const struct config_mail *mail)
{
    const struct config_entry *server = config_node_entry(node, "server");
    const struct config_entry *directory = config_node_entry(node, "directory");
    const struct config_entry *security = config_node_entry(node, "security");

    if (server == NULL && directory == NULL)
        config_problem_error(reader->problems, node->place,
                             "mail has no way out: write server: HOST:PORT, or directory: PATH");
    if (server != NULL && directory != NULL)
        config_problem_error(reader->problems, directory->place,
                             "mail goes to a server or into a directory: leave one out");
    if (mail->server != NULL && mail->security == CONFIG_SECURITY_NONE && security != NULL &&
        !is_loopback_server(mail->server))
        config_problem_error(reader->problems, security->value->place,
                             "\"security: none\" is possible to a loopback address only: write "
                             "starttls or tls");
    if (mail->library == CONFIG_LIBRARY_LIBESMTP &&
        (mail->security == CONFIG_SECURITY_TLS || config_node_entry(node, "oauth2") != NULL))
        config_problem_error(reader->problems, config_node_entry(node, "library")->value->place,
                             "libesmtp can do neither security: tls nor oauth2: write library: "
                             "auto");
}

void config_read_mail(struct config_reader *reader, const struct config_node *node)
{
    struct config_mail *mail = &reader->config->mail;
    const struct config_node *from = config_node_get(node, "from");

    mail->limit = config_read_integer(config_node_get(node, "limit"), 20);
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    mail->given = true;
    mail->security = (enum config_security)config_read_word(config_node_get(node, "security"),
                                                            "starttls|tls|none", 0);
    mail->library = (enum config_mail_library)config_read_word(config_node_get(node, "library"),
                                                               "auto|libesmtp|libcurl", 0);
    mail->thread = (enum config_thread)config_read_word(config_node_get(node, "thread"),
                                                        "incident|subject", 0);
    mail->server = read_server(reader, config_node_get(node, "server"), mail->security);
    mail->directory = config_read_filename(config_node_get(node, "directory"));
    mail->ca = config_read_needed_file(reader, config_node_get(node, "ca"));
    mail->from = g_strdup(config_node_text(from));
    if (mail->from != NULL && !is_sender(mail->from))
        config_problem_error(reader->problems, from->place,
                             "\"%s\" is no sender: write Name <address>, or an address",
                             mail->from);
    read_login(reader, node, mail);
    check_way(reader, node, mail);
}
