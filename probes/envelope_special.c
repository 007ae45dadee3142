// SPDX-License-Identifier: MIT
// Answers that no table of shapes can describe: Frappe puts JSON into JSON,
// Tryton a list where an object is due, XML-RPC a struct of names and values.
// Asked before the table.
#include "envelope_part.h"

#include <string.h>

// Frappe keeps messages as JSON inside JSON, with HTML in them.
static void offer_frappe_message(struct envelope_pick *pick, const char *code, const cJSON *entry)
{
    g_autoptr(cJSON) inner = cJSON_IsString(entry)
                                 ? json_parse(entry->valuestring, strlen(entry->valuestring), NULL)
                                 : NULL;
    char buffer[32];
    const char *text = envelope_text(inner && !cJSON_IsNumber(inner) ? inner : entry, buffer);
    g_autofree char *plain = text ? envelope_plain_text(text, strlen(text)) : NULL;
    envelope_pick_offer(pick, code, plain);
}

// The class at the end of a traceback: "…\nfrappe.PermissionError: Not allowed".
static char *traceback_class(const char *text)
{
    g_autofree char *copy = g_strchomp(g_strdup(text));
    const char *line = strrchr(copy, '\n');
    line = line ? line + 1 : copy;
    size_t length = strcspn(line, ": ");
    g_autofree char *name = g_strndup(line, length);
    return envelope_is_error_name(name) ? g_steal_pointer(&name) : NULL;
}

// The class of a Frappe failure, from the exception or the end of the traceback.
static char *frappe_class(const char *exception, const cJSON *traceback)
{
    char buffer[32];
    char *class = exception ? traceback_class(exception) : NULL;
    if (traceback && cJSON_IsArray(traceback) && traceback->child)
        traceback = traceback->child->prev;
    const char *text = traceback ? envelope_text(traceback, buffer) : NULL;
    return class || !text ? class : traceback_class(text);
}

static void offer_frappe_messages(struct envelope_pick *pick, const char *code,
                                  const cJSON *messages)
{
    g_autoptr(cJSON) list =
        cJSON_IsString(messages)
            ? json_parse(messages->valuestring, strlen(messages->valuestring), NULL)
            : NULL;
    if (list)
        messages = list;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, messages) offer_frappe_message(pick, code, entry);
}

static void read_frappe(struct envelope *envelope, struct envelope_pick *pick, const cJSON *root)
{
    const char *type = json_text(root, "exc_type"), *exception = json_text(root, "exception");
    const cJSON *traceback = json_member(root, "exc");
    const cJSON *messages = json_member(root, "_server_messages");
    bool failure = type || exception || traceback;
    if (!failure && !messages)
        return;
    // Messages alone come with successes too.
    envelope->failure = envelope->failure || failure;
    g_autofree char *class = frappe_class(exception, traceback);
    const char *code = type ? type : class;
    offer_frappe_messages(pick, code, messages);
    envelope_pick_offer(pick, code, json_text(root, "message"));
    const char *colon = exception ? strstr(exception, ": ") : NULL;
    if (colon)
        envelope_pick_offer(pick, code, type ? exception : colon + 2);
}

// Tryton: "error": ["UserError", ["text", "description", …]].
static void read_tryton(struct envelope *envelope, struct envelope_pick *pick, const cJSON *root)
{
    const cJSON *error = json_member(root, "error");
    if (!cJSON_IsArray(error) || !error->child || !cJSON_IsString(error->child))
        return;
    const cJSON *second = error->child->next;
    const char *code = error->child->valuestring;
    char buffer[32];
    if (!second || !envelope_is_token(code))
        return;
    envelope->failure = true;
    // LoginException and UserWarning name themselves before their text.
    const cJSON *text = cJSON_IsArray(second) ? second->child : second;
    bool named = text && text->next && cJSON_IsString(text->next) &&
                 (strcmp(code, "UserWarning") == 0 || strcmp(code, "LoginException") == 0);
    envelope_pick_offer(pick, code, NULL);
    for (text = named ? text->next : text; text; text = text->next)
        envelope_pick_offer(pick, code, envelope_text(text, buffer));
}

// XML-RPC: <fault> holds a struct of faultCode and faultString.
static void read_xmlrpc(struct envelope *envelope, struct envelope_pick *pick, const cJSON *root)
{
    const cJSON *members = envelope_find(root, "methodresponse.fault.value.struct"), *member;
    if (!members)
        return;
    g_autofree char *code = NULL;
    g_autofree char *text = NULL;
    cJSON_ArrayForEach(member, members)
    {
        char buffer[32];
        const char *name = json_text(member, "name");
        const cJSON *value = json_member(member, "value");
        // The value is <value><int>1</int></value> or the text alone.
        if (cJSON_IsObject(value) && value->child)
            value = value->child;
        const char *content = value ? envelope_text(value, buffer) : NULL;
        if (name && content && strcmp(name, "faultCode") == 0 && !code)
            code = g_strdup(content);
        else if (name && content && strcmp(name, "faultString") == 0 && !text)
            text = g_strdup(content);
    }
    envelope->failure = true;
    envelope_pick_offer(pick, code, text);
}

void envelope_read_special(struct envelope *envelope, struct envelope_pick *pick,
                           const cJSON *document, bool xml)
{
    if (xml) {
        read_xmlrpc(envelope, pick, document);
        return;
    }
    read_tryton(envelope, pick, document);
    read_frappe(envelope, pick, document);
}
