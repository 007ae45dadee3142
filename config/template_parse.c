// SPDX-License-Identifier: MIT
// Compiles texts and JSON documents with holes into pieces. What comes out is
// rendered by template_render.c; what a filter does is in template_filter.c.
#include "template_parts.h"

#include "../base/duration.h"
#include "../base/encode.h"
#include "../base/json.h"
#include "../base/zone.h"

#include <string.h>

// A template in the making: literal text is gathered until a hole comes.
struct builder {
    struct template *template;
    GString *literal;
    bool env_secret;
    bool quoted;                 // within a hole's quotes: {{ is text there
    enum template_escape escape; // of the text that is being read
};

static struct template *quoted_new(const char *text, bool env_secret, GError **error);
static struct template *tag_new(const char *text, GError **error);

// Where the inside of a hole is being read.
struct reader {
    const char *at, *end;
    const char *source; // the hole without its braces, for messages
};

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_.-";

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, TEMPLATE_ERROR, TEMPLATE_ERROR_SYNTAX, message);
    return false;
}

static void flush_literal(struct builder *builder)
{
    if (builder->literal->len == 0)
        return;
    struct template_piece piece = {.kind = TEMPLATE_LITERAL, .length = builder->literal->len};
    piece.text = g_strndup(builder->literal->str, builder->literal->len);
    g_array_append_val(builder->template->pieces, piece);
    g_string_truncate(builder->literal, 0);
}

// Literal text is escaped now, where its place asks for that, and never again.
static void add_literal(struct builder *builder, const char *text, size_t length)
{
    if (builder->escape == TEMPLATE_ESCAPE_QUERY)
        encode_percent(builder->literal, text, length, ENCODE_QUERY_KEEP);
    else if (builder->escape == TEMPLATE_ESCAPE_FORM)
        encode_form(builder->literal, text, length);
    else if (builder->escape == TEMPLATE_ESCAPE_JSON_STRING)
        encode_json(builder->literal, text, length);
    else
        g_string_append_len(builder->literal, text, (gssize)length);
}

static void add_hole(struct builder *builder, struct template_hole *hole,
                     enum template_escape escape)
{
    flush_literal(builder);
    struct template_piece piece = {.kind = TEMPLATE_HOLE, .escape = escape, .hole = hole};
    g_array_append_val(builder->template->pieces, piece);
}

static void add_reference(struct builder *builder, struct template_reference *reference,
                          enum template_escape escape)
{
    flush_literal(builder);
    struct template_piece piece = {
        .kind = TEMPLATE_MACHINE, .escape = escape, .reference = reference};
    g_array_append_val(builder->template->pieces, piece);
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

// A quoted text, in which the quote is written twice.
static char *read_quoted(struct reader *reader, GError **error)
{
    char quote = *reader->at++;
    g_autoptr(GString) text = g_string_new(NULL);
    while (reader->at < reader->end) {
        char c = *reader->at++;
        if (c != quote) {
            g_string_append_c(text, c);
        } else if (reader->at < reader->end && *reader->at == quote) {
            g_string_append_c(text, c);
            reader->at++;
        } else {
            return g_string_free(g_steal_pointer(&text), FALSE);
        }
    }
    fail(error, "{{%s}}: a quote is not closed", reader->source);
    return NULL;
}

static bool at_quote(const struct reader *reader)
{
    return reader->at < reader->end && (*reader->at == '\'' || *reader->at == '"');
}

static char *read_word(struct reader *reader)
{
    size_t length = 0;
    size_t left = (size_t)(reader->end - reader->at);
    while (length < left && strchr(name_characters, reader->at[length]))
        length++;
    char *word = g_strndup(reader->at, length);
    reader->at += length;
    return word;
}

// A bare argument: all up to white space or a bar.
static char *read_bare(struct reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && !strchr(" \t\r\n|", *reader->at))
        reader->at++;
    return g_strndup(start, (gsize)(reader->at - start));
}

static void use_free(void *data)
{
    struct template_use *use = data;
    g_free(use->argument);
    template_free(use->text);
    g_free(use);
}

static bool check_count(struct template_use *use, GError **error)
{
    gint64 number = 0;
    if (!use->argument) {
        use->number = 32;
        return true;
    }
    if (!g_ascii_string_to_signed(use->argument, 10, 1, 1024, &number, NULL))
        return fail(error, "random: %s: write a number of characters from 1 to 1024",
                    use->argument);
    use->number = (int)number;
    return true;
}

