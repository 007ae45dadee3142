// SPDX-License-Identifier: MIT
// `explain`: says what one response body means, as a verdict in JSON. The same
// judging as of a live call, on a response made from the arguments.
#include "command.h"

#include "../config/config_reader.h"
#include "../config/pack.h"
#include "../config/pack_source.h"
#include "../probes/classify.h"
#include "../probes/lexicon.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024 * 1024 };

static GBytes *read_stream(FILE *stream, GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    guint8 buffer[65536];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0 && body->len < BODY_MAX)
        g_byte_array_append(body, buffer, (guint)got);
    if (ferror(stream)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "the body cannot be read");
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&body));
}

static GBytes *read_body(const char *path, GError **error)
{
    if (!path || g_str_equal(path, "-")) {
        command_say_stdin("explain");
        return read_stream(stdin, error);
    }
    char *body = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &body, &length, error))
        return NULL;
    return g_bytes_new_take(body, length);
}

// What is told of the answer besides its body.
typedef struct told {
    int status;
    char *content_type, *pack;
    char **headers; // "Name: value"
} told_t;

static void told_clear(struct told *told)
{
    g_free(told->content_type);
    g_free(told->pack);
    g_strfreev(told->headers);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(told_t, told_clear)

static char *next_line(const char **at, const char *end)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    char *line = g_strndup(*at, (gsize)((stop ? stop : end) - *at));
    *at = stop ? stop + 1 : end;
    return g_strchomp(line);
}

// The status of a line such as "HTTP/1.1 404 Not Found"; 0 for any other.
static int read_status_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    bool has = g_str_has_prefix(line, "HTTP/") && words[1] && strlen(words[1]) == 3;
    gint64 status = has ? g_ascii_strtoll(words[1], NULL, 10) : 0;
    return status >= 100 ? (int)status : 0;
}

// The headers of a head behind those of the options.
static void add_headers(struct told *told, const GPtrArray *lines)
{
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();
    for (char **header = told->headers; header && *header; header++)
        g_strv_builder_add(headers, *header);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = lines->pdata[i];
        g_autofree char *name = g_strndup(line, strcspn(line, ":"));
        bool better = told->content_type && g_ascii_strcasecmp(name, "Content-Type") == 0;
        if (strchr(line, ':') && config_is_header_name(name) && !better)
            g_strv_builder_add(headers, line);
    }
    g_strfreev(told->headers);
    told->headers = g_strv_builder_end(headers);
}

// What `curl -i` prints before the body: heads, of which the last one counts, unless the
// options say otherwise. What is left is the body.
static GBytes *take_heads(GBytes *all, struct told *told)
{
    gsize length = 0;
    const char *start = g_bytes_get_data(all, &length);
    const char *body = start, *end = length > 0 ? start + length : start;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    int status = 0;
    while (end - body > 5 && memcmp(body, "HTTP/", 5) == 0) {
        const char *at = body;
        g_autofree char *first = next_line(&at, end);
        int found = read_status_line(first);
        if (found == 0)
            break;
        status = found;
        g_ptr_array_set_size(lines, 0);
        for (char *line; at < end; g_ptr_array_add(lines, line)) {
            line = next_line(&at, end);
            if (line[0] == '\0') {
                g_free(line);
                break;
            }
        }
        body = at;
    }
    told->status = told->status ? told->status : status;
    add_headers(told, lines);
    return g_bytes_new_from_bytes(all, (gsize)(body - start), (gsize)(end - body));
}

static struct transfer_response *make_response(GBytes *body, const struct told *told)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = told->status;
    if (told->content_type)
        transfer_headers_add(response->headers, "Content-Type", told->content_type);
    for (char **header = told->headers; header && *header; header++) {
        g_auto(GStrv) parts = g_strsplit(*header, ":", 2);
        transfer_headers_add(response->headers, g_strstrip(parts[0]), g_strstrip(parts[1]));
    }
    if (response->body)
        g_bytes_unref(response->body);
    response->body = g_bytes_ref(body);
    return response;
}

// Nobody says which system answered: the packs in the program are asked whether the code
// is one of theirs.
static void ask_packs(struct verdict *verdict, int status)
{
    if (verdict->class != VERDICT_CLASS_ERROR_CODE && verdict->class != VERDICT_CLASS_CRYPTIC)
        return;
    g_autoptr(GPtrArray) packs = g_ptr_array_new_with_free_func((GDestroyNotify)pack_lexicon_unref);
    g_autoptr(GPtrArray) names = pack_source_names(NULL);
    for (guint i = 0; verdict->code && i < names->len; i++) {
        struct pack_lexicon *lexicon = pack_read_lexicon(names->pdata[i]);
        if (lexicon)
            g_ptr_array_add(packs, lexicon);
    }
    const struct pack_lexicon *found = lexicon_find_pack(lexicon_common(), packs, status, verdict);
    const struct lexicon_answer answer = {.status = status};
    if (found)
        lexicon_apply_pack(found, &answer, LEXICON_BY_CODE, verdict);
}

static struct verdict *explain(GBytes *body, const struct told *told,
                               const struct pack_lexicon *pack)
{
    g_autoptr(transfer_response_t) response = make_response(body, told);
    // No flow says what is due: data is, and a redirect is a fair answer.
    const struct classify_input input = {.response = response,
                                         .data_due = true,
                                         .status_expected = told->status < 400,
                                         .pack = pack};
    struct verdict *verdict = classify(&input, lexicon_common());
    if (!pack)
        ask_packs(verdict, told->status);
    return verdict;
}

// A sentence on what is wrong with the options, or NULL.
static const char *find_mistake(const struct told *told)
{
    if (told->status < 0 || told->status > 999 || (told->status > 0 && told->status < 100))
        return "--status is a number from 100 to 999";
    for (char **header = told->headers; header && *header; header++) {
        g_autofree char *name = g_strndup(*header, strcspn(*header, ":"));
        if (!strchr(*header, ':') || !config_is_header_name(name))
            return "--header wants a name and a value: --header 'WWW-Authenticate: Bearer'";
    }
    return NULL;
}

int cmd_explain(int argc, char **argv)
{
    g_auto(told_t) told = {0};
    const GOptionEntry entries[] = {
        {"status", 's', 0, G_OPTION_ARG_INT, &told.status, "The HTTP status of the response", "N"},
        {"content-type", 't', 0, G_OPTION_ARG_STRING, &told.content_type, "Its Content-Type",
         "TYPE"},
        {"header", 'H', 0, G_OPTION_ARG_STRING_ARRAY, &told.headers,
         "A header of it; may be given several times", "'NAME: VALUE'"},
        {"pack", 'p', 0, G_OPTION_ARG_STRING, &told.pack,
         "The pack that knows the system which answered", "NAME"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    int code = command_parse(&argc, &argv, entries, 0, 1);
    if (code != COMMAND_PARSED)
        return code;
    const char *mistake = find_mistake(&told);
    if (mistake)
        return command_fail("explain", "%s", mistake);
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(pack_t) pack = told.pack ? command_read_pack("explain", arena, told.pack) : NULL;
    if (told.pack && !pack)
        return COMMAND_UNKNOWN;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) all = read_body(argc > 1 ? argv[1] : NULL, &error);
    if (!all)
        return command_fail("explain", "%s", error ? error->message : "nothing can be read");
    g_autoptr(GBytes) body = take_heads(all, &told);
    g_autoptr(verdict_t) verdict = explain(body, &told, pack ? pack->lexicon : NULL);
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, true);
    return puts(text) < 0 ? COMMAND_UNKNOWN : COMMAND_OK;
}
