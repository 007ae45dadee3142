// SPDX-License-Identifier: MIT
// Counts the attributes of each tag before libxml2 sees them: its time grows
// with their square. A rough scan that never refuses what anybody writes.
#include "xml_check.h"

#include <string.h>

#define ATTRIBUTES_MOST 1000

// Past the next `mark`, or at the text's end.
static const char *skip_past(const char *at, const char *mark)
{
    const char *found = mark[1] == '\0' ? strchr(at, mark[0]) : strstr(at, mark);

    return found != NULL ? found + strlen(mark) : at + strlen(at);
}

// Past what is not a tag: comments, sections, instructions, declarations and the
// like, and in a page scripts and styles; NULL where a tag begins.
static const char *skip_other(const char *at, bool html)
{
    static const struct {
        const char *begin, *end;
        bool html;
    } others[] = {{"<!--", "-->", false},
                  {"<![CDATA[", "]]>", false},
                  {"<?", ">", false},
                  {"<!", ">", false},
                  {"</", ">", false},
                  {"<script", "</script", true},
                  {"<SCRIPT", "</SCRIPT", true},
                  {"<style", "</style", true},
                  {"<STYLE", "</STYLE", true}};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if ((html || !others[i].html) && g_str_has_prefix(at, others[i].begin))
            return skip_past(at + strlen(others[i].begin), others[i].end);
    return NULL;
}

// Past an attribute's value, whose `=` stands at `at`.
static const char *skip_value(const char *at)
{
    at += strspn(at, "= \t\r\n");
    const char *close = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : NULL;

    return close != NULL ? close + 1 : at + strcspn(at, " \t\r\n>");
}

// Past the tag that begins at `at`; NULL where it has too many attributes.
static const char *skip_tag(const char *at)
{
    int attributes = -1; // the element's name comes first

    for (at++; *at != '\0' && *at != '>';) {
        at += strspn(at, " \t\r\n/");
        size_t name = strcspn(at, " \t\r\n/=>");

        if (name > 0 && ++attributes > ATTRIBUTES_MOST)
            return NULL;
        at += name + strspn(at + name, " \t\r\n");
        if (*at == '=')
            at = skip_value(at);
    }
    return at;
}

bool xml_check_tags(const char *text, bool html)
{
    const char *at = strchr(text, '<');

    while (at != NULL) {
        const char *next = skip_other(at, html);

        at = next != NULL ? next : skip_tag(at);
        if (at == NULL)
            return false;
        at = strchr(at, '<');
    }
    return true;
}
