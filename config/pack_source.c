// SPDX-License-Identifier: MIT
// Finds the text of a pack, in the user's folders or in the program. Before
// pack.c, which reads it.
#include "pack_source.h"

#include <glib/gstdio.h>

#include <string.h>

#include "config/packs.inc" // static const struct {name, text, length} built_in_packs[]

static const char suffix[] = ".yaml";
static const char etc[] = "/etc/erpwatch/packs";

// The folders that are looked at, in this order.
static GPtrArray *folders_of(const char *folder)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);

    if (folder == NULL)
        return folders;
    g_ptr_array_add(folders, g_strdup("./packs"));
    if (strcmp(folder, ".") != 0)
        g_ptr_array_add(folders, g_build_filename(folder, "packs", NULL));
    g_ptr_array_add(folders, g_strdup(etc));
    return folders;
}

static bool is_pack_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool find_built_in(const char *name, struct pack_source *source)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(built_in_packs); i++) {
        if (strcmp(built_in_packs[i].name, name) != 0)
            continue;
        g_autofree char *file = g_strconcat("packs/", name, suffix, NULL);

        source->file = g_intern_string(file);
        source->text = g_strndup((const char *)built_in_packs[i].text, built_in_packs[i].length);
        source->length = built_in_packs[i].length;
        source->built_in = true;
        return true;
    }
    return false;
}

// A device or a FIFO, at which reading would wait, or never end.
static bool is_endless(const char *path, GError **error)
{
    GStatBuf about;

    if (g_stat(path, &about) != 0 || S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))
        return false; // reading it says what is wrong
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "this is no file: write the pack into a file of this name");
    return true;
}

bool pack_source_find(const char *name, const char *folder, struct pack_source *source,
                      GError **error)
{
    g_autoptr(GPtrArray) folders = folders_of(folder);
    g_autofree char *file = g_strconcat(name, suffix, NULL);

    *source = (struct pack_source){0};
    if (!is_pack_name(name))
        return false;
    for (unsigned i = 0; i < folders->len; i++) {
        // not g_build_filename, which is free to drop the ./ that tells it from the program's
        g_autofree char *path = g_strconcat(folders->pdata[i], "/", file, NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            continue;
        source->file = g_intern_string(path);
        return !is_endless(path, error) &&
               g_file_get_contents(path, &source->text, &source->length, error);
    }
    return find_built_in(name, source);
}

void pack_source_clear(struct pack_source *source)
{
    g_clear_pointer(&source->text, g_free);
}

static void add_name(GPtrArray *names, char *name)
{
    if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_free(name);
    else
        g_ptr_array_add(names, name);
}

static void add_names(GPtrArray *names, const char *folder)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *file;

    while (directory != NULL && (file = g_dir_read_name(directory)) != NULL) {
        if (g_str_has_suffix(file, suffix) && is_pack_name(file))
            add_name(names, g_strndup(file, strlen(file) - strlen(suffix)));
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

GPtrArray *pack_source_names(const char *folder)
{
    g_autoptr(GPtrArray) folders = folders_of(folder);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < folders->len; i++)
        add_names(names, folders->pdata[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(built_in_packs); i++)
        add_name(names, g_strdup(built_in_packs[i].name));
    g_ptr_array_sort(names, compare_names);
    return names;
}
