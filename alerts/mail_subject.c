// SPDX-License-Identifier: MIT
// Reads the subject out of the composed mail, so that it is that of the mail
// whatever its rules are. Used by the summary and by the mail about an opening
// of which nobody could be told.
#include "mail_subject.h"
#include "compose_mail.h"

#include <gmime/gmime.h>

static char *read_subject(GBytes *mail)
{
    gsize length = 0;
    const char *bytes = g_bytes_get_data(mail, &length);
    g_mime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    char *subject = g_strdup(message ? g_mime_message_get_subject(message) : NULL);
    g_clear_object(&message);
    g_object_unref(parser);
    g_object_unref(stream);
    return subject;
}

char *mail_subject(const cJSON *facts)
{
    g_autoptr(GBytes) mail = compose_mail_bare(facts, NULL);
    g_autofree char *subject = mail ? read_subject(mail) : NULL;
    const char *kind = json_text(facts, "kind");
    return g_strdup(subject ? subject : kind ? kind : "");
}
