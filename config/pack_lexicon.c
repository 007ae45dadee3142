// SPDX-License-Identifier: MIT
// Reads what a pack knows of its system's answers into values of their own, which
// outlive the file. After config_shape and pack_lexicon_check; before envelope and
// lexicon, which use them.
#include "pack_lexicon.h"

#include "config_reader.h"
#include "pack_lexicon_check.h"

#include <string.h>

static const char *const languages[PACK_LANGUAGES] = {"en", "nl", "fr", "de"};

const char *pack_language(unsigned index)
{
    return languages[index];
}

static void id_free(void *data)
{
    struct pack_id *id = data;

    g_free(id->name);
    regex_free(id->pattern);
    g_free(id);
}

static void envelope_free(void *data)
{
    struct pack_envelope *envelope = data;

    g_free(envelope->at);
    g_free(envelope->when);
    g_free(envelope->codes);
    g_free(envelope->messages);
    g_ptr_array_unref(envelope->ids);
    g_ptr_array_unref(envelope->noise);
    g_free(envelope);
}

static void meaning_free(void *data)
{
    struct pack_meaning *meaning = data;

    g_free(meaning->code);
    g_free(meaning->message);
    g_array_unref(meaning->statuses);
    g_free(meaning->cause);
    g_free(meaning->act);
    for (unsigned i = 0; i < PACK_LANGUAGES; i++) {
        g_free(meaning->says[i]);
        g_free(meaning->next[i]);
    }
    g_free(meaning->source);
    g_free(meaning);
}

static char *text_of(const struct config_node *map, const char *key)
{
    return g_strdup(config_node_text(config_node_get(map, key)));
}

// One name or several, with blanks between; "." last, where it is looked for.
static char *read_members(const struct config_node *node)
{
    g_autoptr(GPtrArray) names = config_read_texts(node);
    GString *text = g_string_new(NULL);
    bool itself = false;

    for (unsigned i = 0; i < names->len; i++) {
        if (strcmp(names->pdata[i], ".") == 0)
            itself = true;
        else
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
                                   (const char *)names->pdata[i]);
    }
    if (itself)
        g_string_append(text, text->len > 0 ? " ." : ".");
    return g_string_free(text, FALSE);
}

static char *read_when(const struct config_node *node)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const char *value = config_node_text(node->entries[i].value);

        g_string_append_printf(text, "%s%s=%s", i > 0 ? "\n" : "", node->entries[i].key,
                               value != NULL ? value : "");
    }
    return g_string_free(text, FALSE);
}

static void read_ids(GPtrArray *ids, const struct config_node *node)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const char *text = config_node_text(node->entries[i].value);
        struct regex *pattern = text != NULL ? regex_compile(text, REGEX_CASELESS, NULL) : NULL;

        if (pattern == NULL)
            continue; // complained of
        struct pack_id *id = g_new0(struct pack_id, 1);

        id->name = g_strdup(node->entries[i].key);
        id->pattern = pattern;
        g_ptr_array_add(ids, id);
    }
}

static void read_noise(GPtrArray *noise, const struct config_node *node)
{
    g_autoptr(GPtrArray) texts = config_read_texts(node);

    for (unsigned i = 0; i < texts->len; i++) {
        struct regex *pattern = regex_compile(texts->pdata[i], REGEX_CASELESS, NULL);

        if (pattern != NULL)
            g_ptr_array_add(noise, pattern);
    }
}

static void read_envelope(struct pack_lexicon *lexicon, const struct config_node *node)
{
    struct pack_envelope *envelope = g_new0(struct pack_envelope, 1);
    const char *format = config_node_text(config_node_get(node, "format"));

    envelope->at = text_of(node, "at");
    envelope->json = g_strcmp0(format, "xml") != 0;
    envelope->xml = g_strcmp0(format, "json") != 0;
    envelope->when = read_when(config_node_get(node, "when"));
    envelope->failure = config_read_boolean(config_node_get(node, "failure"), false);
    envelope->codes = read_members(config_node_get(node, "code"));
    envelope->messages = read_members(config_node_get(node, "message"));
    envelope->ids = g_ptr_array_new_with_free_func(id_free);
    envelope->noise = g_ptr_array_new_with_free_func((GDestroyNotify)regex_free);
    read_ids(envelope->ids, config_node_get(node, "ids"));
    read_noise(envelope->noise, config_node_get(node, "noise"));
    if (envelope->at != NULL)
        g_ptr_array_add(lexicon->envelopes, envelope);
    else
        envelope_free(envelope); // complained of
}

