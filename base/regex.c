// SPDX-License-Identifier: MIT
// PCRE2 with limits. Patterns come from the user's configuration and our own
// lexicon, subjects from anybody: what cannot be decided within the limits is
// an error of its own, never "no match".
#include "regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdint.h>
#include <string.h>

// Where matching gives up: under half a millisecond with JIT.
#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 100000
#define HEAP_LIMIT_KIB 20000
// PCRE2's own 32 KiB is too little for ordinary patterns on 100 KB.
#define JIT_STACK_START (32 * 1024)
#define JIT_STACK_MOST (8 * 1024 * 1024)
#define PATTERN_LENGTH_MOST (64 * 1024)

G_DEFINE_QUARK(erpwatch - regex - error, regex_error)

struct regex {
    pcre2_code *code;
};

// What matching needs besides the code; code is shared between threads, this is not.
struct workspace {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static void workspace_free(void *data)
{
    struct workspace *workspace = data;
    pcre2_match_context_free(workspace->context);
    pcre2_jit_stack_free(workspace->stack);
    g_free(workspace);
}

static struct workspace *workspace_get(void)
{
    static GPrivate of_thread = G_PRIVATE_INIT(workspace_free);
    struct workspace *workspace = g_private_get(&of_thread);
    if (workspace)
        return workspace;
    workspace = g_new(struct workspace, 1);
    workspace->context = pcre2_match_context_create(NULL);
    workspace->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MOST, NULL);
    pcre2_set_match_limit(workspace->context, MATCH_LIMIT);
    pcre2_set_depth_limit(workspace->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(workspace->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(workspace->context, NULL, workspace->stack);
    g_private_set(&of_thread, workspace);
    return workspace;
}

// UCP: é is a letter, of a word and beside \b. Without it, PCRE2 10.42's machine code
// for MATCH_INVALID_UTF lets \S and \D match no letter outside ASCII at all.
static uint32_t compile_options(enum regex_flags flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & REGEX_WHOLE)
        options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    return options;
}

static pcre2_code *compile(const char *pattern, uint32_t options, int *problem, size_t *offset)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_max_pattern_length(context, PATTERN_LENGTH_MOST);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, problem,
                                     offset, context);
    pcre2_compile_context_free(context);
    return code;
}

struct regex *regex_compile(const char *pattern, enum regex_flags flags, GError **error)
{
    int problem = 0;
    size_t offset = 0;
    pcre2_code *code = compile(pattern, compile_options(flags), &problem, &offset);
    if (!code) {
        PCRE2_UCHAR words[160];
        pcre2_get_error_message(problem, words, sizeof words);
        g_set_error(error, REGEX_ERROR, REGEX_ERROR_SYNTAX,
                    "the pattern is wrong at character %zu: %s", offset + 1, (const char *)words);
        return NULL;
    }
    // Where memory may not become executable (systemd's MemoryDenyWriteExecute)
    // this fails, and matching falls back to the interpreter.
    if (!(flags & REGEX_ONCE))
        (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    struct regex *regex = g_new(struct regex, 1);
    regex->code = code;
    return regex;
}

static GPtrArray *groups_of(const char *subject, pcre2_match_data *data)
{
    const size_t *ends = pcre2_get_ovector_pointer(data);
    uint32_t count = pcre2_get_ovector_count(data);
    GPtrArray *groups = g_ptr_array_new_full(count, g_free);
    for (uint32_t i = 0; i < count; i++) {
        size_t from = ends[2 * i], to = ends[2 * i + 1];
        bool part = from != PCRE2_UNSET;
        g_ptr_array_add(groups, part ? g_strndup(subject + from, to - from) : NULL);
    }
    return groups;
}

// One attempt at matching: PCRE2's result, with `error` set where it is undecided.
static int attempt(const struct regex *regex, pcre2_match_data *data, const char *subject,
                   size_t length, size_t offset, GError **error)
{
    int result = pcre2_match(regex->code, (PCRE2_SPTR)subject, length, offset, 0, data,
                             workspace_get()->context);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        g_set_error(error, REGEX_ERROR, REGEX_ERROR_LIMIT,
                    "the pattern needs too much work on this text (%zu bytes): undecided", length);
    return result;
}

bool regex_match(const struct regex *regex, const char *subject, size_t length, size_t offset,
                 GPtrArray **groups, GError **error)
{
    if (groups)
        *groups = NULL;
    if (offset > length)
        return false;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    int result = attempt(regex, data, subject, length, offset, error);
    if (result > 0 && groups)
        *groups = groups_of(subject, data);
    pcre2_match_data_free(data);
    return result > 0;
}

// Where to look for the next match: behind this one, and behind at least one
// character (all bytes of it) where this one is empty.
static size_t next_offset(const char *subject, size_t length, const size_t *ends)
{
    size_t offset = ends[1];
    if (ends[1] > ends[0])
        return offset;
    do
        offset++;
    while (offset < length && ((unsigned char)subject[offset] & 0xC0) == 0x80);
    return offset;
}

GPtrArray *regex_find_all(const struct regex *regex, const char *subject, size_t length,
                          unsigned most, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    const size_t *ends = pcre2_get_ovector_pointer(data);
    unsigned group = pcre2_get_ovector_count(data) > 1 ? 1 : 0;
    int result = 1;
    for (size_t offset = 0; offset <= length && found->len < most;) {
        result = attempt(regex, data, subject, length, offset, error);
        if (result <= 0)
            break;
        size_t from = ends[2 * group];
        if (from != PCRE2_UNSET)
            g_ptr_array_add(found, g_strndup(subject + from, ends[2 * group + 1] - from));
        offset = next_offset(subject, length, ends);
    }
    pcre2_match_data_free(data);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        return NULL;
    return g_steal_pointer(&found);
}

char *regex_replace(const struct regex *regex, const char *subject, const char *instead)
{
    GString *text = g_string_new(NULL);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    const size_t *ends = pcre2_get_ovector_pointer(data);
    size_t length = strlen(subject), copied = 0;
    for (size_t offset = 0; offset <= length;) {
        if (attempt(regex, data, subject, length, offset, NULL) <= 0)
            break;
        if (ends[1] > ends[0] && ends[0] >= copied) {
            g_string_append_len(text, subject + copied, (gssize)(ends[0] - copied));
            g_string_append(text, instead);
            copied = ends[1];
        }
        offset = next_offset(subject, length, ends);
    }
    pcre2_match_data_free(data);
    g_string_append(text, subject + copied);
    return g_string_free(text, FALSE);
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    g_free(regex);
}
