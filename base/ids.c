// SPDX-License-Identifier: MIT
// Ids as hashes of what they name: flows, runs, incidents and notices get the
// same id on every machine that sees the same facts.
#include "ids.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

enum { IDS_DIGEST_BYTES = 32, IDS_MAX_LENGTH = 26 };

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The end of each text is marked by its NUL, which no text contains: "ab","c"
// and "a","bc" differ.
static void digest_update(GChecksum *sum, const char *text)
{
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
}

static void digest_finish(GChecksum *sum, guint8 digest[IDS_DIGEST_BYTES])
{
    gsize length = IDS_DIGEST_BYTES;
    g_checksum_get_digest(sum, digest, &length);
}

// Crockford base32: five bits a character, from the highest bit on.
static char *base32(const guint8 *digest, size_t length)
{
    char *text = g_malloc(length + 1);
    for (size_t i = 0; i < length; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        text[i] = ALPHABET[pair >> (11 - bit % 8) & 31];
    }
    text[length] = '\0';
    return text;
}

char *ids_hash(size_t length, const char *first, ...)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    va_list rest;
    va_start(rest, first);
    for (const char *text = first; text; text = va_arg(rest, const char *))
        digest_update(sum, text);
    va_end(rest);
    guint8 digest[IDS_DIGEST_BYTES];
    digest_finish(sum, digest);
    return base32(digest, MIN(length, (size_t)IDS_MAX_LENGTH));
}

uint64_t ids_number(const char *text)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    digest_update(sum, text);
    guint8 digest[IDS_DIGEST_BYTES];
    digest_finish(sum, digest);
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return number;
}

char *ids_uuid_of(const char *first, ...)
{
    // the name space: drawn once, never changed
    static const guint8 space[16] = {0xc2, 0x7e, 0x1f, 0x5a, 0x0d, 0x84, 0x4b, 0x36,
                                     0x9e, 0x21, 0x6f, 0xa8, 0xd3, 0x70, 0xb9, 0x15};
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 d[20];
    gsize length = sizeof d;
    va_list rest;
    g_checksum_update(sum, space, sizeof space);
    va_start(rest, first);
    for (const char *text = first; text; text = va_arg(rest, const char *))
        digest_update(sum, text);
    va_end(rest);
    g_checksum_get_digest(sum, d, &length);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           d[0], d[1], d[2], d[3], d[4], d[5], (d[6] & 0x0f) | 0x50, d[7],
                           (d[8] & 0x3f) | 0x80, d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

char *ids_uuid(void)
{
    return g_uuid_string_random();
}
