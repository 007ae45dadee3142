// SPDX-License-Identifier: MIT
// Reads JSON (and XML as a tree) by the table of shapes: each row that fits
// offers a code and a text, the first text that says something wins.
#include "envelope_part.h"

#include "../config/pack_lexicon.h"
#include "correlation.h"
#include "lexicon.h"

#include <string.h>

enum { NODES_MAX = 4000, ELEMENTS_SEEN = 4 };
enum shape_format { JSON = 1, XML = 2, ANY = 3 };
enum shape_sign { HINT, SURE, ASIDE };

struct shape {
    const char *name;
    enum shape_format format;
    const char *base, *condition;
    enum shape_sign sign;
    const char *codes, *messages;
    const struct pack_envelope *own; // of a pack: the row that it is; else NULL
};

static const struct shape shapes[] = {
#define ENVELOPE_SHAPE(name, format, base, condition, sign, codes, messages)                       \
    {name, format, base, condition, sign, codes, messages, NULL},
#include "envelope_shapes.def"
};

struct reader {
    struct envelope *envelope;
    struct envelope_pick pick;
    const struct shape *shape; // of the row in hand
    int budget;                // nodes that may still be visited
    const cJSON *document;
    const struct envelope_names *names; // of its members
    bool xml;
    bool quick; // only whether it is a failure is asked
};

