// SPDX-License-Identifier: MIT
// A reader of SMTP's two directions. Fed by the callbacks of both mail clients,
// read when they have to say what became of the session.
#include "smtp_dialogue.h"

#include <string.h>

// No honest answer is longer; what is beyond is dropped.
enum { ANSWER_BYTES = 8192 };

struct verb {
    const char *word;
    enum delivery_stage stage;
};

static const struct verb verbs[] = {
    {"EHLO", DELIVERY_STAGE_EHLO}, {"HELO", DELIVERY_STAGE_EHLO}, {"STARTTLS", DELIVERY_STAGE_TLS},
    {"AUTH", DELIVERY_STAGE_AUTH}, {"MAIL", DELIVERY_STAGE_MAIL}, {"RCPT", DELIVERY_STAGE_RCPT},
    {"DATA", DELIVERY_STAGE_DATA}, {"BDAT", DELIVERY_STAGE_DOT},
};

void smtp_dialogue_init(struct smtp_dialogue *dialogue)
{
    *dialogue = (struct smtp_dialogue){.stage = DELIVERY_STAGE_CONNECT};
    dialogue->text = g_string_new(NULL);
    dialogue->partial = g_string_new(NULL);
}

void smtp_dialogue_clear(struct smtp_dialogue *dialogue)
{
    g_string_free(dialogue->text, TRUE);
    g_string_free(dialogue->partial, TRUE);
}

void smtp_dialogue_connected(struct smtp_dialogue *dialogue)
{
    smtp_dialogue_clear(dialogue);
    smtp_dialogue_init(dialogue);
    dialogue->stage = DELIVERY_STAGE_GREETING;
}

static void begin_command(struct smtp_dialogue *dialogue, const char *line, size_t length)
{
    if (length >= 4 && g_ascii_strncasecmp(line, "QUIT", 4) == 0)
        dialogue->quitting = true;
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        size_t size = strlen(verbs[i].word);
        if (length < size || g_ascii_strncasecmp(line, verbs[i].word, size) != 0)
            continue;
        dialogue->stage = verbs[i].stage;
        dialogue->code = 0;
        g_string_truncate(dialogue->text, 0);
        return;
    }
}

void smtp_dialogue_sent(struct smtp_dialogue *dialogue, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t size = end ? (size_t)(end - bytes) + 1 : length;
        begin_command(dialogue, bytes, size);
        bytes += size;
        length -= size;
    }
}

// The code of a line, 0 where it has none.
static int code_of(const char *line)
{
    for (int i = 0; i < 3; i++)
        if (!g_ascii_isdigit(line[i]))
            return 0;
    return (int)g_ascii_strtoull((char[]){line[0], line[1], line[2], '\0'}, NULL, 10);
}

static void append_text(struct smtp_dialogue *dialogue, const char *text)
{
    if (dialogue->text->len >= ANSWER_BYTES)
        return;
    if (dialogue->text->len > 0)
        g_string_append_c(dialogue->text, ' ');
    g_string_append(dialogue->text, text);
}

// One line without its end; true where it is the last of an answer.
static bool read_line(struct smtp_dialogue *dialogue, const char *line)
{
    int code = code_of(line);
    if (dialogue->code != 0) { // the answer before this one is complete
        dialogue->code = 0;
        g_string_truncate(dialogue->text, 0);
    }
    append_text(dialogue, code == 0 ? line : line[3] == '\0' ? "" : line + 4);
    if (code == 0 || line[3] == '-')
        return false;
    dialogue->code = code;
    if (dialogue->stage == DELIVERY_STAGE_AUTH && code == 235)
        dialogue->authenticated = true;
    return true;
}

// Between the answer to STARTTLS and the handshake nothing may come.
static bool is_before_handshake(const struct smtp_dialogue *dialogue)
{
    return dialogue->stage == DELIVERY_STAGE_TLS && !dialogue->tls && dialogue->code != 0;
}

bool smtp_dialogue_received(struct smtp_dialogue *dialogue, const char *bytes, size_t length)
{
    bool complete = false;
    for (size_t i = 0; i < length && !dialogue->quitting; i++) {
        dialogue->injected = dialogue->injected || is_before_handshake(dialogue);
        if (bytes[i] != '\n') {
            if (bytes[i] != '\r' && dialogue->partial->len < ANSWER_BYTES)
                g_string_append_c(dialogue->partial, bytes[i] ? bytes[i] : ' ');
            continue;
        }
        complete = read_line(dialogue, dialogue->partial->str) || complete;
        g_string_truncate(dialogue->partial, 0);
    }
    return complete;
}
