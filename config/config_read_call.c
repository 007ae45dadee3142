// SPDX-License-Identifier: MIT
// Reads calls with their bodies, lookups and undos: section 3 of the language.
// Above config_read_expect, below config_read_step.
#include "config_read.h"
#include "config_across.h"

#include "../base/json.h"
#include "../base/redact.h"
#include "config_file.h"
#include "config_problem.h"
#include "config_shape.h"

#include <string.h>

#define UNDO_ERROR g_quark_from_static_string("config-undo")

enum { UNDO_BLOCK_SIZE = 4096 };

// The keys that say what is called, and their methods.
static const struct {
    const char *key, *method;
} methods[] = {{"get", "GET"},       {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"},
               {"delete", "DELETE"}, {"head", "HEAD"}, {"call", NULL}};

static bool is_method(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isupper(*at) && *at != '-')
            return false;
    }
    return text[0] != '\0';
}

static bool is_whole(const char *path, const struct template *template)
{
    return g_str_has_prefix(path, "http://") || g_str_has_prefix(path, "https://") ||
           template_begins_with_hole(template);
}

static void check_path(struct config_reader *reader, const struct config_node *node,
                       const char *path)
{
    for (const char *at = path; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            config_problem_error(reader->problems, node->place,
                                 "a URL cannot hold a line break or a control character: write it "
                                 "on one line");
            return;
        }
    }
    if (strstr(path, "://") != NULL && strstr(path, "{{") != path && strstr(path, "${") != path &&
        strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
            (size_t)(strstr(path, "://") - path) &&
        !g_str_has_prefix(path, "http://") && !g_str_has_prefix(path, "https://"))
        config_problem_error(reader->problems, node->place,
                             "only http:// and https:// URLs are called");
}

static void set_path(struct config_reader *reader, struct call *call,
                     const struct config_node *node, const char *path)
{
    struct config_node rest = *node;

    rest.text = path;
    check_path(reader, node, path);
    call->path = config_read_template(reader, &rest, TEMPLATE_PLACE_PATH, false);
    call->whole_url = call->path != NULL && is_whole(path, call->path);
}

// `call: METHOD path`.
static struct call *read_other_method(struct config_reader *reader, const struct config_node *node)
{
    g_auto(GStrv) words = g_strsplit(node->text, " ", 2);

    if (words[0] == NULL || !is_method(words[0])) {
        config_problem_error(reader->problems, node->place,
                             "\"call\" takes a method in capitals and a path: call: OPTIONS /path");
        return NULL;
    }
    struct call *call = call_new(words[0]);

    set_path(reader, call, node, words[1] != NULL ? g_strstrip(words[1]) : "");
    return call;
}

static struct call *read_method(struct config_reader *reader, const struct config_node *node)
{
    const struct config_entry *found = NULL;
    const char *method = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        const struct config_entry *entry = config_node_entry(node, methods[i].key);

        if (entry != NULL && found != NULL) {
            config_problem_error(reader->problems, entry->place,
                                 "a call has one method: leave \"%s\" or \"%s\" out", found->key,
                                 entry->key);
        } else if (entry != NULL) {
            found = entry;
            method = methods[i].method;
        }
    }
    if (found == NULL) {
        config_problem_error(reader->problems, node->place,
                             "no call stands here: write get, post, put, patch, delete or head "
                             "with a path");
        return NULL;
    }
    if (config_node_text(found->value) == NULL)
        return NULL;
    if (method == NULL)
        return read_other_method(reader, found->value);
    struct call *call = call_new(method);

    set_path(reader, call, found->value, found->value->text);
    return call;
}

