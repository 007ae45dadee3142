// SPDX-License-Identifier: MIT
// Writes the table of keys as the reference page. A test says when docs/reference.md
// is not what this writes.
#include "config_schema.h"

#include "config_keys.h"
#include "template.h"

#include <string.h>

static const char *const words[] = {
    [CONFIG_TYPE_TEXT] = "text",
    [CONFIG_TYPE_TEMPLATE] = "template",
    [CONFIG_TYPE_SECRET] = "template, a secret",
    [CONFIG_TYPE_PATH] = "path or URL",
    [CONFIG_TYPE_METHOD_PATH] = "method and path",
    [CONFIG_TYPE_URL] = "URL",
    [CONFIG_TYPE_URLS] = "URL or list of them",
    [CONFIG_TYPE_FILENAME] = "file name",
    [CONFIG_TYPE_TIMEZONE] = "time zone",
    [CONFIG_TYPE_CRON] = "cron expression",
    [CONFIG_TYPE_ADDRESS] = "mail address",
    [CONFIG_TYPE_EMAILS] = "mail address or list of them",
    [CONFIG_TYPE_CONTACT] = "contact",
    [CONFIG_TYPE_CONTACTS] = "role or contact, or list of them",
    [CONFIG_TYPE_SYSTEM] = "system",
    [CONFIG_TYPE_TEMPLATE_NAME] = "template, or flow of a pack",
    [CONFIG_TYPE_ROLE] = "role",
    [CONFIG_TYPE_ROLES] = "map of role to contact",
    [CONFIG_TYPE_NAMESPACES] = "map of prefix to URI",
    [CONFIG_TYPE_DURATION] = "duration",
    [CONFIG_TYPE_DURATION_OR_ZERO] = "duration, or `0s`",
    [CONFIG_TYPE_SIZE] = "size",
    [CONFIG_TYPE_INTEGER] = "number",
    [CONFIG_TYPE_BOOLEAN] = "`true` or `false`",
    [CONFIG_TYPE_FLAG] = "`true`",
    [CONFIG_TYPE_LIST] = "text or list of them",
    [CONFIG_TYPE_JSON] = "any value",
    [CONFIG_TYPE_AMOUNT] = "number, duration or size",
    [CONFIG_TYPE_TYPES] = "type or list of them",
    [CONFIG_TYPE_FIELDS] = "map of name to template",
    [CONFIG_TYPE_VALUES] = "map of name to any value",
    [CONFIG_TYPE_STEPS] = "list of [steps](#a-step)",
    [CONFIG_TYPE_UNDO] = "[call](#undo), or list of [calls](#one-of-several-undos)",
    [CONFIG_TYPE_CAPTURES] = "map of name to [capture](#a-capture)",
    [CONFIG_TYPE_SELECTOR] = "[selector](#a-selector)",
    [CONFIG_TYPE_CHECKS] = "value or [operators](#operators)",
    [CONFIG_TYPE_NAMED_CHECKS] = "map to value or [operators](#operators)",
    [CONFIG_TYPE_ONLY_IF] = "name with value or [operators](#operators)",
    [CONFIG_TYPE_ITEMS] = "JSONPath, or [selector](#a-selector)",
    [CONFIG_TYPE_PATTERN] = "regular expression",
    [CONFIG_TYPE_PATTERNS] = "regular expression or list of them",
    [CONFIG_TYPE_NAMED_PATTERNS] = "map of name to regular expression",
    [CONFIG_TYPE_STATUSES] = "status, `4xx`, or list of them",
};

static const char opening[] =
    "# Reference of the configuration\n\n"
    "This page is written by `erpwatch schema --format markdown` from the table that the program\n"
    "reads by. `erpwatch schema` prints the same as a JSON Schema for editors.\n\n"
    "- **text** is taken as it stands. A **template** may hold `{{name}}`, `${env:NAME}`,\n"
    "  `${env:NAME:-default}`, `${file:PATH}` and `${credential:NAME}`.\n"
    "- **duration**: `500ms`, `20s`, `5m`, `4h`, `30d`, also `1h30m`. **size**: `512B`, `64KiB`,\n"
    "  `4MiB`. A bare number is an error there.\n"
    "- An unquoted number is a number only as JSON writes one; other number-like text is quoted.\n"
    "- Where a list is due, one value may stand. File names are relative to the file they stand "
    "in.\n"
    "- Anchors, aliases and `<<` work within a file.\n";