static bool check_zone(struct template_hole *hole, const struct template_use *use, GError **error)
{
    GTimeZone *zone = use->argument ? zone_find(use->argument) : NULL;
    if (!zone)
        return fail(error, "zone: %s is not a time zone; write one like UTC or Europe/Brussels",
                    use->argument ? use->argument : "");
    g_clear_pointer(&hole->zone, g_time_zone_unref);
    hole->zone = zone;
    return true;
}

static bool check_argument(struct template_hole *hole, struct template_use *use, GError **error)
{
    const char *name = use->filter->name;
    switch (use->filter->argument) {
    case TEMPLATE_ARGUMENT_NONE:
        return !use->argument || fail(error, "the filter %s takes no argument", name);
    case TEMPLATE_ARGUMENT_COUNT:
        return check_count(use, error);
    case TEMPLATE_ARGUMENT_ZONE:
        return check_zone(hole, use, error);
    case TEMPLATE_ARGUMENT_TAG:
        return use->text || fail(error, "the filter %s needs a name: %s: Name", name, name);
    case TEMPLATE_ARGUMENT_KEY:
        return use->argument ||
               fail(error, "the filter %s needs a key: {{name | %s: key}}", name, name);
    case TEMPLATE_ARGUMENT_TEXT:
    default:
        return use->argument ||
               fail(error, "the filter %s needs an argument: %s: '%%Y-%%m-%%d'", name, name);
    }
}

// What stands behind a filter's colon.
static bool read_argument(struct reader *reader, struct template_use *use, GError **error)
{
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != ':')
        return true;
    reader->at++;
    skip_space(reader);
    bool tag = use->filter->argument == TEMPLATE_ARGUMENT_TAG;
    if (!at_quote(reader)) {
        use->argument = read_bare(reader);
        use->text = tag ? tag_new(use->argument, error) : NULL;
        if (tag && !use->text)
            return false;
        return *use->argument || fail(error, "{{%s}}: an argument is missing", reader->source);
    }
    use->argument = read_quoted(reader, error);
    if (!use->argument)
        return false;
    if (tag) {
        use->text = tag_new(use->argument, error);
        return use->text;
    }
    // A key from the machine is a secret, however it is written.
    if (use->filter->argument == TEMPLATE_ARGUMENT_KEY)
        use->text = quoted_new(use->argument, true, error);
    return use->filter->argument != TEMPLATE_ARGUMENT_KEY || use->text;
}

static bool unknown_filter(const char *name, GError **error)
{
    g_autofree char *all = g_strjoinv(" ", (char **)(uintptr_t)template_filter_names());
    return fail(error, "there is no filter \"%s\"; there are: %s", name, all);
}

// One filter by its name and the argument that follows.
static bool add_filter(struct reader *reader, struct template_hole *hole, const char *name,
                       GError **error)
{
    const struct template_filter *filter = template_filter_find(name);
    if (!filter)
        return unknown_filter(name, error);
    struct template_use *last =
        hole->uses->len ? g_ptr_array_index(hole->uses, hole->uses->len - 1) : NULL;
    const struct template_filter *joined =
        last ? template_filter_joined(last->filter, filter) : NULL;
    if (joined) {
        last->filter = joined;
        return true;
    }
    struct template_use *use = g_new0(struct template_use, 1);
    use->filter = filter;
    g_ptr_array_add(hole->uses, use);
    if (!read_argument(reader, use, error) || !check_argument(hole, use, error))
        return false;
    hole->raw |= filter->markup;
    if (!filter->apply) {
        hole->raw = true;
        g_ptr_array_remove(hole->uses, use);
    }
    return true;
}

static bool read_filters(struct reader *reader, struct template_hole *hole, GError **error)
{
    for (;;) {
        skip_space(reader);
        if (reader->at >= reader->end)
            return true;
        if (*reader->at != '|')
            return fail(error, "{{%s}}: write a name, then filters: {{name | filter: 'x'}}",
                        reader->source);
        reader->at++;
        skip_space(reader);
        g_autofree char *name = read_word(reader);
        if (!add_filter(reader, hole, name, error))
            return false;
    }
}

