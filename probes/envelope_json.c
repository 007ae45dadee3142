// SPDX-License-Identifier: MIT
// Reads JSON (and XML as a tree) by the table of shapes: each row that fits
// offers a code and a text, the first text that says something wins. A few
// systems hide theirs in a way that no table can say: Frappe, Tryton, XML-RPC.
#include "envelope_part.h"

#include "correlation.h"
#include "lexicon.h"

#include <string.h>

enum { NODES_MAX = 4000, MEMBERS_MAX = 500, ELEMENTS_SEEN = 4 };
enum shape_format { JSON = 1, XML = 2, ANY = 3 };
enum shape_sign { HINT, SURE, ASIDE };
enum sign_rule { FALSE_, TRUE_, CODE_, NUMBER_, TEXT_, WORD_, STATUS_, REFUSED_, SILENT_ };

struct shape {
    const char *name;
    enum shape_format format;
    const char *base, *condition;
    enum shape_sign sign;
    const char *codes, *messages;
};

static const struct shape shapes[] = {
#define ENVELOPE_SHAPE(name, format, base, condition, sign, codes, messages)                       \
    {name, format, base, condition, sign, codes, messages},
#include "envelope_shapes.def"
};

static const struct {
    const char *member;
    enum sign_rule rule;
} signs[] = {
#define ENVELOPE_SIGN(member, rule) {member, rule##_},
#include "envelope_shapes.def"
};

struct reader {
    struct envelope *envelope;
    struct envelope_pick pick;
    const struct shape *shape; // of the row in hand
    int budget;                // nodes that may still be visited
    bool xml;
};

static bool is_space_word(const char *text)
{
    return strspn(text, " \t\r\n\f") == strlen(text);
}

static const cJSON *member_of(const cJSON *object, const char *name)
{
    int left = MEMBERS_MAX;
    const cJSON *child;
    cJSON_ArrayForEach(child, object) if (child->string &&
                                          envelope_name_is(name, child->string)) return child;
    else if (--left < 0) break;
    return NULL;
}

// The text of a value, also of {"lang", "value"} and of the first of a list;
// NULL where there is none. Borrowed from the tree or from `buffer`.
static const char *text_of(const cJSON *node, char buffer[32])
{
    static const char *const members[] = {"value", "content", "text", "message", "example"};
    for (int depth = 0; node && depth < 4; depth++) {
        if (cJSON_IsString(node))
            return is_space_word(node->valuestring) ? NULL : node->valuestring;
        if (cJSON_IsNumber(node))
            return json_number_text(node, buffer);
        const cJSON *next = cJSON_IsArray(node) ? node->child : NULL;
        for (size_t i = 0; cJSON_IsObject(node) && !next && i < G_N_ELEMENTS(members); i++)
            next = member_of(node, members[i]);
        node = next;
    }
    return NULL;
}

// a|b against a member's name.
static bool is_one_of(const char *words, size_t length, const char *key)
{
    for (const char *end = words + length; words < end;) {
        const char *bar = memchr(words, '|', (size_t)(end - words));
        g_autofree char *word = g_strndup(words, (size_t)((bar ? bar : end) - words));
        if (envelope_name_is(word, key))
            return true;
        words = bar ? bar + 1 : end;
    }
    return false;
}

typedef void (*visit)(struct reader *reader, const cJSON *node);

static void walk(struct reader *reader, const cJSON *node, const char *path, visit each);

static void walk_children(struct reader *reader, const cJSON *node, const char *path, visit each)
{
    size_t length = strcspn(path, ".");
    const char *rest = path[length] ? path + length + 1 : "";
    bool all = length == 1 && *path == '*';
    int seen = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, node)
    {
        if (--reader->budget < 0 || (all && cJSON_IsArray(node) && ++seen > ELEMENTS_SEEN))
            return;
        if (all || (child->string && is_one_of(path, length, child->string)))
            walk(reader, child, rest, each);
    }
}

static void walk(struct reader *reader, const cJSON *node, const char *path, visit each)
{
    if (*path == '@' && (reader->xml || cJSON_IsArray(node))) {
        g_autofree char *below = g_strconcat("*", path + 1, NULL);
        walk_children(reader, node, below, each);
        return;
    }
    if (*path == '@')
        path += path[1] == '.' ? 2 : 1;
    if (!*path)
        each(reader, node);
    else if (node->child)
        walk_children(reader, node, path, each);
}

