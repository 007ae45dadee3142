// SPDX-License-Identifier: MIT
// The readers of the parts, from the smallest to the whole: for the files
// config_read*.c and config.c alone. Each reads nodes that config_shape has
// seen, and goes on past what is wrong.
#ifndef CONFIG_CONFIG_READ_H
#define CONFIG_CONFIG_READ_H

#include "config_reader.h"

// A selector of a node {json: $.id}, or of a word such as body; NULL with a
// problem, or where config_shape has found one.
struct selector *config_read_selector(struct config_reader *reader, const struct config_node *node);

// What a `namespaces` map (may be NULL) says: char *prefix -> char *URI, to be given
// back with g_hash_table_unref; NULL for none.
GHashTable *config_read_namespaces(const struct config_node *node);

// Makes what the `namespaces` of a call or selector say hold for what is read from
// here on, beside what holds already and, where the call names a system (that has
// been entered), what that says. Returns what to leave with.
GHashTable *config_namespaces_enter(struct config_reader *reader, const struct config_node *node);
void config_namespaces_leave(struct config_reader *reader, GHashTable *outer);

// The checks of a bare value or of operators, on what a selector of `kind`
// selects; the caller frees the array, which owns them.
GPtrArray *config_read_checks(struct config_reader *reader, const struct config_node *node,
                              enum selector_kind kind);

// The name and the checks of `only_if` in a map; the checks (which the caller
// frees, and the name) are NULL where there is none.
GPtrArray *config_read_only_if(struct config_reader *reader, const struct config_node *node,
                               char **name);

// Appends the expectations of an `expect` map to `expectations`.
void config_read_expect(struct config_reader *reader, const struct config_node *node,
                        GPtrArray *expectations);

// Appends captures and makes their names known; those of a login are `all_secret`.
void config_read_captures(struct config_reader *reader, const struct config_node *node,
                          bool all_secret, GPtrArray *captures);

// What a call is part of: it decides which of its names are secret.
enum config_call_kind { CONFIG_CALL_PLAIN, CONFIG_CALL_LOGIN };

// A call with all its keys, its names made known in the reader's scope. NULL
// with a problem where it has no method. `before` (may be NULL) receives how many
// names were known before its captures.
struct call *config_read_call(struct config_reader *reader, const struct config_node *node,
                              enum config_call_kind kind, unsigned *before);

// A lookup, and an undo with `source` filled; NULL where there is none. `lookup`
// is the node of the step's lookup or NULL.
struct lookup *config_read_lookup(struct config_reader *reader, const struct config_node *node);
struct undo *config_read_undo(struct config_reader *reader, const struct config_node *node,
                              const struct config_node *lookup);

// The bodies `xml` and `soap`, into `call`.
void config_read_xml(struct config_reader *reader, const struct config_node *node,
                     struct call *call);
void config_read_soap(struct config_reader *reader, const struct config_node *node,
                      struct call *call);

// The steps of a list, of struct step.
GPtrArray *config_read_steps(struct config_reader *reader, const struct config_node *node);

// The call of a `version` map; NULL, complained of where it is wrong, where there is none
// or it is off. `node` may be NULL.
struct call *config_read_version(struct config_reader *reader, const struct config_node *node);

// Reads a sweep of a pack for its mistakes alone, with the names that the reader's
// scope knows.
void config_check_pack_sweep(struct config_reader *reader, struct arena *arena,
                             const struct config_entry *entry);

// What keeps a repeated call from writing twice; warns where nothing does.
void config_read_idempotency(struct config_reader *reader, const struct config_node *node,
                             struct step *step);

// How often a flow may run; warns where its schedule, read before, will overrun that.
void config_read_budget(struct config_reader *reader, const struct config_node *node,
                        struct config_flow *flow);

// How long a system that refused us is left alone.
void config_read_backoff(struct config_reader *reader, const struct config_node *node,
                         struct config_system *system);

// What decides whether a system lets us in, as a text that changes with it; NULL nodes are
// allowed. The caller frees it.
char *config_read_digest(struct config_reader *reader, const struct config_node *url,
                         const struct config_node *const *others, unsigned count);

// The ways of `auth`, appended to the system's; `node` may be NULL.
void config_read_auth(struct config_reader *reader, const struct config_node *node,
                      struct config_system *system);

// Says what is dangerous in a sweep: one that could delete records of others. `node` is where
// it stands.
void config_check_sweep(struct config_reader *reader, const struct config_node *node,
                        const struct config_sweep *sweep);

// Complain of calls, as they are written, that lead where their system's calls may not, or that the
// pack of that system refuses to make: those of a step, with its lookup and undo, and of a sweep.
// Of what a system calls by itself, logins and its version, only the latter is looked for here.
void config_check_step_calls(struct config_reader *reader, const struct step *step);
void config_check_sweep_calls(struct config_reader *reader, const struct config_sweep *sweep);
void config_check_system_calls(struct config_reader *reader, const struct config_system *system);

// Says which patterns and paths are wrong with the values that are known of the flow and its
// systems, or of the sweep.
void config_check_flow_patterns(struct config_reader *reader, const struct config_flow *flow);
void config_check_sweep_patterns(struct config_reader *reader, const struct config_sweep *sweep);

// What the maps `oauth2` and `csrf` of `auth` say, into `auth`.
void config_read_oauth2(struct config_reader *reader, const struct config_node *node,
                        const struct config_system *system, struct config_auth *auth);
void config_read_csrf(struct config_reader *reader, const struct config_node *node,
                      struct config_auth *auth);

// A session without a login, which the caller gives it; `step` is its name in the evidence.
struct config_session *config_session_new(const char *step);

// The rules of `allow_hosts`, as templates appended to `hosts`; `node` may be NULL.
void config_read_hosts(struct config_reader *reader, const struct config_node *node,
                       GPtrArray *hosts);

// Complains of a call (may be NULL) whose address is whole and leads where its system's calls may
// not.
void config_check_reach(struct config_reader *reader, const struct config_system *system,
                        const struct call *call);

// A time zone's name, checked; `fallback` (NULL: the machine's) where there is
// none. The caller frees it.
char *config_read_timezone(struct config_reader *reader, const struct config_node *node,
                           const char *fallback);

// True where the whole text is a mail address.
bool config_is_address(const char *text);

// Free what config_load makes; NULL is allowed.
void config_auth_free(void *auth);
void config_value_free(void *value);
void config_flow_free(void *flow);
void config_sweep_free(void *sweep);

// The agent's and the mail's settings, into the reader's configuration; `node` may be NULL.
void config_read_agent(struct config_reader *reader, const struct config_node *node);
void config_read_mail(struct config_reader *reader, const struct config_node *node);

#endif