// - 24h or + 5m behind a name.
static bool read_offset(struct reader *reader, struct template_hole *hole, GError **error)
{
    skip_space(reader);
    if (reader->at >= reader->end || !strchr("+-", *reader->at))
        return true;
    bool minus = *reader->at++ == '-';
    skip_space(reader);
    g_autofree char *text = read_bare(reader);
    int64_t milliseconds = 0;
    if (!duration_parse(text, &milliseconds))
        return fail(error, "{{%s}}: \"%s\" is no duration; write one like 90s, 24h or 30d",
                    reader->source, text);
    hole->moved = true;
    hole->offset_ms = minus ? -milliseconds : milliseconds;
    return true;
}

static enum template_own own_name(const char *name)
{
    static const char *const names[] = {"now", "uuid", "random"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum template_own)(TEMPLATE_OWN_NOW + (int)i);
    }
    return TEMPLATE_OWN_NONE;
}

static bool check_name(const struct reader *reader, const char *name, GError **error)
{
    if (g_ascii_isalpha(name[0]) || name[0] == '_') {
        if (!g_str_has_prefix(name, "now-"))
            return true;
        return fail(error, "{{%s}}: write spaces around the minus: {{now - %s}}", reader->source,
                    name + strlen("now-"));
    }
    return fail(error, "{{%s}}: a name begins with a letter; write {{name}} or {{name | filter}}",
                reader->source);
}

// The name, or the quoted text, that a hole begins with.
static bool read_primary(struct builder *builder, struct reader *reader, struct template_hole *hole,
                         GError **error)
{
    skip_space(reader);
    if (at_quote(reader)) {
        g_autofree char *text = read_quoted(reader, error);
        hole->quoted = text ? quoted_new(text, builder->env_secret, error) : NULL;
        return hole->quoted;
    }
    hole->name = read_word(reader);
    if (!check_name(reader, hole->name, error))
        return false;
    hole->own = own_name(hole->name);
    skip_space(reader);
    if (hole->own == TEMPLATE_OWN_RANDOM && reader->at < reader->end && *reader->at == ':')
        return add_filter(reader, hole, "random", error);
    return true;
}

// Reads from "{{" on; `*at` is moved behind "}}". A brace within quotes is text.
static struct template_hole *read_hole(struct builder *builder, const char **at, GError **error)
{
    const char *start = *at + 2;
    const char *end = start;
    char quote = 0;
    for (; *end && (quote || !g_str_has_prefix(end, "}}")); end++) {
        if (quote ? *end == quote : (*end == '\'' || *end == '"'))
            quote = quote ? 0 : *end;
    }
    if (!*end) {
        fail(error, "\"{{\" without its \"}}\"");
        return NULL;
    }
    *at = end + 2;
    struct template_hole *hole = g_new0(struct template_hole, 1);
    hole->uses = g_ptr_array_new_with_free_func(use_free);
    hole->source = g_strndup(start, (gsize)(end - start));
    struct reader reader = {.at = start, .end = end, .source = hole->source};
    if (read_primary(builder, &reader, hole, error) && read_offset(&reader, hole, error) &&
        read_filters(&reader, hole, error))
        return hole;
    template_hole_free(hole);
    return NULL;
}

static const char *const reference_words[] = {"env:", "file:", "credential:"};

