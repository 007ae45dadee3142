// SPDX-License-Identifier: MIT
// Reads selectors, operators, expectations and captures: section 4 of the
// language. Used for calls, lookups, sessions and undos alike.
#include "config_read.h"

#include "../base/duration.h"
#include "../base/json.h"
#include "config_problem.h"
#include "intern.h"

#include <string.h>

static const char selector_words[] =
    "status|time|size|header|cookie|json|regex|body|xml|html|certificate";

static bool is_markup(enum selector_kind kind)
{
    return kind == SELECTOR_XML || kind == SELECTOR_HTML;
}

static struct selector *compile(struct config_reader *reader, enum selector_kind kind,
                                const char *argument, struct config_place place)
{
    struct selector *selector = selector_new(kind, argument);
    g_autoptr(GError) error = NULL;

    selector->place = place;
    if (is_markup(kind) && reader->namespaces != NULL)
        selector->namespaces = g_hash_table_ref(reader->namespaces);
    if (!selector_compile(selector, &error)) {
        if (!reader->any_prefix || !g_error_matches(error, XML_ERROR, XML_ERROR_PREFIX))
            config_problem_error(reader->problems, place, "%s", error->message);
        g_clear_pointer(&selector, selector_free);
    }
    return selector;
}

// An argument that may have holes.
static bool has_expression(enum selector_kind kind)
{
    return kind == SELECTOR_JSON || kind == SELECTOR_REGEX || is_markup(kind);
}

static bool has_argument(enum selector_kind kind)
{
    return kind == SELECTOR_HEADER || kind == SELECTOR_COOKIE || has_expression(kind);
}

static struct selector *selector_of_entry(struct config_reader *reader,
                                          const struct config_entry *entry, enum selector_kind kind)
{
    const char *argument = config_node_text(entry->value);

    if (!has_argument(kind))
        return compile(reader, kind, NULL, entry->place);
    if (argument == NULL)
        return NULL;
    if (has_expression(kind))
        config_read_argument(reader, entry->value, argument);
    return compile(reader, kind, argument, entry->value->place);
}

struct selector *config_read_selector(struct config_reader *reader, const struct config_node *node)
{
    const struct config_entry *found = NULL;
    int kind = config_read_word(node, selector_words, -1), found_kind = 0;

    if (kind >= 0)
        return compile(reader, (enum selector_kind)kind, NULL, node->place);
    if (node->kind != CONFIG_NODE_MAP)
        return NULL;
    for (unsigned i = 0; i < node->count; i++) {
        struct config_node word = {.kind = CONFIG_NODE_SCALAR, .text = node->entries[i].key};

        kind = config_read_word(&word, selector_words, -1);
        if (kind >= 0 && found != NULL)
            config_problem_error(reader->problems, node->entries[i].place,
                                 "\"%s\" and \"%s\" both select: leave one out", found->key,
                                 node->entries[i].key);
        if (kind >= 0) {
            found = &node->entries[i];
            found_kind = kind;
        }
    }
    if (found == NULL)
        return NULL;
    GHashTable *outer = config_namespaces_enter(reader, node);
    struct selector *selector = selector_of_entry(reader, found, (enum selector_kind)found_kind);

    config_namespaces_leave(reader, outer);
    return selector;
}

// The operand of a status as JSON: a number, or a class such as 2xx.
static cJSON *status_operand(struct config_reader *reader, const struct config_node *node)
{
    const char *text = config_node_text(node);

    if (text != NULL && strlen(text) == 3 && text[0] >= '1' && text[0] <= '5') {
        if (g_ascii_isdigit(text[1]) && g_ascii_isdigit(text[2]))
            return json_new_number(text);
        if (strcmp(text + 1, "xx") == 0)
            return cJSON_CreateString(text);
    }
    config_problem_error(
        reader->problems, node->place,
        "a status is a number such as 201, a class such as 2xx, or a list of them");
    return NULL;
}

// Selectors of amounts: how they are told of.
static const struct {
    const char *word, *example;
} amounts[] = {
    [SELECTOR_TIME] = {"a time", "{below: 5s}"},
    [SELECTOR_SIZE] = {"a size", "{below: 64KiB}"},
    [SELECTOR_CERTIFICATE] = {"the time left of a certificate", "{above: 14d}"},
};

static bool is_amount(enum selector_kind kind)
{
    return kind == SELECTOR_TIME || kind == SELECTOR_SIZE || kind == SELECTOR_CERTIFICATE;
}