// The node at a dotted path of member names, or NULL.
static const cJSON *find(const cJSON *node, const char *path)
{
    while (node && *path) {
        size_t length = strcspn(path, ".");
        g_autofree char *name = g_strndup(path, length);
        node = member_of(cJSON_IsArray(node) ? node->child : node, name);
        path += length + (path[length] == '.');
    }
    return node;
}

static bool is_success_code(const char *code)
{
    static const char *const words[] = {"ok",       "success",  "successful", "succeeded",
                                        "none",     "null",     "no_error",   "noerror",
                                        "accepted", "approved", "false"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(code, words[i]) == 0)
            return true;
    if (strspn(code, "0.") == strlen(code))
        return true;
    return strlen(code) == 3 && *code == '2' && strspn(code, "0123456789") == 3;
}

static bool is_status_number(const char *text)
{
    return strlen(text) == 3 && strchr("12345", *text) && strspn(text, "0123456789") == 3;
}

// A word that names a kind of error: no sentence, no address.
static bool is_token(const char *text)
{
    return *text && strlen(text) <= 80 && g_str_is_ascii(text) && !strpbrk(text, " \t\r\n") &&
           !strstr(text, "://") && strcmp(text, "about:blank") != 0;
}

// Members named name or type hold all kinds of things besides errors' names.
static bool is_error_name(const char *text)
{
    return is_token(text) && (strpbrk(text, "._") || g_str_has_suffix(text, "Error") ||
                              g_str_has_suffix(text, "Exception") ||
                              g_str_has_suffix(text, "Fault") || g_ascii_isupper(*text));
}

static const char *find_code(const cJSON *node, const char *list, char buffer[32])
{
    g_auto(GStrv) paths = g_strsplit(list, " ", -1);
    for (char **path = paths; *path; path++) {
        const cJSON *found = **path ? find(node, *path) : NULL;
        const char *text = found ? text_of(found, buffer) : NULL;
        bool name = strcmp(*path, "name") == 0 || strcmp(*path, "type") == 0;
        if (!text || (name ? !is_error_name(text) : strlen(text) > 120) || strstr(text, "://"))
            continue;
        if (strspn(text, "0") != strlen(text))
            return text;
    }
    return NULL;
}

// Magento's placeholders: %1 from a list, %name from an object.
static char *fill_placeholders(const char *message, const cJSON *parameters)
{
    GString *out = g_string_new(NULL);
    for (const char *c = message; *c; c++) {
        size_t length = 0;
        while (*c == '%' && (g_ascii_isalnum(c[1 + length]) || c[1 + length] == '_'))
            length++;
        g_autofree char *name = g_strndup(c + 1, length);
        guint64 number = g_ascii_strtoull(name, NULL, 10);
        const cJSON *value = NULL;
        if (length && cJSON_IsArray(parameters) && number > 0 && number < 100)
            value = cJSON_GetArrayItem(parameters, (int)number - 1);
        else if (length)
            value = json_member(parameters, name);
        char buffer[32];
        const char *text = value ? text_of(value, buffer) : NULL;
        if (text) {
            g_string_append(out, text);
            c += length;
        } else {
            g_string_append_c(out, *c);
        }
    }
    return g_string_free(out, false);
}

static void offer_text(struct reader *reader, const cJSON *node, const char *code, const char *text)
{
    const cJSON *parameters = member_of(node, "parameters");
    if (reader->shape->sign == ASIDE) {
        envelope_pick_add_context(&reader->pick, text);
        return;
    }
    if (text && parameters && parameters->child && strchr(text, '%')) {
        g_autofree char *filled = fill_placeholders(text, parameters);
        envelope_pick_offer(&reader->pick, code, filled);
    } else {
        envelope_pick_offer(&reader->pick, code, text);
    }
}

// A text where an object could be: an OAuth token, or the message itself.
static bool offer_scalar(struct reader *reader, const cJSON *node)
{
    if (!cJSON_IsString(node) || is_space_word(node->valuestring) ||
        is_success_code(node->valuestring))
        return false;
    const char *text = node->valuestring;
    bool token = is_token(text) && lexicon_weigh(text) == LEXICON_SPECIFIC;
    envelope_pick_offer(&reader->pick, token ? text : NULL, token ? NULL : text);
    return true;
}

