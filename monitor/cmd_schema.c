// SPDX-License-Identifier: MIT
// `schema`: prints the JSON Schema of the configuration, or its reference page.
#include "command.h"

#include "../config/config_schema.h"

#include <stdio.h>

int cmd_schema(int argc, char **argv)
{
    g_autofree char *format = NULL;
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "json (for editors) or markdown",
         "FORMAT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int parsed = command_parse(&argc, &argv, entries, 0, 0);

    if (parsed != COMMAND_PARSED)
        return parsed;
    bool markdown = g_strcmp0(format, "markdown") == 0;

    if (format != NULL && !markdown && !g_str_equal(format, "json"))
        return command_fail("schema", "there is no format %s: write json or markdown", format);
    g_autofree char *text = markdown ? config_schema_markdown() : config_schema_json();

    printf("%s%s", text, markdown ? "" : "\n");
    return COMMAND_OK;
}
