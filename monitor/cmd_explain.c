// SPDX-License-Identifier: MIT
// `explain`: says what one response body means, as a verdict in JSON. The same
// judging as of a live call, on a response made from the arguments.
#include "command.h"

#include "../probes/classify.h"
#include "../probes/lexicon.h"

#include <stdio.h>

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

static struct verdict *explain(GBytes *body, int status, const char *content_type)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    if (content_type)
        transfer_headers_add(response->headers, "Content-Type", content_type);
    if (response->body)
        g_bytes_unref(response->body);
    response->body = g_bytes_ref(body);
    // No flow says what is due: data is, and a redirect is a fair answer.
    struct classify_input input = {
        .response = response, .data_due = true, .status_expected = status < 400};
    return classify(&input, lexicon_common());
}

int cmd_explain(int argc, char **argv)
{
    int status = 0;
    g_autofree char *content_type = NULL;
    const GOptionEntry entries[] = {
        {"status", 's', 0, G_OPTION_ARG_INT, &status, "The HTTP status of the response", "N"},
        {"content-type", 't', 0, G_OPTION_ARG_STRING, &content_type, "Its Content-Type", "TYPE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    int code = command_parse(&argc, &argv, entries, 0, 1);
    if (code != COMMAND_PARSED)
        return code;
    if (status < 0 || status > 999 || (status > 0 && status < 100))
        return command_fail("explain", "--status is a number from 100 to 999");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = read_body(argc > 1 ? argv[1] : NULL, &error);
    if (!body)
        return command_fail("explain", "%s", error ? error->message : "nothing can be read");
    g_autoptr(verdict_t) verdict = explain(body, status, content_type);
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, true);
    return puts(text) < 0 ? COMMAND_UNKNOWN : COMMAND_OK;
}
