// SPDX-License-Identifier: MIT
// Reads scalars: templates with their names and references checked, fields,
// amounts. Below the readers of calls, systems and flows.
#include "config_reader.h"

#include "../base/duration.h"
#include "../base/json.h"
#include "../base/redact.h"
#include "config_problem.h"
#include "intern.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// One template that is checked: where a problem is shown.
struct visit {
    struct config_reader *reader;
    const struct config_node *node;
    bool secret;
};

struct template_reference *config_reference_copy(const struct template_reference *reference)
{
    struct template_reference *copy = g_new0(struct template_reference, 1);

    *copy = *reference;
    copy->name = g_strdup(reference->name);
    copy->fallback = g_strdup(reference->fallback);
    return copy;
}

void config_reference_free(void *data)
{
    struct template_reference *reference = data;

    g_free(reference->name);
    g_free(reference->fallback);
    g_free(reference);
}

static char *reference_text(const struct template_reference *reference)
{
    static const char *const kinds[] = {"env", "file", "credential"};

    return g_strdup_printf("%s:%s", kinds[reference->kind], reference->name);
}

void config_read_note_secret(struct config_reader *reader, const char *format, ...)
{
    if (reader->config == NULL)
        return;
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);

    va_end(arguments);
    if (!g_ptr_array_find_with_equal_func(reader->config->secret_names, text, g_str_equal, NULL))
        g_ptr_array_add(reader->config->secret_names, g_steal_pointer(&text));
}

// Secrets that are this short are hidden only where a name gives them away.
enum { SHORT_SECRET = 6 };

static void warn_if_short(struct config_reader *reader, const struct config_node *node,
                          const char *secret)
{
    if (secret != NULL && strlen(secret) < SHORT_SECRET)
        config_problem_warn(reader->problems, node->place,
                            "this secret is shorter than 6 bytes, so it can be hidden only where a "
                            "key names it: choose a longer one");
}

// Loads a reference once; what is wrong with it, "" for nothing. Borrowed.
static const char *load_reference(struct config_reader *reader,
                                  const struct template_reference *reference,
                                  const struct config_node *node)
{
    g_autofree char *text = reference_text(reference);
    // Whether it is a secret depends on where it stands: the store is told of both.
    g_autofree char *key =
        g_strconcat(text, reference->secret ? " secret" : "",
                    reference->fallback != NULL ? ":-" : "", reference->fallback, NULL);
    const char *known = g_hash_table_lookup(reader->references, key);

    if (known != NULL)
        return known;
    g_autoptr(GError) error = NULL;
    g_autofree char *relative = g_path_get_dirname(node->place.file);
    g_autofree char *directory = g_canonicalize_filename(relative, NULL);
    bool loaded = secret_store_load(reader->config->secrets, reference, directory, &error);
    char *state = g_strdup(loaded ? "" : error->message);

    if (reference->secret)
        config_read_note_secret(reader, "${%s}", text);
    if (reference->secret && loaded)
        warn_if_short(reader, node, secret_store_find(reader->config->secrets, reference));
    g_hash_table_insert(reader->references, g_steal_pointer(&key), state);
    return state;
}

static void visit_reference(struct visit *visit, const struct template_reference *reference)
{
    struct config_reader *reader = visit->reader;

    visit->secret |= reference->secret;
    if (reader->config == NULL || reader->in_memory)
        return;
    const char *problem = load_reference(reader, reference, visit->node);

    if (problem[0] == '\0')
        return;
    if (reader->missing == CONFIG_MISSING_IS_NEED) {
        if (reader->needs != NULL)
            g_ptr_array_add(reader->needs, config_reference_copy(reference));
        else
            config_problem_warn(reader->problems, visit->node->place, "%s", problem);
        return;
    }
    config_problem_error(reader->problems, visit->node->place, "%s", problem);
}

// The scalar within `node` that uses `name`, for the place of a problem.
static const struct config_node *find_user(const struct config_node *node, const char *name)
{
    const struct config_node *found = NULL;

    if (node->kind == CONFIG_NODE_SCALAR)
        return strstr(node->text, "{{") != NULL && strstr(node->text, name) != NULL ? node : NULL;
    for (unsigned i = 0; i < node->count && found == NULL; i++) {
        if (node->kind == CONFIG_NODE_LIST)
            found = find_user(node->items[i], name);
        else if (node->kind == CONFIG_NODE_MAP)
            found = find_user(node->entries[i].value, name);
    }
    return found;
}