// a|b against a member's name.
static bool is_one_of(const char *words, size_t length, const char *key)
{
    for (const char *end = words + length; words < end;) {
        const char *bar = memchr(words, '|', (size_t)(end - words));
        if (envelope_name_is(words, (size_t)((bar ? bar : end) - words), key))
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

// What a member that names codes may hold: a name or type is one only where it
// looks like the name of an error, a result only where it is no address.
static bool is_code(const char *path, const char *text)
{
    if (strstr(text, "://") || strspn(text, "0") == strlen(text))
        return false;
    if (strcmp(path, "name") == 0 || strcmp(path, "type") == 0)
        return envelope_is_error_name(text);
    if (strcmp(path, "response") == 0)
        return strspn(text, "0123456789") == strlen(text);
    if (strcmp(path, "issue") == 0)
        return envelope_is_token(text);
    if (strcmp(path, "statuscode") == 0) // the status once more, or a code of its own
        return !envelope_is_status(text) && !envelope_is_success(text);
    // a result that is an address or a mere yes or no names nothing
    return strlen(text) <= 120 &&
           (strcmp(path, "result") != 0 || (*text != '/' && !lexicon_code_is_generic(text, 1)));
}

// "V1/302" of a class and a number; NULL where one is missing. The caller frees it.
static char *join_codes(const cJSON *node, char *path)
{
    char *slash = strchr(path, '/'), left[32], right[32];
    *slash = '\0';
    const cJSON *first = envelope_find(node, path), *second = envelope_find(node, slash + 1);
    const char *head = first ? envelope_text(first, left) : NULL;
    const char *tail = second ? envelope_text(second, right) : NULL;
    return head && tail ? g_strconcat(head, "/", tail, NULL) : NULL;
}

// The code of the first member that holds one. The caller frees it.
static char *find_code(const cJSON *node, const char *list)
{
    g_auto(GStrv) paths = g_strsplit(list, " ", -1);
    for (char **path = paths; *path; path++) {
        char buffer[32], *joined = strchr(*path, '/') ? join_codes(node, *path) : NULL;
        const cJSON *found = **path && !joined ? envelope_find(node, *path) : NULL;
        if (cJSON_IsObject(found) && strcmp(*path, "result") == 0)
            continue; // what is in there has codes of its own
        const char *text = found ? envelope_text(found, buffer) : NULL;
        if (joined || (text && is_code(*path, text)))
            return joined ? joined : g_strdup(text);
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
        const char *text = value ? envelope_text(value, buffer) : NULL;
        if (text) {
            g_string_append(out, text);
            c += length;
        } else {
            g_string_append_c(out, *c);
        }
    }
    return g_string_free(out, false);
}

// A pack knows what of a text is noise.
static void offer_message(struct reader *reader, const char *code, const char *text)
{
    const struct pack_envelope *own = reader->shape->own;
    g_autofree char *clean =
        own && text ? envelope_pack_clean(own, text, reader->envelope->ids) : NULL;
    envelope_pick_offer(&reader->pick, code, clean ? clean : text);
}

static void offer_text(struct reader *reader, const cJSON *node, const char *code, const char *text)
{
    const cJSON *parameters = envelope_member(node, "parameters");
    if (reader->shape->sign == ASIDE) {
        envelope_pick_add_context(&reader->pick, text);
        return;
    }
    if (text && parameters && parameters->child && strchr(text, '%')) {
        g_autofree char *filled = fill_placeholders(text, parameters);
        offer_message(reader, code, filled);
    } else {
        offer_message(reader, code, text);
    }
}

// A text where an object could be: an OAuth token, or the message itself.
static bool offer_scalar(struct reader *reader, const cJSON *node)
{
    char buffer[32];
    if (!cJSON_IsString(node) || !envelope_text(node, buffer) ||
        envelope_is_success(node->valuestring))
        return false;
    const char *text = node->valuestring;
    bool token =
        envelope_is_token(text) && (lexicon_weigh(text) == LEXICON_SPECIFIC || strchr(text, '_'));
    offer_message(reader, token ? text : NULL, token ? NULL : text);
    return true;
}

// The member at `path`, or at the second of two with a bar between.
static const cJSON *find_either(const cJSON *node, char *path)
{
    char *bar = strchr(path, '|');
    if (!bar)
        return envelope_find(node, path);
    *bar = '\0';
    const cJSON *found = envelope_find(node, path);
    return found ? found : envelope_find(node, bar + 1);
}

static bool offer_object(struct reader *reader, const cJSON *node)
{
    char buffer[32];
    g_autofree char *code = find_code(node, reader->shape->codes);
    bool offered = code && !envelope_is_success(code);
    if (code)
        envelope_pick_offer(&reader->pick, code, NULL);
    g_auto(GStrv) paths = g_strsplit(reader->shape->messages, " ", -1);
    for (char **path = paths; *path; path++) {
        const cJSON *found = **path && **path != '.' ? find_either(node, *path) : NULL;
        // A list of details has a row of its own, for it has codes of its own.
        bool list = found && strcmp(*path, "details") == 0 && !cJSON_IsString(found);
        const char *text =
            found && !list && !cJSON_IsNumber(found) ? envelope_text(found, buffer) : NULL;
        if (!text || (code && strcmp(text, code) == 0 && strcmp(*path, "error") == 0))
            continue;
        offer_text(reader, node, code, text);
        offered = offered || (!code && !envelope_is_success(text));
    }
    return offered;
}

// member=value, of `length` bytes.
static bool holds_one(const cJSON *node, const char *condition, size_t length)
{
    g_autofree char *name = g_strndup(condition, length);
    char *value = strchr(name, '=');
    *value++ = '\0';
    const cJSON *member = envelope_member(node, name);
    char buffer[32];
    const char *text = member ? envelope_text(member, buffer) : NULL;
    if (member && cJSON_IsBool(member))
        text = cJSON_IsTrue(member) ? "true" : "false";
    return text && (!*value || g_ascii_strcasecmp(text, value) == 0);
}

// All of them; a pack's stand in lines of their own, for its values may have blanks.
static bool holds_condition(const cJSON *node, const struct shape *shape)
{
    const char *end = shape->own ? "\n" : " ";
    for (const char *condition = shape->condition; *condition;) {
        size_t length = strcspn(condition, end);
        if (!holds_one(node, condition, length))
            return false;
        condition += length + (condition[length] == *end);
    }
    return true;
}

// True where a condition asks for a value: what has it is what the row is about.
static bool states_value(const char *condition)
{
    const char *equals = strchr(condition, '=');
    return equals && equals[1] && !strchr(" \n", equals[1]);
}

// A pack's row that names no member: the object itself is what it is about.
static bool says_nothing(const struct shape *shape)
{
    return shape->own && !*shape->codes && !*shape->messages;
}

static void visit_base(struct reader *reader, const cJSON *node)
{
    const struct shape *shape = reader->shape;
    bool texts = strchr(shape->messages, '.') != NULL &&
                 (g_str_has_suffix(shape->messages, " .") || strcmp(shape->messages, ".") == 0);
    bool offered = false, stated = states_value(shape->condition);
    if (cJSON_IsArray(node))
        node = node->child;
    if (node && cJSON_IsString(node) && texts)
        offered = offer_scalar(reader, node);
    else if (node && cJSON_IsObject(node) && holds_condition(node, shape))
        offered = offer_object(reader, node) || stated || says_nothing(shape);
    if (offered && shape->sign == SURE)
        reader->envelope->failure = true;
}

static bool shows_failure(const struct reader *reader, const cJSON *node)
{
    struct envelope_names names;
    if (node == reader->document)
        return envelope_shows_failure(node, reader->names);
    envelope_names_read(&names, node);
    return envelope_shows_failure(node, &names);
}

static void visit_signs(struct reader *reader, const cJSON *node)
{
    if (!cJSON_IsObject(node))
        return;
    if (reader->quick) {
        reader->envelope->failure |= shows_failure(reader, node);
        return;
    }
    if (shows_failure(reader, node)) {
        reader->envelope->failure = true;
        offer_object(reader, node);
    }
    char buffer[32];
    static const char *const statuses[] = {"status", "statuscode", "httpstatus"};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
        const cJSON *member = envelope_member(node, statuses[i]);
        const char *text = member ? envelope_text(member, buffer) : NULL;
        if (text && envelope_is_status(text) && *text >= '4')
            envelope_pick_offer_status(&reader->pick, text);
    }
}

// NAV's codes are class names with their namespaces: the last part is the code.
static void shorten_code(char *code)
{
    const char *dot = strrchr(code, '.');
    if (dot && dot[1] && strstr(code, "Microsoft.Dynamics."))
        memmove(code, dot + 1, strlen(dot + 1) + 1);
}

// True for who is to blame in SOAP's words, which is no code of what failed.
static bool is_actor(const char *code)
{
    static const char *const actors[] = {"Client", "Server", "Sender", "Receiver"};
    const char *colon = strrchr(code, ':');
    for (size_t i = 0; i < G_N_ELEMENTS(actors); i++)
        if (strcmp(colon ? colon + 1 : code, actors[i]) == 0)
            return true;
    return false;
}

// The digits behind "Error Number =", as eConnect writes them, or NULL.
static char *number_in(const char *message)
{
    const char *found = strcasestr(message, "error number");
    if (!found)
        return NULL;
    found += strlen("error number");
    found += strspn(found, " =:#");
    size_t digits = strspn(found, "0123456789");
    return digits > 0 ? g_strndup(found, digits) : NULL;
}

// Codes that stand in the text, where the place for codes holds only a kind: Entra's
// "AADSTS7000215: …", the numbers of eConnect.
static void settle_code(struct envelope *envelope)
{
    const char *message = envelope->message;
    char *code = NULL;
    size_t length = message ? strcspn(message, ": ") : 0;
    if (envelope->code)
        shorten_code(envelope->code);
    if (message && g_str_has_prefix(message, "AADSTS") && length > strlen("AADSTS"))
        code = g_strndup(message, length);
    else if (message && envelope->code && is_actor(envelope->code))
        code = number_in(message);
    if (!code)
        return;
    g_free(envelope->code);
    envelope->code = code;
}

// The rows of one format, so that of nearly every document few have to be asked.
struct rows {
    const struct shape *row[ENVELOPE_ROWS_MAX];
    unsigned count;
    const struct shape *root;     // the row of the bare object
    struct envelope_words *words; // one of which an object has where a row concerns it
    struct envelope_words *below; // likewise, of the objects in it
    uint64_t always;              // rows that ask for no such member
    uint64_t of_lists;            // rows that may concern the elements of a list
    uint64_t late;                // `root` and what follows it
    uint64_t sure;                // signs of a failure
};

// The members one of which an object has where a row that begins with none concerns it, a|b
// for either; NULL where it may concern any.
static const char *words_of_condition(const struct shape *shape)
{
    bool bare = shape->format == JSON && strcmp(shape->base, "@") == 0;
    return bare && *shape->condition ? shape->condition : NULL;
}

// The words behind "*.", where there are any.
static const char *words_below(const struct shape *shape)
{
    return g_str_has_prefix(shape->base, "*.") && shape->base[2] != '*' ? shape->base + 2 : NULL;
}

static void add_words(struct envelope_words *to, const char *words, unsigned row)
{
    for (;; words++) {
        size_t length = strcspn(words, "|.=");
        envelope_words_add(to, words, length, row);
        words += length;
        if (*words != '|')
            return;
    }
}

static void add_row(struct rows *rows, const struct shape *shape)
{
    bool begins_with_word = *shape->base != '@' && *shape->base != '*';
    const char *words = begins_with_word ? shape->base : words_of_condition(shape);
    const char *below = words_below(shape);
    unsigned row = rows->count++;
    g_assert(row < ENVELOPE_ROWS_MAX);
    rows->row[row] = shape;
    if (strcmp(shape->name, "root") == 0)
        rows->root = shape;
    if (words)
        add_words(rows->words, words, row);
    else if (below)
        add_words(rows->below, below, row);
    rows->always |= (uint64_t)(!words && !below) << row;
    rows->of_lists |= (uint64_t)!begins_with_word << row;
    rows->late |= (uint64_t)(rows->root != NULL) << row;
    rows->sure |= (uint64_t)(shape->sign == SURE) << row;
}

static const struct rows *rows_of(enum shape_format format)
{
    static struct rows *all[XML + 1] = {NULL};
    if (g_once_init_enter(&all[format])) {
        struct rows *fresh = g_new0(struct rows, 1);
        fresh->words = envelope_words_new();
        fresh->below = envelope_words_new();
        for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
            if (shapes[i].format & format)
                add_row(fresh, &shapes[i]);
        g_once_init_leave(&all[format], fresh);
    }
    return all[format];
}

// Signs count at the root, in what commonly wraps an answer, and in the answers
// inside XML. The row of the bare object names code and text for them.
static void read_signs(struct reader *reader, const cJSON *document)
{
    static const char *const json_places[] = {"@", "@.*"};
    static const char *const xml_places[] = {"@", "@.*", "@.*.*", "@.*.*.*"};
    const char *const *places = reader->xml ? xml_places : json_places;
    size_t count = reader->xml ? G_N_ELEMENTS(xml_places) : G_N_ELEMENTS(json_places);
    // What is inside of records is theirs: the last error of a payment, a row of a feed.
    if (reader->xml && (envelope_member(document, "feed") || envelope_member(document, "entry")))
        return;
    if (!reader->xml && envelope_member(document, "id") && !envelope_member(document, "jsonrpc"))
        count = 1;
    reader->shape = rows_of(reader->xml ? XML : JSON)->root;
    for (size_t i = 0; i < count; i++) {
        reader->budget = NODES_MAX;
        walk(reader, document, places[i], visit_signs);
    }
}

// True where a member beside the message says that all went well.
static bool says_success(const cJSON *document)
{
    static const char *const members[] = {"status", "code", "result", "statuscode", "message"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        char buffer[32];
        const cJSON *member = envelope_member(document, members[i]);
        const char *text = member ? envelope_text(member, buffer) : NULL;
        if (text && envelope_is_success(text) && strspn(text, "0") < strlen(text))
            return true;
    }
    return cJSON_IsTrue(envelope_member(document, "success"));
}

// {"message": "…"} and next to nothing else, or a text alone: with a good status its
// words decide.
static bool is_suspect(const cJSON *document)
{
    if (!cJSON_IsObject(document))
        return cJSON_IsString(document);
    return cJSON_GetArraySize(document) <= 3 && envelope_member(document, "message") &&
           !says_success(document) && !envelope_member(document, "id") &&
           !envelope_member(document, "data") && !envelope_member(document, "result") &&
           !envelope_member(document, "token");
}

// The rows that a member of an object in the document is asked for.
static uint64_t find_below(const struct rows *rows, const cJSON *document)
{
    struct envelope_names names;
    uint64_t found = 0;
    int left = NODES_MAX;
    const cJSON *child;
    cJSON_ArrayForEach(child, document)
    {
        envelope_names_read(&names, child);
        found |= envelope_words_find(rows->below, &names);
        left -= 1 + (int)names.count;
        if (left < 0)
            return UINT64_MAX;
    }
    return found;
}

// The rows that may concern the document.
static uint64_t find_rows(const struct reader *reader, const struct rows *rows)
{
    if (cJSON_IsArray(reader->document))
        return rows->of_lists;
    return rows->always | envelope_words_find(rows->words, reader->names) |
           find_below(rows, reader->document);
}

// Rows that are no sign of a failure only say more about one. The bare object and
// what follows it are asked after the signs, for what fails says more than its frame.
static void read_shapes(struct reader *reader, bool late)
{
    const struct rows *rows = rows_of(reader->xml ? XML : JSON);
    uint64_t fit = find_rows(reader, rows) & (late ? rows->late : ~rows->late);
    if (reader->quick)
        fit &= rows->sure;
    for (; fit; fit &= fit - 1) {
        unsigned i = (unsigned)__builtin_ctzll(fit);
        if (i >= rows->count)
            break;
        reader->shape = rows->row[i];
        reader->budget = NODES_MAX;
        walk(reader, reader->document, reader->shape->base, visit_base);
    }
}

// The rows of a pack are rows like the common ones.
static void read_pack(struct reader *reader, const cJSON *document)
{
    const struct pack_lexicon *pack = reader->envelope->pack;
    for (guint i = 0; pack && i < pack->envelopes->len; i++) {
        const struct pack_envelope *row = pack->envelopes->pdata[i];
        if (!(reader->xml ? row->xml : row->json) || (reader->quick && !row->failure))
            continue;
        const struct shape shape = {
            pack->pack, ANY,           row->at, row->when, row->failure ? SURE : HINT,
            row->codes, row->messages, row};
        reader->shape = &shape;
        reader->budget = NODES_MAX;
        walk(reader, document, row->at, visit_base);
    }
    reader->shape = shapes;
}

// The document's `failure`, but for what it holds of documents, and `refusal`.
static struct envelope *look_at(const cJSON *document, const struct pack_lexicon *pack)
{
    struct envelope *envelope = g_new0(struct envelope, 1);
    struct envelope_names names;
    struct reader reader = {
        .envelope = envelope, .document = document, .names = &names, .quick = true};
    envelope->pack = pack;
    envelope->ids = cJSON_CreateObject();
    envelope_names_read(&names, document);
    envelope_pick_init(&reader.pick);
    read_pack(&reader, document);
    envelope_read_special(envelope, &reader.pick, document, &names);
    read_shapes(&reader, false);
    read_signs(&reader, document);
    envelope_pick_finish(&reader.pick, envelope);
    return envelope;
}

bool envelope_says_failure(const cJSON *document, const struct pack_lexicon *pack)
{
    if (envelope_batch_fails(document, pack))
        return true;
    g_autoptr(envelope_t) seen = look_at(document, pack);
    return seen->failure || envelope_nested_fails(document, pack);
}

bool envelope_is_clear(const cJSON *document, const struct pack_lexicon *pack)
{
    if (is_suspect(document) || envelope_batch_fails(document, pack))
        return false;
    g_autoptr(envelope_t) seen = look_at(document, pack);
    return !seen->failure && !seen->refusal && !envelope_nested_fails(document, pack);
}

// Dynamics GP: the detail of a fault is nothing but the id of a log.
static void add_fault_id(cJSON *ids, const cJSON *document)
{
    const cJSON *id = envelope_find(document, "envelope.body.fault.detail.id");
    if (cJSON_IsString(id) && g_uuid_string_is_valid(id->valuestring))
        json_add_text(ids, "log-id", id->valuestring);
}

void envelope_read_json(struct envelope *envelope, const cJSON *document, bool xml)
{
    if (!xml && envelope_read_batch(envelope, document))
        return;
    struct envelope_names names;
    struct reader reader = {
        .envelope = envelope, .document = document, .names = &names, .xml = xml};
    envelope_names_read(&names, document);
    envelope_pick_init(&reader.pick);
    read_pack(&reader, document);
    if (xml)
        envelope_read_special_xml(envelope, &reader.pick, document);
    else
        envelope_read_special(envelope, &reader.pick, document, &names);
    const cJSON *lone = xml && document->child ? document->child : document;
    if (cJSON_IsString(lone))
        envelope_pick_offer(&reader.pick, NULL, lone->valuestring);
    read_shapes(&reader, false);
    if (!envelope->failure || !xml)
        read_signs(&reader, document);
    read_shapes(&reader, true);
    envelope->suspect = is_suspect(document);
    envelope_pick_finish(&reader.pick, envelope);
    envelope_read_nested(envelope, document);
    settle_code(envelope);
    correlation_add_document(envelope->ids, document);
    add_fault_id(envelope->ids, document);
}
