// SPDX-License-Identifier: MIT
// Where packs come from: ./packs, packs beside the configuration,
// /etc/erpwatch/packs, then those in the program.
#ifndef CONFIG_PACK_SOURCE_H
#define CONFIG_PACK_SOURCE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

// A pack's text; `file` names it in messages and lives as long as the program.
struct pack_source {
    const char *file;
    char *text;
    size_t length;
    bool built_in;
};

// The first pack of this name; `folder` (NULL: only the program's own are looked
// at) is that of the configuration. False where there is none (`error` is not set)
// or it cannot be read.
bool pack_source_find(const char *name, const char *folder, struct pack_source *source,
                      GError **error);
void pack_source_clear(struct pack_source *source);

// The names of all packs, of char *, in order; the caller frees the array.
GPtrArray *pack_source_names(const char *folder);

#endif