static void read_body(struct config_reader *reader, const struct config_entry *entry,
                      enum call_body kind, struct call *call)
{
    call->body_kind = kind;
    switch (kind) {
    case CALL_BODY_JSON:
        call->body = config_read_json(reader, entry->value, true);
        config_read_body_secrets(reader, entry->value);
        break;
    case CALL_BODY_TEXT:
        call->body = config_read_template(reader, entry->value, TEMPLATE_PLACE_TEXT, true);
        break;
    case CALL_BODY_FORM:
        config_read_fields(reader, entry->value, TEMPLATE_PLACE_FORM, call->form);
        break;
    case CALL_BODY_FILE:
        call->body_file = config_read_filename(entry->value);
        if (call->body_file != NULL && reader->config != NULL && !reader->in_memory &&
            !g_file_test(call->body_file, G_FILE_TEST_IS_REGULAR))
            config_problem_error(reader->problems, entry->value->place, "there is no file %s",
                                 entry->value->text);
        break;
    case CALL_BODY_XML:
        config_read_xml(reader, entry->value, call);
        break;
    case CALL_BODY_SOAP:
        config_read_soap(reader, entry->value, call);
        break;
    case CALL_BODY_NONE:
    default:
        break;
    }
}

static void read_bodies(struct config_reader *reader, const struct config_node *node,
                        struct call *call)
{
    static const struct {
        const char *key;
        enum call_body kind;
    } bodies[] = {{"json", CALL_BODY_JSON}, {"form", CALL_BODY_FORM}, {"xml", CALL_BODY_XML},
                  {"soap", CALL_BODY_SOAP}, {"text", CALL_BODY_TEXT}, {"file", CALL_BODY_FILE}};
    const char *first = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++) {
        const struct config_entry *entry = config_node_entry(node, bodies[i].key);

        if (entry == NULL)
            continue;
        if (first != NULL) {
            config_problem_error(reader->problems, entry->place,
                                 "a call has one body: leave \"%s\" or \"%s\" out", first,
                                 entry->key);
            continue;
        }
        first = entry->key;
        read_body(reader, entry, bodies[i].kind, call);
    }
}

static void read_set(struct config_reader *reader, const struct config_node *node, bool login,
                     GPtrArray *set)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        struct template *value =
            config_read_json(reader, entry->value, redact_is_secret_name(entry->key));

        if (value == NULL)
            continue;
        g_ptr_array_add(set, call_field_new(entry->key, value));
        if (reader->scope != NULL)
            config_scope_add(reader->scope, entry->key, entry->place,
                             login || config_read_is_secret(reader, value), reader->problems);
    }
}

// Drops the memory of lists that stay empty: there are many.
static void share_empty(GPtrArray **list)
{
    static GPtrArray *empty;

    if (g_once_init_enter(&empty)) {
        GPtrArray *made = g_ptr_array_new();

        g_once_init_leave(&empty, made);
    }
    if ((*list)->len > 0)
        return;
    g_ptr_array_unref(*list);
    *list = g_ptr_array_ref(empty);
}

static void share_empty_lists(struct call *call)
{
    GPtrArray **lists[] = {&call->query, &call->headers, &call->form, &call->captures,
                           &call->set,   &call->expect,  &call->gone};

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        share_empty(lists[i]);
}

// What cannot be, or cannot hold, together.
static void check_combinations(struct config_reader *reader, const struct config_node *node,
                               const struct call *call)
{
    const struct config_node *expect = config_node_get(node, "expect");
    static const char *const bodies[] = {"json", "xml", "html", "regex", "body"};

    if (strcmp(call->method, "HEAD") != 0)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++) {
        const struct config_entry *entry = config_node_entry(expect, bodies[i]);

        if (entry != NULL)
            config_problem_error(reader->problems, entry->place,
                                 "the answer to HEAD has no body, so this can never hold: write "
                                 "get in place of head");
    }
}

static void read_request(struct config_reader *reader, const struct config_node *node,
                         struct call *call)
{
    config_read_fields(reader, config_node_get(node, "query"), TEMPLATE_PLACE_QUERY, call->query);
    config_read_fields(reader, config_node_get(node, "headers"), TEMPLATE_PLACE_HEADER,
                       call->headers);
    read_bodies(reader, node, call);
    call->timeout_ms = config_read_duration(config_node_get(node, "timeout"), 0);
    call->follow = config_read_integer(config_node_get(node, "follow"), 0);
    call->no_auth = config_node_get(node, "auth") != NULL;
    call->cookies_new = config_node_get(node, "cookies") != NULL;
}

