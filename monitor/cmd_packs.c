// SPDX-License-Identifier: MIT
// `packs`: lists what kinds of systems are known, and shows one: what it has to be
// told, what its flows do and undo, what of it nobody has verified.
#include "command.h"

#include "../base/json.h"
#include "../config/pack.h"
#include "../config/pack_source.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 78

static const char *const methods[] = {"get", "post", "put", "patch", "delete", "head", NULL};

// "POST /orders" of a call; the caller frees it.
static char *describe_call(const struct config_node *call)
{
    const char *other = config_node_text(config_node_get(call, "call"));

    for (unsigned i = 0; methods[i] != NULL; i++) {
        const char *path = config_node_text(config_node_get(call, methods[i]));
        g_autofree char *method = g_ascii_strup(methods[i], -1);

        if (path != NULL)
            return g_strdup_printf("%s %s", method, path[0] != '\0' ? path : "(the system's url)");
    }
    return g_strdup(other != NULL ? other : "");
}

// What the step takes back, in words; NULL where it has nothing to say. The caller
// frees it.
static char *describe_undo(const struct config_node *step)
{
    const struct config_node *undo = config_node_get(step, "undo");
    const char *none = config_node_text(config_node_get(undo, "none"));

    if (undo == NULL)
        return NULL;
    if (none != NULL)
        return g_strdup_printf("nothing to undo: %s", none);
    g_autofree char *first =
        describe_call(undo->kind == CONFIG_NODE_LIST && undo->count > 0 ? undo->items[0] : undo);

    return g_strdup_printf("undone by %s", first);
}

// A default as a person writes it. The caller frees it.
static char *describe_value(const struct config_node *node)
{
    const char *text = config_node_text(node);

    if (text != NULL)
        return g_strdup(text[0] != '\0' ? text : "none");
    g_autoptr(cJSON) json = config_node_to_json(node);

    return json_print(json, false);
}

// Text from a file, indented and wrapped at blanks.
static void print_wrapped(const char *text, int indent, const char *first)
{
    g_autofree char *clean = table_clean(text);
    g_auto(GStrv) words = g_strsplit(clean, " ", -1);
    int column = printf("%*s%s", indent, "", first);

    for (unsigned i = 0; words[i] != NULL; i++) {
        int width = (int)g_utf8_strlen(words[i], -1);

        if (i > 0 && column + 1 + width > WIDTH)
            column = printf("\n%*s", indent + (int)strlen(first), "") - 1;
        else if (i > 0)
            column += printf(" ");
        column += width;
        fputs(words[i], stdout);
    }
    putchar('\n');
}

static void print_heading(const char *text)
{
    g_autofree char *shown = command_coloured(COMMAND_GREEN, text);

    printf("\n%s\n", shown);
}

static void print_parameter(const struct pack *pack, const struct pack_parameter *parameter)
{
    g_autofree char *type = pack_describe_type(parameter);
    g_autofree char *value =
        parameter->fallback != NULL ? describe_value(parameter->fallback) : NULL;
    g_autofree char *users = pack_list_users(pack, parameter);
    const char *how = value != NULL       ? ", default "
                      : parameter->needed ? ", needed"
                      : users != NULL     ? ", needed for "
                                          : "";
    const char *what = value != NULL ? value : parameter->needed || users == NULL ? "" : users;
    g_autofree char *line = g_strdup_printf("%s (%s%s%s)", parameter->name, type, how, what);

    print_wrapped(line, 2, "");
    print_wrapped(parameter->says, 6, "");
}

static void print_step(const struct config_node *step, unsigned number)
{
    g_autofree char *call = describe_call(step);
    g_autofree char *undo = describe_undo(step);
    const char *name = config_node_text(config_node_get(step, "step"));
    g_autofree char *line = g_strdup_printf("%s: %s", name != NULL ? name : "", call);
    g_autofree char *mark = g_strdup_printf("%u. ", number);

    print_wrapped(line, 6, mark);
    if (undo != NULL)
        print_wrapped(undo, 9, "");
}

static void print_flow(const struct pack_flow *flow)
{
    const char *title = config_node_text(config_node_get(flow->node, "title"));
    const struct config_node *steps = config_node_get(flow->node, "steps");
    g_autofree char *line = g_strdup_printf("%s: %s", flow->name, title != NULL ? title : "");

    print_wrapped(line, 2, "");
    for (unsigned i = 0; steps != NULL && steps->kind == CONFIG_NODE_LIST && i < steps->count; i++)
        print_step(steps->items[i], i + 1);
}

static void print_never(const struct pack_never *never)
{
    g_autofree char *line =
        g_strdup_printf("%s%s%s%s: %s", never->call != NULL ? never->call : "any call",
                        never->body != NULL ? " holding " : "",
                        never->body != NULL ? never->body : "", "", never->says);

    print_wrapped(line, 2, "- ");
}

