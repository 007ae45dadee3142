// SPDX-License-Identifier: MIT
// Reads how a system is authenticated to: section 6 of the language. Comes after
// the system's own values, which its logins may use.
#include "config_read.h"

#include "../base/transfer_auth.h"
#include "../base/transfer_certificate.h"
#include "config_problem.h"

#include <string.h>

static struct config_auth *auth_new(struct config_system *system, enum config_auth_kind kind,
                                    const struct config_entry *entry)
{
    struct config_auth *auth = g_new0(struct config_auth, 1);

    auth->kind = kind;
    auth->place = entry->place;
    auth->headers = g_ptr_array_new_with_free_func((GDestroyNotify)call_field_free);
    g_ptr_array_add(system->auth, auth);
    return auth;
}

static struct template *read_secret(struct config_reader *reader,
                                    const struct config_system *system,
                                    const struct config_node *node, const char *what)
{
    g_autofree char *whole = g_strdup_printf("%s of the system %s", what, system->id);

    return node != NULL ? config_read_secret(reader, node, TEMPLATE_PLACE_HEADER, whole) : NULL;
}

static struct template *read_plain(struct config_reader *reader, const struct config_node *node)
{
    return node != NULL ? config_read_template(reader, node, TEMPLATE_PLACE_HEADER, false) : NULL;
}

// What a template's references have for values, as far as that is known now.
struct characters {
    const struct secret_store *secrets;
    bool foreign; // one is not ASCII
};

static void look_at_value(const char *name, const struct template_reference *reference, void *user)
{
    struct characters *characters = user;
    const char *value =
        reference != NULL ? secret_store_find(characters->secrets, reference) : name;

    characters->foreign |= value != NULL && !g_str_is_ascii(value);
}

static void warn_if_foreign(struct config_reader *reader, const struct config_node *node,
                            const struct template *template, const char *key, const char *way)
{
    struct characters characters = {.secrets = reader->config->secrets};

    if (template == NULL)
        return;
    template_foreach(template, look_at_value, &characters);
    if (characters.foreign || !g_str_is_ascii(template_source(template)))
        config_problem_warn(
            reader->problems, node->place,
            "the %s has characters beyond ASCII, on whose bytes clients and servers "
            "of %s do not agree: choose one without them",
            key, way);
}

static struct config_auth *read_user(struct config_reader *reader, const struct config_entry *entry,
                                     struct config_system *system, enum config_auth_kind kind)
{
    struct config_auth *auth = auth_new(system, kind, entry);
    const struct config_node *username = config_node_get(entry->value, "username");
    const struct config_node *password = config_node_get(entry->value, "password");

    auth->username = read_plain(reader, username);
    auth->password = read_secret(reader, system, password, "the password");
    warn_if_foreign(reader, username, auth->username, "user name", entry->key);
    warn_if_foreign(reader, password, auth->password, "password", entry->key);
    return auth;
}

static void read_basic(struct config_reader *reader, const struct config_entry *entry,
                       struct config_system *system)
{
    read_user(reader, entry, system, CONFIG_AUTH_BASIC);
}

static void read_digest(struct config_reader *reader, const struct config_entry *entry,
                        struct config_system *system)
{
    read_user(reader, entry, system, CONFIG_AUTH_DIGEST);
}

static void require(struct config_reader *reader, const struct config_entry *entry,
                    enum transfer_auth_kind kind)
{
    if (!transfer_auth_is_possible(kind))
        config_problem_error(reader->problems, entry->place,
                             "the libcurl of this machine has no %s: install one that has, as "
                             "Debian's does",
                             transfer_auth_name(kind));
}

static void read_ntlm(struct config_reader *reader, const struct config_entry *entry,
                      struct config_system *system)
{
    struct config_auth *auth = read_user(reader, entry, system, CONFIG_AUTH_NTLM);
    const struct config_node *domain = config_node_get(entry->value, "domain");
    const char *user = config_node_text(config_node_get(entry->value, "username"));

    require(reader, entry, TRANSFER_AUTH_NTLM);
    auth->domain = read_plain(reader, domain);
    if (domain != NULL && user != NULL && strchr(user, '\\') != NULL)
        config_problem_error(reader->problems, domain->place,
                             "\"%s\" has a domain already: leave out \"domain\", or what is "
                             "before the backslash",
                             user);
}