// Where nothing else is said, `else` goes where the call went.
static void read_otherwise(struct config_reader *reader, const struct config_node *node,
                           struct call *call)
{
    call->otherwise =
        config_read_call(reader, config_node_get(node, "else"), CONFIG_CALL_PLAIN, NULL);
    if (call->otherwise != NULL)
        call->otherwise->system = g_strdup(call->system);
}

static bool text_leads_elsewhere(const char *text)
{
    static const char *const elsewhere[] = {"{{", "${", "from", "only_if"};
    bool leads = false;

    for (unsigned i = 0; !leads && i < G_N_ELEMENTS(elsewhere); i++)
        leads = strstr(text, elsewhere[i]) != NULL;
    return leads;
}

// True where what is read of the node depends on more than what it says.
static bool leads_elsewhere(const struct config_node *node)
{
    bool leads = node->kind == CONFIG_NODE_SCALAR && text_leads_elsewhere(node->text);

    for (unsigned i = 0; node->kind == CONFIG_NODE_LIST && !leads && i < node->count; i++)
        leads = leads_elsewhere(node->items[i]);
    for (unsigned i = 0; node->kind == CONFIG_NODE_MAP && !leads && i < node->count; i++)
        leads =
            text_leads_elsewhere(node->entries[i].key) || leads_elsewhere(node->entries[i].value);
    return leads;
}

// Expectations that say the same are compiled once: of many flows, they are what takes most
// of the memory. What gave problems is told of at each place.
static void read_expectations(struct config_reader *reader, struct config_node *node,
                              GPtrArray **expectations)
{
    bool shared = reader->expectations != NULL && node != NULL && reader->namespaces == NULL &&
                  !reader->any_prefix;
    GPtrArray *known = shared ? g_hash_table_lookup(reader->expectations, node) : NULL;
    unsigned problems = reader->problems->len;

    if (known != NULL) {
        g_ptr_array_unref(*expectations);
        *expectations = g_ptr_array_ref(known);
        return;
    }
    config_read_expect(reader, node, *expectations);
    if (shared && reader->problems->len == problems && !leads_elsewhere(node))
        g_hash_table_insert(reader->expectations, node, g_ptr_array_ref(*expectations));
}

static struct call *read_call(struct config_reader *reader, const struct config_node *node,
                              bool login, unsigned *before)
{
    struct call *call = read_method(reader, node);

    if (before != NULL)
        *before = reader->scope != NULL ? config_scope_count(reader->scope) : 0;
    if (call == NULL)
        return NULL;
    GHashTable *outer = config_namespaces_enter(reader, node);

    call->place = node->place;
    call->system = config_across_id(reader, node);
    read_request(reader, node, call);
    config_read_captures(reader, config_node_get(node, "capture"), login, call->captures);
    read_set(reader, config_node_get(node, "set"), login, call->set);
    read_expectations(reader, config_node_get(node, "expect"), &call->expect);
    read_expectations(reader, config_node_get(node, "gone"), &call->gone);
    read_otherwise(reader, node, call);
    check_combinations(reader, node, call);
    share_empty_lists(call);
    config_namespaces_leave(reader, outer);
    return call;
}

struct call *config_read_call(struct config_reader *reader, const struct config_node *node,
                              enum config_call_kind kind, unsigned *before)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return NULL;
    struct config_definition *former = config_across_enter(reader, node);
    struct call *call = read_call(reader, node, kind == CONFIG_CALL_LOGIN, before);

    config_across_leave(reader, former);
    return call;
}

struct lookup *config_read_lookup(struct config_reader *reader, const struct config_node *node)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return NULL;
    struct lookup *lookup = g_new0(struct lookup, 1);
    const struct config_node *mark = config_node_get(node, "mark");
    struct config_definition *former = config_across_enter(reader, node);
    GHashTable *outer = config_namespaces_enter(reader, node);

    lookup->call = config_read_call(reader, node, CONFIG_CALL_PLAIN, NULL);
    lookup->mark = mark != NULL ? config_read_selector(reader, mark) : NULL;
    config_namespaces_leave(reader, outer);
    config_across_leave(reader, former);
    if (lookup->call == NULL || lookup->mark == NULL)
        g_clear_pointer(&lookup, lookup_free);
    return lookup;
}