static void print_pack(const struct pack *pack)
{
    g_autofree char *title = table_clean(pack->title);

    printf("%s: %s%s%s\n", pack->name, title, pack->built_in ? "" : ", from ",
           pack->built_in ? "" : pack->file);
    if (pack->says != NULL)
        print_wrapped(pack->says, 0, "");
    print_heading("What a system gives it: systems.NAME.with");
    for (unsigned i = 0; i < pack->parameters->len; i++)
        print_parameter(pack, pack->parameters->pdata[i]);
    print_heading("What it does: flows.NAME.use");
    for (unsigned i = 0; i < pack->flows->len; i++)
        print_flow(pack->flows->pdata[i]);
    if (pack->never->len > 0)
        print_heading("What it never does");
    for (unsigned i = 0; i < pack->never->len; i++)
        print_never(pack->never->pdata[i]);
    if (pack->unverified->len > 0)
        print_heading("What is not verified");
    for (unsigned i = 0; i < pack->unverified->len; i++)
        print_wrapped(pack->unverified->pdata[i], 2, "- ");
    printf("\nTo begin with it: erpwatch init --pack %s\n", pack->name);
}

static void add_text(cJSON *object, const char *key, const char *text)
{
    cJSON_AddItemToObject(object, key,
                          text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static cJSON *parameters_to_json(const struct pack *pack)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        cJSON *each = cJSON_CreateObject();
        g_autofree char *type = pack_describe_type(parameter);

        add_text(each, "name", parameter->name);
        add_text(each, "type", type);
        cJSON_AddBoolToObject(each, "needed", parameter->needed);
        cJSON_AddItemToObject(each, "default",
                              parameter->fallback != NULL ? config_node_to_json(parameter->fallback)
                                                          : cJSON_CreateNull());
        add_text(each, "says", parameter->says);
        if (parameter->fallback == NULL && !parameter->needed) {
            g_autofree char *users = pack_list_users(pack, parameter);

            add_text(each, "needed_for", users);
        }
        cJSON_AddItemToArray(list, each);
    }
    return list;
}

static cJSON *flow_to_json(const struct pack_flow *flow)
{
    cJSON *json = cJSON_CreateObject();
    const struct config_node *steps = config_node_get(flow->node, "steps");

    add_text(json, "flow", flow->name);
    add_text(json, "title", config_node_text(config_node_get(flow->node, "title")));
    cJSON *list = cJSON_AddArrayToObject(json, "steps");

    for (unsigned i = 0; steps != NULL && steps->kind == CONFIG_NODE_LIST && i < steps->count;
         i++) {
        const struct config_node *step = steps->items[i];
        cJSON *each = cJSON_CreateObject();
        g_autofree char *call = describe_call(step);
        g_autofree char *undo = describe_undo(step);

        add_text(each, "step", config_node_text(config_node_get(step, "step")));
        add_text(each, "call", call);
        add_text(each, "undo", undo);
        cJSON_AddItemToArray(list, each);
    }
    return json;
}

static cJSON *pack_to_json(const struct pack *pack)
{
    cJSON *json = cJSON_CreateObject();

    add_text(json, "pack", pack->name);
    add_text(json, "title", pack->title);
    add_text(json, "says", pack->says);
    add_text(json, "file", pack->built_in ? NULL : pack->file);
    cJSON_AddItemToObject(json, "parameters", parameters_to_json(pack));
    cJSON *flows = cJSON_AddArrayToObject(json, "flows");

    for (unsigned i = 0; i < pack->flows->len; i++)
        cJSON_AddItemToArray(flows, flow_to_json(pack->flows->pdata[i]));
    cJSON *never = cJSON_AddArrayToObject(json, "never");

    for (unsigned i = 0; i < pack->never->len; i++) {
        const struct pack_never *refused = pack->never->pdata[i];
        cJSON *each = cJSON_CreateObject();

        add_text(each, "call", refused->call);
        add_text(each, "body", refused->body);
        add_text(each, "says", refused->says);
        cJSON_AddItemToArray(never, each);
    }
    cJSON *unverified = cJSON_AddArrayToObject(json, "unverified");

    for (unsigned i = 0; i < pack->unverified->len; i++)
        cJSON_AddItemToArray(unverified, cJSON_CreateString(pack->unverified->pdata[i]));
    return json;
}

static void print_json(cJSON *json)
{
    g_autofree char *text = json_print(json, true);

    printf("%s\n", text);
    cJSON_Delete(json);
}

static int list_packs(bool json)
{
    g_autoptr(GPtrArray) names = pack_source_names(".");
    g_autoptr(table_t) table = table_new("PACK", "IS FOR", "FROM", NULL);
    cJSON *list = cJSON_CreateArray();
    bool good = true;

    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(config_arena_t) arena = config_arena_new();
        g_autoptr(pack_t) pack = command_read_pack("packs", arena, names->pdata[i]);

        good &= pack != NULL;
        if (pack == NULL)
            continue;
        table_add(table, pack->name, pack->title, pack->built_in ? "erpwatch" : pack->file);
        cJSON_AddItemToArray(list, pack_to_json(pack));
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
    g_autoptr(config_arena_t) arena = config_arena_new();
    g_autoptr(pack_t) pack = command_read_pack("packs", arena, name);

    if (pack == NULL)
        return COMMAND_UNKNOWN;
    if (strcmp(format, "json") == 0)
        print_json(pack_to_json(pack));
    else if (strcmp(format, "yaml") == 0)
        fputs(pack->text, stdout);
    else
        print_pack(pack);
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