static bool offer_object(struct reader *reader, const cJSON *node)
{
    char code_buffer[32], buffer[32];
    const char *code = find_code(node, reader->shape->codes, code_buffer);
    bool offered = code && !is_success_code(code);
    if (code)
        envelope_pick_offer(&reader->pick, code, NULL);
    g_auto(GStrv) paths = g_strsplit(reader->shape->messages, " ", -1);
    for (char **path = paths; *path; path++) {
        const cJSON *found = **path && **path != '.' ? find(node, *path) : NULL;
        // A list of details has a row of its own, for it has codes of its own.
        bool list = found && strcmp(*path, "details") == 0 && !cJSON_IsString(found);
        const char *text = found && !list && !cJSON_IsNumber(found) ? text_of(found, buffer) : NULL;
        if (!text || (code && strcmp(text, code) == 0 && strcmp(*path, "error") == 0))
            continue;
        offer_text(reader, node, code, text);
        offered = offered || !code;
    }
    return offered;
}

static bool holds_condition(const cJSON *node, const char *condition)
{
    if (!*condition)
        return true;
    const char *equals = strchr(condition, '=');
    g_autofree char *name = g_strndup(condition, (size_t)(equals - condition));
    const cJSON *member = member_of(node, name);
    char buffer[32];
    const char *text = member ? text_of(member, buffer) : NULL;
    if (member && cJSON_IsBool(member))
        text = cJSON_IsTrue(member) ? "true" : "false";
    return text && (!equals[1] || g_ascii_strcasecmp(text, equals + 1) == 0);
}

static void visit_base(struct reader *reader, const cJSON *node)
{
    const struct shape *shape = reader->shape;
    bool texts = strchr(shape->messages, '.') != NULL &&
                 (g_str_has_suffix(shape->messages, " .") || strcmp(shape->messages, ".") == 0);
    bool offered = false;
    if (cJSON_IsArray(node))
        node = node->child;
    if (node && cJSON_IsString(node) && texts)
        offered = offer_scalar(reader, node);
    else if (node && cJSON_IsObject(node) && holds_condition(node, shape->condition))
        offered = offer_object(reader, node);
    if (offered && shape->sign == SURE)
        reader->envelope->failure = true;
}

// A text beside a sign: the number 500 in "status" alone says nothing.
static bool has_text(const cJSON *object)
{
    static const char *const members[] = {
        "message",       "error",           "errormessage",  "detail",        "title",
        "errors",        "infomessages",    "messages",      "reason",        "msg",
        "description",   "responsemessage", "errortext",     "responsetext",  "respmsg",
        "statusdetail",  "statusmessage",   "llongmessage0", "resultmessage", "returnmessage",
        "refusalreason", "errormsg"};
    char buffer[32];
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        const cJSON *member = member_of(object, members[i]);
        if (member && !cJSON_IsNumber(member) && text_of(member, buffer))
            return true;
    }
    return false;
}

static bool is_word(const char *text, const char *const *words)
{
    for (; text && *words; words++)
        if (g_ascii_strcasecmp(text, *words) == 0)
            return true;
    return false;
}

static bool shows_failure(const cJSON *object, const cJSON *member, enum sign_rule rule)
{
    static const char *const failing[] = {"error", "fail",  "failure", "failurewithwarning", "nok",
                                          "ko",    "fatal", "not_ok",  "exception",          NULL};
    static const char *const refused[] = {
        "failed",  "refused", "rejected",  "denied",    "declined", "error", "failure", "cancelled",
        "aborted", "invalid", "malformed", "notauthed", "n",        "no",    NULL};
    char buffer[32];
    const char *text = text_of(member, buffer);
    switch (rule) {
    case FALSE_:
        return cJSON_IsFalse(member) ||
               (cJSON_IsString(member) && text && g_ascii_strcasecmp(text, "false") == 0);
    case TRUE_:
        return (cJSON_IsTrue(member) || (cJSON_IsNumber(member) && member->valuedouble != 0)) &&
               has_text(object);
    case CODE_:
        return text && !is_success_code(text);
    case NUMBER_:
        return text && strspn(text, "-0123456789") == strlen(text) && !is_success_code(text) &&
               has_text(object);
    case TEXT_:
        return cJSON_IsString(member) && text && !is_success_code(text);
    case WORD_:
        return is_word(text, failing);
    case STATUS_:
        return text && is_status_number(text) && *text >= '4' && has_text(object);
    case REFUSED_:
        return is_word(text, refused) && has_text(object) && !member_of(object, "id");
    case SILENT_:
        return cJSON_IsFalse(member) && has_text(object);
    }
    return false;
}

