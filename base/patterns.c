// SPDX-License-Identifier: MIT
// A list of patterns with a sieve before it, for each branch of theirs by itself. pattern_need says
// which runs a match holds; the text tells by the set of its trigrams, and then by a search for the
// run itself, whether it has them. PCRE2 has the last word, on the few that are left.
#include "patterns.h"

#include "pattern_need.h"

#include <stdint.h>
#include <string.h>

// Bytes in 64 kinds, so that three of them are 18 bits.
enum { KIND_BITS = 6, KINDS = 1 << KIND_BITS, TRIGRAMS = KINDS * KINDS * KINDS };

struct pattern {
    char *pattern;
    GPtrArray *needs; // of GPtrArray of char *
    gsize ready;      // `regex` has been compiled
    struct regex *regex;
};

struct patterns {
    GPtrArray *list; // of GPtrArray of struct pattern: the branches of each
    enum regex_flags flags;
};

struct patterns_text {
    const char *text;
    size_t length;
    char *folded; // in lower case, with one byte where another letter counts as k or s
    size_t folded_length;
    uint64_t trigrams[TRIGRAMS / 64];
};

static void pattern_free(void *data)
{
    struct pattern *pattern = data;
    g_free(pattern->pattern);
    g_ptr_array_unref(pattern->needs);
    regex_free(pattern->regex);
    g_free(pattern);
}

struct patterns *patterns_new(enum regex_flags flags)
{
    struct patterns *patterns = g_new0(struct patterns, 1);
    patterns->list = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    patterns->flags = flags | REGEX_CASELESS;
    return patterns;
}

void patterns_add(struct patterns *patterns, const char *text)
{
    GPtrArray *branches = g_ptr_array_new_with_free_func(pattern_free);
    g_autoptr(GPtrArray) texts = text ? pattern_branches(text) : NULL;
    for (guint i = 0; texts && i < texts->len; i++) {
        struct pattern *pattern = g_new0(struct pattern, 1);
        pattern->pattern = g_strdup(texts->pdata[i]);
        pattern->needs = pattern_need(pattern->pattern);
        g_ptr_array_add(branches, pattern);
    }
    g_ptr_array_add(patterns->list, branches);
}

void patterns_free(struct patterns *patterns)
{
    if (!patterns)
        return;
    g_ptr_array_unref(patterns->list);
    g_free(patterns);
}

// Caseless, PCRE2 takes the Kelvin sign for k and the long s for s; no other letter
// outside ASCII is a case of one within.
static char fold(const char *text, size_t length, size_t *step)
{
    *step = 1;
    if (length >= 2 && memcmp(text, "\xc5\xbf", 2) == 0) {
        *step = 2;
        return 's';
    }
    if (length >= 3 && memcmp(text, "\xe2\x84\xaa", 3) == 0) {
        *step = 3;
        return 'k';
    }
    return g_ascii_tolower(*text);
}

// What a run never holds is one kind, so that the rest have more.
static unsigned kind_of(char c)
{
    static const char marks[] = " _-.,:;'\"/\\()[]{}<>=+*#&%!?|$@";
    if (c >= 'a' && c <= 'z')
        return 1 + (unsigned)(c - 'a');
    if (c >= '0' && c <= '9')
        return 27 + (unsigned)(c - '0');
    const char *mark = c ? strchr(marks, c) : NULL;
    unsigned place = mark ? (unsigned)(mark - marks) : KINDS;
    return place + 37 < KINDS ? place + 37 : 0;
}

static const unsigned char *kinds(void)
{
    static unsigned char table[256];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        for (unsigned c = 0; c < 256; c++)
            table[c] = (unsigned char)kind_of((char)c);
        g_once_init_leave(&ready, 1);
    }
    return table;
}

static unsigned trigram(const unsigned char *table, const char *at)
{
    return (unsigned)table[(unsigned char)at[0]] << (2 * KIND_BITS) |
           (unsigned)table[(unsigned char)at[1]] << KIND_BITS | table[(unsigned char)at[2]];
}

struct patterns_text *patterns_text_new(const char *text, size_t length)
{
    if (!text)
        return NULL;
    struct patterns_text *held = g_new0(struct patterns_text, 1);
    const unsigned char *table = kinds();
    size_t step;
    held->text = text;
    held->length = length;
    held->folded = g_malloc(length + 1);
    for (size_t i = 0; i < length; i += step)
        held->folded[held->folded_length++] = fold(text + i, length - i, &step);
    for (size_t i = 0; i + 2 < held->folded_length; i++) {
        unsigned at = trigram(table, held->folded + i);
        held->trigrams[at / 64] |= UINT64_C(1) << (at % 64);
    }
    return held;
}

void patterns_text_free(struct patterns_text *text)
{
    if (!text)
        return;
    g_free(text->folded);
    g_free(text);
}

static bool holds_run(const struct patterns_text *text, const char *run)
{
    const unsigned char *table = kinds();
    size_t length = strlen(run);
    for (size_t i = 0; i + 2 < length; i++) {
        unsigned at = trigram(table, run + i);
        if (!(text->trigrams[at / 64] >> (at % 64) & 1))
            return false;
    }
    return memmem(text->folded, text->folded_length, run, length) != NULL;
}

static bool holds_one(const struct patterns_text *text, const GPtrArray *runs)
{
    for (guint i = 0; i < runs->len; i++)
        if (holds_run(text, runs->pdata[i]))
            return true;
    return false;
}

static bool may_match(const struct pattern *pattern, const struct patterns_text *text)
{
    for (guint i = 0; i < pattern->needs->len; i++)
        if (!holds_one(text, pattern->needs->pdata[i]))
            return false;
    return true;
}

static const struct regex *compiled(const struct patterns *patterns, struct pattern *pattern)
{
    if (g_once_init_enter(&pattern->ready)) {
        pattern->regex = regex_compile(pattern->pattern, patterns->flags, NULL);
        g_once_init_leave(&pattern->ready, 1);
    }
    return pattern->regex;
}

static bool branch_fits(const struct patterns *patterns, struct pattern *branch,
                        const struct patterns_text *text)
{
    if (!may_match(branch, text))
        return false;
    const struct regex *regex = compiled(patterns, branch);
    return regex && regex_match(regex, text->text, text->length, 0, NULL, NULL);
}

bool patterns_fit(const struct patterns *patterns, guint index, const struct patterns_text *text)
{
    const GPtrArray *branches = patterns->list->pdata[index];
    for (guint i = 0; text && i < branches->len; i++)
        if (branch_fits(patterns, branches->pdata[i], text))
            return true;
    return false;
}
