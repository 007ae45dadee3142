// SPDX-License-Identifier: MIT
// Looks at the source beside a place that YAML did not understand, or that it
// understood otherwise than the writer meant it. Used by config_file alone.
#include "config_traps.h"

#include <string.h>

// Behind this the message names the character.
static const char begins_badly[] = "plain scalar cannot start with '";

// libfyaml's message begins so: what we say.
static const struct {
    const char *begins, *words;
} known[] = {
    {"invalid alias", "* begins an alias in YAML: put the text in single quotes"},
    {"invalid anchor", "& begins an anchor in YAML: put the text in single quotes"},
    {"invalid escape", "in double quotes YAML takes the backslash for its own: put the text in "
                       "single quotes"},
    {"tab character", "a tab stands where YAML wants spaces: indent with spaces"},
    {"double-quoted scalar without", "this quote is never closed: write the closing \""},
    {"single-quoted scalar without", "this quote is never closed: write the closing ' (a ' within "
                                     "the text is written '')"},
    {"invalid nested block mapping",
     "there is a second \": \" on this line: put the text in single "
     "quotes"},
    {"block sequence on the same line", "a list cannot begin behind its key: put it on the next "
                                        "line, or in [ ]"},
    {"invalid multiline plain key", "the next line is indented as if it went on with this text: "
                                    "indent it like the key above it"},
    {"invalid indentation", "the indentation fits no line above: indent the keys of one map alike"},
    {"wrongly indented", "the indentation does not fit the lines above: indent the keys of one map "
                         "alike"},
    {"missing comma in flow", "a comma is missing here, or a text with [ ] { } or , has to be put "
                              "in single quotes"},
    {"invalid value after mapping", "there is text behind the closing bracket: a text that begins "
                                    "with [ or { has to be put in single quotes"},
    {"invalid scalar at the end", "the indentation does not fit the list above: indent its items "
                                  "alike, and what is no item like its key"},
    {"mismatched flow",
     "this bracket closes another kind than was opened: write ] for [ and } for {"},
    {"mapping without", "the closing } is missing"},
    {"sequence without", "the closing ] is missing"},
};

static const char *line_start(const char *text, size_t length, int line)
{
    const char *end = text + length;

    for (int i = 1; i < line && text < end; i++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        if (newline == NULL)
            return end;
        text = newline + 1;
    }
    return text;
}

// The end of a template that begins at `start`, or NULL where the line ends first.
static const char *template_end(const char *start, const char *end)
{
    for (const char *at = start; at + 1 < end && *at != '\n'; at++) {
        if (at[0] == '}' && at[1] == '}')
            return at + 2;
    }
    return NULL;
}

char *config_traps_template(const char *text, size_t length, size_t offset)
{
    const char *end = text + length;

    for (const char *at = text + MIN(offset, length); at + 1 < end && *at != '\n'; at++) {
        if (at[0] != '{' || at[1] != '{')
            continue;
        const char *close = template_end(at, end);

        return close != NULL ? g_strndup(at, (size_t)(close - at)) : NULL;
    }
    return NULL;
}

// True where {{ stands before `column`, outside quotes, in the line.
static char *unquoted_template(const char *line, const char *end, int column)
{
    char quote = 0;

    for (const char *at = line; at + 1 < end && *at != '\n' && at - line < column; at++) {
        if (quote != 0)
            quote = *at == quote ? 0 : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else if (at[0] == '{' && at[1] == '{') {
            const char *close = template_end(at, end);

            return close != NULL ? g_strndup(at, (size_t)(close - at)) : g_strdup("{{");
        }
    }
    return NULL;
}

char *config_traps_explain(const char *text, size_t length, int line, int column,
                           const char *message)
{
    const char *start = line_start(text, length, line);
    g_autofree char *template = unquoted_template(start, text + length, column + 1);

    if (template != NULL && !g_str_has_prefix(message, "invalid escape"))
        return g_strdup_printf("YAML takes the braces of %s for a map: quote the template, as in "
                               "'…%s…'",
                               template, template);
    if (strstr(message, "UTF8") != NULL)
        return g_strdup("a letter here is not in UTF-8: save the file as UTF-8");
    if (start >= text + length && strstr(message, "flow") != NULL)
        return g_strdup(
            "a bracket is not closed before the end of the file: write } for each { and "
            "] for each [");
    if (g_str_has_prefix(message, begins_badly) && message[strlen(begins_badly)] != '\0')
        return g_strdup_printf("%c cannot begin a text in YAML: put the text in single quotes",
                               message[strlen(begins_badly)]);
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_has_prefix(message, known[i].begins))
            return g_strdup(known[i].words);
    }
    return g_strdup_printf("this is not YAML (%s): mend the line, or put its text in single quotes",
                           message);
}

bool config_traps_cut_by_comment(const char *value, const char *text, size_t length, size_t offset)
{
    if (value[0] != '/' && strstr(value, "://") == NULL)
        return false;
    size_t at = offset;

    while (at < length && text[at] == ' ')
        at++;
    return at > offset && at + 1 < length && text[at] == '#' && g_ascii_isalnum(text[at + 1]);
}

bool config_traps_no_colon(const char *text, size_t length, size_t offset)
{
    size_t at = offset;

    if (at < length && (text[at] == '"' || text[at] == '\''))
        at++;
    while (at < length && g_ascii_isspace(text[at]))
        at++;
    return at >= length || text[at] != ':';
}

int config_traps_zero(const char *text, size_t length)
{
    const char *zero = length > 0 ? memchr(text, 0, length) : NULL;
    int line = 1;

    for (const char *at = text; zero != NULL && at < zero; at++)
        line += *at == '\n';
    return zero != NULL ? line : 0;
}

// A lone CR ends a line too.
static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n' || (*text == '\r' && text[1] != '\n');
    return line;
}

// Begins a line, before which a mark of the byte order is no part of one.
int config_traps_directive(const char *text, size_t length)
{
    size_t first = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    const char *at = text + first, *end = text + length;

    while (at < end && (at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if (at == text + first || at[-1] == '\n' || at[-1] == '\r')
            return line_of(text, at);
        at++;
    }
    return 0;
}