static void read_negotiate(struct config_reader *reader, const struct config_entry *entry,
                           struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_NEGOTIATE, entry);
    const char *service = config_node_text(config_node_get(entry->value, "service"));

    require(reader, entry, TRANSFER_AUTH_NEGOTIATE);
    auth->service = g_strdup(service);
    if (service != NULL && service[0] == '\0')
        config_problem_error(reader->problems, entry->place,
                             "\"service\" is empty: write HTTP, or leave it out");
}

static const char *answer_reference(const struct template_reference *reference, void *secrets)
{
    return secret_store_find(secrets, reference);
}

static const struct value *answer_name(const char *name, void *user)
{
    (void)name;
    (void)user;
    return NULL;
}

// Whether the files can be used. Where an agent starts, only the flows that need them
// cannot run.
static void check_certificate(struct config_reader *reader, const struct config_entry *entry,
                              const struct config_auth *auth)
{
    const struct template_context context = {
        .value = answer_name, .reference = answer_reference, .user = reader->config->secrets};
    g_autoptr(GError) error = NULL;
    g_autofree char *warning = NULL;
    g_autofree char *password =
        auth->password != NULL ? template_render(auth->password, &context, NULL, NULL) : NULL;

    if (reader->in_memory || auth->cert == NULL || (auth->password != NULL && password == NULL))
        return;
    if (transfer_certificate_check(auth->cert, auth->key, password, clock_wall_now(), &warning,
                                   &error) &&
        warning == NULL)
        return;
    if (error != NULL && reader->missing == CONFIG_MISSING_IS_ERROR)
        config_problem_error(reader->problems, entry->place, "%s", error->message);
    else
        config_problem_warn(reader->problems, entry->place, "%s",
                            error != NULL ? error->message : warning);
}

static void read_client_cert(struct config_reader *reader, const struct config_entry *entry,
                             struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_CLIENT_CERT, entry);
    const struct config_node *key = config_node_get(entry->value, "key");
    const char *url = system->url != NULL ? template_source(system->url) : "";

    auth->cert = config_read_filename(config_node_get(entry->value, "cert"));
    auth->key = key != NULL ? config_read_filename(key) : g_strdup(auth->cert);
    auth->password = read_secret(reader, system, config_node_get(entry->value, "password"),
                                 "the password of the key");
    if (g_str_has_prefix(url, "http://"))
        config_problem_error(reader->problems, entry->place,
                             "\"client_cert\" needs TLS: write https:// in the system's \"url\"");
    check_certificate(reader, entry, auth);
}

static void read_bearer(struct config_reader *reader, const struct config_entry *entry,
                        struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_BEARER, entry);

    auth->token = read_secret(reader, system, config_node_get(entry->value, "token"), "the token");
}

static void read_header(struct config_reader *reader, const struct config_entry *entry,
                        struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_HEADER, entry);
    const struct config_node *map = entry->value;

    for (unsigned i = 0; map->kind == CONFIG_NODE_MAP && i < map->count; i++) {
        struct template *value =
            read_secret(reader, system, map->entries[i].value, map->entries[i].key);

        if (value != NULL)
            g_ptr_array_add(auth->headers, call_field_new(map->entries[i].key, value));
    }
}

static void read_oauth1(struct config_reader *reader, const struct config_entry *entry,
                        struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_OAUTH1, entry);
    struct config_oauth1 *oauth1 = g_new0(struct config_oauth1, 1);
    const struct config_node *map = entry->value;
    const struct config_node *token = config_node_get(map, "token");
    const struct config_node *token_secret = config_node_get(map, "token_secret");

    auth->oauth1 = oauth1;
    oauth1->consumer_key = read_plain(reader, config_node_get(map, "consumer_key"));
    oauth1->consumer_secret =
        read_secret(reader, system, config_node_get(map, "consumer_secret"), "the consumer secret");
    oauth1->token = read_secret(reader, system, token, "the token");
    oauth1->token_secret = read_secret(reader, system, token_secret, "the token secret");
    oauth1->realm = read_plain(reader, config_node_get(map, "realm"));
    oauth1->sha1 =
        config_read_word(config_node_get(map, "method"), "HMAC-SHA256|HMAC-SHA1", 0) == 1;
    if ((token == NULL) != (token_secret == NULL))
        config_problem_error(reader->problems, entry->place,
                             "\"token\" and \"token_secret\" go together: write both, or leave "
                             "both out where only the consumer signs");
}

static void note_login_names(struct config_scope *scope, const struct call *login)
{
    for (unsigned i = 0; i < login->captures->len; i++) {
        const struct capture *capture = login->captures->pdata[i];

        config_scope_add_login(scope, capture->name, capture->place);
    }
    for (unsigned i = 0; i < login->set->len; i++) {
        const struct call_field *field = login->set->pdata[i];

        config_scope_add_login(scope, field->name, login->place);
    }
}

