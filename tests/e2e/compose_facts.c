// SPDX-License-Identifier: MIT
// Writes the mail of a notice's facts (JSON on stdin) to stdout: what
// test_mail_format.py parses. `--bare` leaves the attachments out. A refusal goes to stderr, exit 1.
#include "../../alerts/compose_mail.h"

#include <stdio.h>
#include <string.h>

static GString *read_all(FILE *file)
{
    GString *text = g_string_new(NULL);
    char buffer[65536];
    size_t length;

    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0)
        g_string_append_len(text, buffer, (gssize)length);
    return text;
}

static int refuse(const GError *error)
{
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) mail = NULL;
    g_autoptr(cJSON) facts = NULL;
    bool bare = argc > 1 && strcmp(argv[1], "--bare") == 0;
    GString *text = read_all(stdin);
    gsize length;
    const void *bytes;

    facts = json_parse(text->str, text->len, &error);
    g_string_free(text, TRUE);
    if (facts == NULL)
        return refuse(error);
    mail = bare ? compose_mail_bare(facts, &error) : compose_mail(facts, &error);
    if (mail == NULL)
        return refuse(error);
    bytes = g_bytes_get_data(mail, &length);
    return fwrite(bytes, 1, length, stdout) == length ? 0 : 1;
}
