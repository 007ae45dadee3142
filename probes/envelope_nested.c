// SPDX-License-Identifier: MIT
// Answers inside answers: services that return text return XML or JSON in it, as
// the only thing in their envelope. The readers of envelopes ask here last.
#include "envelope_part.h"

#include <string.h>

enum { CHAIN_MAX = 10, DOCUMENT_MIN = 7 };

// The only child of an element or object; SOAP headers and text between tags aside.
static const cJSON *only_child(const cJSON *node)
{
    const cJSON *found = NULL, *child;
    cJSON_ArrayForEach(child, node)
    {
        if (child->string && (strcmp(child->string, "#content") == 0 ||
                              envelope_name_is("header", strlen("header"), child->string)))
            continue;
        if (found)
            return NULL;
        found = child;
    }
    return found;
}

static bool looks_like_document(const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && g_ascii_isspace(text[length - 1]))
        length--;
    if (length < DOCUMENT_MIN)
        return false;
    char last = text[length - 1];
    return (*text == '<' && last == '>') || (*text == '{' && last == '}') ||
           (*text == '[' && last == ']');
}

// The document that is all that `tree` holds, or NULL; borrowed.
static const char *find_document(const cJSON *tree)
{
    for (int depth = 0; tree && depth < CHAIN_MAX; depth++) {
        if (cJSON_IsString(tree))
            return looks_like_document(tree->valuestring) ? tree->valuestring : NULL;
        tree = cJSON_IsObject(tree) ? only_child(tree) : NULL;
    }
    return NULL;
}

static void take_text(char **to, char **from)
{
    g_free(*to);
    *to = g_steal_pointer(from);
}

static void take_ids(cJSON *to, const cJSON *from)
{
    const cJSON *id;
    cJSON_ArrayForEach(id, from) if (!json_member(to, id->string))
        json_add_text(to, id->string, cJSON_GetStringValue(id));
}

bool envelope_nested_fails(const cJSON *tree, const struct pack_lexicon *pack)
{
    const char *document = find_document(tree);
    g_autoptr(envelope_t) inner =
        document ? envelope_read(document, strlen(document), NULL, NULL, pack) : NULL;
    return inner && inner->failure;
}

void envelope_take(struct envelope *envelope, struct envelope *inner)
{
    envelope->failure = envelope->failure || inner->failure;
    envelope->family = inner->family;
    take_text(&envelope->code, &inner->code);
    take_text(&envelope->message, &inner->message);
    take_text(&envelope->context, &inner->context);
    take_ids(envelope->ids, inner->ids);
}

// A message that is a document itself: gateways pass on what their backend answered.
static void read_message(struct envelope *envelope)
{
    const char *document = envelope->message;
    if (!document || !looks_like_document(document))
        return;
    g_autoptr(envelope_t) inner =
        envelope_read(document, strlen(document), NULL, NULL, envelope->pack);
    if (!inner->message || inner->kind == ENVELOPE_TEXT || inner->kind == ENVELOPE_BROKEN)
        return;
    bool failure = envelope->failure;
    if (!inner->code)
        inner->code = g_strdup(envelope->code);
    envelope_take(envelope, inner);
    envelope->failure = failure;
}

void envelope_read_nested(struct envelope *envelope, const cJSON *tree)
{
    read_message(envelope);
    const char *document = envelope->failure ? NULL : find_document(tree);
    g_autoptr(envelope_t) inner =
        document ? envelope_read(document, strlen(document), NULL, NULL, envelope->pack) : NULL;
    if (inner && (inner->failure || (inner->message && inner->kind != ENVELOPE_TEXT)))
        envelope_take(envelope, inner);
}