// The operand of time, certificate (milliseconds) or size (bytes) as JSON.
static cJSON *amount_operand(struct config_reader *reader, const struct config_node *node,
                             enum selector_kind kind)
{
    const char *text = config_node_text(node);
    int64_t amount = 0;
    bool good = text != NULL &&
                (kind == SELECTOR_SIZE ? size_parse(text, &amount) : duration_parse(text, &amount));

    if (good) {
        g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, amount);

        return json_new_number(digits);
    }
    config_problem_error(reader->problems, node->place, "%s is written with its unit, as in %s",
                         amounts[kind].word, amounts[kind].example);
    return NULL;
}

static void add_operand(struct config_reader *reader, struct check *check,
                        const struct config_node *node, enum selector_kind kind)
{
    struct template *operand = NULL;
    g_autoptr(cJSON) json = NULL;

    if (kind == SELECTOR_STATUS || is_amount(kind)) {
        json = kind == SELECTOR_STATUS ? status_operand(reader, node)
                                       : amount_operand(reader, node, kind);
        operand = json != NULL ? intern_template_json(json, false, NULL) : NULL;
    } else {
        operand = config_read_json(reader, node, false);
    }
    if (operand == NULL)
        return;
    g_ptr_array_add(check->operands, operand);
    const char *constant = template_constant(operand);
    cJSON *value = constant != NULL ? json_parse(constant, strlen(constant), NULL) : NULL;

    if (value != NULL && check->constants != NULL)
        g_ptr_array_add(check->constants, value);
    else if (value == NULL)
        g_clear_pointer(&check->constants, g_ptr_array_unref);
    else
        cJSON_Delete(value);
}

static void free_template(void *data)
{
    intern_release_template(data);
}

static void read_pattern(struct config_reader *reader, struct check *check,
                         const struct config_node *node)
{
    const char *pattern = config_node_text(node);
    g_autoptr(GError) error = NULL;

    if (pattern == NULL || strstr(pattern, "{{") != NULL || strstr(pattern, "${") != NULL)
        return;
    check->regex = intern_regex(pattern, &error);
    if (check->regex == NULL)
        config_problem_error(reader->problems, node->place, "%s", error->message);
}

// What an operator asks about what it is given: `count` and `length` ask about a
// number, the others about the selected value itself.
static enum selector_kind kind_within(enum check_operator operator, enum selector_kind kind)
{
    bool counts = operator== CHECK_COUNT || operator== CHECK_LENGTH;
    bool plain = operator== CHECK_EXISTS || operator== CHECK_TYPE || operator== CHECK_EMPTY ||
    operator== CHECK_MATCHES;

    return counts || plain ? SELECTOR_BODY : kind;
}

static char *describe(const char *operator, const struct config_node * node)
{
    g_autoptr(cJSON) json = config_node_to_json(node);
    g_autofree char *text = json_print(json, false);

    return g_strdup_printf("%s %s", operator, text);
}

// It belongs to a whole expectation.
static void refuse_only_if(struct config_reader *reader, const struct config_node *node)
{
    const struct config_entry *entry = config_node_entry(node, "only_if");

    if (entry != NULL)
        config_problem_error(reader->problems, entry->place,
                             "\"only_if\" stands beside the outermost operators, not within one");
}

static struct check *read_check(struct config_reader *reader, enum check_operator operator,
                                const char * name, const struct config_node *node,
                                enum selector_kind kind)
{
    struct check *check = check_new(operator);
    bool nests = operator== CHECK_NOT || operator== CHECK_COUNT || operator== CHECK_LENGTH ||
    operator== CHECK_ANY;
    bool list = operator== CHECK_ONE_OF || operator== CHECK_TYPE;

    kind = kind_within(operator, kind);
    check->place = node->place;
    check->source = describe(name, node);
    check->operands = g_ptr_array_new_with_free_func(free_template);
    if (nests && node->kind == CONFIG_NODE_MAP) {
        refuse_only_if(reader, node);
        check->nested = config_read_checks(reader, node, kind);
        return check;
    }
    check->constants = json_list_new();
    if (list && node->kind == CONFIG_NODE_LIST) {
        for (unsigned i = 0; i < node->count; i++)
            add_operand(reader, check, node->items[i], kind);
        if (node->count == 0)
            config_problem_error(reader->problems, node->place,
                                 "this list is empty: nothing can be one of it");
    } else {
        add_operand(reader, check, node, kind);
    }
    if (operator== CHECK_MATCHES)
        read_pattern(reader, check, node);
    return check;
}

