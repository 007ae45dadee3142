// SPDX-License-Identifier: MIT
// The only door for texts of others into the visible part of a mail: comes
// between the facts and the compose_ files, which write nothing else unescaped.
#include "safe_text.h"

#include <string.h>

// As g_utf8_next_char, which loses the const.
static const char *next_char(const char *at)
{
    return at + g_utf8_skip[(guchar)*at];
}

static gboolean is_direction_mark(gunichar c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

// Neither shown nor harmless: controls, byte order marks, invisible operators, tag characters.
static gboolean is_invisible(gunichar c)
{
    return g_unichar_iscntrl(c) || is_direction_mark(c) || c == 0xFEFF || c == 0x2028 ||
           c == 0x2029 || (c >= 0xE0000 && c <= 0xE007F);
}

// What a run of blanks becomes: one that keeps two words together stays, where it stands alone.
static gunichar join_blanks(gunichar blank, gunichar next)
{
    gboolean keeps = next == 0x00A0 || next == 0x202F;

    return blank == 0 && keeps ? next : ' ';
}

char *safe_text_line(const char *text, glong max_chars)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    GString *line = g_string_new(NULL);
    glong length = 0;
    gunichar blank = 0; // to be written before the next character

    for (const char *at = valid; *at != '\0'; at = next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_isspace(c) || is_invisible(c)) {
            blank = line->len > 0 ? join_blanks(blank, c) : 0;
            continue;
        }
        if (length + (blank != 0) >= max_chars) {
            g_string_append(line, "…");
            break;
        }
        if (blank != 0)
            g_string_append_unichar(line, blank);
        g_string_append_unichar(line, c);
        length += 1 + (blank != 0);
        blank = 0;
    }
    return g_string_free(line, FALSE);
}

static void append_block_char(GString *block, gunichar c)
{
    if (c == '\n' || c == '\t')
        g_string_append_unichar(block, c);
    else if (c == 0x2028 || c == 0x2029)
        g_string_append_c(block, '\n');
    else
        g_string_append_unichar(block, is_invisible(c) ? 0xFFFD : c);
}

char *safe_text_block(const char *text, gsize max_bytes, gboolean *cut)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    GString *block = g_string_new(NULL);
    const char *at = valid;

    for (; *at != '\0' && block->len < max_bytes; at = next_char(at)) {
        if (at[0] == '\r' && at[1] == '\n')
            continue;
        append_block_char(block, *at == '\r' ? '\n' : g_utf8_get_char(at));
    }
    if (cut != NULL)
        *cut = *at != '\0';
    return g_string_free(block, FALSE);
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void safe_text_append_html(GString *html, const char *text)
{
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        const char *entity = entity_of(*at);
        if (entity != NULL)
            g_string_append(html, entity);
        else
            g_string_append_c(html, *at);
    }
}
