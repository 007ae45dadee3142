// SPDX-License-Identifier: MIT
// The rules of sending again and giving up, as arithmetic and tables. Before it
// come the mail clients, which say what the server answered; after it the
// outbox, which keeps what was decided. Reads no clock.
#include "delivery_plan.h"

#include <glib.h>
#include <string.h>

#define MINUTE_US ((int64_t)60 * 1000 * 1000)

static const int interval_minutes[] = {1, 2, 5, 10, 30, 60};

static const char *const stage_words[] = {
    [DELIVERY_STAGE_NONE] = "start",        [DELIVERY_STAGE_CONNECT] = "connect",
    [DELIVERY_STAGE_GREETING] = "greeting", [DELIVERY_STAGE_EHLO] = "EHLO",
    [DELIVERY_STAGE_TLS] = "TLS",           [DELIVERY_STAGE_AUTH] = "AUTH",
    [DELIVERY_STAGE_MAIL] = "MAIL",         [DELIVERY_STAGE_RCPT] = "RCPT",
    [DELIVERY_STAGE_DATA] = "DATA",         [DELIVERY_STAGE_DOT] = "message",
};

static const char *const fate_words[] = {
    [DELIVERY_ACCEPTED] = "accepted",
    [DELIVERY_AGAIN] = "waiting",
    [DELIVERY_LIGHTER] = "waiting",
    [DELIVERY_GIVEN_UP] = "given_up",
};

const char *delivery_stage_word(enum delivery_stage stage)
{
    return stage_words[stage];
}

const char *delivery_fate_word(enum delivery_fate fate)
{
    return fate_words[fate];
}

// A mail that the server finds too large, said at MAIL because SIZE was given.
static bool is_too_large(const struct delivery_reply *reply)
{
    return reply->stage == DELIVERY_STAGE_MAIL && reply->code == 552;
}

static bool refuses_content(const struct delivery_reply *reply)
{
    return reply->stage >= DELIVERY_STAGE_DATA && reply->code / 100 == 5;
}

enum delivery_fate delivery_plan_fate(const struct delivery_reply *reply, bool lighter,
                                      int attempts)
{
    if (reply->accepted)
        return DELIVERY_ACCEPTED;
    if (reply->stage == DELIVERY_STAGE_RCPT && reply->code / 100 == 5)
        return DELIVERY_GIVEN_UP;
    if (refuses_content(reply) && lighter)
        return DELIVERY_GIVEN_UP;
    if (attempts >= DELIVERY_PLAN_ATTEMPTS)
        return DELIVERY_GIVEN_UP;
    if (!lighter && (refuses_content(reply) || is_too_large(reply)))
        return DELIVERY_LIGHTER;
    return DELIVERY_AGAIN;
}

bool delivery_plan_is_server_wide(const struct delivery_reply *reply)
{
    return !reply->accepted && reply->stage >= DELIVERY_STAGE_CONNECT &&
           reply->stage <= DELIVERY_STAGE_AUTH;
}

int64_t delivery_plan_interval_us(int attempts)
{
    int last = (int)G_N_ELEMENTS(interval_minutes) - 1;
    return interval_minutes[CLAMP(attempts - 1, 0, last)] * MINUTE_US;
}

bool delivery_plan_is_due(struct clock_wall due, int64_t interval_us, struct clock_wall now)
{
    return due.us <= now.us || due.us - now.us > interval_us;
}

bool delivery_address_is_safe(const char *address)
{
    size_t length = strlen(address);
    const char *at = strrchr(address, '@');
    if (length > 254 || at == NULL || at == address || at[1] == '\0' || address[0] == '-')
        return false;
    for (const char *p = address; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '<' || *p == '>')
            return false;
    return true;
}

void delivery_reply_set(struct delivery_reply *reply, enum delivery_stage stage, int code,
                        const char *text)
{
    reply->stage = stage;
    reply->code = code;
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    g_strlcpy(reply->text, valid, sizeof reply->text);
    for (char *p = reply->text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    g_strchomp(reply->text);
    const char *end = NULL;
    if (!g_utf8_validate(reply->text, -1, &end)) // the copy may have cut a character
        reply->text[end - reply->text] = '\0';
}

void delivery_reply_format(const struct delivery_reply *reply, char *buffer, size_t size)
{
    if (reply->code == 0)
        g_snprintf(buffer, size, "%s: %s", delivery_stage_word(reply->stage), reply->text);
    else
        g_snprintf(buffer, size, "%s: %d %s", delivery_stage_word(reply->stage), reply->code,
                   reply->text);
}
