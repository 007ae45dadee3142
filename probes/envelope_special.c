// SPDX-License-Identifier: MIT
// Answers that no table of shapes can describe: Frappe puts JSON into JSON,
// Tryton a list where an object is due, XML-RPC a struct of names and values; what
// fails by what it leaves out. Asked before the table.
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
    // Frappe's own classes are the type once more; others say what they are of.
    bool bare = !type || g_str_has_prefix(exception ? exception : "", "frappe.");
    if (colon)
        envelope_pick_offer(pick, code, bare ? colon + 2 : exception);
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

// Of a traceback, the line that ends it says most: "odoo.exceptions.UserError: …".
static const char *last_line(const char *text)
{
    const char *line = strrchr(text, '\n');
    return strstr(text, "Traceback (most recent call last)") && line ? line + 1 : text;
}

static void offer_xmlrpc_fault(struct envelope_pick *pick, const cJSON *members)
{
    g_autofree char *code = NULL;
    g_autofree char *text = NULL;
    const cJSON *member;
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
    const char *line = text ? last_line(text) : NULL;
    envelope_pick_offer(pick, code, line);
    if (line != text)
        envelope_pick_add_context(pick, text);
}

// XML-RPC: <fault> holds a struct of faultCode and faultString. False alone is how
// Odoo's authenticate says no: there is no fault.
static void read_xmlrpc(struct envelope *envelope, struct envelope_pick *pick, const cJSON *root)
{
    const cJSON *fault = envelope_find(root, "methodresponse.fault.value.struct");
    const cJSON *answer = envelope_find(root, "methodresponse.params.param.value.boolean");
    if (fault) {
        envelope->failure = true;
        envelope->family = "xmlrpc";
        offer_xmlrpc_fault(pick, fault);
    } else if (cJSON_IsString(answer) && strcmp(answer->valuestring, "0") == 0) {
        envelope->refusal = true;
        envelope->family = "false";
    }
}

// JSON-RPC's way of the same.
static void read_jsonrpc(struct envelope *envelope, const cJSON *root)
{
    if (!json_member(root, "jsonrpc") || !cJSON_IsFalse(json_member(root, "result")))
        return;
    envelope->refusal = true;
    envelope->family = "false";
}

// A cXML response states its status inside; one without a status answers nothing.
static void read_cxml(struct envelope *envelope, const cJSON *root)
{
    const cJSON *document = envelope_member(root, "cxml");
    const cJSON *response = document ? envelope_member(document, "response") : NULL;
    if (document)
        envelope->family = "cxml";
    if (!response || envelope_member(response, "status"))
        return;
    envelope->failure = true;
    envelope->family = "cxml-bare";
}

// One of these members has whatever is read here of JSON.
static const struct envelope_words *special_words(void)
{
    static const char *const members[] = {"jsonrpc",   "error", "exctype",
                                          "exception", "exc",   "servermessages"};
    static struct envelope_words *words = NULL;
    if (g_once_init_enter(&words)) {
        struct envelope_words *fresh = envelope_words_new();
        for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
            envelope_words_add(fresh, members[i], strlen(members[i]), 0);
        g_once_init_leave(&words, fresh);
    }
    return words;
}

void envelope_read_special(struct envelope *envelope, struct envelope_pick *pick,
                           const cJSON *document, const struct envelope_names *names)
{
    if (!envelope_words_find(special_words(), names))
        return;
    read_jsonrpc(envelope, document);
    read_tryton(envelope, pick, document);
    read_frappe(envelope, pick, document);
}

void envelope_read_special_xml(struct envelope *envelope, struct envelope_pick *pick,
                               const cJSON *document)
{
    if (envelope_find(document, "envelope.body.fault"))
        envelope->family = "soap";
    read_xmlrpc(envelope, pick, document);
    read_cxml(envelope, document);
}
