// SPDX-License-Identifier: MIT
// What a pack knows of its system's answers: where they say what failed, and what
// that means. Read-only, and shared by all that use it.
#ifndef CONFIG_PACK_LEXICON_H
#define CONFIG_PACK_LEXICON_H

#include "../base/patterns.h"
#include "config_node.h"

enum { PACK_LANGUAGES = 4, PACK_ENGLISH = 0 };

// An id that stands in a text: group 1 of the pattern, or all of it.
struct pack_id {
    char *name;
    struct regex *pattern;
};

// A row of the kind that probes/envelope_shapes.def has.
struct pack_envelope {
    char *at;
    bool json, xml; // which answers are looked into
    char *when;     // lines of member=value
    bool failure;
    char *codes, *messages; // members with blanks between
    GPtrArray *ids;         // of struct pack_id
    GPtrArray *noise;       // of struct regex
};

struct pack_statuses {
    int first, last;
};

// One entry of the lexicon; its patterns are at its index in `codes` and `messages`.
struct pack_meaning {
    char *code, *message; // as they are written, or NULL
    GArray *statuses;     // of struct pack_statuses; empty for any
    char *cause, *act;    // the words
    char *says[PACK_LANGUAGES], *next[PACK_LANGUAGES];
    char *source;
    bool unverified;
};

struct pack_lexicon {
    gint users;
    char *pack;                        // its name
    GPtrArray *envelopes;              // of struct pack_envelope
    GPtrArray *meanings;               // of struct pack_meaning
    struct patterns *codes, *messages; // of the meanings
};

// Reads the envelopes and the lexicon of a pack's file, which config_shape has seen, and
// says what is wrong besides. Never NULL; the caller gives it back.
struct pack_lexicon *pack_lexicon_read(const char *pack, const struct config_node *root,
                                       GPtrArray *problems);

// One user more, and one less; NULL is allowed.
struct pack_lexicon *pack_lexicon_ref(struct pack_lexicon *lexicon);
void pack_lexicon_unref(struct pack_lexicon *lexicon);

// The names of the languages: "en", "nl", …; borrowed.
const char *pack_language(unsigned index);

typedef struct pack_lexicon pack_lexicon_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pack_lexicon_t, pack_lexicon_unref)

#endif
