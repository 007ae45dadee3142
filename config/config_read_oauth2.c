// SPDX-License-Identifier: MIT
// Reads auth: oauth2 and auth: csrf. Each becomes a session: a call that is made
// before the others, and what goes with them. Called by config_read_auth.c.
#include "config_oauth2.h"

#include "../base/json.h"
#include "../base/jwt.h"
#include "../base/wipe.h"
#include "config_problem.h"
#include "config_read.h"
#include "intern.h"

#include <string.h>

static const char assertion_type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

static void free_field(void *data)
{
    call_field_free(data);
}

static bool is_among(const GPtrArray *fields, const char *name)
{
    for (unsigned i = 0; i < fields->len; i++) {
        if (strcmp(((const struct call_field *)fields->pdata[i])->name, name) == 0)
            return true;
    }
    return false;
}

// A field of the form, unless the user gives one of that name. Its template was checked where
// it was first read.
static void add_field(struct call *call, const char *name, const char *text)
{
    struct template *value = text != NULL && !is_among(call->form, name)
                                 ? intern_template(text, TEMPLATE_PLACE_FORM, true, NULL)
                                 : NULL;

    if (value != NULL)
        g_ptr_array_add(call->form, call_field_new(name, value));
}

static void add_node(struct call *call, const struct config_node *map, const char *name)
{
    add_field(call, name, config_node_text(config_node_get(map, name)));
}

static struct template *read_text(struct config_reader *reader, const struct config_node *map,
                                  const char *key)
{
    const struct config_node *node = config_node_get(map, key);

    return node != NULL ? config_read_template(reader, node, TEMPLATE_PLACE_TEXT, false) : NULL;
}

static struct template *read_secret(struct config_reader *reader, const struct config_node *map,
                                    const char *key, const struct config_system *system)
{
    const struct config_node *node = config_node_get(map, key);
    g_autofree char *what = g_strdup_printf("the %s of the system %s", key, system->id);

    return node != NULL ? config_read_secret(reader, node, TEMPLATE_PLACE_TEXT, what) : NULL;
}

