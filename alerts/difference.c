// SPDX-License-Identifier: MIT
// Compares a failing answer with the shape of the last good answer of the same
// step, which evidence_reduce left in the result: members that are missing, new,
// or of another type.
#include "difference.h"
#include "evidence.h"
#include "facts.h"
#include "safe_text.h"

#include <string.h>

enum { MOST_LINES = 12, PATH_CHARS = 120, DEEPEST = 8 };

struct comparison {
    const struct words *words;
    GString *text;
    int lines;
};

static const cJSON *last_good_step(const cJSON *facts)
{
    const cJSON *result = json_member(facts, "result");
    const char *name = json_text(facts_decisive_step(result), "step");
    const cJSON *step;

    cJSON_ArrayForEach(step, json_member(json_member(result, "last_good"), "steps"))
    {
        if (name != NULL && g_strcmp0(json_text(step, "step"), name) == 0)
            return step;
    }
    return NULL;
}

const cJSON *difference_last_good_timing(const cJSON *facts)
{
    return json_member(last_good_step(facts), "timing_ms");
}

// The type of a value in a shape, where texts are the words of types.
static const char *type_of(const cJSON *shape)
{
    if (cJSON_IsObject(shape))
        return "object";
    if (cJSON_IsArray(shape))
        return "array";
    if (cJSON_IsBool(shape))
        return "boolean";
    if (cJSON_IsNull(shape))
        return "null";
    return cJSON_IsNumber(shape) || g_strcmp0(shape->valuestring, "number") == 0 ? "number"
                                                                                 : "string";
}

static void add_line(struct comparison *comparison, const char *what, const char *path,
                     const char *type)
{
    g_autofree char *clean = safe_text_line(path, PATH_CHARS);

    if (comparison->lines++ >= MOST_LINES)
        return;
    g_string_append_printf(comparison->text, "%s: %s (%s)\n", words_get(comparison->words, what),
                           clean, type);
}

static void compare(struct comparison *comparison, const cJSON *good, const cJSON *bad,
                    const char *path, int depth);

static void compare_members(struct comparison *comparison, const cJSON *good, const cJSON *bad,
                            const char *path, int depth)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, good)
    {
        g_autofree char *below = g_strdup_printf("%s.%s", path, member->string);
        const cJSON *other = json_member(bad, member->string);
        if (other == NULL)
            add_line(comparison, WORDS_MARK("missing"), below, type_of(member));
        else
            compare(comparison, member, other, below, depth + 1);
    }
    cJSON_ArrayForEach(member, bad)
    {
        g_autofree char *below = g_strdup_printf("%s.%s", path, member->string);
        if (json_member(good, member->string) == NULL)
            add_line(comparison, WORDS_MARK("new"), below, type_of(member));
    }
}

static void compare(struct comparison *comparison, const cJSON *good, const cJSON *bad,
                    const char *path, int depth)
{
    g_autofree char *types = NULL;

    if (depth > DEEPEST)
        return;
    if (strcmp(type_of(good), type_of(bad)) != 0) {
        types = g_strdup_printf("%s → %s", type_of(good), type_of(bad));
        add_line(comparison, WORDS_MARK("of another type"), path, types);
    } else if (cJSON_IsObject(good)) {
        compare_members(comparison, good, bad, path, depth);
    } else if (cJSON_IsArray(good) && good->child != NULL && bad->child != NULL) {
        g_autofree char *below = g_strdup_printf("%s[0]", path);
        compare(comparison, good->child, bad->child, below, depth + 1);
    }
}

static cJSON *shape_of_answer(const cJSON *facts)
{
    const cJSON *exchange = facts_last_exchange(facts_decisive_step(json_member(facts, "result")));
    const char *body = json_text(exchange, "response_body");
    g_autoptr(cJSON) tree = body != NULL ? json_parse(body, strlen(body), NULL) : NULL;

    if (tree != NULL && cJSON_IsTrue(json_member(exchange, "shape")))
        return g_steal_pointer(&tree); // all that this contact may see is a shape already
    return tree != NULL ? evidence_shape(tree, NULL) : NULL;
}

char *difference_text(const cJSON *facts, const struct words *words)
{
    const cJSON *good = json_member(last_good_step(facts), "shape");
    g_autoptr(cJSON) bad = good != NULL ? shape_of_answer(facts) : NULL;
    struct comparison comparison = {words, NULL, 0};

    if (bad == NULL)
        return NULL;
    comparison.text = g_string_new(NULL);
    compare(&comparison, good, bad, "$", 0);
    if (comparison.lines > MOST_LINES)
        g_string_append_printf(comparison.text, "… +%d\n", comparison.lines - MOST_LINES);
    if (comparison.lines > 0)
        return g_string_free(comparison.text, FALSE);
    g_string_free(comparison.text, TRUE);
    return NULL;
}