static void unknown_name(struct visit *visit, const char *name)
{
    const struct config_node *user = find_user(visit->node, name);
    struct config_place place = user != NULL ? user->place : visit->node->place;
    g_autofree char *guess = config_scope_guess(visit->reader->scope, name);

    if (guess != NULL)
        config_problem_error(visit->reader->problems, place,
                             "nothing gives {{%s}} a value here: did you mean {{%s}}?", name,
                             guess);
    else
        config_problem_error(visit->reader->problems, place,
                             "nothing gives {{%s}} a value here: capture it in an earlier step, or "
                             "write it in vars",
                             name);
}

const char *config_read_mark(const struct config_reader *reader)
{
    return reader->mark != NULL ? reader->mark : reader->config->agent.mark;
}

static void visit_name(struct visit *visit, const char *name)
{
    struct config_scope *scope = visit->reader->scope;

    if (scope != NULL && scope->no_run && config_scope_is_of_run(name))
        config_problem_error(visit->reader->problems, visit->node->place,
                             "this belongs to no run, so {{%s}} has no value here: write the "
                             "mark that all runs share, %s",
                             name,
                             visit->reader->in_pack ? "{{mark}}" : config_read_mark(visit->reader));
    if (scope == NULL || config_scope_is_given(name))
        return;
    const struct config_name *found = config_scope_find(scope, name);

    if (found == NULL) {
        unknown_name(visit, name);
        return;
    }
    visit->secret |= found->secret;
    bool refused =
        found->secret && scope->no_secrets && !config_scope_is_of_system(scope, name, found);

    if (refused && scope->no_run)
        config_problem_error(visit->reader->problems, visit->node->place,
                             "what a sweep deletes is named in its report, so {{%s}} cannot be a "
                             "secret: leave \"secret\" out where it is captured",
                             name);
    else if (refused)
        config_problem_error(visit->reader->problems, visit->node->place,
                             "an undo may not use the secret {{%s}}, which the ledger does not "
                             "keep: let the lookup find what it needs, or write the ${…} reference "
                             "itself",
                             name);
}

static void visit_each(const char *name, const struct template_reference *reference, void *user)
{
    if (reference != NULL)
        visit_reference(user, reference);
    else
        visit_name(user, name);
}

static void check_template(struct config_reader *reader, const struct config_node *node,
                           const struct template *template)
{
    struct visit visit = {reader, node, false};

    template_foreach(template, visit_each, &visit);
}

static void only_secret(const char *name, const struct template_reference *reference, void *user)
{
    struct visit *visit = user;
    struct config_scope *scope = visit->reader->scope;

    if (reference != NULL)
        visit->secret |= reference->secret;
    else if (scope != NULL && !config_scope_is_given(name)) {
        const struct config_name *found = config_scope_find(scope, name);

        visit->secret |= found != NULL && found->secret;
    }
}

bool config_read_is_secret(struct config_reader *reader, const struct template *template)
{
    struct visit visit = {reader, NULL, false};

    if (template != NULL)
        template_foreach(template, only_secret, &visit);
    return visit.secret;
}

struct template *config_read_template(struct config_reader *reader, const struct config_node *node,
                                      enum template_place place, bool env_secret)
{
    const char *text = config_node_text(node);

    if (text == NULL)
        return NULL; // config_shape has said so
    g_autoptr(GError) error = NULL;
    struct template *template = intern_template(text, place, env_secret, &error);

    if (template == NULL)
        config_problem_error(reader->problems, node->place, "%s", error->message);
    else
        check_template(reader, node, template);
    return template;
}

// The scalar within `node` that is no template, for the place of a problem.
static const struct config_node *find_bad(const struct config_node *node)
{
    const struct config_node *found = NULL;

    if (node->kind == CONFIG_NODE_SCALAR) {
        g_autoptr(template_t) template = template_new(node->text, TEMPLATE_PLACE_TEXT, false, NULL);

        return template == NULL ? node : NULL;
    }
    for (unsigned i = 0; i < node->count && found == NULL; i++) {
        if (node->kind == CONFIG_NODE_LIST)
            found = find_bad(node->items[i]);
        else if (node->kind == CONFIG_NODE_MAP)
            found = find_bad(node->entries[i].value);
    }
    return found;
}

