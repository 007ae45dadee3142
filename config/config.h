// SPDX-License-Identifier: MIT
// The configuration as a plain value, once read and checked: what the user
// wrote, resolved (defaults, templates, namespaces), with the place of each
// thing for messages. Read-only after config_load; freed as a whole.
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "call.h"
#include "config_auth.h"
#include "never.h"
#include "secret.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct config_agent {
    char *timezone; // IANA name; the machine's where not given
    char *store;    // path of the SQLite file
    int64_t keep_runs_ms, keep_evidence_ms;
    int parallel;      // calls in flight at most
    int64_t stop_ms;   // what calls in flight get at SIGTERM
    GPtrArray *online; // of char *: URLs
    char *mark;        // prefix of {{mark}}
    int64_t max_body;  // bytes kept of a response
};

enum config_security { CONFIG_SECURITY_STARTTLS, CONFIG_SECURITY_TLS, CONFIG_SECURITY_NONE };
enum config_mail_library { CONFIG_LIBRARY_AUTO, CONFIG_LIBRARY_LIBESMTP, CONFIG_LIBRARY_LIBCURL };
enum config_thread { CONFIG_THREAD_INCIDENT, CONFIG_THREAD_SUBJECT };

struct config_mail {
    bool given;
    char *server;    // host:port, NULL with a directory
    char *directory; // mails are written here, NULL with a server
    enum config_security security;
    struct template *username, *password; // NULL for no AUTH
    char *from;                           // "Name <address>"
    char *fallback;                       // a contact's name or NULL
    enum config_mail_library library;
    enum config_thread thread;
    int limit; // notices an hour per contact
    char *ca;  // PEM file, NULL for the system's
    // for XOAUTH2, NULL for none
    struct template *oauth2_token_url, *oauth2_client_id, *oauth2_client_secret, *oauth2_scope,
        *oauth2_refresh_token;
};

enum config_style { CONFIG_STYLE_TECHNICAL, CONFIG_STYLE_BUSINESS };
enum config_evidence { CONFIG_EVIDENCE_FULL, CONFIG_EVIDENCE_SHAPE, CONFIG_EVIDENCE_NONE };

struct config_contact {
    char *id; // with its namespace: acme/it
    char *name;
    GPtrArray *email; // of char *: addresses
    char *language;   // "en", "nl", "fr" or "de"
    char *timezone;
    enum config_style style;
    enum config_evidence evidence;
    struct config_place place;
};

// A value of a system: for its calls, and for its flows.
struct config_value {
    char *name;
    struct template *value;
    bool secret; // whatever it is made of
};

struct config_system {
    char *id, *title;
    struct template *url;
    GPtrArray *headers; // of struct call_field
    int64_t timeout_ms;
    int parallel;    // calls in flight to it at most, per process
    bool uat;        // environment: uat
    GPtrArray *auth; // of struct config_auth
    GHashTable *act; // char *role -> char *contact id
    char *tls_ca;    // PEM file or NULL
    bool tls_no_verify;
    GPtrArray *vars;        // of struct config_value: a later one may use an earlier one
    GPtrArray *allow_hosts; // of struct template: where whole URLs and redirects may lead, too
    char *pack;             // the pack that it goes by, or NULL
    struct pack_lexicon *lexicon; // what that knows of its answers, or NULL
    GPtrArray *never; // of struct never_rule: calls that the pack refuses; NULL for none
    int64_t backoff_after_ms, backoff_up_to_ms; // 0: is not left alone after a refusal
    char *digest;                               // of what decides whether it lets us in
    GHashTable *namespaces; // char *prefix -> char *URI: of XPaths on its answers; NULL for none
    struct call *version;   // the call that tells its version; NULL for none
    struct config_place place;
};

struct config_flow {
    char *id, *title;
    uint64_t number;              // ids_number of the id: spreads its starts
    struct config_system *system; // borrowed from the configuration
    int64_t every_ms;             // 0 where `cron` is given, or neither
    char *cron;                   // five fields or NULL
    int64_t timeout_ms;           // of all its steps
    int priority;                 // 1 to 4
    char *impact;                 // a sentence, or NULL
    int confirm_runs;             // runs in a row that open an incident
    int64_t confirm_after_ms;
    int recover; // good runs that close one
    int64_t group_ms;
    int runs_per_day;        // its budget; 0 for none
    GPtrArray *notify;       // of char *: contact ids, resolved from roles
    GPtrArray *notify_roles; // of char *: the roles, for failures at other systems
    GPtrArray *vars;         // of struct call_field: computed once for a run, in order
    GPtrArray *steps;        // of struct step
    char *off;               // why it is switched off, or NULL
    char *was;               // its former name, or NULL
    GPtrArray *needs; // of struct template_reference that could not be loaded: a run is unknown
    struct config_place place;
};

