// SPDX-License-Identifier: MIT
// Reads literal runs out of a regular expression, as a search index does: a sequence
// needs what each of its parts needs, an alternation one need of each branch. What is
// not understood gives up, and the pattern is then always tried.
#include "pattern_need.h"

#include <stdint.h>
#include <string.h>

enum { EXACT_MOST = 24, RUN_MOST = 48, CLAUSE_MOST = 400, DEPTH_MOST = 12 };

// A part of a pattern: the only texts that it can match where they are few, and the
// runs that each match holds besides.
struct part {
    GPtrArray *exact; // of char *, or NULL: anything
    GPtrArray *needs; // of GPtrArray of char *
};

struct reader {
    const char *at;
    int depth;
    bool lost; // something was not understood
};

static void part_free(struct part *part)
{
    g_clear_pointer(&part->exact, g_ptr_array_unref);
    g_clear_pointer(&part->needs, g_ptr_array_unref);
}

static GPtrArray *texts_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static GPtrArray *needs_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
}

static GPtrArray *texts_of(const char *text)
{
    GPtrArray *texts = texts_new();
    g_ptr_array_add(texts, g_strdup(text));
    return texts;
}

// The length of the shortest: what is longer rules out more texts.
static size_t shortest(const GPtrArray *texts)
{
    size_t least = texts->len ? SIZE_MAX : 0;
    for (guint i = 0; i < texts->len; i++)
        least = MIN(least, strlen(texts->pdata[i]));
    return least;
}

// Makes a need of texts of which one has to be there. `texts` is taken.
static void add_need(GPtrArray *needs, GPtrArray *texts)
{
    if (texts->len <= CLAUSE_MOST && shortest(texts) >= PATTERN_NEED_LEAST)
        g_ptr_array_add(needs, texts);
    else
        g_ptr_array_unref(texts);
}

static void add_texts(GPtrArray *to, const GPtrArray *from)
{
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, g_strdup(from->pdata[i]));
}

// Every one of `left` before every one of `right`; NULL where they are too many.
static GPtrArray *join(const GPtrArray *left, const GPtrArray *right)
{
    if (left->len * right->len > EXACT_MOST)
        return NULL;
    g_autoptr(GPtrArray) joined = texts_new();
    for (guint i = 0; i < left->len; i++)
        for (guint k = 0; k < right->len; k++) {
            char *text = g_strconcat(left->pdata[i], right->pdata[k], NULL);
            g_ptr_array_add(joined, text);
            if (strlen(text) > RUN_MOST)
                return NULL;
        }
    return g_steal_pointer(&joined);
}

// What a sequence has come to: `run` are the texts that its end can be.
struct sequence {
    GPtrArray *run, *needs;
    bool whole; // `run` is all that there was
};

static void sequence_break(struct sequence *sequence)
{
    add_need(sequence->needs, g_steal_pointer(&sequence->run));
    sequence->run = texts_of("");
    sequence->whole = false;
}

static void take_needs(GPtrArray *to, GPtrArray *from)
{
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, g_ptr_array_ref(from->pdata[i]));
}

static void sequence_add(struct sequence *sequence, struct part *part)
{
    GPtrArray *joined = part->exact ? join(sequence->run, part->exact) : NULL;
    if (joined) {
        g_ptr_array_unref(sequence->run);
        sequence->run = joined;
        return;
    }
    sequence_break(sequence);
    take_needs(sequence->needs, part->needs);
    if (part->exact) {
        g_ptr_array_unref(sequence->run);
        sequence->run = g_ptr_array_ref(part->exact);
    }
}

// How often the last part may stand.
enum often { ONCE, MAYBE, AGAIN, ANY };

