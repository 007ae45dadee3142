// SPDX-License-Identifier: MIT
// Finds the quoted texts and the holes of an XPath and writes them as XPath's own
// literals. Used while the configuration is checked (with stand-ins) and when a
// step runs.
#include "xpath_text.h"

#include "../base/decimal.h"
#include "holes.h"

#include <cjson/cJSON.h>
#include <string.h>

struct filling {
    GString *out;
    xpath_text_evaluate evaluate;
    void *user;
};

// The quote that ends a text, or the XPath's end; `holes` is set where one is in it.
static const char *find_close(const char *at, char quote, bool *holes)
{
    while (*at != '\0' && *at != quote) {
        const char *behind = holes_skip(at);

        *holes |= behind != NULL;
        at = behind != NULL ? behind : at + 1;
    }
    return at;
}

// A literal; one that holds both quotes is put together from several.
static void append_literal(GString *out, const char *text)
{
    const char *quote = strchr(text, '\'') == NULL ? "'" : "\"";

    if (strchr(text, *quote) == NULL) {
        g_string_append_printf(out, "%s%s%s", quote, text, quote);
        return;
    }
    g_string_append(out, "concat(''");
    while (*text != '\0') {
        size_t length = strcspn(text, *text == '\'' ? "\"" : "'");

        quote = *text == '\'' ? "\"" : "'";
        g_string_append_printf(out, ",%s%.*s%s", quote, (int)length, text, quote);
        text += length;
    }
    g_string_append_c(out, ')');
}

// A number that XPath can read: digits, no exponent.
static const char *plain_number(const struct value *value)
{
    const char *text = cJSON_IsNumber(value->json) ? value->json->valuestring : NULL;

    return text != NULL && decimal_is_valid(text) && strpbrk(text, "eE") == NULL ? text : NULL;
}

// No XML holds control characters, and XPath cannot write them: a text with one
// has to stay one that nothing equals.
static char *replace_controls(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' && strchr("\t\n\r", *text) == NULL)
            g_string_append(out, "\xEF\xBF\xBD");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

static bool fill(struct filling *filling, const char *begin, const char *end, bool quoted,
                 GError **error)
{
    g_autofree char *text = g_strndup(begin, (size_t)(end - begin));
    g_autoptr(value_t) value = filling->evaluate(text, filling->user, error);

    if (value == NULL)
        return false;
    const char *number = quoted ? NULL : plain_number(value);
    g_autofree char *whole = value_to_text(value);
    g_autofree char *plain = replace_controls(whole);

    if (number != NULL)
        g_string_append_printf(filling->out, " %s ", number);
    else
        append_literal(filling->out, plain);
    return true;
}

// A quoted text, as it stands where it has no hole; moves past it.
static bool fill_quoted(struct filling *filling, const char **at, GError **error)
{
    bool holes = false;
    const char *begin = *at, *close = find_close(begin + 1, *begin, &holes);
    bool closed = *close != '\0';

    *at = close + closed;
    if (holes && closed)
        return fill(filling, begin + 1, close, true, error);
    g_string_append_len(filling->out, begin, *at - begin);
    return true;
}

char *xpath_text_fill(const char *xpath, xpath_text_evaluate evaluate, void *user, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    struct filling filling = {out, evaluate, user};
    const char *at = xpath;

    while (*at != '\0') {
        const char *behind = holes_skip(at);

        if (*at == '\'' || *at == '"') {
            if (!fill_quoted(&filling, &at, error))
                return NULL;
        } else if (behind != NULL) {
            if (!fill(&filling, at, behind, false, error))
                return NULL;
            at = behind;
        } else {
            g_string_append_c(out, *at++);
        }
    }
    return g_strdup(out->str);
}
