// SPDX-License-Identifier: MIT
// Reads the names in an XPath: prefixes and functions, which libxml2 looks up
// only where it meets a node that asks for them. Comes after its compiler, so
// the syntax is good.
#include "xml_check.h"

#include "xml.h"

#include <string.h>

// The functions of XPath 1.0, the tests of nodes, and the operators that may
// stand before a bracket.
static const char *const known[] = {"last",
                                    "position",
                                    "count",
                                    "id",
                                    "local-name",
                                    "namespace-uri",
                                    "name",
                                    "string",
                                    "concat",
                                    "starts-with",
                                    "contains",
                                    "substring-before",
                                    "substring-after",
                                    "substring",
                                    "string-length",
                                    "normalize-space",
                                    "translate",
                                    "boolean",
                                    "not",
                                    "true",
                                    "false",
                                    "lang",
                                    "number",
                                    "sum",
                                    "floor",
                                    "ceiling",
                                    "round",
                                    "comment",
                                    "text",
                                    "node",
                                    "processing-instruction",
                                    "and",
                                    "or",
                                    "div",
                                    "mod",
                                    NULL};

static bool begins_name(char c)
{
    return g_ascii_isalpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return begins_name(c) || g_ascii_isdigit(c) || c == '-' || c == '.';
}

static const char *skip_name(const char *at)
{
    while (continues_name(*at))
        at++;
    return at;
}

static const char *skip_blanks(const char *at)
{
    while (*at != '\0' && strchr(" \t\r\n", *at) != NULL)
        at++;
    return at;
}

static bool refuse_prefix(const char *prefix, GError **error)
{
    g_set_error(error, XML_ERROR, XML_ERROR_PREFIX,
                "nothing says what the prefix \"%s\" stands for: write namespaces: {%s: 'URI'} "
                "beside it or at the system, or *[local-name()='…'] in place of the prefix",
                prefix, prefix);
    return false;
}

static bool refuse_function(const char *name, GError **error)
{
    g_set_error(error, XML_ERROR, XML_ERROR_PATH,
                "XPath 1.0 has no function %s(): contains(), starts-with(), substring-before() and "
                "normalize-space() are among those it has",
                name);
    return false;
}

// Checks one name, with its prefix where it has one; moves past it.
static bool check_name(const char **at, GHashTable *namespaces, GError **error)
{
    const char *end = skip_name(*at);
    g_autofree char *name = g_strndup(*at, (size_t)(end - *at));
    bool prefix = end[0] == ':' && (begins_name(end[1]) || end[1] == '*');

    if (prefix) {
        *at = skip_name(end + 1 + (end[1] == '*'));
        bool declared = strcmp(name, "xml") == 0 ||
                        (namespaces != NULL && g_hash_table_contains(namespaces, name));

        if (!declared)
            return refuse_prefix(name, error);
        return *skip_blanks(*at) != '(' || refuse_function(name, error);
    }
    *at = end;
    return *skip_blanks(end) != '(' || g_strv_contains(known, name) || refuse_function(name, error);
}

bool xml_check_names(const char *xpath, GHashTable *namespaces, GError **error)
{
    const char *at = xpath;

    while (*at != '\0') {
        if (*at == '\'' || *at == '"') {
            const char *close = strchr(at + 1, *at);

            at = close != NULL ? close + 1 : at + strlen(at);
        } else if (begins_name(*at)) {
            if (!check_name(&at, namespaces, error))
                return false;
        } else if (g_ascii_isdigit(*at)) {
            at += strspn(at, "0123456789.");
        } else {
            at++;
        }
    }
    return true;
}