static cJSON *source_of(struct config_reader *reader, const struct config_node *node);

// One value of a call: the file of a body is made absolute, a system gets its id.
static cJSON *source_of_entry(struct config_reader *reader, const struct config_node *node,
                              const struct config_entry *entry)
{
    g_autofree char *text = NULL;

    if (strcmp(entry->key, "else") == 0 || strcmp(entry->key, "lookup") == 0)
        return source_of(reader, entry->value);
    if (strcmp(entry->key, "file") == 0)
        text = config_read_filename(entry->value);
    if (strcmp(entry->key, "system") == 0) {
        struct config_definition *former = config_across_enter(reader, node);

        text = config_across_id(reader, node);
        config_across_leave(reader, former);
    }
    return text != NULL ? cJSON_CreateString(text) : config_node_to_json(entry->value);
}

// All that prefixes stand for in a call, its system's with them; NULL for none.
static cJSON *source_of_namespaces(struct config_reader *reader, const struct config_node *node)
{
    struct config_definition *former = config_across_enter(reader, node);
    GHashTable *outer = config_namespaces_enter(reader, node);
    g_autoptr(GList) prefixes =
        reader->namespaces != NULL ? g_hash_table_get_keys(reader->namespaces) : NULL;
    cJSON *json = prefixes != NULL ? cJSON_CreateObject() : NULL;

    prefixes = g_list_sort(prefixes, (GCompareFunc)strcmp);
    for (const GList *each = prefixes; each != NULL; each = each->next)
        cJSON_AddStringToObject(json, each->data,
                                g_hash_table_lookup(reader->namespaces, each->data));
    config_namespaces_leave(reader, outer);
    config_across_leave(reader, former);
    return json;
}

// As JSON that says the same elsewhere: the ledger outlives the folder's moving,
// and knows no namespaces.
static cJSON *source_of(struct config_reader *reader, const struct config_node *node)
{
    if (node == NULL)
        return cJSON_CreateNull();
    if (node->kind != CONFIG_NODE_MAP)
        return config_node_to_json(node);
    cJSON *json = cJSON_CreateObject();

    for (unsigned i = 0; i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];

        if (strcmp(entry->key, "namespaces") != 0)
            cJSON_AddItemToObject(json, entry->key, source_of_entry(reader, node, entry));
    }
    cJSON *namespaces = source_of_namespaces(reader, node);

    if (namespaces != NULL)
        cJSON_AddItemToObject(json, "namespaces", namespaces);
    return json;
}

static char *write_source(struct config_reader *reader, const struct config_node *undo,
                          const struct config_node *lookup)
{
    g_autoptr(cJSON) root = cJSON_CreateObject();
    cJSON *calls;

    if (undo->kind == CONFIG_NODE_LIST) {
        calls = cJSON_CreateArray();
        for (unsigned i = 0; i < undo->count; i++) {
            if (config_node_get(undo->items[i], "lookup") == NULL)
                cJSON_AddItemToArray(calls, source_of(reader, undo->items[i]));
        }
    } else {
        calls = source_of(reader, undo);
    }
    cJSON_AddItemToObject(root, "undo", calls);
    if (lookup != NULL && config_node_get(undo, "lookup") == NULL)
        cJSON_AddItemToObject(root, "lookup", source_of(reader, lookup));
    return json_print(root, false);
}

static void free_call(void *data)
{
    call_free(data);
}

static void add_undo_call(struct config_reader *reader, const struct config_node *node,
                          struct undo *undo)
{
    struct call *call = config_read_call(reader, node, CONFIG_CALL_PLAIN, NULL);

    if (call != NULL)
        g_ptr_array_add(undo->calls, call);
}

// The undo's own lookup looks where the undo goes, unless it says another system.
static void read_later(struct config_reader *reader, const struct config_node *node,
                       struct undo *undo)
{
    struct config_definition *former = config_across_enter(reader, node);
    GHashTable *outer = config_namespaces_enter(reader, node);

