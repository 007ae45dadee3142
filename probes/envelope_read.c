// SPDX-License-Identifier: MIT
// What kind of body it is, and which reader it goes to. classify asks here first;
// the readers are envelope_json (for JSON and XML trees), envelope_xml,
// envelope_page. A body is judged by its looks: content types lie.
#include "envelope_part.h"

#include "charset.h"
#include "multipart.h"

#include <string.h>

enum { REPAIR_MAX = 256 * 1024 };

// Pretty printers and PDF wraps break lines inside strings, which JSON does not
// allow: they are made blanks, once the text as it is could not be read.
static cJSON *parse_repaired(const char *body, size_t length)
{
    if (length > REPAIR_MAX)
        return NULL;
    g_autofree char *text = g_strndup(body, length);
    bool inside = false;
    for (char *c = text; *c; c++) {
        if (*c == '\\' && inside && c[1])
            c++;
        else if (*c == '"')
            inside = !inside;
        else if (inside && (unsigned char)*c < 0x20)
            *c = ' ';
    }
    return json_parse(text, strlen(text), NULL);
}

static bool begins_with(const char *body, size_t length, const char *word)
{
    return length >= strlen(word) && g_ascii_strncasecmp(body, word, strlen(word)) == 0;
}

// True where a tag of that name begins at `body`: <head, but not <header.
static bool is_tag(const char *body, size_t length, const char *name)
{
    size_t size = strlen(name);
    return length > size + 1 && *body == '<' && begins_with(body + 1, length - 1, name) &&
           !g_ascii_isalnum(body[1 + size]) && !strchr("-_.:", body[1 + size]);
}

static const char *find_tag(const char *body, size_t length, const char *name)
{
    size_t limit = MIN(length, 4096);
    for (size_t i = 0; i < limit; i++)
        if (is_tag(body + i, length - i, name))
            return body + i;
    return NULL;
}

