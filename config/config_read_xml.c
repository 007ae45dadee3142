// SPDX-License-Identifier: MIT
// Reads the bodies `xml` and `soap`: an envelope is built around what is written,
// and what goes out is held against XML's rules with its holes filled.
#include "config_read.h"

#include "../base/redact.h"
#include "config_problem.h"
#include "holes.h"
#include "intern.h"

#include <string.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"

// In place of a value that is not known yet: a character that nobody writes.
#define UNKNOWN "\xEE\x80\x80"

static const char *const envelopes[] = {
    [CALL_SOAP_1_1] = "http://schemas.xmlsoap.org/soap/envelope/",
    [CALL_SOAP_1_2] = "http://www.w3.org/2003/05/soap-envelope",
};

// Past blanks, declarations and comments: where the first element begins.
static const char *find_root(const char *text)
{
    for (;;) {
        const char *close = NULL;

        text += strspn(text, " \t\r\n");
        if (g_str_has_prefix(text, "<!--"))
            close = strstr(text, "-->");
        else if (g_str_has_prefix(text, "<?") || g_str_has_prefix(text, "<!"))
            close = strchr(text, '>');
        if (close == NULL)
            return text;
        text = strchr(close, '>') + 1;
    }
}

// True where a whole envelope is written, not just what goes into it.
static bool is_envelope(const char *text)
{
    const char *name = find_root(text);

    if (*name != '<')
        return false;
    name++;
    const char *colon = name + strcspn(name, ": \t\r\n/>");

    if (*colon == ':')
        name = colon + 1;
    return g_str_has_prefix(name, "Envelope") && strchr(" \t\r\n/>", name[strlen("Envelope")]);
}

// The first hole within a CDATA section, where its value would be escaped twice.
static bool has_hole_in_section(const char *text)
{
    while ((text = strstr(text, "<![CDATA[")) != NULL) {
        const char *close = strstr(text, "]]>");
        g_autofree char *section = g_strndup(text, close ? (size_t)(close - text) : strlen(text));

        if (strstr(section, "{{") != NULL || strstr(section, "${") != NULL)
            return true;
        text += strlen("<![CDATA[");
    }
    return false;
}

// The encoding that the text's declaration names, where it is not what is sent;
// else NULL. The caller frees it.
static char *other_encoding(const char *text)
{
    g_autofree char *declaration =
        g_str_has_prefix(text, "<?xml") ? g_strndup(text, strcspn(text, ">")) : g_strdup("");
    const char *found = strstr(declaration, "encoding=");

    if (found == NULL || found[strlen("encoding=")] == '\0')
        return NULL;
    found += strlen("encoding=") + 1;
    char *name = g_strndup(found, strcspn(found, "\"'"));

    if (g_ascii_strcasecmp(name, "utf-8") == 0)
        g_clear_pointer(&name, g_free);
    return name;
}

// Complains where the text, holes filled, is not XML. One that begins with a hole
// may be anything.
static void check_text(struct config_reader *reader, const struct config_node *node,
                       const char *text)
{
    g_autofree char *filled = holes_replace(text, "x");
    g_autofree char *encoding = other_encoding(text);
    g_autoptr(GError) error = NULL;

    if (encoding != NULL)
        config_problem_error(reader->problems, node->place,
                             "this declares itself to be %s, but goes out in UTF-8: write "
                             "encoding=\"utf-8\", or leave the declaration out",
                             encoding);

    if (has_hole_in_section(text)) {
        config_problem_error(reader->problems, node->place,
                             "a hole in a CDATA section would be escaped where nothing is: leave "
                             "<![CDATA[ and ]]> out, the value is escaped by itself");
        return;
    }
    if (holes_skip(text + strspn(text, " \t\r\n")) != NULL)
        return;
    g_autoptr(xml_document_t) document = xml_parse(filled, &error);

    if (document == NULL)
        config_problem_error(reader->problems, node->place, "this is %s", error->message);
    g_autofree char *prefix = document != NULL ? xml_document_find_undeclared(document) : NULL;

    if (prefix != NULL)
        config_problem_error(reader->problems, node->place,
                             "nothing says what the prefix \"%s\" stands for: write xmlns:%s='URI' "
                             "in the element; \"namespaces\" is for XPaths",
                             prefix, prefix);
}