// {"code": 100, "message": "…"} and little else: an error object without a frame.
static bool is_bare_error(const cJSON *object)
{
    char buffer[32];
    const cJSON *code = member_of(object, "code");
    const cJSON *message = member_of(object, "message");
    const char *text = code ? text_of(code, buffer) : NULL;
    return text && message && cJSON_GetArraySize(object) <= 5 && !is_success_code(text) &&
           !member_of(object, "id") && !member_of(object, "data") && !member_of(object, "result");
}

static void visit_signs(struct reader *reader, const cJSON *node)
{
    if (!cJSON_IsObject(node))
        return;
    bool failure = is_bare_error(node);
    for (size_t i = 0; !failure && i < G_N_ELEMENTS(signs); i++) {
        const cJSON *member = member_of(node, signs[i].member);
        failure = member && shows_failure(node, member, signs[i].rule);
    }
    if (failure) {
        reader->envelope->failure = true;
        offer_object(reader, node);
    }
    char buffer[32];
    static const char *const statuses[] = {"status", "statuscode", "httpstatus"};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        const cJSON *member = member_of(node, statuses[i]);
        const char *text = member ? text_of(member, buffer) : NULL;
        if (text && is_status_number(text) && *text >= '4')
            envelope_pick_offer_status(&reader->pick, text);
    }
}

// Frappe keeps messages as JSON inside JSON, with HTML in them.
static void offer_frappe_message(struct reader *reader, const char *code, const cJSON *entry)
{
    g_autoptr(cJSON) inner = cJSON_IsString(entry)
                                 ? json_parse(entry->valuestring, strlen(entry->valuestring), NULL)
                                 : NULL;
    char buffer[32];
    const char *text = text_of(inner && !cJSON_IsNumber(inner) ? inner : entry, buffer);
    g_autofree char *plain = text ? envelope_plain_text(text, strlen(text)) : NULL;
    envelope_pick_offer(&reader->pick, code, plain);
}

// The class at the end of a traceback: "…\nfrappe.PermissionError: Not allowed".
static char *traceback_class(const char *text)
{
    g_autofree char *copy = g_strchomp(g_strdup(text));
    const char *line = strrchr(copy, '\n');
    line = line ? line + 1 : copy;
    size_t length = strcspn(line, ": ");
    g_autofree char *name = g_strndup(line, length);
    return is_error_name(name) ? g_steal_pointer(&name) : NULL;
}

static void read_frappe(struct reader *reader, const cJSON *root)
{
    char buffer[32];
    const char *type = json_text(root, "exc_type"), *exception = json_text(root, "exception");
    const cJSON *exc = json_member(root, "exc"), *messages = json_member(root, "_server_messages");
    if (!type && !exception && !exc && !messages)
        return;
    g_autofree char *class = exception ? traceback_class(exception) : NULL;
    const cJSON *last = exc && cJSON_IsArray(exc) && exc->child ? exc->child->prev : exc;
    if (!class && last && text_of(last, buffer))
        class = traceback_class(text_of(last, buffer));
    const char *code = type ? type : class;
    reader->envelope->failure = reader->envelope->failure || type || exception || exc;
    g_autoptr(cJSON) list =
        messages && cJSON_IsString(messages)
            ? json_parse(messages->valuestring, strlen(messages->valuestring), NULL)
            : NULL;
    const cJSON *entry;
    if (list)
        messages = list;
    cJSON_ArrayForEach(entry, messages) offer_frappe_message(reader, code, entry);
    if (code)
        envelope_pick_offer(&reader->pick, code, NULL);
    const char *colon = exception ? strstr(exception, ": ") : NULL;
    if (json_text(root, "message"))
        envelope_pick_offer(&reader->pick, code, json_text(root, "message"));
    if (exception && colon)
        envelope_pick_offer(&reader->pick, code, type ? exception : colon + 2);
}

