// SPDX-License-Identifier: MIT
// What a compiled template is made of: for the files of template alone (the
// parser makes it, the renderer and the filters read it).
#ifndef CONFIG_TEMPLATE_PARTS_H
#define CONFIG_TEMPLATE_PARTS_H

#include "template.h"

enum template_piece_kind { TEMPLATE_LITERAL, TEMPLATE_HOLE, TEMPLATE_MACHINE };

// How what goes into a hole is escaped.
enum template_escape {
    TEMPLATE_ESCAPE_NONE,
    TEMPLATE_ESCAPE_JSON_STRING, // inside the quotes of a JSON string
    TEMPLATE_ESCAPE_JSON_VALUE,  // in place of a whole JSON scalar
    TEMPLATE_ESCAPE_SEGMENT,     // of a path
    TEMPLATE_ESCAPE_HOST,        // of a URL: colons stay
    TEMPLATE_ESCAPE_URL,         // the beginning of a URL: taken as it is
    TEMPLATE_ESCAPE_QUERY,
    TEMPLATE_ESCAPE_FORM,
    TEMPLATE_ESCAPE_HEADER,
    TEMPLATE_ESCAPE_XML,
};

struct template_filter;

// One filter of a chain.
struct template_use {
    const struct template_filter *filter;
    char *argument;        // a bare word, or a quoted text without holes; NULL for none
    struct template *text; // of a quoted argument: ${…} may stand in it; NULL for a bare word
    int number;            // of random
};

enum template_own { TEMPLATE_OWN_NONE, TEMPLATE_OWN_NOW, TEMPLATE_OWN_UUID, TEMPLATE_OWN_RANDOM };

// {{name - 24h | filter: 'x'}}
struct template_hole {
    char *name;              // or NULL, where
    struct template *quoted; // a quoted text stands in its place
    enum template_own own;   // names that are the template's own
    int64_t offset_ms;       // added to a time
    bool moved;              // an offset is given
    GTimeZone *zone;         // of the `zone` filter, or NULL
    bool raw;
    GPtrArray *uses; // of struct template_use, in order
    char *source;    // without the braces, for messages
};

struct template_piece {
    enum template_piece_kind kind;
    enum template_escape escape;
    char *text; // of a literal
    size_t length;
    struct template_hole *hole;
    struct template_reference *reference;
};

struct template
{
    GArray *pieces; // of struct template_piece
    bool json;      // made by template_new_json
    char *source;
};

// The piece at `index`, which there is.
static inline struct template_piece *template_piece_at(const struct template *template, guint index)
{
    g_assert(template->pieces->data && index < template->pieces->len);
    return &g_array_index(template->pieces, struct template_piece, index);
}

// What a hole is worth on its way through the filters. At first what the value
// holds, borrowed; a filter puts a text of its own in place.
struct template_operand {
    const cJSON *json; // borrowed; NULL once it is a text or a time
    char *text;        // owned
    bool number;       // `text` is a JSON number
    bool timed;        // `us` is the value
    int64_t us;
    GTimeZone *zone; // owned: that of the hole or of the context
    bool secret;
};

// What a filter's argument may be.
enum template_argument {
    TEMPLATE_ARGUMENT_NONE,
    TEMPLATE_ARGUMENT_TEXT,
    TEMPLATE_ARGUMENT_COUNT,
    TEMPLATE_ARGUMENT_KEY,  // the name of a value, or a quoted text
    TEMPLATE_ARGUMENT_TAG,  // an XML element's name and attributes, which may hold holes
    TEMPLATE_ARGUMENT_ZONE, // the name of a time zone
};

struct template_filter {
    const char *name;
    enum template_argument argument;
    // NULL where the parser has done all there is to do (raw).
    bool (*apply)(struct template_operand *operand, const struct template_use *use,
                  const struct template_context *context, GError **error);
    bool takes_none; // a name without a value is empty to it
    bool markup;     // what it makes is XML: it is not escaped again
};

// The filter of that name, or NULL.
const struct template_filter *template_filter_find(const char *name);

// The one filter that two in a row are, or NULL.
const struct template_filter *template_filter_joined(const struct template_filter *first,
                                                     const struct template_filter *second);

// The operand as text; the caller frees it.
char *template_operand_text(const struct template_operand *operand);

// Makes the operand a time; false and `error` where it is none.
bool template_operand_to_time(struct template_operand *operand, GError **error);

// `length` random characters of 0-9a-z; the caller frees them.
char *template_random(int length);

// Free one hole or reference; NULL is allowed.
void template_hole_free(struct template_hole *hole);
void template_reference_free(struct template_reference *reference);

typedef struct template_operand template_operand_t;

#endif