    undo->lookup = config_read_lookup(reader, config_node_get(node, "lookup"));
    if (undo->lookup != NULL) {
        undo->lookup_for_ms = config_read_duration(config_node_get(node, "for"), 86400000);
        if (undo->lookup->call->system == NULL)
            undo->lookup->call->system = config_across_id(reader, node);
    }
    config_namespaces_leave(reader, outer);
    config_across_leave(reader, former);
}

static void free_undo(void *data)
{
    undo_free(data);
}

static struct undo *undo_new(const struct config_node *none)
{
    struct undo *undo = g_new0(struct undo, 1);

    undo->calls = g_ptr_array_new_with_free_func(free_call);
    undo->later = g_ptr_array_new_with_free_func(free_undo);
    undo->none = g_strdup(config_node_text(none));
    return undo;
}

// One call of a list. With a lookup of its own it finds another record than the
// step's: what that gives is known in it alone.
static void read_item(struct config_reader *reader, const struct config_node *node,
                      struct undo *undo)
{
    struct config_scope *outer = reader->scope;
    g_autoptr(config_scope_t) scope = NULL;

    if (config_node_get(node, "lookup") == NULL) {
        add_undo_call(reader, node, undo);
        return;
    }
    if (outer != NULL) {
        scope = config_scope_new(outer);
        scope->own_names_again = true;
        scope->no_secrets = outer->no_secrets;
        reader->scope = scope;
    }
    g_ptr_array_add(undo->later, config_read_undo(reader, node, NULL));
    reader->scope = outer;
}

struct undo *config_read_undo(struct config_reader *reader, const struct config_node *node,
                              const struct config_node *lookup)
{
    if (node == NULL || (node->kind != CONFIG_NODE_MAP && node->kind != CONFIG_NODE_LIST))
        return NULL;
    const struct config_node *none = config_node_get(node, "none");
    struct undo *undo = undo_new(none);

    if (none != NULL) {
        if (node->count > 1)
            config_problem_error(reader->problems, config_node_entry(node, "none")->place,
                                 "\"none\" says that there is nothing to undo: leave it or the "
                                 "call out");
        return undo;
    }
    read_later(reader, node, undo);
    if (node->kind == CONFIG_NODE_MAP)
        add_undo_call(reader, node, undo);
    for (unsigned i = 0; node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        read_item(reader, node->items[i], undo);
    undo->source = write_source(reader, node, lookup);
    return undo;
}

static bool report_first(const GPtrArray *problems, GError **error)
{
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];

        if (!problem->warning) {
            g_set_error(error, UNDO_ERROR, 0, "the undo cannot be read: %s", problem->message);
            return true;
        }
    }
    return false;
}

struct undo *undo_parse(const char *source, struct lookup **lookup, GError **error)
{
    // each payment reads one: blocks as of a whole configuration would cost more than the rest
    g_autoptr(arena_t) arena = arena_new(UNDO_BLOCK_SIZE);
    g_autoptr(GPtrArray) problems = config_problems_new();
    struct config_reader reader = {.problems = problems};
    struct config_node *root = config_file_parse(arena, "undo", source, strlen(source), problems);
    struct config_node *wrapped = config_node_get(root, "undo");
    struct config_node *node = wrapped != NULL ? wrapped : root;
    struct config_node *search = wrapped != NULL ? config_node_get(root, "lookup") : NULL;
    static const struct config_key key = {.name = "undo", .type = CONFIG_TYPE_UNDO};
    struct undo *undo = NULL;

    if (lookup != NULL)
        *lookup = NULL;
    if (node != NULL)
        config_shape_check_key(node, &key, problems);
    if (search != NULL)
        config_shape_check(search, CONFIG_MAP_LOOKUP, problems, NULL, NULL);
    if (node != NULL && !config_problems_fatal(problems))
        undo = config_read_undo(&reader, node, search);
    if (undo != NULL && lookup != NULL)
        *lookup = config_read_lookup(&reader, search);
    if (report_first(problems, error)) {
        g_clear_pointer(&undo, undo_free);
        if (lookup != NULL)
            g_clear_pointer(lookup, lookup_free);
        return NULL;
    }
    if (undo == NULL)
        g_set_error_literal(error, UNDO_ERROR, 0, "the undo cannot be read: it is empty");
    return undo;
}