// Tryton: "error": ["UserError", ["text", "description", …]].
static void read_tryton(struct reader *reader, const cJSON *root)
{
    const cJSON *error = json_member(root, "error");
    if (!cJSON_IsArray(error) || !error->child || !cJSON_IsString(error->child))
        return;
    const cJSON *second = error->child->next;
    const char *code = error->child->valuestring;
    char buffer[32];
    if (!second || !is_token(code))
        return;
    reader->envelope->failure = true;
    // LoginException and UserWarning name themselves before their text.
    const cJSON *text = cJSON_IsArray(second) ? second->child : second;
    bool named = text && text->next && cJSON_IsString(text->next) &&
                 (strcmp(code, "UserWarning") == 0 || strcmp(code, "LoginException") == 0);
    envelope_pick_offer(&reader->pick, code, NULL);
    for (text = named ? text->next : text; text; text = text->next)
        envelope_pick_offer(&reader->pick, code, text_of(text, buffer));
}

// XML-RPC: <fault> holds a struct of faultCode and faultString.
static void read_xmlrpc(struct reader *reader, const cJSON *root)
{
    const cJSON *members = find(root, "methodresponse.fault.value.struct"), *member;
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
        const char *content = value ? text_of(value, buffer) : NULL;
        if (name && content && strcmp(name, "faultCode") == 0 && !code)
            code = g_strdup(content);
        else if (name && content && strcmp(name, "faultString") == 0 && !text)
            text = g_strdup(content);
    }
    reader->envelope->failure = true;
    envelope_pick_offer(&reader->pick, code, text);
}

// NAV's codes are class names with their namespaces: the last part is the code.
static void shorten_code(struct envelope *envelope)
{
    char *code = envelope->code;
    const char *dot = code ? strrchr(code, '.') : NULL;
    if (dot && dot[1] && strstr(code, "Microsoft.Dynamics."))
        memmove(code, dot + 1, strlen(dot + 1) + 1);
}

// Signs count at the root, in what commonly wraps an answer, and in the answers
// inside XML. The last row of the table names code and text for them.
static void read_signs(struct reader *reader, const cJSON *document)
{
    static const char *const json_places[] = {"@", "@.*"};
    static const char *const xml_places[] = {"@", "@.*", "@.*.*", "@.*.*.*"};
    const char *const *places = reader->xml ? xml_places : json_places;
    size_t count = reader->xml ? G_N_ELEMENTS(xml_places) : G_N_ELEMENTS(json_places);
    reader->shape = &shapes[G_N_ELEMENTS(shapes) - 1];
    for (size_t i = 0; i < count; i++) {
        reader->budget = NODES_MAX;
        walk(reader, document, places[i], visit_signs);
    }
}

// {"message": "…"} and next to nothing else: with a good status its words decide.
static bool is_bare_message(const cJSON *document)
{
    return cJSON_IsObject(document) && cJSON_GetArraySize(document) <= 3 &&
           member_of(document, "message") && !member_of(document, "id") &&
           !member_of(document, "data") && !member_of(document, "result") &&
           !member_of(document, "token");
}

void envelope_read_json(struct envelope *envelope, const cJSON *document, bool xml)
{
    struct reader reader = {.envelope = envelope, .xml = xml, .budget = NODES_MAX};
    envelope_pick_init(&reader.pick);
    if (xml) {
        read_xmlrpc(&reader, document);
    } else {
        read_tryton(&reader, document);
        read_frappe(&reader, document);
        if (cJSON_IsString(document))
            envelope_pick_offer(&reader.pick, NULL, document->valuestring);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        if (!(shapes[i].format & (xml ? XML : JSON)))
            continue;
        reader.shape = &shapes[i];
        reader.budget = NODES_MAX;
        walk(&reader, document, shapes[i].base, visit_base);
    }
    if (!envelope->failure || !xml)
        read_signs(&reader, document);
    envelope->suspect = is_bare_message(document) || cJSON_IsString(document);
    envelope_pick_finish(&reader.pick, envelope);
    shorten_code(envelope);
    correlation_add_document(envelope->ids, document);
}
