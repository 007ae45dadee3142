// SPDX-License-Identifier: MIT
// Checks an I-Regexp against its grammar (RFC 9485 section 3) and writes it
// anew for PCRE2 (section 5.4), so that nothing else of PCRE2's own syntax gets
// through: no \d, no lazy quantifiers, no look-around, no options.
#include "jsonpath_iregexp.h"

#include <string.h>

struct translator {
    const char *at;
    GString *out;
    int groups;   // open ones
    bool is_atom; // what was read last may take a quantifier
};

// Appends the character at `at`, all of its bytes.
static void copy_character(struct translator *translator)
{
    size_t length = (size_t)g_utf8_skip[(unsigned char)*translator->at];
    g_string_append_len(translator->out, translator->at, (gssize)length);
    translator->at += length;
}

// The category of \p{…} and \P{…}: a letter, and perhaps a second one.
static bool is_category(const char *name, size_t length)
{
    static const char *const seconds[] = {"Llmotu", "Mcen",  "Ndlo", "Pcdefios",
                                          "Zlps",   "Sckmo", "Ccfno"};
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++)
        if (length > 0 && name[0] == seconds[i][0])
            return length == 1 || (length == 2 && strchr(seconds[i] + 1, name[1]));
    return false;
}

static bool copy_property(struct translator *translator)
{
    const char *from = translator->at; // at the backslash
    if (from[2] != '{')
        return false;
    size_t length = strcspn(from + 3, "}");
    if (from[3 + length] != '}' || !is_category(from + 3, length))
        return false;
    g_string_append_len(translator->out, from, (gssize)length + 4);
    translator->at = from + length + 4;
    return true;
}

// An escape of one character; `property` also allows \p and \P.
static bool copy_escape(struct translator *translator, bool property)
{
    char letter = translator->at[1];
    if (property && (letter == 'p' || letter == 'P'))
        return copy_property(translator);
    if (letter == '\0' || !strchr("()*+-.?[\\]^nrt{|}", letter))
        return false;
    g_string_append_len(translator->out, translator->at, 2);
    translator->at += 2;
    return true;
}

// One character of a class: not a bracket, not a hyphen.
static bool copy_class_character(struct translator *translator)
{
    char next = *translator->at;
    if (next == '\\')
        return copy_escape(translator, false);
    if (next == '\0' || strchr("[]-", next))
        return false;
    if (next == '^')
        g_string_append_c(translator->out, '\\');
    copy_character(translator);
    return true;
}

// A character, a range of characters, or \p{…}.
static bool copy_class_item(struct translator *translator)
{
    const char *at = translator->at;
    if (at[0] == '\\' && (at[1] == 'p' || at[1] == 'P'))
        return copy_property(translator);
    if (!copy_class_character(translator))
        return false;
    if (translator->at[0] != '-' || translator->at[1] == ']')
        return true;
    g_string_append_c(translator->out, '-');
    translator->at++;
    return copy_class_character(translator);
}

static bool copy_class(struct translator *translator)
{
    g_string_append_c(translator->out, '[');
    translator->at++;
    if (*translator->at == '^') {
        g_string_append_c(translator->out, '^');
        translator->at++;
    }
    bool any = false;
    for (; *translator->at && *translator->at != ']'; any = true) {
        bool at_edge = !any || translator->at[1] == ']';
        if (*translator->at == '-' && at_edge) {
            g_string_append(translator->out, "\\-");
            translator->at++;
        } else if (!copy_class_item(translator)) {
            return false;
        }
    }
    g_string_append_c(translator->out, ']');
    return any && *translator->at++ == ']';
}

// {2}, {2,} or {2,3}.
static bool copy_range(struct translator *translator)
{
    static const char digits[] = "0123456789";
    const char *from = translator->at;
    size_t length = 1 + strspn(from + 1, digits);
    if (length == 1)
        return false;
    if (from[length] == ',') {
        length++;
        length += strspn(from + length, digits);
    }
    if (from[length] != '}')
        return false;
    g_string_append_len(translator->out, from, (gssize)length + 1);
    translator->at += length + 1;
    return true;
}

static bool copy_quantifier(struct translator *translator)
{
    if (!translator->is_atom)
        return false;
    translator->is_atom = false;
    if (*translator->at == '{')
        return copy_range(translator);
    copy_character(translator);
    return true;
}

// (, ) and |.
static bool copy_structure(struct translator *translator)
{
    char sign = *translator->at++;
    translator->is_atom = sign == ')';
    translator->groups += sign == '(' ? 1 : sign == ')' ? -1 : 0;
    g_string_append(translator->out, sign == '(' ? "(?:" : sign == ')' ? ")" : "|");
    return translator->groups >= 0;
}

// A character that stands for itself. ^ and $ do so by the grammar, but are
// anchors by the mapping of section 5, which everybody follows.
static bool copy_normal(struct translator *translator)
{
    if (*translator->at == '$') {
        g_string_append(translator->out, "\\z");
        translator->at++;
    } else {
        copy_character(translator);
    }
    return true;
}

static bool copy_atom(struct translator *translator)
{
    translator->is_atom = true;
    switch (*translator->at) {
    case '.':
        g_string_append(translator->out, "[^\\n\\r]");
        translator->at++;
        return true;
    case '\\':
        return copy_escape(translator, true);
    case '[':
        return copy_class(translator);
    case ']':
    case '}':
        return false;
    default:
        return copy_normal(translator);
    }
}

static bool translate(struct translator *translator)
{
    while (*translator->at) {
        bool copied = strchr("()|", *translator->at)    ? copy_structure(translator)
                      : strchr("*+?{", *translator->at) ? copy_quantifier(translator)
                                                        : copy_atom(translator);
        if (!copied)
            return false;
    }
    return translator->groups == 0;
}

struct regex *jsonpath_iregexp_compile(const char *pattern, bool whole)
{
    g_autoptr(GString) out = g_string_new(NULL);
    struct translator translator = {.at = pattern, .out = out};
    if (!g_utf8_validate(pattern, -1, NULL) || !translate(&translator))
        return NULL;
    return regex_compile(out->str, whole ? REGEX_WHOLE : REGEX_PLAIN, NULL);
}
