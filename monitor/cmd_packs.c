// SPDX-License-Identifier: MIT
// `packs`: lists what kinds of systems are known, and shows one: what it has to be
// told, what its flows do and undo, what of it nobody has verified.
#include "command.h"

#include "../config/pack_source.h"
#include "pack_view.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static void print_json(cJSON *json)
{
    g_autofree char *text = json_print(json, true);

    printf("%s\n", text);
    cJSON_Delete(json);
}

static int list_packs(bool json)
{
    g_autoptr(GPtrArray) names = pack_source_names(".");
    g_autoptr(table_t) table = table_new("PACK", "IS FOR", "DOES", NULL);
    cJSON *list = cJSON_CreateArray();
    bool good = true;

    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(arena_t) arena = config_arena_new();
        g_autoptr(pack_t) pack = command_read_pack("packs", arena, names->pdata[i]);

        good &= pack != NULL;
        if (pack == NULL)
            continue;
        g_autofree char *does = pack_view_summary(pack);

        g_autofree char *own = g_strdup_printf("%s (%s)", pack->title, pack->file);

        table_add(table, pack->name, pack->built_in ? pack->title : own, does);
        cJSON_AddItemToArray(list, pack_view_json(pack));
    }
    if (json) {
        print_json(list);
    } else {
        g_autofree char *text = table_format(table, NULL);

        printf("%s\nerpwatch packs NAME explains one, erpwatch init --pack NAME begins with it.\n",
               text);
        cJSON_Delete(list);
    }
    return good ? COMMAND_OK : COMMAND_UNKNOWN;
}

static int show_pack(const char *name, const char *format)
{
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(pack_t) pack = command_read_pack("packs", arena, name);

    if (pack == NULL)
        return COMMAND_UNKNOWN;
    if (strcmp(format, "json") == 0)
        print_json(pack_view_json(pack));
    else if (strcmp(format, "yaml") == 0)
        fputs(pack->text, stdout);
    else
        pack_view_print(pack);
    return COMMAND_OK;
}

int cmd_packs(int argc, char **argv)
{
    static const char *const formats[] = {"text", "json", "yaml", NULL};
    g_autofree char *format = NULL;
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &format,
         "text, json, or yaml (the file of one pack, to begin your own with)", "FORMAT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int parsed = command_parse(&argc, &argv, entries, 0, 1);

    if (parsed != COMMAND_PARSED)
        return parsed;
    const char *wanted = format != NULL ? format : "text";

    if (!g_strv_contains(formats, wanted) || (argc < 2 && strcmp(wanted, "yaml") == 0))
        return command_fail("packs", "there is no format %s: write text or json%s", wanted,
                            argc < 2 ? "" : ", or yaml");
    return argc < 2 ? list_packs(strcmp(wanted, "json") == 0) : show_pack(argv[1], wanted);
}