struct search {
    struct config_reader *reader;
    const struct config_node *node;
};

static void see_text(const char *name, const char *text, void *user)
{
    struct search *search = user;
    g_autofree char *plain = g_strstrip(g_strdup(text));

    if (plain[0] != '\0' && strstr(plain, UNKNOWN) == NULL && redact_is_secret_name(name))
        config_read_note_literal(search->reader, search->node, plain, name);
}

// Warns of literal secrets: elements and attributes whose names say what they are.
static void find_secrets(struct config_reader *reader, const struct config_node *node,
                         const char *text)
{
    g_autofree char *filled = holes_replace(text, UNKNOWN);
    g_autoptr(xml_document_t) document = xml_parse(filled, NULL);
    struct search search = {reader, node};

    if (document != NULL)
        xml_document_foreach(document, see_text, &search);
}

// A template of XML that a node gives a part of.
static struct template *read_template(struct config_reader *reader, const struct config_node *node,
                                      const char *text)
{
    struct config_node whole = *node;

    whole.text = text;
    return config_read_template(reader, &whole, TEMPLATE_PLACE_XML, true);
}

void config_read_xml(struct config_reader *reader, const struct config_node *node,
                     struct call *call)
{
    const char *text = config_node_text(node);

    if (text == NULL)
        return;
    check_text(reader, node, text);
    find_secrets(reader, node, text);
    call->body = read_template(reader, node, text);
}

static char *wrap(enum call_soap version, const char *header, const char *body)
{
    g_autofree char *head =
        header != NULL ? g_strconcat("<soap:Header>", header, "</soap:Header>", NULL) : NULL;

    return g_strconcat(DECLARATION "<soap:Envelope xmlns:soap=\"", envelopes[version], "\">",
                       head != NULL ? head : "", "<soap:Body>", body,
                       "</soap:Body></soap:Envelope>", NULL);
}

// A part of the envelope, checked alone, so that the place is the right one.
static void check_part(struct config_reader *reader, const struct config_node *node,
                       const char *name)
{
    g_autofree char *text = g_strdup_printf("<%s xmlns:soap=\"%s\">%s</%s>", name,
                                            envelopes[CALL_SOAP_1_1], node->text, name);

    if (holes_skip(node->text + strspn(node->text, " \t\r\n")) == NULL)
        check_text(reader, node, text);
    find_secrets(reader, node, text);
}

static void read_envelope(struct config_reader *reader, const struct config_node *header,
                          const struct config_node *body, struct call *call)
{
    const char *head = config_node_text(header);

    if (is_envelope(body->text)) {
        if (head != NULL)
            config_problem_error(reader->problems, header->place,
                                 "\"body\" holds a whole envelope, so this header goes nowhere: "
                                 "write it in there, or leave the envelope out");
        config_read_xml(reader, body, call);
        return;
    }
    if (head != NULL)
        check_part(reader, header, "header");
    check_part(reader, body, "body");
    g_autofree char *text = wrap(call->soap, head, body->text);

    call->body = read_template(reader, body, text);
}

void config_read_soap(struct config_reader *reader, const struct config_node *node,
                      struct call *call)
{
    const struct config_node *action = config_node_get(node, "action");
    const struct config_node *body = config_node_get(node, "body");

    call->soap = config_read_word(config_node_get(node, "version"), "1.1|1.2", 0) == 1
                     ? CALL_SOAP_1_2
                     : CALL_SOAP_1_1;
    if (config_node_text(action) != NULL) {
        if (strpbrk(action->text, "\"\\") != NULL)
            config_problem_error(reader->problems, action->place,
                                 "the action is put in quotes by itself: leave \" and \\ out");
        call->soap_action = config_read_template(reader, action, TEMPLATE_PLACE_HEADER, false);
    }
    if (config_node_text(body) != NULL)
        read_envelope(reader, config_node_get(node, "header"), body, call);
}