// 400, or 4xx.
static void read_statuses(GArray *statuses, const struct config_node *node)
{
    g_autoptr(GPtrArray) texts = config_read_texts(node);

    for (unsigned i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        int first = (int)g_ascii_strtoll(text, NULL, 10);
        struct pack_statuses range = {first, first};

        if (strlen(text) == 3 && strcmp(text + 1, "xx") == 0)
            range = (struct pack_statuses){first * 100, first * 100 + 99};
        g_array_append_val(statuses, range);
    }
}

static void read_meaning(struct pack_lexicon *lexicon, const struct config_node *node)
{
    struct pack_meaning *meaning = g_new0(struct pack_meaning, 1);
    const struct config_node *says = config_node_get(node, "says");
    const struct config_node *next = config_node_get(node, "next");

    meaning->code = text_of(node, "code");
    meaning->message = text_of(node, "message");
    meaning->statuses = g_array_new(FALSE, FALSE, sizeof(struct pack_statuses));
    read_statuses(meaning->statuses, config_node_get(node, "status"));
    meaning->cause = text_of(node, "cause");
    meaning->act = text_of(node, "act");
    for (unsigned i = 0; i < PACK_LANGUAGES; i++) {
        meaning->says[i] = text_of(says, languages[i]);
        meaning->next[i] = text_of(next, languages[i]);
    }
    meaning->source = text_of(node, "source");
    meaning->unverified = config_read_boolean(config_node_get(node, "unverified"), false);
    g_ptr_array_add(lexicon->meanings, meaning);
    patterns_add(lexicon->codes, meaning->code);
    patterns_add(lexicon->messages, meaning->message);
}

static void read_list(struct pack_lexicon *lexicon, const struct config_node *list,
                      void (*read)(struct pack_lexicon *, const struct config_node *))
{
    for (unsigned i = 0; list != NULL && list->kind == CONFIG_NODE_LIST && i < list->count; i++)
        if (list->items[i]->kind == CONFIG_NODE_MAP)
            read(lexicon, list->items[i]);
}

struct pack_lexicon *pack_lexicon_read(const char *pack, const struct config_node *root,
                                       GPtrArray *problems)
{
    struct pack_lexicon *lexicon = g_new0(struct pack_lexicon, 1);

    lexicon->users = 1;
    lexicon->pack = g_strdup(pack);
    lexicon->envelopes = g_ptr_array_new_with_free_func(envelope_free);
    lexicon->meanings = g_ptr_array_new_with_free_func(meaning_free);
    lexicon->codes = patterns_new(REGEX_WHOLE);
    lexicon->messages = patterns_new(REGEX_PLAIN);
    pack_lexicon_check(root, problems);
    read_list(lexicon, config_node_get(root, "envelopes"), read_envelope);
    read_list(lexicon, config_node_get(root, "lexicon"), read_meaning);
    return lexicon;
}

struct pack_lexicon *pack_lexicon_ref(struct pack_lexicon *lexicon)
{
    if (lexicon != NULL)
        g_atomic_int_inc(&lexicon->users);
    return lexicon;
}

void pack_lexicon_unref(struct pack_lexicon *lexicon)
{
    if (lexicon == NULL || !g_atomic_int_dec_and_test(&lexicon->users))
        return;
    g_free(lexicon->pack);
    g_ptr_array_unref(lexicon->envelopes);
    g_ptr_array_unref(lexicon->meanings);
    patterns_free(lexicon->codes);
    patterns_free(lexicon->messages);
    g_free(lexicon);
}
