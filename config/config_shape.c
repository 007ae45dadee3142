// SPDX-License-Identifier: MIT
// Walks a tree along the table of keys. Comes after config_file, before the
// readers, which find only what fits here.
#include "config_shape.h"

#include "../base/duration.h"
#include "../base/json.h"
#include "../base/regex.h"
#include "config_problem.h"

#include <string.h>

struct shape {
    GPtrArray *problems;
    config_shape_expand expand; // or NULL
    void *user;
};

static void check_value(struct shape *shape, struct config_node *node,
                        const struct config_key *key);
static void check_map(struct shape *shape, struct config_node *node, enum config_map map,
                      const char *name);

static void refuse(struct shape *shape, const struct config_node *node, const char *name,
                   const char *wanted)
{
    const char *text = config_node_text(node);

    if (text != NULL)
        config_problem_error(shape->problems, node->place, "\"%s\" has to be %s, not \"%s\"", name,
                             wanted, text);
    else
        config_problem_error(shape->problems, node->place, "\"%s\" has to be %s, not %s", name,
                             wanted, config_node_describe(node));
}

// Number-like text that other readers of YAML would change has to be quoted.
static void check_number_like(struct shape *shape, const struct config_node *node)
{
    if (node->kind == CONFIG_NODE_SCALAR && node->style == CONFIG_NODE_PLAIN &&
        config_text_is_number_like(node->text))
        config_problem_error(shape->problems, node->place,
                             "%s looks like a number that YAML would change: put it in single "
                             "quotes, '%s', or write the number in plain digits",
                             node->text, node->text);
}

static void check_text(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (node->kind == CONFIG_NODE_SCALAR)
        check_number_like(shape, node);
    else if (node->kind != CONFIG_NODE_BROKEN)
        refuse(shape, node, key->name, "a text");
}

static void check_filename(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    const char *text = config_node_text(node);

    check_text(shape, node, key);
    if (text != NULL && text[0] == '\0')
        config_problem_error(shape->problems, node->place,
                             "\"%s\" names no file: write one, or leave the key out", key->name);
}

// In double quotes \b, \d and their like are YAML's: what arrives is a control
// character where a pattern was meant.
static void check_pattern(struct shape *shape, struct config_node *node,
                          const struct config_key *key)
{
    check_text(shape, node, key);
    const char *text = config_node_text(node);

    for (; text != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' && strchr("\t\n\r", *text) == NULL) {
            config_problem_error(shape->problems, node->place,
                                 "in double quotes YAML takes the backslash for its own: put the "
                                 "pattern in single quotes");
            return;
        }
    }
}

static void check_template(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    if (strcmp(key->name, "matches") == 0 || strcmp(key->name, "regex") == 0)
        check_pattern(shape, node, key);
    else
        check_text(shape, node, key);
}

// One that is no template, and caseless: it has to compile, and to be about something.
static void check_whole_pattern(struct shape *shape, struct config_node *node,
                                const struct config_key *key)
{
    unsigned before = shape->problems->len;
    g_autoptr(GError) error = NULL;

    check_pattern(shape, node, key);
    const char *text = config_node_text(node);

    if (text == NULL || shape->problems->len > before)
        return;
    g_autoptr(regex_compiled_t) regex = regex_compile(text, REGEX_CASELESS | REGEX_ONCE, &error);

    if (regex == NULL)
        config_problem_error(shape->problems, node->place, "\"%s\": %s", key->name, error->message);
    else if (regex_match(regex, "", 0, 0, NULL, NULL))
        config_problem_error(shape->problems, node->place,
                             "\"%s\" fits every text, even an empty one: write what has to stand "
                             "there",
                             key->name);
}

// One value, or a list of them.
static void
check_one_or_list(struct shape *shape, struct config_node *node, const struct config_key *key,
                  void (*check)(struct shape *, struct config_node *, const struct config_key *))
{
    if (node->kind != CONFIG_NODE_LIST) {
        check(shape, node, key);
        return;
    }
    for (unsigned i = 0; i < node->count; i++)
        check(shape, node->items[i], key);
}

static void check_patterns(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    check_one_or_list(shape, node, key, check_whole_pattern);
}

static void check_status(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    const char *text = config_node_text(node);

    if (text == NULL || strlen(text) != 3 || strchr("12345", text[0]) == NULL ||
        (strcmp(text + 1, "xx") != 0 && strspn(text, "0123456789") != 3))
        refuse(shape, node, key->name, "a status such as 400, or a class of them such as 4xx");
}

