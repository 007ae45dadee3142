// SPDX-License-Identifier: MIT
// What the readers of the parts share: where problems go, which names and
// references are known, and how a template, a field or an amount is read. For
// the files config_read*.c alone.
#ifndef CONFIG_CONFIG_READER_H
#define CONFIG_CONFIG_READER_H

#include "config.h"
#include "config_keys.h"
#include "config_node.h"
#include "config_scope.h"

struct config_across;

struct config_reader {
    struct config *config; // NULL where an undo is read back from the ledger
    GPtrArray *problems;   // of struct config_problem
    enum config_missing missing;
    bool in_memory;               // no file is read
    bool in_pack;                 // calls of a pack are read, which only its writer can mend
    const char *mark;             // what the records of sweeps are known by; NULL: agent.mark
    GHashTable *references;       // "env:NAME" -> what is wrong with it, "" for nothing
    struct config_scope *scope;   // names known at this point; NULL: any name will do
    GPtrArray *needs;             // of struct template_reference: missing ones; NULL: an error
    struct config_across *across; // which systems calls may name; NULL: any, by their ids
    GHashTable *namespaces;       // prefix -> URI, of XPaths read from here on; NULL: none
    bool any_prefix;              // which prefixes there are cannot be told
    GHashTable *expectations;     // node -> of struct expectation; NULL: not shared
};

// A template of the scalar `node`, its names and references checked; NULL with a
// problem where it is wrong. `env_secret`: an ${env:} in it is a secret.
struct template *config_read_template(struct config_reader *reader, const struct config_node *node,
                                      enum template_place place, bool env_secret);

// A template of any node as JSON; likewise.
struct template *config_read_json(struct config_reader *reader, const struct config_node *node,
                                  bool env_secret);

// A template where a secret is due: a literal one is warned of and kept from
// being shown. `what` names it for people: "systems.erp auth.basic.password".
struct template *config_read_secret(struct config_reader *reader, const struct config_node *node,
                                    enum template_place place, const char *what);

// Warns of literal secrets in a body: members whose names say what they are.
void config_read_body_secrets(struct config_reader *reader, const struct config_node *node);

// Appends the fields (name to template, or a list of them) of a map to `fields`.
void config_read_fields(struct config_reader *reader, const struct config_node *node,
                        enum template_place place, GPtrArray *fields);

// What the records of sweeps are known by; borrowed.
const char *config_read_mark(const struct config_reader *reader);

// Names that stand in a pattern or a path, where no template is made: checked.
void config_read_argument(struct config_reader *reader, const struct config_node *node,
                          const char *text);

// True where a secret goes into the template.
bool config_read_is_secret(struct config_reader *reader, const struct template *template);

// Amounts that config_shape has found good; `fallback` where the key is missing.
int64_t config_read_duration(const struct config_node *node, int64_t fallback_ms);
int64_t config_read_size(const struct config_node *node, int64_t fallback);
int config_read_integer(const struct config_node *node, int fallback);
bool config_read_boolean(const struct config_node *node, bool fallback);

// The position of a scalar's text among the words of `a|b|c`; `fallback` where
// it is missing or none of them.
int config_read_word(const struct config_node *node, const char *words, int fallback);

// Texts of one scalar or a list; the caller frees the array, which owns them.
GPtrArray *config_read_texts(const struct config_node *node);

// True where a header may have this name (RFC 9110 section 5.6.2).
bool config_is_header_name(const char *name);

// A file name made absolute against the file that names it; NULL for none. The
// caller frees it.
char *config_read_filename(const struct config_node *node);

// The same of a file that has to be there when calls are made, such as a key: where it
// cannot be read, validate says so; where an agent starts, it is warned of.
char *config_read_needed_file(struct config_reader *reader, const struct config_node *node);

// Warns of a secret that stands as it is in `node`, and keeps it from being shown;
// `what` names it for people.
void config_read_note_literal(struct config_reader *reader, const struct config_node *node,
                              const char *literal, const char *what);

// Notes for `validate -v` that something is secret.
void config_read_note_secret(struct config_reader *reader, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

// A copy of a reference, and its end.
struct template_reference *config_reference_copy(const struct template_reference *reference);
void config_reference_free(void *reference);

// The text of a setting with the values of its ${…} references, read now; NULL
// (complained of) where one has no value. The caller frees it.
char *config_read_setting(struct config_reader *reader, const struct config_node *node);

#endif