struct template *config_read_json(struct config_reader *reader, const struct config_node *node,
                                  bool env_secret)
{
    g_autoptr(cJSON) json = config_node_to_json(node);
    g_autoptr(GError) error = NULL;
    struct template *template = intern_template_json(json, env_secret, &error);

    if (template == NULL) {
        const struct config_node *bad = find_bad(node);

        config_problem_error(reader->problems, bad != NULL ? bad->place : node->place, "%s",
                             error->message);
    } else {
        check_template(reader, node, template);
    }
    return template;
}

void config_read_note_literal(struct config_reader *reader, const struct config_node *node,
                              const char *literal, const char *what)
{
    if (reader->config == NULL || literal[0] == '\0')
        return;
    GPtrArray *files = reader->config->secret_files;

    config_problem_warn(reader->problems, node->place,
                        "a secret stands here as it is: write ${file:PATH} or ${env:NAME}");
    warn_if_short(reader, node, literal);
    secret_store_add_literal(reader->config->secrets, literal);
    config_read_note_secret(reader, "the literal text of %s at %s:%d:%d", what, node->place.file,
                            node->place.line, node->place.column);
    if (!g_ptr_array_find(files, node->place.file, NULL))
        g_ptr_array_add(files, (gpointer)(uintptr_t)node->place.file);
}

struct template *config_read_secret(struct config_reader *reader, const struct config_node *node,
                                    enum template_place place, const char *what)
{
    struct template *template = config_read_template(reader, node, place, true);
    const char *literal = template != NULL ? template_constant(template) : NULL;

    if (literal != NULL && literal[0] == '\0')
        config_problem_error(reader->problems, node->place,
                             "this secret is empty: write ${file:PATH} or ${env:NAME}");
    else if (literal != NULL)
        config_read_note_literal(reader, node, literal, what);
    return template;
}

void config_read_body_secrets(struct config_reader *reader, const struct config_node *node)
{
    for (unsigned i = 0; i < node->count; i++) {
        const struct config_entry *entry = node->kind == CONFIG_NODE_MAP ? &node->entries[i] : NULL;
        const struct config_node *value = entry != NULL ? entry->value : node->items[i];
        const char *text = config_node_text(value);

        if (text == NULL)
            config_read_body_secrets(reader, value);
        else if (entry != NULL && redact_is_secret_name(entry->key) && strstr(text, "{{") == NULL &&
                 strstr(text, "${") == NULL)
            config_read_note_literal(reader, value, text, entry->key);
    }
}

static void add_field(struct config_reader *reader, const struct config_entry *entry,
                      const struct config_node *value, enum template_place place, GPtrArray *fields)
{
    bool secret_name = redact_is_secret_name(entry->key);
    bool many = strcmp(entry->key, CALL_FIELDS) == 0;
    struct template *template =
        many ? config_read_json(reader, value, false)
             : config_read_template(reader, value, place,
                                    secret_name || place != TEMPLATE_PLACE_QUERY);

    if (template == NULL)
        return;
    if (secret_name && template_constant(template) != NULL)
        config_read_note_literal(reader, value, template_constant(template), entry->key);
    g_ptr_array_add(fields, call_field_new(entry->key, template));
}

void config_read_fields(struct config_reader *reader, const struct config_node *node,
                        enum template_place place, GPtrArray *fields)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    for (unsigned i = 0; i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        const struct config_node *value = entry->value;

        if (place == TEMPLATE_PLACE_HEADER &&
            (entry->key[0] == '\0' || strpbrk(entry->key, " :\r\n\t") != NULL))
            config_problem_error(reader->problems, entry->place,
                                 "\"%s\" cannot be a header's name: leave colons and spaces out",
                                 entry->key);
        if (place == TEMPLATE_PLACE_HEADER && strcmp(entry->key, CALL_FIELDS) == 0)
            config_problem_error(reader->problems, entry->place,
                                 "only \"query\" and \"form\" take a map of fields: name each "
                                 "header");
        if (value->kind != CONFIG_NODE_LIST)
            add_field(reader, entry, value, place, fields);
        for (unsigned j = 0; value->kind == CONFIG_NODE_LIST && j < value->count; j++)
            add_field(reader, entry, value->items[j], place, fields);
    }
}

void config_read_argument(struct config_reader *reader, const struct config_node *node,
                          const char *text)
{
    if (strstr(text, "{{") == NULL && strstr(text, "${") == NULL)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(template_t) template = template_new(text, TEMPLATE_PLACE_TEXT, false, &error);

    if (template == NULL)
        config_problem_error(reader->problems, node->place, "%s", error->message);
    else
        check_template(reader, node, template);
}

