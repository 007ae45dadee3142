// SPDX-License-Identifier: MIT
// Builds the message of a notice with GMime: headers, alternatives, attachment,
// CRLF. Comes after the outbox, before the bytes are kept and sent. Pure: the
// boundaries come from the notice's id, the Date from the transition.
#include "compose_mail.h"
#include "compose_har.h"
#include "compose_html.h"
#include "compose_text.h"
#include "facts.h"
#include "safe_text.h"
#include "tell.h"
#include "view_notice.h"

#include <gmime/gmime.h>

#include <string.h>

// Base64 makes 4 bytes of 3, and a line end each 76: this leaves room for the bodies.
enum { HAR_MAX_BYTES = 640 * 1024, HEADER_CHARS = 200, FLOWS_MAX = 10, ADDRESS_MAX = 254 };

G_DEFINE_QUARK(compose - mail - error - quark, compose_mail_error)

static gpointer init_gmime(gpointer unused)
{
    (void)unused;
    g_mime_init();
    return NULL;
}

// An id that goes into headers unencoded: what GMime would pass on as it is.
static gboolean is_id(const char *id)
{
    return id != NULL && *id != '\0' && strlen(id) <= 100 &&
           strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.@_-") ==
               strlen(id);
}

static gboolean is_address(const char *address)
{
    const char *at = address != NULL ? strchr(address, '@') : NULL;

    if (at == NULL || at == address || at[1] == '\0' || strlen(address) > ADDRESS_MAX)
        return FALSE;
    for (const char *c = address; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f || strchr("<>,;:()\"\\[]", *c) != NULL)
            return FALSE;
    }
    return strchr(at + 1, '@') == NULL;
}

static gboolean fail(GError **error, enum compose_mail_error code, const char *text)
{
    g_set_error_literal(error, COMPOSE_MAIL_ERROR, (gint)code, text);
    return FALSE;
}

static gboolean check_facts(const cJSON *facts, GError **error)
{
    const char *root = facts_text(facts, "thread", "root");

    if (!is_id(json_text(facts, "notice")) || !is_id(json_text(facts, "domain")))
        return fail(error, COMPOSE_MAIL_ERROR_FACTS,
                    "the notice has no id or no domain: no mail can be made of it");
    if (root != NULL && !is_id(root))
        return fail(error, COMPOSE_MAIL_ERROR_FACTS,
                    "the notice's thread is no Message-ID: no mail can be made of it");
    return TRUE;
}

// GMime owns headers as they are given: each is one clean line first.
static void set_header(GMimeMessage *message, const char *name, const char *value)
{
    g_autofree char *clean = safe_text_line(value, HEADER_CHARS);

    if (*clean != '\0')
        g_mime_object_set_header(GMIME_OBJECT(message), name, clean, "utf-8");
}

static gboolean set_from(GMimeMessage *message, const cJSON *facts, GError **error)
{
    g_autofree char *from = safe_text_line(json_text(facts, "from"), HEADER_CHARS);
    InternetAddressList *list = internet_address_list_parse(NULL, from);
    InternetAddress *first = list != NULL && internet_address_list_length(list) == 1
                                 ? internet_address_list_get_address(list, 0)
                                 : NULL;
    gboolean good = first != NULL && INTERNET_ADDRESS_IS_MAILBOX(first);
    const char *address =
        good ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)) : NULL;

    good = is_address(address);
    if (good)
        g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM,
                                   internet_address_get_name(first), address);
    g_clear_object(&list);
    return good || fail(error, COMPOSE_MAIL_ERROR_ADDRESS, "mail.from is no mail address");
}

static gboolean set_to(GMimeMessage *message, const cJSON *facts, GError **error)
{
    const cJSON *contact = json_member(facts, "contact");
    g_autofree char *name = safe_text_line(json_text(contact, "name"), 100);
    const cJSON *email;
    int good = 0;

    cJSON_ArrayForEach(email, json_member(contact, "email"))
    {
        const char *address = cJSON_GetStringValue(email);
        if (!is_address(address))
            continue;
        g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, *name ? name : NULL, address);
        good++;
    }
    return good > 0 ||
           fail(error, COMPOSE_MAIL_ERROR_ADDRESS, "the contact has no good mail address");
}

static gboolean set_date(GMimeMessage *message, const cJSON *facts, GError **error)
{
    const char *at = json_text(facts, "at");
    g_autoptr(GDateTime) date = at != NULL ? g_date_time_new_from_iso8601(at, NULL) : NULL;

    if (date == NULL)
        return fail(error, COMPOSE_MAIL_ERROR_FACTS, "the notice has no time");
    g_mime_message_set_date(message, date);
    return TRUE;
}

// The opening is the root of the thread; a later mail answers it.
static void set_thread(GMimeMessage *message, const cJSON *facts)
{
    const char *root = facts_text(facts, "thread", "root");
    g_autofree char *id =
        g_strdup_printf("%s@%s", json_text(facts, "notice"), json_text(facts, "domain"));
    g_autofree char *reference = g_strdup_printf("<%s>", root);

    g_mime_message_set_message_id(message, id);
    if (root == NULL || strcmp(root, id) == 0)
        return;
    g_mime_object_set_header(GMIME_OBJECT(message), "In-Reply-To", reference, NULL);
    g_mime_object_set_header(GMIME_OBJECT(message), "References", reference, NULL);
}