static void check_statuses(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    check_one_or_list(shape, node, key, check_status);
}

static void check_list(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (node->kind != CONFIG_NODE_LIST) {
        if (node->kind != CONFIG_NODE_SCALAR)
            refuse(shape, node, key->name, "a text or a list of texts");
        else
            check_number_like(shape, node);
        return;
    }
    for (unsigned i = 0; i < node->count; i++)
        check_text(shape, node->items[i], key);
}

static void check_duration(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    const char *text = config_node_text(node);
    int64_t milliseconds = 0;
    bool zero = key->type == CONFIG_TYPE_DURATION_OR_ZERO;

    if (text != NULL && text[0] != '\0' && strspn(text, "0123456789.") == strlen(text))
        config_problem_error(shape->problems, node->place,
                             "\"%s\" wants a duration with its unit: %ss, %sm or %sms, not a bare "
                             "number",
                             key->name, text, text, text);
    else if (text == NULL || !duration_parse(text, &milliseconds) || milliseconds < 0)
        refuse(shape, node, key->name, "a duration such as 500ms, 20s, 5m, 4h or 1h30m");
    else if (milliseconds == 0 && !zero)
        config_problem_error(shape->problems, node->place,
                             "\"%s\" has to be longer than nothing: write 1s or more", key->name);
}

static void check_size(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    const char *text = config_node_text(node);
    int64_t bytes = 0;

    if (text != NULL && text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
        config_problem_error(shape->problems, node->place,
                             "\"%s\" wants a size with its unit: %sB, %sKiB or %sMiB, not a bare "
                             "number",
                             key->name, text, text, text);
    else if (text == NULL || !size_parse(text, &bytes) || bytes <= 0)
        refuse(shape, node, key->name, "a size such as 64KiB or 4MiB");
}

static void check_integer(struct shape *shape, struct config_node *node,
                          const struct config_key *key)
{
    char *rest = NULL;
    gint64 lowest = g_ascii_strtoll(key->argument, &rest, 10);
    gint64 highest = g_ascii_strtoll(rest + 2, NULL, 10);
    const char *text = config_node_text(node);
    g_autofree char *wanted = g_strdup_printf(
        "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, lowest, highest);
    gint64 number = 0;

    if (text == NULL || node->style != CONFIG_NODE_PLAIN ||
        !g_ascii_string_to_signed(text, 10, lowest, highest, &number, NULL) ||
        config_text_is_number_like(text))
        refuse(shape, node, key->name, wanted);
}

static void check_boolean(struct shape *shape, struct config_node *node,
                          const struct config_key *key)
{
    static const char *const words[] = {"true", "false", "True", "False", "TRUE", "FALSE", NULL};
    const char *text = config_node_text(node);

    if (text == NULL || node->style != CONFIG_NODE_PLAIN || !g_strv_contains(words, text))
        refuse(shape, node, key->name, "true or false");
}

static void check_flag(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    const char *text = config_node_text(node);

    if (node->kind != CONFIG_NODE_NULL && (text == NULL || strcmp(text, "true") != 0))
        refuse(shape, node, key->name, "true: it takes no name");
}

static void check_word(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    const char *text = config_node_text(node);
    g_auto(GStrv) words = g_strsplit(key->argument, "|", -1);

    if (text != NULL && g_strv_contains((const char *const *)words, text))
        return;
    g_autofree char *list = g_strjoinv(", ", words);
    g_autofree char *wanted =
        words[1] == NULL ? g_strdup(list) : g_strdup_printf("one of %s", list);

    refuse(shape, node, key->name, wanted);
}

static void check_json(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    (void)key;
    if (node->kind == CONFIG_NODE_SCALAR)
        check_number_like(shape, node);
    else if (node->kind == CONFIG_NODE_LIST)
        for (unsigned i = 0; i < node->count; i++)
            check_json(shape, node->items[i], key);
    else if (node->kind == CONFIG_NODE_MAP)
        for (unsigned i = 0; i < node->count; i++)
            check_json(shape, node->entries[i].value, key);
}

static void check_amount(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    if (node->kind != CONFIG_NODE_SCALAR)
        refuse(shape, node, key->name, "a number, a duration or a size");
    else
        check_number_like(shape, node);
}

static void check_types(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    static const struct config_key words = {
        .name = "type", .argument = "string|number|integer|boolean|null|array|object"};

    if (node->kind == CONFIG_NODE_NULL && config_node_text(node) == NULL && node->text != NULL)
        return; // the word null, unquoted
    if (node->kind != CONFIG_NODE_LIST) {
        check_word(shape, node, &words);
        return;
    }
    for (unsigned i = 0; i < node->count; i++)
        check_types(shape, node->items[i], key);
}

static bool want_map(struct shape *shape, const struct config_node *node, const char *name)
{
    if (node->kind == CONFIG_NODE_MAP)
        return true;
    refuse(shape, node, name, "a map of keys and values");
    return false;
}

static void check_names(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (!want_map(shape, node, key->name))
        return;
    enum config_map map = config_map_by_name(key->argument);

    for (unsigned i = 0; i < node->count; i++)
        check_map(shape, node->entries[i].value, map, node->entries[i].key);
}

static void check_maps(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (node->kind != CONFIG_NODE_LIST) {
        refuse(shape, node, key->name, "a list of maps");
        return;
    }
    for (unsigned i = 0; i < node->count; i++)
        check_map(shape, node->items[i], config_map_by_name(key->argument), key->name);
}

// Each value of a map is of one type: fields, values, roles, named checks.
static void check_each(struct shape *shape, struct config_node *node, const struct config_key *key,
                       enum config_type type)
{
    if (!want_map(shape, node, key->name))
        return;
    for (unsigned i = 0; i < node->count; i++) {
        struct config_key each = {.name = node->entries[i].key, .type = type, .argument = ""};

        check_value(shape, node->entries[i].value, &each);
    }
}

static void check_fields(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_LIST);
}

static void check_values(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_JSON);
}

