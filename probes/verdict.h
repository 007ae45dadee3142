// SPDX-License-Identifier: MIT
// What a step or a run means: class, phase, cause, code, message, who can act.
// A plain value; the words are in verdict.def.
#ifndef PROBES_VERDICT_H
#define PROBES_VERDICT_H

#include "../base/json.h"

#include <glib.h>

// The words of verdict.def; the tables of design.md section 4 say when each is given.
enum verdict_state {
#define VERDICT_STATE(name, word) VERDICT_##name,
#include "verdict.def"
};
enum verdict_class {
#define VERDICT_CLASS(name, word, sentence) VERDICT_CLASS_##name,
#include "verdict.def"
};
enum verdict_phase {
#define VERDICT_PHASE(name, word) VERDICT_PHASE_##name,
#include "verdict.def"
};
enum verdict_cause {
#define VERDICT_CAUSE(name, word) VERDICT_CAUSE_##name,
#include "verdict.def"
};

// Owns its texts and trees. A verdict of class ok has none of them but `correlation`.
struct verdict {
    enum verdict_class class;
    enum verdict_phase phase;
    enum verdict_cause cause;
    char *code;               // machine code or NULL
    char *message;            // the literal text of the answer or of the transport, or NULL
    char *explanation;        // one plain sentence or two, or NULL
    char *act;                // role that can mend it, or NULL
    char *failed_expectation; // "$.status equals Draft: was Open", or NULL
    cJSON *correlation;       // object of ids to quote to support; never NULL
    // Of an entry of a pack, else NULL: what to do now, both texts in other languages
    // ({"nl": {"explanation", "next"}, …}), where it is known from, and whose entry it is.
    char *next;
    cJSON *languages;
    char *source, *pack;
    bool partial; // of a batch: parts of it succeeded. Not kept beyond the run
    bool ours;    // the monitor itself is at fault: the state is unknown
};

// A verdict of class ok with nothing else said.
struct verdict *verdict_new(void);

// Frees it; NULL is allowed.
void verdict_free(struct verdict *verdict);

// A copy that the caller owns.
struct verdict *verdict_copy(const struct verdict *verdict);

// The verdict object of design.md section 3, and back (NULL where it is none).
cJSON *verdict_to_json(const struct verdict *verdict);
struct verdict *verdict_from_json(const cJSON *json);

// The words; NULL for NONE. The reverse gives -1 for a word that is none.
const char *verdict_state_word(enum verdict_state state);
const char *verdict_class_word(enum verdict_class class);
const char *verdict_phase_word(enum verdict_phase phase);
const char *verdict_cause_word(enum verdict_cause cause);
int verdict_state_of(const char *word);
int verdict_class_of(const char *word);
int verdict_phase_of(const char *word);
int verdict_cause_of(const char *word);

typedef struct verdict verdict_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(verdict_t, verdict_free)

#endif
