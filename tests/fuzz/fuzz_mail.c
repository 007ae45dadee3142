// SPDX-License-Identifier: MIT
// Facts with texts from anywhere, composed as a mail, with and without attachments. What comes out
// is read by another library, tests/fuzz/read_mail.py with Python's email package, and has to be
// one whole mail: no header, address or part of somebody else.
#include "../../alerts/compose_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char facts_path[] = "tests/mails/opened.json";

static cJSON *sample;
static int mails = -1, answers = -1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_up(void)
{
    char *arguments[] = {(char[]){"/usr/bin/python3"}, (char[]){"tests/fuzz/read_mail.py"}, NULL};
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(facts_path, &text, &length, NULL) ||
        !g_spawn_async_with_pipes(NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &mails,
                                  &answers, NULL, NULL))
        abort();
    sample = json_parse(text, length, NULL);
}

// The bytes up to a NUL as a text that JSON could hold, or NULL at their end.
static char *take_text(const uint8_t **data, const uint8_t *end)
{
    if (*data >= end)
        return NULL;
    const uint8_t *nul = memchr(*data, '\0', (size_t)(end - *data));
    size_t length = (size_t)((nul != NULL ? nul : end) - *data);
    char *text = g_utf8_make_valid((const char *)*data, (gssize)length);
    *data += length + (nul != NULL);
    return text;
}

static unsigned count_texts(const cJSON *node)
{
    unsigned count = cJSON_IsString(node) ? 1 : 0;
    for (const cJSON *child = node->child; child != NULL; child = child->next)
        count += count_texts(child);
    return count;
}

// The text number `*index` below the node.
static cJSON *find_text(cJSON *node, unsigned *index)
{
    if (cJSON_IsString(node) && (*index)-- == 0)
        return node;
    for (cJSON *child = node->child; child != NULL; child = child->next) {
        cJSON *found = find_text(child, index);
        if (found != NULL)
            return found;
    }
    return NULL;
}

// Ids are hashes of our own: nobody else's text is ever in their place.
static void restore_ids(cJSON *facts)
{
    static const char *const ours[] = {"notice", "incident", "domain", "thread"};
    for (size_t i = 0; i < G_N_ELEMENTS(ours); i++)
        cJSON_ReplaceItemInObjectCaseSensitive(facts, ours[i],
                                               cJSON_Duplicate(json_member(sample, ours[i]), true));
}

// Two bytes say which text is replaced by what follows them.
static cJSON *make_facts(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    cJSON *facts = cJSON_Duplicate(sample, true);
    unsigned count = count_texts(facts);
    while (end - data > 2) {
        unsigned index = (unsigned)(data[0] | data[1] << 8) % count;
        data += 2;
        g_autofree char *text = take_text(&data, end);
        cJSON *node = find_text(facts, &index);
        if (text != NULL && node != NULL)
            cJSON_SetValuestring(node, text);
    }
    restore_ids(facts);
    return facts;
}

// The fuzzer's alarms interrupt both.
static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = TEMP_FAILURE_RETRY(write(mails, bytes, length));
        if (written <= 0)
            abort();
        bytes += written;
        length -= (size_t)written;
    }
}

static char *read_line(void)
{
    GString *line = g_string_new(NULL);
    char byte = 0;
    while (byte != '\n') {
        if (TEMP_FAILURE_RETRY(read(answers, &byte, 1)) != 1)
            abort();
        g_string_append_c(line, byte);
    }
    return g_string_free(line, FALSE);
}

static void read_mail(GBytes *mail)
{
    gsize length = 0;
    const char *bytes = g_bytes_get_data(mail, &length);
    guint32 head = GUINT32_TO_LE((guint32)length);
    if (length > COMPOSE_MAIL_MAX_BYTES)
        abort();
    write_all((const char *)&head, sizeof head);
    write_all(bytes, length);
    g_autofree char *answer = read_line();
    if (answer[0] != '\n') {
        fprintf(stderr, "%s%.3000s\n", answer, bytes);
        abort();
    }
}

static void compose(const cJSON *facts, GBytes *(*composer)(const cJSON *facts, GError **error))
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) mail = composer(facts, &error);
    g_autoptr(GBytes) again = composer(facts, NULL);
    if ((mail == NULL) == (error == NULL) || (mail == NULL) != (again == NULL))
        abort();
    if (mail == NULL)
        return;
    if (!g_bytes_equal(mail, again))
        abort(); // a resend is the same mail
    read_mail(mail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (sample == NULL)
        set_up();
    g_autoptr(cJSON) facts = make_facts(data, size);
    compose(facts, compose_mail);
    compose(facts, compose_mail_bare);
    return 0;
}
