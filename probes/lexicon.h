// SPDX-License-Identifier: MIT
// Patterns over codes and messages that give a cryptic answer its cause, a
// plain explanation and an owner: those of a system's pack, then the common ones of
// probes/lexicon.def. Pure.
#ifndef PROBES_LEXICON_H
#define PROBES_LEXICON_H

#include "verdict.h"

struct lexicon;
struct pack_lexicon; // config/pack_lexicon.h

// The common lexicon, built into the program. Compiled when it is first asked
// something, and shared; valid until the end of the program.
const struct lexicon *lexicon_common(void);

// Fills cause, explanation and act of a failed verdict from the first entry
// that fits code, message, status; leaves alone what is already known.
void lexicon_apply(const struct lexicon *lexicon, int status, struct verdict *verdict);

// What is known of an answer besides code and message; texts may be NULL.
struct lexicon_answer {
    int status;
    const char *context; // more text of the answer, asked where the message says nothing
    const char *family;  // the protocol that the code belongs to, of the table of meanings
    const struct pack_lexicon *pack; // asked first, or NULL
};

// The same with all that is known of the answer.
void lexicon_apply_answer(const struct lexicon *lexicon, const struct lexicon_answer *answer,
                          struct verdict *verdict);

// Which entries of a pack may speak: all, or those alone whose code fits.
enum lexicon_sure { LEXICON_ANY, LEXICON_BY_CODE };

// Gives a failed verdict the cause, the explanations, the owner and the next step of the
// first entry of the pack that fits; false, and nothing changed, where none does.
bool lexicon_apply_pack(const struct pack_lexicon *pack, const struct lexicon_answer *answer,
                        enum lexicon_sure sure, struct verdict *verdict);

// The one of `packs` (of struct pack_lexicon) whose product is to be recognised by a failed
// verdict's code, or NULL: a code that many use says nothing, nor does one that several packs
// explain in different ways. For an answer of which nobody says where it came from.
const struct pack_lexicon *lexicon_find_pack(const struct lexicon *common, const GPtrArray *packs,
                                             int status, const struct verdict *verdict);

// True where an entry is about such codes.
bool lexicon_knows_code(const struct lexicon *lexicon, const char *code);

// How much a message says.
enum lexicon_weight {
    LEXICON_EMPTY,    // nothing: NULL or blanks
    LEXICON_GENERIC,  // "An error has occurred.", a stack trace: nobody can act on it
    LEXICON_STATUS,   // the HTTP status in words: "Unauthorized", "502 Bad Gateway"
    LEXICON_SPECIFIC, // it says something
};
enum lexicon_weight lexicon_weigh(const char *message);

// True where a message says by its words that something failed, and not only
// that some word of the lexicon occurs: short, and of a known meaning.
bool lexicon_tells_failure(const struct lexicon *lexicon, const char *message);

// True where a code says no more than that something failed, or repeats the
// HTTP status: NULL, "error", "UNEXPECTED_ERROR", "500".
bool lexicon_code_is_generic(const char *code, int status);

// Sentences for what needs no pattern; borrowed, for ever.
enum lexicon_explanation {
    LEXICON_DNS,
    LEXICON_CONNECT,
    LEXICON_TLS,
    LEXICON_SLOW,
    LEXICON_CUT,
    LEXICON_TOO_LARGE,
    LEXICON_PAGE,
    LEXICON_NOT_DATA,
    LEXICON_NO_BODY,
    LEXICON_EXPECTATION,
    LEXICON_PROTECTED,
    LEXICON_CERTIFICATE,
    LEXICON_CREDENTIALS,
};
const char *lexicon_explain(enum lexicon_explanation which);

#endif