static bool is_variable_name(const char *name)
{
    return *name && !g_ascii_isdigit(*name) &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

static bool check_reference(const struct template_reference *reference, GError **error)
{
    if (reference->kind == TEMPLATE_REFERENCE_ENV && !is_variable_name(reference->name))
        return fail(error, "${env:%s}: that is no variable's name", reference->name);
    if (reference->kind == TEMPLATE_REFERENCE_CREDENTIAL &&
        (strchr(reference->name, '/') || reference->name[0] == '.'))
        return fail(error, "${credential:%s}: write the credential's name, not a path",
                    reference->name);
    return *reference->name || fail(error, "${…}: a name is missing; write ${env:NAME}");
}

static struct template_reference *reference_new(const struct builder *builder, size_t kind,
                                                const char *text, size_t length)
{
    struct template_reference *reference = g_new0(struct template_reference, 1);
    reference->kind = (enum template_reference_kind)kind;
    reference->secret = builder->env_secret || kind != TEMPLATE_REFERENCE_ENV;
    const char *split =
        kind == TEMPLATE_REFERENCE_ENV ? g_strstr_len(text, (gssize)length, ":-") : NULL;
    reference->name = g_strndup(text, split ? (gsize)(split - text) : length);
    if (split)
        reference->fallback = g_strndup(split + 2, length - (size_t)(split - text) - 2);
    return reference;
}

// Reads from "${" on; `*at` is moved behind "}".
static struct template_reference *read_reference(const struct builder *builder, const char **at,
                                                 GError **error)
{
    const char *start = *at + 2;
    const char *end = strchr(start, '}');
    size_t kind = 0;
    while (kind < G_N_ELEMENTS(reference_words) && !g_str_has_prefix(start, reference_words[kind]))
        kind++;
    if (!end || kind == G_N_ELEMENTS(reference_words)) {
        fail(error, end ? "\"${\" begins ${env:NAME}, ${file:PATH} or ${credential:NAME}; "
                          "write $${ for a literal ${"
                        : "\"${\" without its \"}\"; write $${ for a literal ${");
        return NULL;
    }
    start += strlen(reference_words[kind]);
    struct template_reference *reference =
        reference_new(builder, kind, start, (size_t)(end - start));
    *at = end + 1;
    if (check_reference(reference, error))
        return reference;
    template_reference_free(reference);
    return NULL;
}

// In an address, what stands in front of a hole decides: nothing (a whole URL
// is put in), a scheme and an unfinished host, or a path.
static enum template_escape hole_escape(const struct builder *builder)
{
    if (builder->escape != TEMPLATE_ESCAPE_SEGMENT)
        return builder->escape;
    const GArray *pieces = builder->template->pieces;
    if (pieces->len == 0 && builder->literal->len == 0)
        return TEMPLATE_ESCAPE_URL;
    const struct template_piece *first =
        pieces->len ? template_piece_at(builder->template, 0) : NULL;
    if (first && first->escape == TEMPLATE_ESCAPE_URL)
        return TEMPLATE_ESCAPE_SEGMENT;
    const char *text = first && first->text ? first->text : builder->literal->str;
    const char *host = strstr(text, "://");
    bool finished =
        !host || strpbrk(host + 3, "/?#") || (first && strpbrk(builder->literal->str, "/?#"));
    for (guint i = 1; i < pieces->len && !finished; i++) {
        const struct template_piece *piece = template_piece_at(builder->template, i);
        finished = piece->text && strpbrk(piece->text, "/?#");
    }
    return finished ? TEMPLATE_ESCAPE_SEGMENT : TEMPLATE_ESCAPE_HOST;
}

// Reads one text into pieces.
static bool build_text(struct builder *builder, const char *text, GError **error)
{
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "{$");
        add_literal(builder, at, plain);
        at += plain;
        if (!builder->quoted && g_str_has_prefix(at, "{{")) {
            struct template_hole *hole = read_hole(builder, &at, error);
            if (!hole)
                return false;
            add_hole(builder, hole, hole_escape(builder));
        } else if (g_str_has_prefix(at, "$${")) {
            add_literal(builder, "${", 2);
            at += strlen("$${");
        } else if (g_str_has_prefix(at, "${")) {
            struct template_reference *reference = read_reference(builder, &at, error);
            if (!reference)
                return false;
            add_reference(builder, reference, hole_escape(builder));
        } else if (*at) {
            add_literal(builder, at++, 1);
        }
    }
    return true;
}

static bool is_whole_hole(const char *text)
{
    if (!g_str_has_prefix(text, "{{") || !g_str_has_suffix(text, "}}"))
        return false;
    char quote = 0;
    for (const char *at = text + 2; *at; at++) {
        if (quote ? *at == quote : (*at == '\'' || *at == '"'))
            quote = quote ? 0 : *at;
        else if (!quote && g_str_has_prefix(at, "}}"))
            return at[2] == '\0';
    }
    return false;
}

static bool build_json_string(struct builder *builder, const char *text, GError **error)
{
    if (is_whole_hole(text)) {
        struct template_hole *hole = read_hole(builder, &text, error);
        if (hole)
            add_hole(builder, hole, TEMPLATE_ESCAPE_JSON_VALUE);
        return hole;
    }
    g_string_append_c(builder->literal, '"');
    builder->escape = TEMPLATE_ESCAPE_JSON_STRING;
    bool good = build_text(builder, text, error);
    builder->escape = TEMPLATE_ESCAPE_NONE;
    g_string_append_c(builder->literal, '"');
    return good;
}

static bool build_json(struct builder *builder, const cJSON *node, GError **error);

