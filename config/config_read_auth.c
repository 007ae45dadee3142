// SPDX-License-Identifier: MIT
// Reads how a system is authenticated to: section 6 of the language. Comes after
// the system's own values, which its logins may use.
#include "config_read.h"

#include "config_problem.h"

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

static void read_basic(struct config_reader *reader, const struct config_entry *entry,
                       struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_BASIC, entry);
    const struct config_node *username = config_node_get(entry->value, "username");

    if (username != NULL)
        auth->username = config_read_template(reader, username, TEMPLATE_PLACE_HEADER, false);
    auth->password =
        read_secret(reader, system, config_node_get(entry->value, "password"), "the password");
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

// The login's names are known plainly within the session, as login.NAME to the
// flows.
static void read_session(struct config_reader *reader, const struct config_entry *entry,
                         struct config_system *system)
{
    struct config_auth *auth = auth_new(system, CONFIG_AUTH_SESSION, entry);
    struct config_session *session = g_new0(struct config_session, 1);
    const struct config_node *map = entry->value;
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = config_scope_new(outer);

    auth->session = session;
    session->headers = g_ptr_array_new_with_free_func((GDestroyNotify)call_field_free);
    session->expired = g_ptr_array_new_with_free_func((GDestroyNotify)expectation_free);
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
    reader->scope = outer;
}

void config_read_auth(struct config_reader *reader, const struct config_node *node,
                      struct config_system *system)
{
    static const struct {
        const char *key;
        void (*read)(struct config_reader *, const struct config_entry *, struct config_system *);
    } ways[] = {{"basic", read_basic},
                {"bearer", read_bearer},
                {"header", read_header},
                {"session", read_session}};
    const struct config_entry *basic = config_node_entry(node, "basic");
    const struct config_entry *bearer = config_node_entry(node, "bearer");

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        const struct config_entry *entry = config_node_entry(node, ways[i].key);

        if (entry != NULL)
            ways[i].read(reader, entry, system);
    }
    if (basic != NULL && bearer != NULL)
        config_problem_error(reader->problems, bearer->place,
                             "\"basic\" and \"bearer\" both make the Authorization header: leave "
                             "one out");
}
