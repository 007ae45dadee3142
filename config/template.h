// SPDX-License-Identifier: MIT
// Texts with holes: {{name | filter}} for values of a run, ${env:NAME} for what
// the machine gives. Compiled once, each hole escaped for the place where it
// stands. Pure: the values, the secrets and the time come from the caller.
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "../base/clock.h"
#include "../base/value.h"

#include <glib.h>
#include <stdbool.h>

#define TEMPLATE_ERROR template_error_quark()
GQuark template_error_quark(void);
enum template_error {
    TEMPLATE_ERROR_SYNTAX, // not a template; the message says what to write
    TEMPLATE_ERROR_VALUE,  // a name without a value, a filter that does not fit: our fault
    TEMPLATE_ERROR_UNSAFE, // CR, LF or NUL for a header, a control character for XML
};

// Where a hole stands decides how its value is escaped.
enum template_place {
    TEMPLATE_PLACE_TEXT,   // as it is
    TEMPLATE_PLACE_JSON,   // a JSON document (see template_new_json)
    TEMPLATE_PLACE_PATH,   // a segment of a URL's path
    TEMPLATE_PLACE_QUERY,  // a query value: literal text and holes are encoded
    TEMPLATE_PLACE_FORM,   // a form value: likewise, with + for a space
    TEMPLATE_PLACE_HEADER, // refuses CR, LF and NUL
    TEMPLATE_PLACE_XML,    // an XML text or attribute; refuses what XML cannot carry
};

// Which machine value a ${…} reference names.
enum template_reference_kind {
    TEMPLATE_REFERENCE_ENV,
    TEMPLATE_REFERENCE_FILE,
    TEMPLATE_REFERENCE_CREDENTIAL
};
struct template_reference {
    enum template_reference_kind kind;
    char *name;
    char *fallback; // of ${env:NAME:-fallback}, or NULL
    bool secret;    // its value is a secret
};

// That it has no value on this machine, and how to give it one. The caller frees it.
char *template_reference_unset(const struct template_reference *reference);

// The same of the first of these (of struct template_reference), all of which have none; NULL
// where there is none of them, or no list.
char *template_first_unset(const GPtrArray *references);

struct template;

// What rendering may ask. `value` returns NULL where the name has no value
// (borrowed); `reference` likewise for machine values.
struct template_context {
    const struct value *(*value)(const char *name, void *user);
    // Likewise for {{name | raw}}; NULL: `value` answers that too.
    const struct value *(*raw_value)(const char *name, void *user);
    const char *(*reference)(const struct template_reference *reference, void *user);
    void *user;
    struct clock_wall now;
    const char *timezone; // of {{now}} and the time filter, unless `zone` says another
    // Told, where it is not NULL, each text that filters made of a secret: a
    // secret too, but not one that can be found by searching for the first.
    void (*made)(const char *text, void *made_user);
    void *made_user;
};

// Compiles a text. `env_secret` says that an ${env:} in it is a secret. NULL and
// `error` where it is not well-formed.
struct template *template_new(const char *text, enum template_place place, bool env_secret,
                              GError **error);

// Compiles a JSON document, whose string scalars may hold holes: one that is
// only '{{name}}' keeps the value's type. `tree` is borrowed.
struct template *template_new_json(const cJSON *tree, bool env_secret, GError **error);

// Appends what `tail` holds, as a whole; takes it.
void template_append(struct template *head, struct template *tail);

// The text with its holes filled; `secret` (may be NULL) is set where a secret
// went into it. NULL and `error` where a hole cannot be filled. Caller frees.
char *template_render(const struct template *template, const struct template_context *context,
                      bool *secret, GError **error);

// The value of a template: that of its only hole with its type, or a text.
struct value *template_evaluate(const struct template *template,
                                const struct template_context *context, GError **error);

// The text of a template without holes, or NULL; borrowed.
const char *template_constant(const struct template *template);

// Calls `each` for every name (with a NULL reference) and every reference
// (with a NULL name) that the template needs.
typedef void (*template_visit)(const char *name, const struct template_reference *reference,
                               void *user);
void template_foreach(const struct template *template, template_visit each, void *user);

// True where a template without a value in front begins the text: a URL that is
// taken whole.
bool template_begins_with_hole(const struct template *template);

// The source text as the user wrote it (of a JSON one: the document); borrowed.
const char *template_source(const struct template *template);

// Frees it; NULL is allowed.
void template_free(struct template *template);

// Names of all filters, NULL-terminated, for messages and the reference.
const char *const *template_filter_names(void);

typedef struct template template_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(template_t, template_free)

#endif