static void check_roles(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_TEXT);
}

// A name without a colon, as XML has it.
static bool is_prefix(const char *text)
{
    if (!g_ascii_isalpha(text[0]) && text[0] != '_' && (unsigned char)text[0] < 0x80)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && strchr("_-.", *at) == NULL && (unsigned char)*at < 0x80)
            return false;
    return true;
}

static void check_namespaces(struct shape *shape, struct config_node *node,
                             const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_TEXT);
    for (unsigned i = 0; node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        const char *uri = config_node_text(entry->value);

        if (!is_prefix(entry->key))
            config_problem_error(shape->problems, entry->place,
                                 "\"%s\" cannot be a prefix: write a short name such as erp, and "
                                 "use it as in //erp:No",
                                 entry->key);
        else if (uri != NULL && uri[0] == '\0')
            config_problem_error(shape->problems, entry->value->place,
                                 "a prefix stands for a namespace: leave this one out; elements "
                                 "without a namespace are selected without a prefix");
    }
}

static void check_named_patterns(struct shape *shape, struct config_node *node,
                                 const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_PATTERN);
}

static void check_named_checks(struct shape *shape, struct config_node *node,
                               const struct config_key *key)
{
    check_each(shape, node, key, CONFIG_TYPE_CHECKS);
    if (strcmp(key->name, "regex") != 0 || node->kind != CONFIG_NODE_MAP)
        return;
    for (unsigned i = 0; i < node->count; i++) {
        struct config_node pattern = {.kind = CONFIG_NODE_SCALAR,
                                      .style = CONFIG_NODE_QUOTED,
                                      .place = node->entries[i].place,
                                      .text = node->entries[i].key};

        check_pattern(shape, &pattern, key);
    }
}

static void check_only_if(struct shape *shape, struct config_node *node,
                          const struct config_key *key)
{
    if (node->kind == CONFIG_NODE_MAP && node->count != 1)
        config_problem_error(
            shape->problems, node->place,
            "\"only_if\" takes one name with its operators: {name: {exists: true}}");
    else
        check_each(shape, node, key, CONFIG_TYPE_CHECKS);
}

static void check_steps(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (node->kind != CONFIG_NODE_LIST) {
        refuse(shape, node, key->name, "a list of steps, each with - step: NAME");
        return;
    }
    if (node->count == 0)
        config_problem_error(shape->problems, node->place,
                             "\"steps\" is empty: write at least one, with - step: NAME");
    for (unsigned i = 0; i < node->count; i++)
        check_map(shape, node->items[i], CONFIG_MAP_STEP, "a step");
}