static const char *const operator_names[] = {
    [CHECK_EQUALS] = "equals",     [CHECK_NOT] = "not",         [CHECK_CONTAINS] = "contains",
    [CHECK_MATCHES] = "matches",   [CHECK_ABOVE] = "above",     [CHECK_BELOW] = "below",
    [CHECK_AT_LEAST] = "at_least", [CHECK_AT_MOST] = "at_most", [CHECK_ONE_OF] = "one_of",
    [CHECK_COUNT] = "count",       [CHECK_LENGTH] = "length",   [CHECK_EXISTS] = "exists",
    [CHECK_TYPE] = "type",         [CHECK_EMPTY] = "empty",     [CHECK_ANY] = "any",
};

static void free_check(void *data)
{
    check_free(data);
}

static void read_bare(struct config_reader *reader, const struct config_node *node,
                      enum selector_kind kind, GPtrArray *checks)
{
    bool status_list = kind == SELECTOR_STATUS && node->kind == CONFIG_NODE_LIST;

    if (is_amount(kind)) {
        config_problem_error(reader->problems, node->place, "%s needs an operator: %s",
                             amounts[kind].word, amounts[kind].example);
        return;
    }
    if (node->kind == CONFIG_NODE_LIST && kind != SELECTOR_JSON && !status_list) {
        config_problem_error(reader->problems, node->place,
                             "no text equals a list: write {one_of: […]}");
        return;
    }
    enum check_operator operator= status_list ? CHECK_ONE_OF : CHECK_EQUALS;

    g_ptr_array_add(checks, read_check(reader, operator, operator_names[operator], node, kind));
}

GPtrArray *config_read_checks(struct config_reader *reader, const struct config_node *node,
                              enum selector_kind kind)
{
    GPtrArray *checks = g_ptr_array_new_with_free_func(free_check);

    if (node->kind == CONFIG_NODE_BROKEN)
        return checks;
    if (node->kind != CONFIG_NODE_MAP) {
        read_bare(reader, node, kind, checks);
        return checks;
    }
    if (node->count == 0 || (node->count == 1 && config_node_get(node, "only_if") != NULL))
        config_problem_error(reader->problems, node->place,
                             "there is no operator in this map: write one, or {equals: {}}");
    for (unsigned i = 0; i < node->count; i++) {
        for (unsigned operator= 0; operator<G_N_ELEMENTS(operator_names); operator++) {
            if (strcmp(node->entries[i].key, operator_names[operator]) == 0)
                g_ptr_array_add(checks,
                                read_check(reader, operator,
                                           operator_names[operator], node->entries[i].value, kind));
        }
    }
    return checks;
}

GPtrArray *config_read_only_if(struct config_reader *reader, const struct config_node *node,
                               char **name)
{
    const struct config_node *only_if = config_node_get(node, "only_if");

    if (only_if == NULL || only_if->kind != CONFIG_NODE_MAP || only_if->count != 1)
        return NULL;
    const struct config_entry *entry = &only_if->entries[0];
    g_autofree char *hole = g_strdup_printf("{{%s}}", entry->key);
    struct config_node word = {.kind = CONFIG_NODE_SCALAR, .place = entry->place, .text = hole};

    config_read_argument(reader, &word, hole);
    refuse_only_if(reader, entry->value);
    *name = g_strdup(entry->key);
    return config_read_checks(reader, entry->value, SELECTOR_JSON);
}

static void add_expectation(struct config_reader *reader, struct selector *selector,
                            const struct config_entry *entry, GPtrArray *expectations)
{
    if (selector == NULL)
        return;
    struct expectation *expectation = expectation_new();

    expectation->place = entry->place;
    expectation->selector = selector;
    g_ptr_array_unref(expectation->checks);
    expectation->checks = config_read_checks(reader, entry->value, selector->kind);
    expectation->only_if = config_read_only_if(reader, entry->value, &expectation->only_if_name);
    g_ptr_array_add(expectations, expectation);
}

// header, cookie, json, regex: a map of arguments to checks.
static void read_named(struct config_reader *reader, const struct config_node *node,
                       enum selector_kind kind, GPtrArray *expectations)
{
    for (unsigned i = 0; node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        struct config_node key = {
            .kind = CONFIG_NODE_SCALAR, .place = entry->place, .text = entry->key};

        if (has_expression(kind))
            config_read_argument(reader, &key, entry->key);
        add_expectation(reader, compile(reader, kind, entry->key, entry->place), entry,
                        expectations);
    }
}