struct config_session *config_session_new(const char *step)
{
    struct config_session *session = g_new0(struct config_session, 1);

    session->step = step;
    session->cookies = g_ptr_array_new_with_free_func(g_free);
    session->headers = g_ptr_array_new_with_free_func((GDestroyNotify)call_field_free);
    session->expired = g_ptr_array_new_with_free_func((GDestroyNotify)expectation_free);
    return session;
}

static void read_oauth2(struct config_reader *reader, const struct config_entry *entry,
                        struct config_system *system)
{
    config_read_oauth2(reader, entry->value, system, auth_new(system, CONFIG_AUTH_OAUTH2, entry));
}

static void read_csrf(struct config_reader *reader, const struct config_entry *entry,
                      struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_CSRF, entry);

    config_read_csrf(reader, entry->value, auth);
    config_check_reach(reader, system, auth->session->login);
}

// The login's names are known plainly within the session, as login.NAME to the
// flows.
static void read_session(struct config_reader *reader, const struct config_entry *entry,
                         struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_SESSION, entry);
    struct config_session *session = config_session_new("log in");
    const struct config_node *map = entry->value;
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = config_scope_new(outer);

    auth->session = session;
    g_ptr_array_unref(session->cookies);
    session->cookies = config_read_texts(config_node_get(map, "cookies"));
    session->idle_ms = config_read_duration(config_node_get(map, "idle"), 0);
    session->lasts_ms = config_read_duration(config_node_get(map, "lasts"), 0);
    reader->scope = scope;
    session->login =
        config_read_call(reader, config_node_get(map, "login"), CONFIG_CALL_LOGIN, NULL);
    if (session->login != NULL) {
        note_login_names(outer, session->login);
        note_login_names(scope, session->login);
    }
    config_read_fields(reader, config_node_get(map, "headers"), TEMPLATE_PLACE_HEADER,
                       session->headers);
    config_read_expect(reader, config_node_get(map, "expired"), session->expired);
    session->logout =
        config_read_call(reader, config_node_get(map, "logout"), CONFIG_CALL_PLAIN, NULL);
    config_check_reach(reader, system, session->login);
    config_check_reach(reader, system, session->logout);
    reader->scope = outer;
}

// The ways, in the order in which they are read and asked for. Those that make the Authorization
// header exclude each other.
static const struct way {
    const char *key;
    void (*read)(struct config_reader *, const struct config_entry *, struct config_system *);
    bool authorization;
} ways[] = {
    {"basic", read_basic, true},
    {"digest", read_digest, true},
    {"ntlm", read_ntlm, true},
    {"negotiate", read_negotiate, true},
    {"bearer", read_bearer, true},
    {"oauth1", read_oauth1, true},
    {"header", read_header, false},
    {"oauth2", read_oauth2, true},
    {"session", read_session, false},
    {"csrf", read_csrf, false},
    {"client_cert", read_client_cert, false},
};

// A second Authorization header beside that of the way `first`.
static void check_header_map(struct config_reader *reader, const struct config_node *map,
                             const char *first)
{
    for (unsigned i = 0; map != NULL && map->kind == CONFIG_NODE_MAP && i < map->count; i++) {
        const struct config_entry *name = &map->entries[i];

        if (g_ascii_strcasecmp(name->key, "Authorization") == 0)
            config_problem_error(reader->problems, name->place,
                                 "\"%s\" makes the Authorization header: leave one out", first);
    }
}

static void check_together(struct config_reader *reader, const struct config_node *node)
{
    const struct config_node *session = config_node_get(node, "session");
    const char *first = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        const struct config_entry *entry =
            ways[i].authorization ? config_node_entry(node, ways[i].key) : NULL;

        if (entry != NULL && first != NULL)
            config_problem_error(reader->problems, entry->place,
                                 "\"%s\" and \"%s\" both make the Authorization header: leave "
                                 "one out",
                                 first, ways[i].key);
        else if (entry != NULL)
            first = ways[i].key;
    }
    if (first == NULL)
        return;
    check_header_map(reader, config_node_get(node, "header"), first);
    check_header_map(reader, config_node_get(session, "headers"), first);
}

void config_read_auth(struct config_reader *reader, const struct config_node *node,
                      struct config_system *system)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        const struct config_entry *entry = config_node_entry(node, ways[i].key);

        if (entry != NULL)
            ways[i].read(reader, entry, system);
    }
    check_together(reader, node);
}