// {2,5}: the lowest number decides; what is no such bracket is a brace.
static bool read_braces(struct reader *reader, enum often *often)
{
    const char *at = reader->at + 1;
    if (!g_ascii_isdigit(*at)) {
        reader->lost |= *at == ','; // a literal for some versions, {0,n} for others
        return false;
    }
    guint64 least = g_ascii_strtoull(at, NULL, 10);
    at += strspn(at, "0123456789");
    if (*at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    if (*at != '}')
        return false;
    *often = least > 0 ? AGAIN : ANY;
    reader->at = at + 1;
    return true;
}

static enum often read_often(struct reader *reader)
{
    enum often often = ONCE;
    switch (*reader->at) {
    case '?':
        often = MAYBE;
        break;
    case '*':
        often = ANY;
        break;
    case '+':
        often = AGAIN;
        break;
    case '{':
        if (!read_braces(reader, &often))
            return ONCE;
        reader->at--;
        break;
    default:
        return ONCE;
    }
    reader->at++;
    if (*reader->at == '?' || *reader->at == '+')
        reader->at++;
    if (*reader->at && strchr("?*+", *reader->at))
        reader->lost = true;
    return often;
}

static void sequence_add_often(struct sequence *sequence, struct part *part, enum often often)
{
    if (often == MAYBE && part->exact) {
        g_autoptr(GPtrArray) either = texts_of("");
        add_texts(either, part->exact);
        struct part maybe = {either, part->needs};
        g_autoptr(GPtrArray) fits = join(sequence->run, either);
        if (fits)
            sequence_add(sequence, &maybe);
        else
            sequence_break(sequence);
        return;
    }
    if (often == ONCE || often == AGAIN)
        sequence_add(sequence, part);
    if (often != ONCE)
        sequence_break(sequence);
}

static struct part part_of_text(const char *text)
{
    return (struct part){texts_of(text), needs_new()};
}

static struct part part_unknown(void)
{
    return (struct part){NULL, needs_new()};
}

static struct part read_alternation(struct reader *reader);

// Past a class in brackets, which may be anything.
static void skip_class(struct reader *reader)
{
    const char *at = reader->at + 1;
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at && *at != ']') {
        if (*at == '\\' && at[1]) {
            reader->lost |= at[1] == 'Q' || at[1] == 'E';
            at++;
        } else if (*at == '[' && at[1] && strchr(":.=", at[1])) {
            reader->lost = true; // [:alpha:], or a bracket like any other
        }
        at++;
    }
    reader->lost |= !*at;
    reader->at = at + (*at != '\0');
}

// \d and the like are one character each, \b and the like none.
static struct part read_escape(struct reader *reader)
{
    char c = reader->at[1];
    char text[2] = {g_ascii_tolower(c), '\0'};
    reader->at += c ? 2 : 1;
    if (c && strchr("bBAzZG", c))
        return part_of_text("");
    if (c && strchr("dDwWsShHvVRX", c))
        return part_unknown();
    if (g_ascii_ispunct(c) || c == ' ')
        return part_of_text(text);
    reader->lost = true;
    return part_unknown();
}

// What the group says of itself; false where it is not understood. A look around
// stands beside the text, so nothing of it is needed there.
static bool read_group_kind(struct reader *reader, bool *aside)
{
    static const struct {
        const char *begin;
        bool aside;
    } kinds[] = {{"?:", false}, {"?>", false}, {"?=", true},
                 {"?!", true},  {"?<=", true}, {"?<!", true}};
    *aside = false;
    if (*reader->at == '*')
        return false;
    if (*reader->at != '?')
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(reader->at, kinds[i].begin)) {
            reader->at += strlen(kinds[i].begin);
            *aside = kinds[i].aside;
            return true;
        }
    return false;
}

static struct part read_group(struct reader *reader)
{
    bool aside;
    reader->at++;
    if (!read_group_kind(reader, &aside) || ++reader->depth > DEPTH_MOST) {
        reader->lost = true;
        return part_unknown();
    }
    struct part part = read_alternation(reader);
    reader->depth--;
    reader->lost |= *reader->at != ')';
    reader->at += *reader->at == ')';
    if (!aside)
        return part;
    part_free(&part);
    return part_of_text("");
}

