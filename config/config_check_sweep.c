// SPDX-License-Identifier: MIT
// Holds a sweep to what keeps it from deleting records of others: its search only
// reads, its `only` names the mark, its undo says which record. Comes after
// config_read_sweep; probes/sweep judges each item again by the same mark.
#include "config_read.h"

#include "config_problem.h"

#include <string.h>

// A shorter mark stands in texts of others, too.
enum { MARK_LEAST = 3 };

// Texts that no test record has as its mark: a pattern that matches one of them
// tells nothing apart.
static const char *const foreign[] = {"", "0", "1", "a", "SO-1001", "10042", "Acme B.V.", "test"};

static struct config_place place_of(const struct config_node *node, const char *key)
{
    const struct config_entry *entry = config_node_entry(node, key);

    return entry != NULL ? entry->place : node->place;
}

// The mark as it is to be written: a pack serves agents with any.
static const char *written_mark(const struct config_reader *reader)
{
    return reader->in_pack ? "{{mark}}" : config_read_mark(reader);
}

// The pattern's text with \- as -, so that a mark is found where it is escaped.
static char *unescape(const char *pattern)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (const char *at = pattern; *at != '\0'; at++) {
        if (at[0] == '\\' && at[1] != '\0' && !g_ascii_isalnum(at[1]))
            at++;
        g_string_append_c(text, *at);
    }
    return g_strdup(text->str);
}

// True where `text` holds the mark; ERPs that change case keep it recognisable.
static bool holds_mark(const char *text, const char *mark)
{
    g_autofree char *low_text = g_ascii_strdown(text, -1);
    g_autofree char *low_mark = g_ascii_strdown(mark, -1);

    return strstr(low_text, low_mark) != NULL;
}

// True where each of the check's operands is a text with the mark.
static bool operands_name_mark(const struct check *check, const char *mark)
{
    for (unsigned i = 0; check->constants != NULL && i < check->constants->len; i++) {
        const cJSON *operand = check->constants->pdata[i];
        g_autofree char *text = cJSON_IsString(operand) ? unescape(operand->valuestring) : NULL;

        if (text == NULL || !holds_mark(text, mark))
            return false;
    }
    return check->constants != NULL && check->constants->len > 0;
}

// True where what holds this check certainly holds the mark.
static bool names_mark(const struct check *check, const char *mark)
{
    bool any = false;

    switch (check->operator) {
    case CHECK_EQUALS:
    case CHECK_CONTAINS:
    case CHECK_MATCHES:
    case CHECK_ONE_OF:
        return operands_name_mark(check, mark);
    case CHECK_ANY:
        for (unsigned i = 0; check->nested != NULL && i < check->nested->len; i++)
            any |= names_mark(check->nested->pdata[i], mark);
        return any || operands_name_mark(check, mark);
    default:
        return false;
    }
}

// A pattern that names the mark, and yet matches what does not hold it.
static bool check_pattern(struct config_reader *reader, const struct check *check, const char *mark)
{
    g_autofree char *shorter = g_strndup(mark, strlen(mark) - 1);
    const char *matched = NULL;

    if (check->operator!= CHECK_MATCHES || check->regex == NULL)
        return true;
    if (regex_match(check->regex, shorter, strlen(shorter), 0, NULL, NULL))
        matched = shorter;
    for (unsigned i = 0; i < G_N_ELEMENTS(foreign) && matched == NULL; i++)
        if (regex_match(check->regex, foreign[i], strlen(foreign[i]), 0, NULL, NULL))
            matched = foreign[i];
    if (matched != NULL)
        config_problem_error(reader->problems, check->place,
                             "this pattern matches \"%s\", too, which is no record of ours: "
                             "write '^%s'",
                             matched, written_mark(reader));
    return matched == NULL;
}

// True where one of the checks names the mark; a wrong pattern is complained of.
static bool checks_name_mark(struct config_reader *reader, const GPtrArray *checks,
                             const char *mark)
{
    bool named = false;

    for (unsigned i = 0; i < checks->len; i++) {
        const struct check *check = checks->pdata[i];

        if (!names_mark(check, mark))
            continue;
        named = true;
        if (!check_pattern(reader, check, mark))
            return true;
    }
    return named;
}

// What an item, which is a part of an answer, can be judged by.
static bool is_of_item(enum selector_kind kind)
{
    return kind == SELECTOR_JSON || kind == SELECTOR_XML || kind == SELECTOR_REGEX ||
           kind == SELECTOR_BODY;
}

// What selects one field of an item: text that stands anywhere in it does not make it ours.
static bool selects_field(const struct selector *selector)
{
    static const char *const whole[] = {"$", "/", "/*", NULL};
    bool path = selector->kind == SELECTOR_JSON || selector->kind == SELECTOR_XML;

    return path && !g_strv_contains(whole, selector->argument);
}

static void check_only(struct config_reader *reader, const struct config_node *node,
                       const struct config_sweep *sweep)
{
    const char *mark = config_read_mark(reader);
    bool named = false;

    for (unsigned i = 0; i < sweep->only->len; i++) {
        const struct expectation *expectation = sweep->only->pdata[i];

        if (expectation->from != NULL || !is_of_item(expectation->selector->kind)) {
            config_problem_error(reader->problems, expectation->place,
                                 "\"only\" judges an item alone, and this is not in it: write "
                                 "json: {$.FIELD: …}");
            return;
        }
        if (selects_field(expectation->selector))
            named |= checks_name_mark(reader, expectation->checks, mark);
    }
    if (!named && config_node_get(node, "only") != NULL)
        config_problem_error(reader->problems, place_of(node, "only"),
                             "\"only\" does not name the mark %s, which the test records hold, "
                             "so records of others could be deleted: write only: {json: "
                             "{$.FIELD: {matches: '^%s'}}} with the field that {{mark}} goes "
                             "into",
                             written_mark(reader), written_mark(reader));
}

