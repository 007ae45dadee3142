// SPDX-License-Identifier: MIT
// A pack as a person reads it on a terminal: what it has to be told, what it does and
// undoes, what answers mean, what of it nobody has verified.
#include "command.h"

#include "pack_view.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 78, PATTERN_CHARS = 64 };

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
    g_autofree char *call = pack_view_call(step);
    g_autofree char *undo = pack_view_undo(step);
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

// The person's language, of those that packs speak.
static unsigned find_language(void)
{
    const char *const *names = g_get_language_names();

    for (; *names != NULL; names++)
        for (unsigned i = 0; i < PACK_LANGUAGES; i++)
            if (strcmp(*names, pack_language(i)) == 0)
                return i;
    return PACK_ENGLISH;
}

static void add_pattern(GString *line, const char *before, const char *pattern)
{
    if (pattern == NULL)
        return;
    g_autofree char *start =
        g_utf8_substring(pattern, 0, MIN(g_utf8_strlen(pattern, -1), PATTERN_CHARS));

    g_string_append_printf(line, "%s%s%s", line->len > 0 ? before : "", start,
                           strcmp(start, pattern) != 0 ? "…" : "");
}

static void add_statuses(GString *line, const GArray *statuses)
{
    for (unsigned i = 0; i < statuses->len; i++) {
        const struct pack_statuses *range = &g_array_index(statuses, struct pack_statuses, i);

        g_string_append_printf(line, i > 0 ? ", %d" : " (status %d", range->first);
        if (range->last > range->first)
            g_string_append_printf(line, " to %d", range->last);
    }
    if (statuses->len > 0)
        g_string_append_c(line, ')');
}

// Which answers, what they mean, what to do.
static void print_meaning(const struct pack_meaning *meaning, unsigned language)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *cause = g_strdelimit(g_strdup(meaning->cause), "_", ' ');

    add_pattern(line, "", meaning->code);
    add_pattern(line, " with ", meaning->message);
    add_statuses(line, meaning->statuses);
    print_wrapped(line->str, 2, "- ");
    g_string_printf(line, "%s, for the %s: %s", cause, meaning->act, meaning->says[language]);
    print_wrapped(line->str, 6, "");
    print_wrapped(meaning->next[language], 6, "> ");
    g_string_printf(line, "%s%s", meaning->unverified ? "NOT VERIFIED; " : "", meaning->source);
    print_wrapped(line->str, 6, "");
}

static void print_meanings(const struct pack *pack)
{
    const GPtrArray *meanings = pack->lexicon->meanings;
    unsigned language = find_language();

    if (meanings->len > 0)
        print_heading("What its answers mean, and what to do");
    for (unsigned i = 0; i < meanings->len; i++)
        print_meaning(meanings->pdata[i], language);
}

static void print_envelopes(const struct pack *pack)
{
    const GPtrArray *envelopes = pack->lexicon->envelopes;

    if (envelopes->len > 0)
        print_heading("Where its failing answers say what failed");
    for (unsigned i = 0; i < envelopes->len; i++) {
        const struct pack_envelope *envelope = envelopes->pdata[i];
        g_autoptr(GString) line = g_string_new(NULL);

        add_pattern(line, "", envelope->at[0] != '\0' ? envelope->at : "the answer");
        g_string_append_c(line, ':');
        if (envelope->codes[0] != '\0')
            g_string_append_printf(line, " code in %s", envelope->codes);
        if (envelope->messages[0] != '\0')
            g_string_append_printf(line, " text in %s", envelope->messages);
        print_wrapped(line->str, 2, "- ");
    }
}

static void print_sweeps(const struct pack *pack)
{
    if (pack->version != NULL) {
        const char *off = config_node_text(config_node_get(pack->version, "off"));
        g_autofree char *call =
            off != NULL ? g_strdup_printf("nowhere: %s", off) : pack_view_call(pack->version);

        print_heading("Where its version stands");
        print_wrapped(call, 2, "");
    }
    if (pack->sweeps->len > 0)
        print_heading("What was left behind and is looked for");
    for (unsigned i = 0; i < pack->sweeps->len; i++) {
        const struct pack_sweep *sweep = pack->sweeps->pdata[i];
        g_autofree char *call = pack_view_call(sweep->entry->value);
        g_autoptr(GString) line = g_string_new(NULL);

        g_string_append_printf(line, "%s: %s, of ", sweep->entry->key, call);
        for (unsigned k = 0; k < sweep->flows->len; k++)
            g_string_append_printf(line, "%s%s", k > 0 ? ", " : "",
                                   (const char *)sweep->flows->pdata[k]);
        print_wrapped(line->str, 2, "- ");
    }
}

// Health comes first: it tells whose fault it is.
static void print_flows(const struct pack *pack)
{
    const struct pack_flow *health = pack_find_flow(pack, "health");

    print_heading("What it does: flows.NAME.use");
    if (health != NULL)
        print_flow(health);
    for (unsigned i = 0; i < pack->flows->len; i++)
        if (pack->flows->pdata[i] != health)
            print_flow(pack->flows->pdata[i]);
}

void pack_view_print(const struct pack *pack)
{
    g_autofree char *title = table_clean(pack->title);

    printf("%s: %s%s%s\n", pack->name, title, pack->built_in ? "" : ", from ",
           pack->built_in ? "" : pack->file);
    if (pack->says != NULL)
        print_wrapped(pack->says, 0, "");
    print_heading("What a system gives it: systems.NAME.with");
    for (unsigned i = 0; i < pack->parameters->len; i++)
        print_parameter(pack, pack->parameters->pdata[i]);
    print_flows(pack);
    print_sweeps(pack);
    if (pack->never->len > 0)
        print_heading("What it never does");
    for (unsigned i = 0; i < pack->never->len; i++)
        print_never(pack->never->pdata[i]);
    if (pack->unverified->len > 0)
        print_heading("What is not verified");
    for (unsigned i = 0; i < pack->unverified->len; i++)
        print_wrapped(pack->unverified->pdata[i], 2, "- ");
    print_envelopes(pack);
    print_meanings(pack);
    printf("\nTo begin with it: erpwatch init --pack %s\n", pack->name);
}