static void check_undo(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (node->kind != CONFIG_NODE_LIST) {
        check_map(shape, node, CONFIG_MAP_UNDO, key->name);
        return;
    }
    if (node->count == 0)
        config_problem_error(shape->problems, node->place,
                             "\"undo\" is empty: write a call, or {none: why}");
    for (unsigned i = 0; i < node->count; i++)
        check_map(shape, node->items[i], CONFIG_MAP_UNDO_CALL, key->name);
}

static bool is_selector_word(const struct config_node *node)
{
    static const char *const words[] = {"status", "time", "size", "body", "certificate", NULL};
    const char *text = config_node_text(node);

    return text != NULL && g_strv_contains(words, text);
}

static void check_selector_as(struct shape *shape, struct config_node *node, const char *name,
                              enum config_map map)
{
    const char *text = config_node_text(node);

    if (is_selector_word(node))
        return;
    if (text != NULL && text[0] == '$')
        config_problem_error(shape->problems, node->place,
                             "\"%s\" has to say what selects: write {json: '%s'}", name, text);
    else if (node->kind != CONFIG_NODE_MAP)
        refuse(shape, node, name, "a selector such as {json: $.id} or {header: Location}");
    else
        check_map(shape, node, map, name);
}

static void check_selector(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    check_selector_as(shape, node, key->name, CONFIG_MAP_SELECTOR);
}

// A JSONPath as it is, or a selector.
static void check_items(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    const char *text = config_node_text(node);

    if (text != NULL && text[0] != '$')
        refuse(shape, node, key->name, "a JSONPath such as '$.value[*]'");
    else if (text == NULL)
        check_selector_as(shape, node, key->name, CONFIG_MAP_SELECTOR);
}

static void check_captures(struct shape *shape, struct config_node *node,
                           const struct config_key *key)
{
    if (!want_map(shape, node, key->name))
        return;
    for (unsigned i = 0; i < node->count; i++)
        check_selector_as(shape, node->entries[i].value, node->entries[i].key, CONFIG_MAP_CAPTURE);
}

static void check_checks(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    if (node->kind == CONFIG_NODE_MAP)
        check_map(shape, node, CONFIG_MAP_OPERATORS, key->name);
    else if (node->kind == CONFIG_NODE_NULL && node->text == NULL)
        refuse(shape, node, key->name, "a value or operators such as {exists: true}");
    else
        check_json(shape, node, key);
}

static void check_submap(struct shape *shape, struct config_node *node,
                         const struct config_key *key)
{
    check_map(shape, node, config_map_by_name(key->argument), key->name);
}

typedef void (*checker)(struct shape *, struct config_node *, const struct config_key *);

// Types without a row here are texts.
static const checker checkers[] = {
    [CONFIG_TYPE_TEMPLATE] = check_template,
    [CONFIG_TYPE_FILENAME] = check_filename,
    [CONFIG_TYPE_URLS] = check_list,
    [CONFIG_TYPE_EMAILS] = check_list,
    [CONFIG_TYPE_CONTACTS] = check_list,
    [CONFIG_TYPE_ROLES] = check_roles,
    [CONFIG_TYPE_NAMESPACES] = check_namespaces,
    [CONFIG_TYPE_DURATION] = check_duration,
    [CONFIG_TYPE_DURATION_OR_ZERO] = check_duration,
    [CONFIG_TYPE_SIZE] = check_size,
    [CONFIG_TYPE_INTEGER] = check_integer,
    [CONFIG_TYPE_BOOLEAN] = check_boolean,
    [CONFIG_TYPE_FLAG] = check_flag,
    [CONFIG_TYPE_WORD] = check_word,
    [CONFIG_TYPE_LIST] = check_list,
    [CONFIG_TYPE_JSON] = check_json,
    [CONFIG_TYPE_AMOUNT] = check_amount,
    [CONFIG_TYPE_TYPES] = check_types,
    [CONFIG_TYPE_MAP] = check_submap,
    [CONFIG_TYPE_NAMES] = check_names,
    [CONFIG_TYPE_MAPS] = check_maps,
    [CONFIG_TYPE_FIELDS] = check_fields,
    [CONFIG_TYPE_VALUES] = check_values,
    [CONFIG_TYPE_STEPS] = check_steps,
    [CONFIG_TYPE_UNDO] = check_undo,
    [CONFIG_TYPE_CAPTURES] = check_captures,
    [CONFIG_TYPE_SELECTOR] = check_selector,
    [CONFIG_TYPE_CHECKS] = check_checks,
    [CONFIG_TYPE_NAMED_CHECKS] = check_named_checks,
    [CONFIG_TYPE_ONLY_IF] = check_only_if,
    [CONFIG_TYPE_ITEMS] = check_items,
    [CONFIG_TYPE_PATTERN] = check_whole_pattern,
    [CONFIG_TYPE_PATTERNS] = check_patterns,
    [CONFIG_TYPE_NAMED_PATTERNS] = check_named_patterns,
    [CONFIG_TYPE_STATUSES] = check_statuses,
};

