// SPDX-License-Identifier: MIT
// Reads gettext's compiled catalogues (the MO format: two tables of lengths and
// offsets), which the build puts into the program, and fills in names. The
// compose_ files get all their sentences here; words_time.c adds times.
#include "words.h"

#include "alerts/catalogues.inc"

#include <stdarg.h>
#include <string.h>

struct words {
    GHashTable *texts; // English -> translation, both borrowed from the catalogue; NULL: English
    gboolean one_for_none; // zero takes the singular, as in French
};

struct catalogue {
    const char *language;
    const unsigned char *bytes;
    gsize length;
};

// Filled by the build: one line for each alerts/po/LANGUAGE.po.
static const struct catalogue catalogues[] = {
#define CATALOGUE(language) {#language, catalogue_##language, sizeof catalogue_##language},
    CATALOGUES
#undef CATALOGUE
};

static guint32 number_at(const struct catalogue *catalogue, gsize offset)
{
    guint32 number = 0;

    if (offset + sizeof number <= catalogue->length)
        memcpy(&number, catalogue->bytes + offset, sizeof number);
    return GUINT32_FROM_LE(number);
}

// Text `index` of the table at `table`; the catalogue ends each with a NUL.
static const char *text_at(const struct catalogue *catalogue, guint32 table, guint32 index)
{
    gsize entry = table + 8 * (gsize)index;
    gsize length = number_at(catalogue, entry);
    gsize offset = number_at(catalogue, entry + 4);

    if (offset + length >= catalogue->length || catalogue->bytes[offset + length] != '\0')
        return "";
    return (const char *)catalogue->bytes + offset;
}

// The catalogue's own header stands as the translation of the empty text.
static void read_header(struct words *words, const char *header)
{
    words->one_for_none = strstr(header, "plural=(n > 1)") != NULL;
}

static void read_catalogue(struct words *words, const struct catalogue *catalogue)
{
    guint32 count = number_at(catalogue, 8);

    words->texts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint32 i = 0; i < count; i++) {
        const char *english = text_at(catalogue, number_at(catalogue, 12), i);
        const char *translation = text_at(catalogue, number_at(catalogue, 16), i);
        if (*english == '\0')
            read_header(words, translation);
        else if (*translation != '\0')
            g_hash_table_insert(words->texts, (gpointer)(gsize)english,
                                (gpointer)(gsize)translation);
    }
}

static struct words all[G_N_ELEMENTS(catalogues)];

static gpointer read_all(gpointer unused)
{
    (void)unused;
    for (gsize i = 0; i < G_N_ELEMENTS(catalogues); i++)
        read_catalogue(&all[i], &catalogues[i]);
    return all;
}

static const struct words *find(const char *language)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, read_all, NULL);
    for (gsize i = 0; language != NULL && i < G_N_ELEMENTS(catalogues); i++) {
        if (strcmp(catalogues[i].language, language) == 0)
            return &all[i];
    }
    return NULL;
}

const struct words *words_for(const char *language)
{
    static const struct words english = {0};
    const struct words *words = find(language);

    return words != NULL ? words : &english;
}

gboolean words_has_language(const char *language)
{
    return g_strcmp0(language, "en") == 0 || find(language) != NULL;
}

const char *words_get(const struct words *words, const char *text)
{
    const char *translation = words->texts != NULL ? g_hash_table_lookup(words->texts, text) : NULL;

    return translation != NULL ? translation : text;
}

static const char *value_of(const char *const *pairs, const char *name, gsize length)
{
    for (; pairs[0] != NULL; pairs += 2) {
        if (strlen(pairs[0]) == length && strncmp(pairs[0], name, length) == 0)
            return pairs[1] != NULL ? pairs[1] : "";
    }
    return NULL;
}

static char *fill(const char *text, const char *const *pairs)
{
    GString *filled = g_string_new(NULL);

    while (*text != '\0') {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        const char *value = end != NULL ? value_of(pairs, text + 1, (gsize)(end - text - 1)) : NULL;
        if (value != NULL) {
            g_string_append(filled, value);
            text = end + 1;
        } else {
            g_string_append_c(filled, *text++);
        }
    }
    return g_string_free(filled, FALSE);
}

char *words_fill(const struct words *words, const char *text, ...)
{
    g_autoptr(GPtrArray) pairs = g_ptr_array_new();
    va_list arguments;
    const char *name;

    va_start(arguments, text);
    while ((name = va_arg(arguments, const char *)) != NULL) {
        g_ptr_array_add(pairs, (gpointer)(gsize)name);
        g_ptr_array_add(pairs, va_arg(arguments, char *));
    }
    va_end(arguments);
    g_ptr_array_add(pairs, NULL);
    return fill(words_get(words, text), (const char *const *)pairs->pdata);
}

char *words_count(const struct words *words, const char *one, const char *many, gint64 n)
{
    const char *found = words->texts != NULL ? g_hash_table_lookup(words->texts, one) : NULL;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, n);
    const char *pairs[] = {"n", number, NULL};
    gboolean single = n == 1 || (n == 0 && words->one_for_none);

    if (found == NULL)
        return fill(single ? one : many, pairs);
    return fill(single ? found : found + strlen(found) + 1, pairs); // two forms: msgfmt checks it
}
