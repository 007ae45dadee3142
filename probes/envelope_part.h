// SPDX-License-Identifier: MIT
// What the readers of one format each share: candidates for code and message,
// in the order of the tables. Only envelope*.c include it.
#ifndef PROBES_ENVELOPE_PART_H
#define PROBES_ENVELOPE_PART_H

#include "envelope.h"

#include <stdint.h>

struct pack_envelope; // config/pack_lexicon.h

// Collects candidates; the first message that says something wins, with its own
// code, else with the first code of all.
struct envelope_pick {
    char *message;
    int weight;  // enum lexicon_weight of `message`
    char *code;  // of `message`'s place
    char *first; // the first code of all
    char *last;  // a code that only repeats the status, taken where there is no other
    GString *context;
};

// An empty one; envelope_pick_finish clears it.
void envelope_pick_init(struct envelope_pick *pick);

// Offers a message and the code beside it; either may be NULL. Both are copied.
void envelope_pick_offer(struct envelope_pick *pick, const char *code, const char *message);

// Offers a number that only repeats the status.
void envelope_pick_offer_status(struct envelope_pick *pick, const char *status);

// Adds a text that is no message, but may tell the cause; NULL is allowed.
void envelope_pick_add_context(struct envelope_pick *pick, const char *text);

// Moves what was picked into `envelope` and clears `pick`.
void envelope_pick_finish(struct envelope_pick *pick, struct envelope *envelope);

// Readers. Each fills failure, code, message, context, login of `envelope`. An
// `xml` document is what envelope_xml_tree gave.
void envelope_read_json(struct envelope *envelope, const cJSON *document, bool xml);
void envelope_read_html(struct envelope *envelope, const char *body, size_t length);
void envelope_read_text(struct envelope *envelope, const char *body, size_t length);

// Code and text out of JSON that is cut or wrong.
void envelope_read_broken(struct envelope *envelope, const char *body, size_t length);

// XML as a tree of objects (attributes and children by their local names, text
// as "#text", a leaf without attributes as a string), read by a bounded scan
// that resolves no entity but the five and characters. NULL where it is no XML.
cJSON *envelope_xml_tree(const char *body, size_t length);

// Text of a piece of XML or HTML: tags taken out, entities read, blanks joined.
// The caller frees it.
char *envelope_plain_text(const char *text, size_t length);

// True where two names are the same but for case, namespace prefix and
// punctuation: o:errorCode, error_code, ErrorCode. `name` is in lower case and
// `length` bytes long.
bool envelope_name_is(const char *name, size_t length, const char *key);

// A hash of a member's name in that sense, never 0.
uint32_t envelope_name_hash(const char *key);

// Rows of a table that a set of bits holds, and members of an object that are looked at.
enum { ENVELOPE_ROWS_MAX = 64, ENVELOPE_NAMES_MAX = 1000 };

// The names of an object's members, for one look of several tables.
struct envelope_names {
    unsigned count;
    bool more; // it has more than these
    uint32_t hashes[ENVELOPE_NAMES_MAX];
};

// Reads the names of what may be an object; of anything else there are none.
void envelope_names_read(struct envelope_names *names, const cJSON *object);

// Names of members and the rows of a table that ask for them. Only added
// to while nothing is found in it yet; never freed.
struct envelope_words *envelope_words_new(void);
void envelope_words_add(struct envelope_words *words, const char *name, size_t length,
                        unsigned row);

// The rows that ask for one of these names, as bits; all of them where there are more names.
uint64_t envelope_words_find(const struct envelope_words *words,
                             const struct envelope_names *names);

// A member by its name in that sense, or NULL; of the first 500. Borrowed.
const cJSON *envelope_member(const cJSON *object, const char *name);

// The node at a dotted path of such names, or NULL. Borrowed.
const cJSON *envelope_find(const cJSON *node, const char *path);

// The text of a value, also of {"lang", "value"} and of the first of a list; NULL
// where there is none. Borrowed from the tree or from `buffer`.
const char *envelope_text(const cJSON *node, char buffer[32]);

// True for a code of success: 0, 00, 2xx, OK, none.
bool envelope_is_success(const char *code);

// True for three digits that can be an HTTP status.
bool envelope_is_status(const char *text);

// True for a word that names a kind of error: no sentence, no address.
bool envelope_is_token(const char *text);

// True for the name of a class of errors; members named name or type hold all
// kinds of things besides.
bool envelope_is_error_name(const char *text);

// True where an object, with the names of its members, says that the call failed, by the
// table of signs.
bool envelope_shows_failure(const cJSON *object, const struct envelope_names *names);

// Reads the document that is the only content of a tree which says nothing itself;
// and whether there is one that says that the call failed.
void envelope_read_nested(struct envelope *envelope, const cJSON *tree);
bool envelope_nested_fails(const cJSON *tree, const struct pack_lexicon *pack);

// Reads a batch in JSON by the first of its parts that fails; false where none fails,
// or the document is no batch. And only whether one fails.
bool envelope_read_batch(struct envelope *envelope, const cJSON *document);
bool envelope_batch_fails(const cJSON *document, const struct pack_lexicon *pack);

// Reads a multipart body; false where it is none.
bool envelope_read_multipart(struct envelope *envelope, const char *body, size_t length,
                             const char *content_type);

// What a pack's row makes of the beginning of a text: its ids are noted, its noise is cut
// out. The caller frees the text.
char *envelope_pack_clean(const struct pack_envelope *row, const char *text, cJSON *ids);

// Takes over what `inner` says; `inner` is still to be freed.
void envelope_take(struct envelope *envelope, struct envelope *inner);

// Reads what no table can describe: Frappe, Tryton, JSON-RPC; XML-RPC, cXML. `names` are
// those of the document.
void envelope_read_special(struct envelope *envelope, struct envelope_pick *pick,
                           const cJSON *document, const struct envelope_names *names);
void envelope_read_special_xml(struct envelope *envelope, struct envelope_pick *pick,
                               const cJSON *document);

#endif