// Expectations on captured values, by name.
static void read_from(struct config_reader *reader, const struct config_node *node,
                      GPtrArray *expectations)
{
    for (unsigned i = 0; node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        unsigned first = expectations->len;
        g_autofree char *hole = g_strdup_printf("{{%s}}", entry->key);
        struct config_node key = {.kind = CONFIG_NODE_SCALAR, .place = entry->place, .text = hole};

        config_read_argument(reader, &key, hole);
        config_read_expect(reader, entry->value, expectations);
        for (unsigned j = first; j < expectations->len; j++) {
            struct expectation *expectation = expectations->pdata[j];

            if (expectation->from == NULL)
                expectation->from = g_strdup(entry->key);
        }
    }
}

void config_read_expect(struct config_reader *reader, const struct config_node *node,
                        GPtrArray *expectations)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    if (node->count == 0)
        config_problem_error(reader->problems, node->place,
                             "this map is empty: write what is expected, as in {status: 200}");
    for (unsigned i = 0; i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        struct config_node word = {.kind = CONFIG_NODE_SCALAR, .text = entry->key};
        int kind = config_read_word(&word, selector_words, -1);

        if (strcmp(entry->key, "from") == 0)
            read_from(reader, entry->value, expectations);
        else if (kind >= 0 && has_argument((enum selector_kind)kind))
            read_named(reader, entry->value, (enum selector_kind)kind, expectations);
        else if (kind >= 0)
            add_expectation(reader, compile(reader, (enum selector_kind)kind, NULL, entry->place),
                            entry, expectations);
    }
}

// A value made from a secret one is secret too.
static bool is_secret_name(struct config_reader *reader, const char *name)
{
    const struct config_name *found =
        reader->scope != NULL ? config_scope_find(reader->scope, name) : NULL;

    return found != NULL && found->secret;
}

static void read_source(struct config_reader *reader, const struct config_node *node,
                        struct capture *capture)
{
    const struct config_node *from = config_node_get(node, "from");

    capture->selector = config_read_selector(reader, node);
    if (config_node_text(from) != NULL) {
        g_autofree char *hole = g_strdup_printf("{{%s}}", from->text);

        capture->from = g_strdup(from->text);
        config_read_argument(reader, from, hole);
        capture->secret = is_secret_name(reader, from->text);
    }
    if (capture->selector == NULL && capture->from == NULL && node->kind == CONFIG_NODE_MAP) {
        bool tried = false; // a selector that is there but wrong has been told of
        for (unsigned i = 0; i < node->count; i++) {
            struct config_node word = {.kind = CONFIG_NODE_SCALAR, .text = node->entries[i].key};

            tried |= config_read_word(&word, selector_words, -1) >= 0;
        }
        if (!tried)
            config_problem_error(reader->problems, node->place,
                                 "the capture \"%s\" selects nothing: write {json: $.id}, "
                                 "{header: Location} or the like",
                                 capture->name);
    }
}

static struct capture *read_capture(struct config_reader *reader, const struct config_entry *entry,
                                    bool secret)
{
    const struct config_node *node = entry->value;
    struct capture *capture = capture_new(entry->key);
    const struct config_node *fallback = config_node_get(node, "default");
    const struct config_node *then = config_node_get(node, "then");

    capture->place = entry->place;
    read_source(reader, node, capture);
    capture->decode = (enum capture_decode)(
        1 + config_read_word(config_node_get(node, "decode"), "base64|url|html", -1));
    capture->then = then != NULL ? config_read_selector(reader, then) : NULL;
    capture->as_url = config_node_get(node, "as") != NULL;
    capture->all = config_read_boolean(config_node_get(node, "all"), false);
    capture->secret |= secret || config_read_boolean(config_node_get(node, "secret"), false);
    capture->fallback = fallback != NULL ? config_read_json(reader, fallback, false) : NULL;
    return capture;
}

void config_read_captures(struct config_reader *reader, const struct config_node *node,
                          bool all_secret, GPtrArray *captures)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        struct capture *capture = read_capture(reader, &node->entries[i], all_secret);

        g_ptr_array_add(captures, capture);
        if (reader->scope == NULL)
            continue;
        config_scope_add(reader->scope, capture->name, capture->place, capture->secret,
                         reader->problems);
        if (capture->secret)
            config_read_note_secret(reader, "the capture \"%s\" at %s:%d:%d", capture->name,
                                    capture->place.file, capture->place.line,
                                    capture->place.column);
    }
}