// A heading's anchor, as Markdown pages make it.
static char *anchor_of(const char *title)
{
    GString *anchor = g_string_new(NULL);

    for (const char *at = title; *at != '\0'; at++) {
        if (g_ascii_isalnum(*at) || *at == '_' || *at == '-')
            g_string_append_c(anchor, g_ascii_tolower(*at));
        else if (*at == ' ')
            g_string_append_c(anchor, '-');
    }
    return g_string_free(anchor, FALSE);
}

static char *kind_of(const struct config_key *key)
{
    if (key->type == CONFIG_TYPE_MAP || key->type == CONFIG_TYPE_NAMES ||
        key->type == CONFIG_TYPE_MAPS) {
        const char *title = config_map_info(config_map_by_name(key->argument))->title;
        g_autofree char *anchor = anchor_of(title);
        const char *many = key->type == CONFIG_TYPE_NAMES  ? "map of name to "
                           : key->type == CONFIG_TYPE_MAPS ? "list of "
                                                           : "";

        return g_strdup_printf("%s[%s](#%s)", many, title, anchor);
    }
    if (key->type == CONFIG_TYPE_WORD) {
        g_auto(GStrv) list = g_strsplit(key->argument, "|", -1);
        g_autofree char *joined = g_strjoinv("`, `", list);

        return g_strdup_printf("`%s`", joined);
    }
    if (key->type == CONFIG_TYPE_INTEGER) {
        g_auto(GStrv) ends = g_strsplit(key->argument, "..", 2);

        return g_strdup_printf("number from %s to %s", ends[0], ends[1]);
    }
    return g_strdup(words[key->type]);
}

static void add_map(GString *page, enum config_map map)
{
    const struct config_map_info *info = config_map_info(map);
    const GPtrArray *keys = config_map_keys(map);

    g_string_append_printf(page, "\n## %s\n\n%s\n\n", info->title, info->sentence);
    g_string_append(page, "| key | value | default | |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < keys->len; i++) {
        const struct config_key *key = keys->pdata[i];
        g_autofree char *kind = kind_of(key);
        bool literal = g_ascii_isalnum(key->fallback[0]) || strchr("/{", key->fallback[0]) != NULL;
        bool phrase = strchr(key->fallback, ' ') != NULL && key->fallback[0] != '{';
        const char *quote = literal && !phrase && key->fallback[0] != '\0' ? "`" : "";

        g_string_append_printf(page, "| `%s` | %s | %s%s%s | %s |\n", key->name, kind, quote,
                               key->needed ? "needed" : key->fallback, quote, key->sentence);
    }
}

static void add_template_names(GString *page)
{
    const char *const *filters = template_filter_names();

    g_string_append(page,
                    "\n## Templates\n\n"
                    "Names: captures, `set`, `vars`, `with`, `login.NAME`, and `run.id`, "
                    "`run.started`, `run.due`, `mark`, `now`, `uuid`, `random`, and `page` in a "
                    "sweep with pages. A time may be "
                    "moved: `{{now - 24h}}`.\n\nFilters, behind a `|`:");
    for (unsigned i = 0; filters[i] != NULL; i++)
        g_string_append_printf(page, "%s `%s`", i > 0 ? "," : "", filters[i]);
    g_string_append(page, ".\n");
}

char *config_schema_markdown(void)
{
    GString *page = g_string_new(opening);

    for (unsigned map = 0; map < CONFIG_MAP_COUNT; map++)
        add_map(page, map);
    add_template_names(page);
    return g_string_free(page, FALSE);
}
