// SPDX-License-Identifier: MIT
// Where the code and the message of a failure are in a body: the shapes that
// ERPs, shops, gateways and payment providers use, as tables. Pure.
#ifndef PROBES_ENVELOPE_H
#define PROBES_ENVELOPE_H

#include "../base/json.h"

#include <glib.h>
#include <stdbool.h>

struct pack_lexicon; // config/pack_lexicon.h

// What the body is by its looks: they decide over the announced content type.
enum envelope_kind {
    ENVELOPE_EMPTY,
    ENVELOPE_JSON,
    ENVELOPE_XML,
    ENVELOPE_HTML,
    ENVELOPE_TEXT,
    ENVELOPE_BROKEN, // begins like JSON or is announced as such, but is not; or binary
};

struct envelope {
    enum envelope_kind kind;
    bool failure;       // the body itself says that the call failed, whatever the status
    bool suspect;       // a lone text: with a good status its words decide
    bool login;         // a page that asks for a password
    bool protection; // a page by which a protection service refuses
    bool told;          // a header says what failed: the body need not
    bool refusal;       // nothing but False: a failure where the flow does not expect it
    bool partial;       // a batch, and parts of it succeeded
    int status;         // of the part of a batch that failed, else 0
    const char *family; // the protocol that the code belongs to, for the lexicon, or NULL
    char *code;         // machine code or NULL
    char *message;      // the literal text that says most, placeholders filled in, or NULL
    char *context;      // what else the body says, for the lexicon, or NULL
    cJSON *ids;         // what a support desk asks for, as an object; never NULL
    const struct pack_lexicon *pack; // whose rows are asked before the common ones, or NULL
};

// Reads a body. `document` is the body as JSON where the caller has it, else
// NULL; `content_type` may be NULL. What `pack` (NULL for none) knows of such bodies is asked
// first; it is borrowed. Never NULL; envelope_free frees it.
struct envelope *envelope_read(const char *body, size_t length, const char *content_type,
                               const cJSON *document, const struct pack_lexicon *pack);

// True where a JSON document says by itself that the call failed, as `failure` of
// envelope_read: a quick look, for answers that nothing else speaks against.
bool envelope_says_failure(const cJSON *document, const struct pack_lexicon *pack);

// True where it is neither `failure` nor `suspect` nor `refusal` of envelope_read: as quick
// a look, for answers of which nothing was expected.
bool envelope_is_clear(const cJSON *document, const struct pack_lexicon *pack);

// Adds what the headers (of struct transfer_header) of a failing answer say, where its
// body says less.
void envelope_read_headers(struct envelope *envelope, const GPtrArray *headers, int status);

// Frees it; NULL is allowed.
void envelope_free(struct envelope *envelope);

typedef struct envelope envelope_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(envelope_t, envelope_free)

#endif