int64_t config_read_duration(const struct config_node *node, int64_t fallback_ms)
{
    const char *text = config_node_text(node);
    int64_t milliseconds;

    return text != NULL && duration_parse(text, &milliseconds) ? milliseconds : fallback_ms;
}

int64_t config_read_size(const struct config_node *node, int64_t fallback)
{
    const char *text = config_node_text(node);
    int64_t bytes;

    return text != NULL && size_parse(text, &bytes) ? bytes : fallback;
}

int config_read_integer(const struct config_node *node, int fallback)
{
    const char *text = config_node_text(node);
    gint64 number;

    return text != NULL && g_ascii_string_to_signed(text, 10, 0, G_MAXINT, &number, NULL)
               ? (int)number
               : fallback;
}

bool config_read_boolean(const struct config_node *node, bool fallback)
{
    const char *text = config_node_text(node);

    return text != NULL ? g_ascii_strcasecmp(text, "true") == 0 : fallback;
}

int config_read_word(const struct config_node *node, const char *words, int fallback)
{
    const char *text = config_node_text(node);

    if (text == NULL)
        return fallback;
    size_t length = strlen(text);

    for (int i = 0; words != NULL; i++) {
        const char *end = strchr(words, '|');
        size_t size = end != NULL ? (size_t)(end - words) : strlen(words);

        if (size == length && memcmp(words, text, size) == 0)
            return i;
        words = end != NULL ? end + 1 : NULL;
    }
    return fallback;
}

GPtrArray *config_read_texts(const struct config_node *node)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    if (config_node_text(node) != NULL)
        g_ptr_array_add(texts, g_strdup(node->text));
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_LIST && i < node->count; i++) {
        if (config_node_text(node->items[i]) != NULL)
            g_ptr_array_add(texts, g_strdup(node->items[i]->text));
    }
    return texts;
}

bool config_is_header_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
            return false;
    }
    return name[0] != '\0';
}

char *config_read_filename(const struct config_node *node)
{
    const char *text = config_node_text(node);

    if (text == NULL)
        return NULL;
    g_autofree char *directory = g_path_get_dirname(node->place.file);
    g_autofree char *joined =
        g_path_is_absolute(text) ? g_strdup(text) : g_build_filename(directory, text, NULL);

    return g_canonicalize_filename(joined, NULL);
}

char *config_read_needed_file(struct config_reader *reader, const struct config_node *node)
{
    char *name = config_read_filename(node);
    int handle = name != NULL && !reader->in_memory ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    g_autofree char *problem =
        name == NULL || reader->in_memory || handle >= 0
            ? NULL
            : g_strdup_printf("the file %s cannot be read: %s", name, g_strerror(errno));

    if (handle >= 0)
        close(handle);
    if (problem != NULL && reader->missing == CONFIG_MISSING_IS_ERROR)
        config_problem_error(reader->problems, node->place, "%s", problem);
    else if (problem != NULL)
        config_problem_warn(reader->problems, node->place, "%s", problem);
    return name;
}

struct setting {
    struct config_reader *reader;
    const struct config_node *node;
    bool missing;
};

static void load_setting_reference(const char *name, const struct template_reference *reference,
                                   void *user)
{
    struct setting *setting = user;

    if (name != NULL)
        return; // {{…}} in a setting: its reader says that nothing fills it
    const char *problem = load_reference(setting->reader, reference, setting->node);

    if (problem[0] == '\0')
        return;
    setting->missing = true;
    config_problem_error(setting->reader->problems, setting->node->place, "%s", problem);
}

static const char *answer_reference(const struct template_reference *reference, void *user)
{
    return secret_store_find(user, reference);
}

char *config_read_setting(struct config_reader *reader, const struct config_node *node)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(template_t) template = template_new(node->text, TEMPLATE_PLACE_TEXT, false, &error);
    struct setting setting = {reader, node, false};
    const struct template_context context = {.reference = answer_reference,
                                             .user = reader->config->secrets};

    if (template == NULL) {
        config_problem_error(reader->problems, node->place, "%s", error->message);
        return NULL;
    }
    template_foreach(template, load_setting_reference, &setting);
    if (setting.missing)
        return NULL;
    char *text = template_render(template, &context, NULL, &error);

    if (text == NULL)
        config_problem_error(reader->problems, node->place, "%s", error->message);
    return text;
}