// What is a setting and no template: a template's references are filled in when
// it is rendered.
static bool is_setting(enum config_type type)
{
    static const bool settings[] = {
        [CONFIG_TYPE_TEXT] = true,     [CONFIG_TYPE_URLS] = true,
        [CONFIG_TYPE_FILENAME] = true, [CONFIG_TYPE_TIMEZONE] = true,
        [CONFIG_TYPE_CRON] = true,     [CONFIG_TYPE_ADDRESS] = true,
        [CONFIG_TYPE_EMAILS] = true,   [CONFIG_TYPE_DURATION] = true,
        [CONFIG_TYPE_SIZE] = true,     [CONFIG_TYPE_DURATION_OR_ZERO] = true,
        [CONFIG_TYPE_INTEGER] = true,  [CONFIG_TYPE_BOOLEAN] = true,
        [CONFIG_TYPE_WORD] = true,
    };

    return type < G_N_ELEMENTS(settings) && settings[type];
}

static void expand(struct shape *shape, struct config_node *node)
{
    if (node->kind == CONFIG_NODE_SCALAR && strstr(node->text, "${") != NULL)
        shape->expand(node, shape->user);
    for (unsigned i = 0; node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        expand(shape, node->items[i]);
}

static void check_value(struct shape *shape, struct config_node *node, const struct config_key *key)
{
    if (shape->expand != NULL && is_setting(key->type))
        expand(shape, node);
    if (node->kind == CONFIG_NODE_BROKEN)
        return;
    checker check = key->type < G_N_ELEMENTS(checkers) ? checkers[key->type] : NULL;

    (check != NULL ? check : check_text)(shape, node, key);
}

static void unknown_key(struct shape *shape, const struct config_entry *entry, enum config_map map)
{
    const GPtrArray *names = config_map_names(map);
    const char *guess = config_problem_guess(entry->key, names);

    if (guess != NULL) {
        config_problem_error(shape->problems, entry->place,
                             "unknown key \"%s\": did you mean \"%s\"?", entry->key, guess);
        return;
    }
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", (const char *)names->pdata[i]);
    config_problem_error(shape->problems, entry->place, "unknown key \"%s\" in %s: known are %s",
                         entry->key, config_map_info(map)->title, list->str);
}

static void check_needed(struct shape *shape, const struct config_node *node, enum config_map map,
                         const char *name)
{
    const GPtrArray *keys = config_map_keys(map);

    for (unsigned i = 0; i < keys->len && !config_map_is_filled_in(map); i++) {
        const struct config_key *key = keys->pdata[i];

        if (key->needed && config_node_entry(node, key->name) == NULL)
            config_problem_error(shape->problems, node->place,
                                 "\"%s\" is missing in %s: write \"%s: …\". %s", key->name, name,
                                 key->name, key->sentence);
    }
}

static void check_map(struct shape *shape, struct config_node *node, enum config_map map,
                      const char *name)
{
    if (node->kind == CONFIG_NODE_BROKEN || node->checked == 1 + (unsigned char)map ||
        !want_map(shape, node, name))
        return;
    node->checked = 1 + (unsigned char)map;
    for (unsigned i = 0; i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        const struct config_key *key = config_map_key(map, entry->key);

        if (key != NULL)
            check_value(shape, entry->value, key);
        else if ((map != CONFIG_MAP_ROOT && map != CONFIG_MAP_PACK_FILE) ||
                 !g_str_has_prefix(entry->key, "x-"))
            unknown_key(shape, entry, map);
    }
    check_needed(shape, node, map, name);
}

void config_shape_check(struct config_node *node, enum config_map map, GPtrArray *problems,
                        config_shape_expand expander, void *user)
{
    struct shape shape = {problems, expander, user};

    check_map(&shape, node, map, config_map_info(map)->title);
}

void config_shape_check_key(struct config_node *node, const struct config_key *key,
                            GPtrArray *problems)
{
    struct shape shape = {problems, NULL, NULL};

    check_value(&shape, node, key);
}