static void check_mark(struct config_reader *reader, const struct config_sweep *sweep)
{
    const char *mark = config_read_mark(reader);

    if (strlen(mark) < MARK_LEAST)
        config_problem_error(reader->problems, sweep->place,
                             "agent.mark is \"%s\", too short to tell test records from those of "
                             "others: write at least %d characters there, such as ERPW-",
                             mark, MARK_LEAST);
}

static void check_search(struct config_reader *reader, const struct config_node *node,
                         const struct config_sweep *sweep)
{
    static const char *const writing[] = {"PUT", "PATCH", "DELETE", "HEAD", NULL};

    if (g_strv_contains(writing, sweep->call->method))
        config_problem_error(reader->problems, sweep->call->place,
                             "a sweep begins with a search, and %s is none: write get, or post "
                             "where the system searches by it; the delete belongs into \"undo\"",
                             sweep->call->method);
    if (sweep->items != NULL && sweep->items->kind != SELECTOR_JSON &&
        sweep->items->kind != SELECTOR_XML)
        config_problem_error(reader->problems, place_of(node, "items"),
                             "items are parts of the answer: write items: '$.value[*]', or items: "
                             "{xml: //Order}");
    if (sweep->at != NULL && !is_of_item(sweep->at->kind))
        config_problem_error(reader->problems, place_of(node, "at"),
                             "\"at\" judges an item alone, and this is not in it: write at: "
                             "{json: $.FIELD}");
}

struct name_search {
    const struct config_sweep *sweep;
    unsigned calls; // the undo's first so many calls come before
    bool of_item, of_undo;
};

static bool is_captured(const GPtrArray *captures, const char *name)
{
    for (unsigned i = 0; i < captures->len; i++)
        if (strcmp(((const struct capture *)captures->pdata[i])->name, name) == 0)
            return true;
    return false;
}

static bool is_set(const GPtrArray *fields, const char *name)
{
    for (unsigned i = 0; i < fields->len; i++)
        if (strcmp(((const struct call_field *)fields->pdata[i])->name, name) == 0)
            return true;
    return false;
}

static void search_name(const char *name, const struct template_reference *reference, void *user)
{
    struct name_search *search = user;

    if (reference != NULL)
        return;
    search->of_item |=
        is_captured(search->sweep->captures, name) || is_set(search->sweep->set, name);
    for (unsigned i = 0; i < search->calls; i++) {
        const struct call *call = search->sweep->undo->calls->pdata[i];

        search->of_undo |= is_captured(call->captures, name) || is_set(call->set, name);
    }
}

static void foreach_field(const GPtrArray *fields, template_visit visit, void *user)
{
    for (unsigned i = 0; i < fields->len; i++)
        template_foreach(((const struct call_field *)fields->pdata[i])->value, visit, user);
}

// What a call is about stands in its address or in its body.
static void foreach_target(const struct call *call, template_visit visit, void *user)
{
    if (call->path != NULL)
        template_foreach(call->path, visit, user);
    foreach_field(call->query, visit, user);
    foreach_field(call->form, visit, user);
    if (call->body != NULL)
        template_foreach(call->body, visit, user);
}

static void check_undo(struct config_reader *reader, const struct config_node *node,
                       const struct config_sweep *sweep)
{
    bool of_item = sweep->undo->calls->len == 0;
    struct config_place place = place_of(node, "undo");

    if (sweep->undo->none != NULL || sweep->undo->lookup != NULL || sweep->undo->later->len > 0) {
        config_problem_error(reader->problems, place,
                             "the sweep has found the record: write the call that deletes it, "
                             "without \"none\" and \"lookup\"");
        return;
    }
    for (unsigned i = 0; i < sweep->undo->calls->len; i++) {
        const struct call *call = sweep->undo->calls->pdata[i];
        bool deletes = strcmp(call->method, "DELETE") == 0;
        struct name_search own = {.sweep = sweep, .calls = i};

        foreach_target(call, search_name, &own);
        of_item |= own.of_item;
        if (deletes && !own.of_item && !own.of_undo) {
            config_problem_error(reader->problems, call->place,
                                 "this deletes the same for each item: capture what names the "
                                 "item, capture: {id: {json: $.id}}, and write {{id}} here");
            return;
        }
    }
    if (!of_item)
        config_problem_error(reader->problems, place,
                             "this does the same for each item: capture what names the item, "
                             "capture: {id: {json: $.id}}, and write {{id}} here");
}

static void search_page(const char *name, const struct template_reference *reference, void *user)
{
    bool *found = user;

    *found |= reference == NULL && strcmp(name, "page") == 0;
}

// A call that asks for the same page each time would never come to the second one.
static void check_pages(struct config_reader *reader, const struct config_node *node,
                        const struct config_sweep *sweep)
{
    bool used = sweep->pages.page_step == 0 || sweep->pages.next != NULL;

    foreach_target(sweep->call, search_page, &used);
    if (!used)
        config_problem_error(reader->problems, place_of(node, "pages"),
                             "the call never uses {{page}}, so each page would be the first: "
                             "write it into the query, as in query: {offset: '{{page}}'}");
}

void config_check_sweep(struct config_reader *reader, const struct config_node *node,
                        const struct config_sweep *sweep)
{
    check_mark(reader, sweep);
    check_only(reader, node, sweep);
    if (sweep->call == NULL)
        return;
    check_search(reader, node, sweep);
    check_pages(reader, node, sweep);
    if (sweep->undo != NULL)
        check_undo(reader, node, sweep);
}