// How the rest of a long answer is asked for.
struct config_pages {
    struct selector *next;     // of the address of the next page, or NULL
    struct call *next_call;    // with `next`: GET {{page}}, an address as a whole
    int64_t offset, page_step; // without `next`: {{page}} of the first call, and how it grows
};

// A search for test records that were left behind, and how each is deleted.
struct config_sweep {
    char *id;
    struct config_system *system; // borrowed from the configuration
    int64_t every_ms;             // 0 where `cron` is given, or neither
    char *cron;                   // five fields or NULL
    int64_t older_ms;             // younger records are left alone
    struct call *call;            // the search; its captures and set stand here:
    GPtrArray *captures;          // of struct capture: of an item
    GPtrArray *set;               // of struct call_field: of an item
    struct selector *items;
    GPtrArray *only;           // of struct expectation: of an item
    struct selector *at;       // of an item: its time
    char *zone;                // of times without one, or NULL: the later of two readings
    struct undo *undo;         // of an item
    struct config_pages pages; // page_step 0 and next NULL: one page
    int at_most;
    GPtrArray *notify; // of char *: contact ids, resolved from roles; may be empty
    char *off;         // why it is switched off, or NULL
    GPtrArray *needs;  // of struct template_reference that could not be loaded
    struct config_place place;
};

struct config {
    struct config_agent agent;
    struct config_mail mail;
    GHashTable *contacts; // id -> struct config_contact
    GHashTable *systems;  // id -> struct config_system
    GPtrArray *flows;     // of struct config_flow, in the order of the files
    GHashTable *by_id;    // id -> struct config_flow, the same ones; NULL where there is none
    GPtrArray *sweeps;    // of struct config_sweep, likewise
    struct secret_store *secrets;
    char *digest;            // hash of all files' contents
    GPtrArray *secret_names; // of char *: what is secret, for people: "${file:/etc/x}"
    GPtrArray *secret_files; // of const char *: files in which a secret stands literally
};

// One problem of a configuration.
struct config_problem {
    struct config_place place;
    bool warning;
    char *message; // what is wrong, and what to write instead
};

// What config_load does about references whose value is missing.
enum config_missing { CONFIG_MISSING_IS_ERROR, CONFIG_MISSING_IS_NEED };

// Reads the file, its includes, and checks all of it. Problems (errors and
// warnings, in the order of file, line and column) are appended to `problems`
// (of struct config_problem). NULL where there is an error.
struct config *config_load(const char *path, enum config_missing missing, GPtrArray *problems);

// Likewise for one text in memory; `name` stands for it in places. No file is
// read: an include is an error, and references are taken as set.
struct config *config_load_text(const char *name, const char *text, size_t length,
                                GPtrArray *problems);

// A list for problems that owns them, and the line that a person reads:
// file:line:column: error: message. The caller frees the line.
GPtrArray *config_problems_new(void);
char *config_problem_format(const struct config_problem *problem);

// Puts a flow behind those that are there. It is handed over.
void config_add_flow(struct config *config, struct config_flow *flow);

// The flow with this id, or NULL; the sweep and the contact likewise. Borrowed.
struct config_flow *config_find_flow(const struct config *config, const char *id);
struct config_sweep *config_find_sweep(const struct config *config, const char *id);
struct config_contact *config_find_contact(const struct config *config, const char *id);

// The contact id that has `role` at `system`, or NULL; borrowed.
const char *config_role_contact(const struct config_system *system, const char *role);

// The first file that holds a literal secret and that others may read, with the
// mend, as one sentence; NULL where there is none. The caller frees it.
char *config_literal_secret_readable(const struct config *config);

// True for localhost and the addresses of this machine alone.
bool config_is_loopback(const char *host);

// The path that a command without -c reads: ./erpwatch.yaml, else
// /etc/erpwatch/erpwatch.yaml.
const char *config_default_path(void);

// The system that a step of the flow calls. Borrowed.
const struct config_system *config_step_system(const struct config_flow *flow,
                                               const struct step *step);

// True where the flow is the system's own, or one of its steps calls it.
bool config_flow_uses(const struct config_flow *flow, const char *system);

// Frees the configuration; NULL is allowed.
void config_free(struct config *config);

typedef struct config config_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config_t, config_free)

#endif
