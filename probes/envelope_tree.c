// SPDX-License-Identifier: MIT
// Small questions about the trees that JSON and XML bodies become: members by any
// spelling of their name, the text of a value, what a code looks like. For the
// readers of envelopes.
#include "envelope_part.h"

#include <string.h>

enum { MEMBERS_MAX = 500 };

static bool is_blank(const char *text)
{
    return strspn(text, " \t\r\n\f") == strlen(text);
}

// The byte as names are compared: in lower case; '\0' for what does not count.
static char plain_byte(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte + ('a' - 'A'));
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ? byte : '\0';
}

static const char *without_prefix(const char *key)
{
    const char *colon = strrchr(key, ':');
    return colon ? colon + 1 : key;
}

bool envelope_name_is(const char *name, size_t length, const char *key)
{
    const char *end = name + length;
    for (const char *k = without_prefix(key); *k; k++) {
        char byte = plain_byte(*k);
        if (byte && (name == end || byte != *name++))
            return false;
    }
    return name == end;
}

uint32_t envelope_name_hash(const char *key)
{
    const uint32_t seed = UINT32_C(2166136261); // FNV-1a
    uint32_t hash = seed;
    for (; *key; key++) {
        char byte = plain_byte(*key);
        if (byte)
            hash = (hash ^ (unsigned char)byte) * UINT32_C(16777619);
        else if (*key == ':')
            hash = seed; // so far it was a prefix
    }
    return hash ? hash : 1;
}

static const cJSON *find_member(const cJSON *object, const char *name, size_t length)
{
    int left = MEMBERS_MAX;
    const cJSON *child;
    cJSON_ArrayForEach(child, object)
    {
        if (child->string && envelope_name_is(name, length, child->string))
            return child;
        if (--left < 0)
            return NULL;
    }
    return NULL;
}

const cJSON *envelope_member(const cJSON *object, const char *name)
{
    return find_member(object, name, strlen(name));
}

// The text of a value, also of {"lang", "value"} and of the first of a list;
// NULL where there is none. Borrowed from the tree or from `buffer`.
const char *envelope_text(const cJSON *node, char buffer[32])
{
    static const char *const members[] = {"value", "content", "text", "message", "example"};
    for (int depth = 0; node && depth < 4; depth++) {
        if (cJSON_IsString(node))
            return is_blank(node->valuestring) ? NULL : node->valuestring;
        if (cJSON_IsNumber(node))
            return json_number_text(node, buffer);
        const cJSON *next = cJSON_IsArray(node) ? node->child : NULL;
        for (size_t i = 0; cJSON_IsObject(node) && !next && i < G_N_ELEMENTS(members); i++)
            next = envelope_member(node, members[i]);
        node = next;
    }
    return NULL;
}

// The node at a dotted path of member names, or NULL.
const cJSON *envelope_find(const cJSON *node, const char *path)
{
    while (node && *path) {
        size_t length = strcspn(path, ".");
        node = find_member(cJSON_IsArray(node) ? node->child : node, path, length);
        path += length + (path[length] == '.');
    }
    return node;
}

bool envelope_is_success(const char *code)
{
    static const char *const words[] = {
        "ok",           "success",     "successful",    "succeeded",   "none",        "null",
        "no_error",     "noerror",     "no error",      "no errors",   "no",          "n",
        "accepted",     "approved",    "false",         "erfolg",      "erfolgreich", "kein fehler",
        "keine fehler", "succes",      "geslaagd",      "gelukt",      "geen fout",   "geen fouten",
        "succès",       "réussi",      "aucune erreur", "sans erreur", "éxito",       "correcto",
        "sin error",    "sin errores", "ningún error",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(code, words[i]) == 0)
            return true;
    if (strspn(code, "0.") == strlen(code))
        return true;
    return strlen(code) == 3 && *code == '2' && strspn(code, "0123456789") == 3;
}

// A word that names a kind of error: no sentence, no address.
bool envelope_is_token(const char *text)
{
    return *text && strlen(text) <= 80 && g_str_is_ascii(text) && !strpbrk(text, " \t\r\n") &&
           !strstr(text, "://") && strcmp(text, "about:blank") != 0;
}

// Members named name or type hold all kinds of things besides errors' names.
bool envelope_is_error_name(const char *text)
{
    return envelope_is_token(text) && (strpbrk(text, "._") || g_str_has_suffix(text, "Error") ||
                                       g_str_has_suffix(text, "Exception") ||
                                       g_str_has_suffix(text, "Fault") || g_ascii_isupper(*text));
}

bool envelope_is_status(const char *text)
{
    return strlen(text) == 3 && strchr("12345", *text) && strspn(text, "0123456789") == 3;
}