static char *flow_ids(const cJSON *facts)
{
    GString *ids = g_string_new(NULL);
    const cJSON *flow;
    int count = 0;

    cJSON_ArrayForEach(flow, json_member(facts, "flows"))
    {
        const char *id = json_text(flow, "flow");
        if (id != NULL && count++ < FLOWS_MAX)
            g_string_append_printf(ids, "%s%s", ids->len > 0 ? ", " : "", id);
    }
    return g_string_free(ids, FALSE);
}

static void set_marks(GMimeMessage *message, const cJSON *facts)
{
    int priority = (int)json_integer(facts, "priority", 3);
    g_autofree char *level = g_strdup_printf("P%d", priority);
    g_autofree char *flows = flow_ids(facts);

    set_header(message, "Auto-Submitted", "auto-generated");
    set_header(message, "X-Auto-Response-Suppress", "All");
    if (json_member(facts, "flows") != NULL)
        set_header(message, "X-Erpwatch-Incident", json_text(facts, "incident"));
    set_header(message, "X-Erpwatch-Flow", flows);
    set_header(message, "X-Erpwatch-Priority", level);
    if (priority == 1)
        set_header(message, "Importance", "high");
}

static gboolean set_headers(GMimeMessage *message, const struct tell *tell, GError **error)
{
    g_autofree char *subject = tell_subject(tell);

    if (!set_from(message, tell->facts, error) || !set_to(message, tell->facts, error) ||
        !set_date(message, tell->facts, error))
        return FALSE;
    g_mime_message_set_subject(message, subject, "utf-8");
    set_thread(message, tell->facts);
    set_marks(message, tell->facts);
    return TRUE;
}

static GMimeObject *part_new(const char *type, const char *subtype, const char *bytes,
                             GMimeContentEncoding encoding)
{
    GMimePart *part = g_mime_part_new_with_type(type, subtype);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, strlen(bytes));
    GMimeDataWrapper *content =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

    g_mime_part_set_content(part, content);
    g_mime_part_set_content_encoding(part, encoding);
    g_object_unref(content);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

// Quoted-printable throughout: no long line, no bare line end, no 8-bit byte is left.
static GMimeObject *text_part(const char *subtype, const char *text)
{
    GMimeObject *part = part_new("text", subtype, text, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);

    g_mime_object_set_content_type_parameter(part, "charset", "utf-8");
    return part;
}

static void set_boundary(GMimeMultipart *multipart, const char *prefix, const cJSON *facts)
{
    g_autofree char *boundary =
        g_strdup_printf("=_%s_%.60s", prefix, json_text(facts, "notice")); // 70 at most

    g_mime_multipart_set_boundary(multipart, boundary);
}

static void add_part(GMimeMultipart *multipart, GMimeObject *part)
{
    g_mime_multipart_add(multipart, part);
    g_object_unref(part);
}

static GMimeObject *alternatives(const struct tell *tell)
{
    GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("alternative");
    g_autoptr(view_t) view = view_notice(tell);
    g_autofree char *text = compose_text(view);
    g_autofree char *html = compose_html(view);

    set_boundary(multipart, "b", tell->facts);
    add_part(multipart, text_part("plain", text));
    add_part(multipart, text_part("html", html));
    return GMIME_OBJECT(multipart);
}

static GMimeObject *archive_part(const char *archive)
{
    GMimeObject *part = part_new("application", "json", archive, GMIME_CONTENT_ENCODING_BASE64);

    g_mime_object_set_disposition(part, GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(GMIME_PART(part), "exchange.har");
    return part;
}

// The calls of the failing run; those of a good one are nobody's business.
static char *archive_of(const struct tell *tell)
{
    if (!tell_is_failing(tell) || tell->exchange == NULL)
        return NULL;
    return compose_har(json_member(tell->facts, "result"), HAR_MAX_BYTES);
}

static GMimeObject *body_of(struct tell *tell, gboolean attachments)
{
    GMimeMultipart *mixed = g_mime_multipart_new_with_subtype("mixed");
    g_autofree char *archive = attachments ? archive_of(tell) : NULL;

    tell->attached = archive != NULL;
    set_boundary(mixed, "a", tell->facts);
    add_part(mixed, alternatives(tell));
    if (archive != NULL)
        add_part(mixed, archive_part(archive));
    return GMIME_OBJECT(mixed);
}

static GBytes *bytes_of(GMimeMessage *message)
{
    GMimeFormatOptions *options = g_mime_format_options_new();
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *bytes;
    GBytes *result;

    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
    bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    result = g_bytes_new(bytes->data, bytes->len);
    g_object_unref(stream);
    g_mime_format_options_free(options);
    return result;
}

static GBytes *compose(const cJSON *facts, gboolean attachments, GError **error)
{
    static GOnce once = G_ONCE_INIT;
    struct tell tell;
    GMimeMessage *message;
    GMimeObject *body;
    GBytes *bytes = NULL;

    g_once(&once, init_gmime, NULL);
    if (!check_facts(facts, error))
        return NULL;
    tell_init(&tell, facts);
    message = g_mime_message_new(TRUE);
    if (set_headers(message, &tell, error)) {
        body = body_of(&tell, attachments);
        g_mime_message_set_mime_part(message, body);
        g_object_unref(body);
        bytes = bytes_of(message);
    }
    g_object_unref(message);
    return bytes;
}

GBytes *compose_mail(const cJSON *facts, GError **error)
{
    GBytes *bytes = compose(facts, TRUE, error);

    if (bytes == NULL || g_bytes_get_size(bytes) <= COMPOSE_MAIL_MAX_BYTES)
        return bytes;
    g_bytes_unref(bytes);
    return compose(facts, FALSE, error);
}

GBytes *compose_mail_bare(const cJSON *facts, GError **error)
{
    return compose(facts, FALSE, error);
}