// A page: it says so, or its first tag is one that only pages have. Error pages of
// programs often begin in the middle.
static bool looks_like_html(const char *body, size_t length)
{
    static const char *const first[] = {"head", "title", "meta",   "div",  "p",     "h1",
                                        "h2",   "pre",   "br",     "b",    "hr",    "center",
                                        "font", "table", "script", "form", "style", "span",
                                        "link", "h3",    "ul",     "img",  "strong"};
    while (begins_with(body, length, "<!--")) {
        const char *close = g_strstr_len(body, (gssize)length, "-->");
        const char *next = close ? memchr(close, '<', length - (size_t)(close - body)) : NULL;
        if (!next)
            break;
        length -= (size_t)(next - body);
        body = next;
    }
    if (find_tag(body, length, "html") || find_tag(body, length, "!doctype html") ||
        find_tag(body, length, "head"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
        if (is_tag(body, length, first[i]))
            return true;
    return is_tag(body, length, "body") && !find_tag(body, length, "?xml");
}

// True for text, without control bytes that no text has; one or two, as programs
// leave them, do not make a document a picture.
static bool looks_like_text(const char *body, size_t length)
{
    size_t limit = MIN(length, 4096), odd = 0;
    if (charset_is_wide(body, length))
        return true;
    while (limit > 0 && body[limit - 1] == '\0')
        limit--;
    for (size_t i = 0; i < limit; i++)
        if ((unsigned char)body[i] < 0x20 && (!body[i] || !strchr("\t\n\r\f\x1b", body[i])))
            odd++;
    size_t share = *body && strchr("<{[", *body) ? 5 : 20;
    return odd * share <= limit;
}

static bool announces(const char *content_type, const char *word)
{
    g_autofree char *lower = content_type ? g_ascii_strdown(content_type, -1) : NULL;
    return lower && strstr(lower, word);
}

static void read_json(struct envelope *envelope, const char *body, size_t length,
                      const cJSON *document)
{
    g_autoptr(cJSON) parsed = document ? NULL : json_parse(body, length, NULL);
    g_autoptr(cJSON) repaired = document || parsed ? NULL : parse_repaired(body, length);
    envelope->kind = ENVELOPE_JSON;
    if (document || parsed) {
        envelope_read_json(envelope, document ? document : parsed, false);
        return;
    }
    if (repaired)
        envelope_read_json(envelope, repaired, false);
    if (envelope->failure || envelope->message)
        return;
    envelope->kind = ENVELOPE_BROKEN;
    envelope_read_broken(envelope, body, length);
}

static void read_markup(struct envelope *envelope, const char *body, size_t length)
{
    // An XML document may stand behind a warning of the server's language.
    const char *document = find_tag(body, length, "?xml");
    if (document && document > body && !find_tag(body, length, "html")) {
        length -= (size_t)(document - body);
        body = document;
    }
    if (looks_like_html(body, length)) {
        envelope->kind = ENVELOPE_HTML;
        envelope_read_html(envelope, body, length);
        return;
    }
    g_autoptr(cJSON) tree = envelope_xml_tree(body, length);
    envelope->kind = tree ? ENVELOPE_XML : ENVELOPE_BROKEN;
    if (tree)
        envelope_read_json(envelope, tree, true);
}

// Blanks of any kind before the first byte that counts: a declaration that is not
// at the very beginning, two marks, the no-break spaces of a copied template.
static void skip_blanks(const char **body, size_t *length)
{
    static const char *const blanks[] = {"\xef\xbb\xbf", "\xc2\xa0", "\xe2\x80\x8b",
                                         "\xef\xbf\xbd"};
    for (bool going = true; going && *length > 0;) {
        size_t step = g_ascii_isspace(**body) ? 1 : 0;
        for (size_t i = 0; step == 0 && i < G_N_ELEMENTS(blanks); i++)
            if (begins_with(*body, *length, blanks[i]))
                step = strlen(blanks[i]);
        *body += step;
        *length -= step;
        going = step > 0;
    }
}

static void read_other(struct envelope *envelope, const char *body, size_t length,
                       const char *content_type)
{
    g_autoptr(cJSON) scalar =
        announces(content_type, "json") ? json_parse(body, length, NULL) : NULL;
    envelope->kind = scalar ? ENVELOPE_JSON : ENVELOPE_TEXT;
    if (scalar) {
        envelope_read_json(envelope, scalar, false);
        return;
    }
    // A document behind a warning, where it says more than the warning.
    if (find_tag(body, length, "?xml")) {
        read_markup(envelope, body, length);
        if (envelope->failure)
            return;
        envelope->kind = ENVELOPE_TEXT;
    }
    envelope_read_text(envelope, body, length);
}

static void read_body(struct envelope *envelope, const char *body, size_t length,
                      const char *content_type, const cJSON *document)
{
    if (document || *body == '{' || *body == '[') {
        read_json(envelope, body, length, document);
        // "[ERROR] no such table" begins like JSON, and is a text.
        if (envelope->kind != ENVELOPE_BROKEN || *body != '[' || announces(content_type, "json"))
            return;
        envelope->kind = ENVELOPE_TEXT;
        envelope_read_text(envelope, body, length);
    } else if (*body == '<') {
        read_markup(envelope, body, length);
    } else {
        read_other(envelope, body, length, content_type);
    }
}

struct envelope *envelope_read(const char *body, size_t length, const char *content_type,
                               const cJSON *document, const struct pack_lexicon *pack)
{
    struct envelope *envelope = g_new0(struct envelope, 1);
    envelope->pack = pack;
    envelope->ids = cJSON_CreateObject();
    if (!document && multipart_is(body, length, content_type) &&
        envelope_read_multipart(envelope, body, length, content_type))
        return envelope;
    if (!document && length > 0 && !looks_like_text(body, length)) {
        envelope->kind = ENVELOPE_BROKEN;
        return envelope;
    }
    g_autofree char *text = document ? NULL : charset_decode(body, length, content_type);
    if (text) {
        body = text;
        length = strlen(text);
    }
    skip_blanks(&body, &length);
    if (length > 0 || document)
        read_body(envelope, body, length, content_type, document);
    return envelope;
}
