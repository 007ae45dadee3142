// SPDX-License-Identifier: MIT
// The calls that flows are made of, as the configuration gives them: what is
// sent, what is expected, what is captured, how it is undone. All compiled.
#ifndef CONFIG_CALL_H
#define CONFIG_CALL_H

#include "../base/jsonpath.h"
#include "../base/regex.h"
#include "../base/xml.h"
#include "template.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// Where something stands in the user's files; `file` lives as long as the
// program. Lines and columns count from 1.
struct config_place {
    const char *file;
    int line, column;
};

enum selector_kind {
    SELECTOR_STATUS,
    SELECTOR_TIME,
    SELECTOR_SIZE,
    SELECTOR_HEADER,
    SELECTOR_COOKIE,
    SELECTOR_JSON,
    SELECTOR_REGEX,
    SELECTOR_BODY,
    SELECTOR_XML,
    SELECTOR_HTML,
    SELECTOR_CERTIFICATE,
};

struct selector {
    enum selector_kind kind;
    char *argument;         // header or cookie name, JSONPath, XPath, pattern; NULL for the others
    struct jsonpath *path;  // of json, when the argument has no hole
    struct regex *regex;    // of regex, likewise
    struct xml_path *xpath; // of xml and html, likewise
    GHashTable *namespaces; // of xml and html: char *prefix -> char *uri, or NULL
    struct config_place place;
};

enum check_operator {
    CHECK_EQUALS,
    CHECK_NOT,
    CHECK_CONTAINS,
    CHECK_MATCHES,
    CHECK_ABOVE,
    CHECK_BELOW,
    CHECK_AT_LEAST,
    CHECK_AT_MOST,
    CHECK_ONE_OF,
    CHECK_COUNT,
    CHECK_LENGTH,
    CHECK_EXISTS,
    CHECK_TYPE,
    CHECK_EMPTY,
    CHECK_ANY,
};

// One operator with its operand. For time, certificate and size the operand is
// milliseconds or bytes; for status a number, "2xx", or one_of.
struct check {
    enum check_operator operator;
    GPtrArray *operands; // of struct template (JSON place: types are kept); one, or those of one_of
    GPtrArray *constants; // of cJSON: the operands where none has a hole; else NULL
    struct regex *regex;  // of matches, where its operand has no hole
    GPtrArray *nested;    // of struct check: of not, count, length and any given as a map
    char *source;         // the check as the user wrote it, for the mail
    struct config_place place;
};

// All checks on what one selector selects; they hold together.
struct expectation {
    struct selector *selector; // judged on the response, or on the value `from`
    char *from;                // a captured value, or NULL
    GPtrArray *checks;         // of struct check
    char *only_if_name;        // NULL for always
    GPtrArray *only_if;        // of struct check, or NULL
    struct config_place place;
};

enum capture_decode { CAPTURE_PLAIN, CAPTURE_BASE64, CAPTURE_URL, CAPTURE_HTML };

struct capture {
    char *name;
    struct selector *selector; // NULL where only `from` is given
    char *from;                // a captured value in place of the response, or NULL
    enum capture_decode decode;
    struct selector *then; // on the decoded text, or NULL
    bool as_url;
    bool all;
    bool secret;
    struct template *fallback; // `default`, or NULL
    struct config_place place;
};

// In place of a query or form field's name: its value is a map of such fields.
#define CALL_FIELDS "..."

// A name with a value: a header, a query or form field, a variable.
struct call_field {
    char *name;
    struct template *value;
};

struct config_system;

enum call_body {
    CALL_BODY_NONE,
    CALL_BODY_JSON,
    CALL_BODY_FORM,
    CALL_BODY_TEXT,
    CALL_BODY_FILE,
    CALL_BODY_XML,
    CALL_BODY_SOAP
};

enum call_soap { CALL_SOAP_1_1, CALL_SOAP_1_2 };