static struct part read_atom(struct reader *reader)
{
    char text[2] = {g_ascii_tolower(*reader->at), '\0'};
    switch (*reader->at) {
    case '(':
        return read_group(reader);
    case '[':
        skip_class(reader);
        return part_unknown();
    case '\\':
        return read_escape(reader);
    case '^':
    case '$':
        reader->at++;
        return part_of_text("");
    case '.':
        reader->at++;
        return part_unknown();
    default:
        break;
    }
    // Other letters than these have cases that are not one byte of the same place.
    if ((unsigned char)*reader->at < 0x80) {
        reader->at++;
        return part_of_text(text);
    }
    while ((unsigned char)*++reader->at >> 6 == 2)
        continue;
    return part_unknown();
}

static struct part read_sequence(struct reader *reader)
{
    struct sequence sequence = {texts_of(""), needs_new(), true};
    while (*reader->at && *reader->at != '|' && *reader->at != ')' && !reader->lost) {
        struct part part = read_atom(reader);
        if (!part.exact)
            sequence.whole = false;
        sequence_add_often(&sequence, &part, read_often(reader));
        part_free(&part);
    }
    // A run that was broken off before stands among the needs.
    if (sequence.whole && sequence.needs->len == 0)
        return (struct part){sequence.run, sequence.needs};
    add_need(sequence.needs, sequence.run);
    return (struct part){NULL, sequence.needs};
}

// The need of a branch that says most, or NULL.
static const GPtrArray *best_need(const struct part *part)
{
    const GPtrArray *best = part->exact;
    size_t length = best ? shortest(best) : 0;
    for (guint i = 0; i < part->needs->len; i++) {
        const GPtrArray *need = part->needs->pdata[i];
        if (shortest(need) > length) {
            best = need;
            length = shortest(need);
        }
    }
    return length >= PATTERN_NEED_LEAST ? best : NULL;
}

// One more branch: few texts stay few texts, else one need of each is what all need.
static void add_branch(struct part *all, GPtrArray **either, struct part *branch)
{
    const GPtrArray *need = best_need(branch);
    if (*either && need)
        add_texts(*either, need);
    else
        g_clear_pointer(either, g_ptr_array_unref);
    if (all->exact && branch->exact && all->exact->len + branch->exact->len <= EXACT_MOST)
        add_texts(all->exact, branch->exact);
    else
        g_clear_pointer(&all->exact, g_ptr_array_unref);
}

static struct part read_alternation(struct reader *reader)
{
    struct part first = read_sequence(reader);
    if (*reader->at != '|')
        return first;
    struct part all = {texts_new(), needs_new()};
    GPtrArray *either = texts_new();
    add_branch(&all, &either, &first);
    part_free(&first);
    while (*reader->at == '|' && !reader->lost) {
        reader->at++;
        struct part branch = read_sequence(reader);
        add_branch(&all, &either, &branch);
        part_free(&branch);
    }
    if (either && !all.exact)
        add_need(all.needs, g_steal_pointer(&either));
    if (either)
        g_ptr_array_unref(either);
    return all;
}

GPtrArray *pattern_need(const char *pattern)
{
    struct reader reader = {.at = pattern};
    struct part all = read_alternation(&reader);
    GPtrArray *needs = needs_new();
    if (!reader.lost && !*reader.at) {
        take_needs(needs, all.needs);
        if (all.exact)
            add_need(needs, g_ptr_array_ref(all.exact));
    }
    part_free(&all);
    return needs;
}

GPtrArray *pattern_branches(const char *pattern)
{
    struct reader reader = {.at = pattern};
    GPtrArray *branches = texts_new();
    for (bool more = true; more;) {
        const char *begin = reader.at;
        struct part part = read_sequence(&reader);
        part_free(&part);
        more = *reader.at == '|' && !reader.lost;
        g_ptr_array_add(branches, g_strndup(begin, (size_t)(reader.at - begin)));
        reader.at += more;
    }
    if (reader.lost || *reader.at) {
        g_ptr_array_set_size(branches, 0);
        g_ptr_array_add(branches, g_strdup(pattern));
    }
    return branches;
}
