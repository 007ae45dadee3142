// SPDX-License-Identifier: MIT
// Which names of headers, members, fields and elements say that what they name
// is a secret, or somebody's account.
#include "redact_parts.h"

#include <string.h>

#define NAME_MAX_LENGTH 128

// Somewhere in a name, once it is in lower case and without - _ . and the like.
static const char *const parts[] = {
    "accesskey",
    "apikey",
    "aspnetcore",
    "assertion",
    "authkey",
    "authorization",
    "bearer",
    "cardnumber",
    "cookie",
    "credential",
    "creditcard",
    "csrf",
    "hmac",
    "iban",
    "ipaddress",
    "kennwort",
    "motdepasse",
    "mysapsso",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sessid",
    "session",
    "signature",
    "subscriptionkey",
    "token",
    "wachtwoord",
    "websitekey",
    "xforwardedfor",
    "xrealip",
    "xsrf",
};

// The whole name.
static const char *const wholes[] = {
    "auth", "authenticationinfo", "card", "connectsid", "hookurl", "pass", "routeid", "sid", "sig",
};

// One word of the name: card_pin, userPin.
static const char *const words[] = {"bic", "cvc", "cvv", "cvv2", "jwt",
                                    "otp", "pan", "pin", "totp"};

// Names that only look like one.
static const char *const harmless[] = {
    "accesscontrolallowcredentials",
    "buyercookie",
    "continuationtoken",
    "deltatoken",
    "nextpagetoken",
    "pagetoken",
    "sessiontimeout",
    "skiptoken",
    "synctoken",
    "tokentype",
};

static bool is_among(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

// The first two letters of all parts as bits: most pairs of a name are in none.
static uint64_t pairs[1024 / 64];

static size_t pair_of(const char *at)
{
    return ((size_t)at[0] & 31U) << 5 | ((size_t)at[1] & 31U);
}

static void prepare_pairs(void)
{
    static gsize ready;
    if (!g_once_init_enter(&ready))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        pairs[pair_of(parts[i]) / 64] |= UINT64_C(1) << (pair_of(parts[i]) % 64);
    g_once_init_leave(&ready, 1);
}

static bool has_part(const char *name)
{
    prepare_pairs();
    for (; name[0] && name[1]; name++) {
        if (!(pairs[pair_of(name) / 64] >> (pair_of(name) % 64) & 1))
            continue;
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
            if (parts[i][0] == *name && g_str_has_prefix(name, parts[i]))
                return true;
        }
    }
    return false;
}

static bool has_word(const char *name, size_t length)
{
    char word[8];
    size_t count = 0;
    for (size_t i = 0; i <= length; i++) {
        char c = i < length ? name[i] : '-';
        bool hump = g_ascii_isupper(c) && i > 0 && !g_ascii_isupper(name[i - 1]);
        if (hump || !g_ascii_isalnum(c)) {
            word[MIN(count, sizeof word - 1)] = '\0';
            if (count >= 3 && count < sizeof word && is_among(words, G_N_ELEMENTS(words), word))
                return true;
            count = 0;
        }
        if (g_ascii_isalnum(c)) {
            if (count < sizeof word - 1)
                word[count] = g_ascii_tolower(c);
            count++;
        }
    }
    return false;
}

bool redact_is_secret_word(const char *name, size_t length)
{
    char plain[NAME_MAX_LENGTH + 1];
    size_t count = 0;
    length = MIN(length, NAME_MAX_LENGTH);
    for (size_t i = 0; i < length; i++) {
        if (g_ascii_isalnum(name[i]))
            plain[count++] = g_ascii_tolower(name[i]);
    }
    plain[count] = '\0';
    if (has_part(plain) || is_among(wholes, G_N_ELEMENTS(wholes), plain))
        return !is_among(harmless, G_N_ELEMENTS(harmless), plain);
    return has_word(name, length);
}

bool redact_is_secret_name(const char *name)
{
    return redact_is_secret_word(name, strlen(name));
}