// The key of a member, which is a string whatever stands in it.
static bool build_json_key(struct builder *builder, const char *key, GError **error)
{
    g_string_append_c(builder->literal, '"');
    builder->escape = TEMPLATE_ESCAPE_JSON_STRING;
    bool good = build_text(builder, key, error);
    builder->escape = TEMPLATE_ESCAPE_NONE;
    g_string_append(builder->literal, "\":");
    return good;
}

static bool build_json_container(struct builder *builder, const cJSON *node, GError **error)
{
    bool object = cJSON_IsObject(node);
    const cJSON *child = NULL;
    g_string_append_c(builder->literal, object ? '{' : '[');
    cJSON_ArrayForEach(child, node)
    {
        if (child != node->child)
            g_string_append_c(builder->literal, ',');
        if (object && !build_json_key(builder, child->string, error))
            return false;
        if (!build_json(builder, child, error))
            return false;
    }
    g_string_append_c(builder->literal, object ? '}' : ']');
    return true;
}

static bool build_json(struct builder *builder, const cJSON *node, GError **error)
{
    if (cJSON_IsObject(node) || cJSON_IsArray(node))
        return build_json_container(builder, node, error);
    if (cJSON_IsString(node))
        return build_json_string(builder, node->valuestring, error);
    g_autofree char *text = json_print(node, false);
    g_string_append(builder->literal, text);
    return true;
}

static struct builder builder_start(bool env_secret)
{
    struct builder builder = {.env_secret = env_secret, .literal = g_string_new(NULL)};
    builder.template = g_new0(struct template, 1);
    builder.template->pieces = g_array_new(FALSE, FALSE, sizeof(struct template_piece));
    return builder;
}

static struct template *builder_end(struct builder *builder, bool good)
{
    if (good)
        flush_literal(builder);
    else
        g_clear_pointer(&builder->template, template_free);
    g_string_free(builder->literal, TRUE);
    return builder->template;
}

static struct template *quoted_new(const char *text, bool env_secret, GError **error)
{
    struct builder builder = builder_start(env_secret);
    builder.quoted = true;
    builder.template->source = g_strdup(text);
    return builder_end(&builder, build_text(&builder, text, error));
}

static bool is_tag(const char *text)
{
    size_t name =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-");
    return name > 0 && (g_ascii_isalpha(*text) || *text == '_') &&
           (text[name] == '\0' || text[name] == ' ') && !strpbrk(text, "<>&");
}

// A start tag without its brackets, whose attributes may hold holes.
static struct template *tag_new(const char *text, GError **error)
{
    if (is_tag(text))
        return template_new(text, TEMPLATE_PLACE_XML, false, error);
    fail(error, "element: %s: write a name, or 'Name attribute=\"value\"'", text);
    return NULL;
}

struct template *template_new(const char *text, enum template_place place, bool env_secret,
                              GError **error)
{
    static const enum template_escape escapes[] = {
        [TEMPLATE_PLACE_TEXT] = TEMPLATE_ESCAPE_NONE,
        [TEMPLATE_PLACE_JSON] = TEMPLATE_ESCAPE_JSON_STRING,
        [TEMPLATE_PLACE_PATH] = TEMPLATE_ESCAPE_SEGMENT,
        [TEMPLATE_PLACE_QUERY] = TEMPLATE_ESCAPE_QUERY,
        [TEMPLATE_PLACE_FORM] = TEMPLATE_ESCAPE_FORM,
        [TEMPLATE_PLACE_HEADER] = TEMPLATE_ESCAPE_HEADER,
        [TEMPLATE_PLACE_XML] = TEMPLATE_ESCAPE_XML,
    };
    if (place == TEMPLATE_PLACE_JSON) {
        g_autoptr(cJSON) node = cJSON_CreateString(text);
        return template_new_json(node, env_secret, error);
    }
    if (place == TEMPLATE_PLACE_HEADER && strpbrk(text, "\r\n")) {
        g_set_error_literal(error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE,
                            "a header's value must not hold a line break");
        return NULL;
    }
    struct builder builder = builder_start(env_secret);
    builder.escape = escapes[place];
    builder.template->source = g_strdup(text);
    return builder_end(&builder, build_text(&builder, text, error));
}

struct template *template_new_json(const cJSON *tree, bool env_secret, GError **error)
{
    struct builder builder = builder_start(env_secret);
    builder.template->json = true;
    builder.template->source = json_print(tree, false);
    return builder_end(&builder, build_json(&builder, tree, error));
}