static void check_token_url(struct config_reader *reader, const struct config_node *node,
                            const struct template *url)
{
    if (node == NULL || url == NULL || template_begins_with_hole(url))
        return;
    const char *constant = template_constant(url);
    g_autoptr(GUri) uri = constant != NULL ? g_uri_parse(constant, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;

    if (!g_str_has_prefix(node->text, "https://") && !g_str_has_prefix(node->text, "http://"))
        config_problem_error(reader->problems, node->place,
                             "\"%s\" is no whole URL: write https://HOST/PATH", node->text);
    else if (g_str_has_prefix(node->text, "http://") && host != NULL && !config_is_loopback(host))
        config_problem_warn(reader->problems, node->place,
                            "the token is asked for without TLS: anybody on the way reads the "
                            "client's secret and the token; write https://");
}

static void read_claims(struct config_reader *reader, const struct config_node *map,
                        struct config_assertion *assertion)
{
    for (unsigned i = 0; map != NULL && map->kind == CONFIG_NODE_MAP && i < map->count; i++) {
        struct template *value = config_read_json(reader, map->entries[i].value, false);

        if (value != NULL)
            g_ptr_array_add(assertion->claims, call_field_new(map->entries[i].key, value));
    }
}

// A file that a pack's parameter names lies beside the configuration that gives it, not beside
// the pack.
static char *read_file_name(const struct config_node *node, const struct config_system *system)
{
    const char *text = config_node_text(node);

    for (unsigned i = 0; text != NULL && i < system->vars->len; i++) {
        const struct config_value *given = system->vars->pdata[i];
        g_autofree char *hole = g_strdup_printf("{{%s}}", given->name);
        const char *json = strcmp(text, hole) == 0 ? template_constant(given->value) : NULL;
        g_autoptr(cJSON) name = json != NULL ? json_parse(json, strlen(json), NULL) : NULL;
        const struct config_node at = {
            .kind = CONFIG_NODE_SCALAR, .text = cJSON_GetStringValue(name), .place = system->place};

        if (at.text != NULL)
            return config_read_filename(&at);
    }
    return config_read_filename(node);
}

static void check_signing(struct config_reader *reader, const struct config_assertion *assertion,
                          const char *pem, struct config_place place)
{
    static const enum jwt_algorithm algorithms[] = {
        [CONFIG_ALGORITHM_PS256] = JWT_PS256,
        [CONFIG_ALGORITHM_ES256] = JWT_ES256,
        [CONFIG_ALGORITHM_RS256] = JWT_RS256,
    };
    g_autoptr(cJSON) head = cJSON_CreateObject();
    g_autoptr(cJSON) claims = cJSON_CreateObject();
    g_autoptr(GError) error = NULL;
    char *token = jwt_sign(algorithms[assertion->algorithm], pem, head, claims, &error);

    wipe_text(token);
    if (token == NULL && reader->missing == CONFIG_MISSING_IS_ERROR)
        config_problem_error(reader->problems, place, "%s", error->message);
    else if (token == NULL)
        config_problem_warn(reader->problems, place, "%s", error->message);
}

// A key that is not there yet is nothing to complain of: a starter configuration names one,
// and another user may be the only one who can read it.
static void check_key(struct config_reader *reader, const struct config_assertion *assertion,
                      struct config_place place)
{
    char *pem = NULL;

    if (assertion->key == NULL || reader->in_memory)
        return;
    if (g_file_get_contents(assertion->key, &pem, NULL, NULL))
        check_signing(reader, assertion, pem, place);
    wipe_text(pem);
}

static struct config_assertion *read_assertion(struct config_reader *reader,
                                               const struct config_node *map,
                                               const struct config_system *system)
{
    struct config_assertion *assertion = g_new0(struct config_assertion, 1);

    assertion->key = read_file_name(config_node_get(map, "key"), system);
    assertion->certificate = read_file_name(config_node_get(map, "certificate"), system);
    assertion->kid = read_text(reader, map, "kid");
    assertion->algorithm = (enum config_algorithm)config_read_word(
        config_node_get(map, "algorithm"), "PS256|ES256|RS256", CONFIG_ALGORITHM_PS256);
    assertion->claims = g_ptr_array_new_with_free_func(free_field);
    read_claims(reader, config_node_get(map, "claims"), assertion);
    const struct config_node *key = config_node_get(map, "key");
    bool given = key != NULL && config_node_text(key) != NULL && strstr(key->text, "{{") != NULL;

    if (key != NULL)
        check_key(reader, assertion, given ? system->place : key->place);
    return assertion;
}

// What cannot be, or is missing.
static void check_oauth2(struct config_reader *reader, const struct config_node *map,
                         const struct config_oauth2 *oauth2)
{
    const struct config_entry *refresh = config_node_entry(map, "refresh_token");
    const struct config_entry *basic = config_node_entry(map, "client_auth");
    const struct config_entry *assertion = config_node_entry(map, "client_assertion");
    const struct config_entry *secret = config_node_entry(map, "client_secret");

    if (oauth2->refresh && refresh == NULL)
        config_problem_error(reader->problems, map->place,
                             "\"grant: refresh_token\" needs the first refresh_token, which a "
                             "person's consent gives: refresh_token: ${file:PATH}");
    if (!oauth2->refresh && refresh != NULL)
        config_problem_error(reader->problems, refresh->place,
                             "\"refresh_token\" has no use without grant: refresh_token");
    if (assertion != NULL && secret != NULL)
        config_problem_error(reader->problems, assertion->place,
                             "\"client_assertion\" stands in place of the client_secret: leave "
                             "one out");
    if (oauth2->basic && secret == NULL)
        config_problem_error(reader->problems, basic->place,
                             "\"client_auth: basic\" sends a client_secret: write one");
    if (!oauth2->refresh && secret == NULL && assertion == NULL &&
        config_node_get(map, "params") == NULL)
        config_problem_error(reader->problems, map->place,
                             "\"oauth2\" needs a client_secret or a client_assertion");
}

static void add_header(struct call *call, const char *name, const char *value)
{
    g_ptr_array_add(
        call->headers,
        call_field_new(name, intern_template(value, TEMPLATE_PLACE_HEADER, true, NULL)));
}

static void add_token_capture(struct call *call)
{
    struct capture *capture = capture_new("access_token");

    capture->selector = selector_new(SELECTOR_JSON, "$.access_token");
    selector_compile(capture->selector, NULL);
    capture->secret = true;
    g_ptr_array_add(call->captures, capture);
}

static void fill_form(struct call *call, const struct config_node *map,
                      const struct config_oauth2 *oauth2)
{
    add_field(call, "grant_type", oauth2->refresh ? "refresh_token" : "client_credentials");
    if (!oauth2->basic) {
        add_node(call, map, "client_id");
        add_node(call, map, "client_secret");
    }
    add_node(call, map, "scope");
    add_node(call, map, "audience");
    if (oauth2->refresh)
        add_field(call, "refresh_token", "{{" CONFIG_OAUTH2_REFRESH_TOKEN "}}");
    if (oauth2->assertion != NULL) {
        add_field(call, "client_assertion_type", assertion_type);
        add_field(call, "client_assertion", "{{" CONFIG_OAUTH2_ASSERTION "}}");
    }
}

// Scope and audience are read for their problems alone: the form holds them.
static void check_texts(struct config_reader *reader, const struct config_node *map)
{
    static const char *const keys[] = {"scope", "audience"};

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        intern_release_template(read_text(reader, map, keys[i]));
}

// The call that asks for the token; what is only known then comes by its names.
static struct call *make_token_call(struct config_reader *reader, const struct config_node *map,
                                    const struct config_oauth2 *oauth2)
{
    struct call *call = call_new("POST");
    const struct config_node *url = config_node_get(map, "token_url");

    call->place = map->place;
    call->body_kind = CALL_BODY_FORM;
    call->no_auth = true;
    call->elsewhere = true;
    call->elsewhere_ca = config_read_needed_file(reader, config_node_get(map, "ca"));
    call->whole_url = true;
    if (url != NULL)
        call->path = config_read_template(reader, url, TEMPLATE_PLACE_PATH, false);
    check_token_url(reader, url, call->path);
    config_read_fields(reader, config_node_get(map, "params"), TEMPLATE_PLACE_FORM, call->form);
    check_texts(reader, map);
    fill_form(call, map, oauth2);
    add_header(call, "Accept", "application/json");
    if (oauth2->basic)
        add_header(call, "Authorization", "{{" CONFIG_OAUTH2_AUTHORIZATION "}}");
    add_token_capture(call);
    return call;
}

void config_read_oauth2(struct config_reader *reader, const struct config_node *map,
                        const struct config_system *system, struct config_auth *auth)
{
    struct config_oauth2 *oauth2 = g_new0(struct config_oauth2, 1);
    const struct config_node *assertion = config_node_get(map, "client_assertion");

    auth->session = config_session_new("get a token");
    auth->session->oauth2 = oauth2;
    oauth2->refresh =
        config_read_word(config_node_get(map, "grant"), "client_credentials|refresh_token", 0) == 1;
    oauth2->basic = config_read_word(config_node_get(map, "client_auth"), "body|basic", 0) == 1;
    oauth2->client_id = read_text(reader, map, "client_id");
    oauth2->client_secret = read_secret(reader, map, "client_secret", system);
    oauth2->refresh_token = read_secret(reader, map, "refresh_token", system);
    if (assertion != NULL)
        oauth2->assertion = read_assertion(reader, assertion, system);
    check_oauth2(reader, map, oauth2);
    auth->session->login = make_token_call(reader, map, oauth2);
}

void config_oauth2_free(struct config_oauth2 *oauth2)
{
    if (oauth2 == NULL)
        return;
    intern_release_template(oauth2->client_id);
    intern_release_template(oauth2->client_secret);
    intern_release_template(oauth2->refresh_token);
    if (oauth2->assertion != NULL) {
        g_free(oauth2->assertion->key);
        g_free(oauth2->assertion->certificate);
        intern_release_template(oauth2->assertion->kid);
        g_ptr_array_unref(oauth2->assertion->claims);
        g_free(oauth2->assertion);
    }
    g_free(oauth2);
}

// Takes over what the lists of a call hold into one that may be added to: empty ones are shared.
static GPtrArray *own_list(GPtrArray **list, GDestroyNotify free_one)
{
    if ((*list)->len == 0) {
        g_ptr_array_unref(*list);
        *list = g_ptr_array_new_with_free_func(free_one);
    }
    return *list;
}

static void free_capture(void *data)
{
    capture_free(data);
}

static void add_csrf(struct call *call, const char *header)
{
    struct capture *capture = capture_new("csrf");

    capture->selector = selector_new(SELECTOR_HEADER, header);
    capture->secret = true;
    g_ptr_array_add(own_list(&call->captures, free_capture), capture);
    own_list(&call->headers, free_field);
    add_header(call, header, "Fetch");
}

void config_read_csrf(struct config_reader *reader, const struct config_node *map,
                      struct config_auth *auth)
{
    struct config_session *session = config_session_new("fetch the CSRF token");
    const struct config_node *named = config_node_get(map, "header");
    const char *header = config_node_text(named);

    if (header != NULL && !config_is_header_name(header))
        config_problem_error(reader->problems, named->place,
                             "\"header\" takes the name of a header: write X-CSRF-Token, or what "
                             "the system calls it");
    auth->session = session;
    config_read_expect(reader, config_node_get(map, "expired"), session->expired);
    session->login = config_read_call(reader, map, CONFIG_CALL_LOGIN, NULL);
    if (session->login == NULL)
        return;
    header = header != NULL ? header : "X-CSRF-Token";
    add_csrf(session->login, header);
    g_ptr_array_add(
        session->headers,
        call_field_new(header, intern_template("{{csrf}}", TEMPLATE_PLACE_HEADER, true, NULL)));
}