struct call {
    char *system;          // id of the one it goes to where it names one; NULL: its step's
    char *method;          // GET, POST, …
    struct template *path; // behind the system's url
    bool whole_url;        // `path` is a complete URL (begins with http or a hole)
    GPtrArray *query;      // of struct call_field
    GPtrArray *headers;    // of struct call_field
    enum call_body body_kind;
    struct template *body;        // json, text, xml, soap (with its envelope)
    enum call_soap soap;          // version, of soap
    struct template *soap_action; // of soap, or NULL
    GPtrArray *form;              // of struct call_field: form
    char *body_file;              // absolute path: file
    int64_t timeout_ms;           // 0 for the system's
    bool no_auth;                 // auth: none
    bool elsewhere;               // its URL need not be the system's: an identity provider's
    char *elsewhere_ca;           // PEM file for such a URL, NULL for the machine's
    int follow;                   // redirects at most
    bool cookies_new;             // a new jar
    GPtrArray *captures;          // of struct capture
    GPtrArray *set;               // of struct call_field
    GPtrArray *expect;            // of struct expectation; empty: a 2xx is expected
    GPtrArray *gone;              // of struct expectation: of an undo
    struct call *otherwise;       // `else` of an undo, or NULL
    struct config_place place;
};

// Finds a record whose creating call was not answered.
struct lookup {
    struct call *call;
    struct selector *mark;
};

struct undo {
    char *none;            // why there is nothing to undo, or NULL
    GPtrArray *calls;      // of struct call
    struct lookup *lookup; // of a record that another system creates later, or NULL
    int64_t lookup_for_ms;
    GPtrArray *later; // of struct undo: those of a list with a lookup, each owed on its own
    char *source;     // the undo and its lookup as one JSON text: what the ledger keeps
};

struct step {
    char *name;
    const struct config_system *system; // that it calls; borrowed; NULL: its flow's
    struct call *call;
    int64_t slow_ms;                      // 0 for none
    int64_t until_every_ms, until_for_ms; // 0 for none
    int retry_times;
    int64_t retry_after_ms;
    bool retry_on_any;
    char *idempotency;     // the header that carries one key per run and step, or NULL
    char *only_if_name;    // NULL for always
    GPtrArray *only_if;    // of struct check
    struct lookup *lookup; // NULL for none
    struct undo *undo;     // NULL for none
    char *act;             // role, or NULL
    char *means;           // a sentence for the mail, or NULL
    struct config_place place;
};

// Constructors give empty lists; each free function frees all it owns and
// allows NULL.
struct selector *selector_new(enum selector_kind kind, const char *argument);
struct check *check_new(enum check_operator operator);
struct expectation *expectation_new(void);
struct capture *capture_new(const char *name);
struct call_field *call_field_new(const char *name, struct template *value);
struct call *call_new(const char *method);
struct step *step_new(const char *name);
void selector_free(struct selector *selector);
void check_free(struct check *check);
void expectation_free(struct expectation *expectation);
void capture_free(struct capture *capture);
void call_field_free(struct call_field *field);
void call_free(struct call *call);
void lookup_free(struct lookup *lookup);
void undo_free(struct undo *undo);
void step_free(struct step *step);

// Compiles the selector's path or pattern; false and `error` where it is wrong.
bool selector_compile(struct selector *selector, GError **error);

// Reads an undo back from `source` (with the step's `lookup` beside it under
// that key): the ledger pays debts of flows that have changed. NULL and `error`
// where it is none. `lookup` (may be NULL) receives the step's lookup.
struct undo *undo_parse(const char *source, struct lookup **lookup, GError **error);

// Calls back for each call of an undo (NULL is allowed) or of a step with its lookup and undo:
// also for those that take another's place and those that are owed later. `lookup` is the one
// whose call it is, or NULL.
typedef void (*call_visitor)(const struct call *call, const struct lookup *lookup, void *user);
void undo_visit_calls(const struct undo *undo, call_visitor visit, void *user);
void step_visit_calls(const struct step *step, call_visitor visit, void *user);

// True where a method only reads (RFC 9110 section 9.2.1).
bool call_is_safe(const struct call *call);

// True where repeating the method changes nothing (RFC 9110 section 9.2.2).
bool call_is_idempotent(const struct call *call);

#endif
