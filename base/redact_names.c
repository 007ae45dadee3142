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
    "auth", "card", "connectsid", "hookurl", "pass", "routeid", "sid", "sig",
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

static uint32_t letter_bit(char letter)
{
    return UINT32_C(1) << ((unsigned)letter & 31U);
}

static bool has_part(const char *name)
{
    static uint32_t first_letters;
    // The same value whoever computes it, so that a race does no harm.
    if (!g_atomic_int_get(&first_letters)) {
        uint32_t letters = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
            letters |= letter_bit(parts[i][0]);
        g_atomic_int_set(&first_letters, letters);
    }
    uint32_t letters = g_atomic_int_get(&first_letters);
    for (; *name; name++) {
        for (size_t i = 0; letters & letter_bit(*name) && i < G_N_ELEMENTS(parts); i++) {
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
            if (count < sizeof word && is_among(words, G_N_ELEMENTS(words), word))
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
