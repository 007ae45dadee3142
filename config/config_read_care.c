// SPDX-License-Identifier: MIT
// Reads what keeps flows from doing harm: keys of idempotency. Used by the readers of
// steps.
#include "config_read.h"

#include "config_problem.h"

#include <string.h>

// RFC 9110 section 5.6.2.
static bool is_header_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
            return false;
    }
    return name[0] != '\0';
}

static void check_idempotency(struct config_reader *reader, const struct config_node *node,
                              const struct step *step)
{
    const struct call *call = step->call;

    if (!is_header_name(step->idempotency))
        config_problem_error(reader->problems, node->place,
                             "\"idempotency\" takes the name of a header: write "
                             "Idempotency-Key, or what the system calls it");
    if (call_is_safe(call))
        config_problem_error(reader->problems, node->place,
                             "%s only reads, so there is nothing that could be written twice: "
                             "leave \"idempotency\" out",
                             call->method);
    for (unsigned i = 0; i < call->headers->len; i++) {
        const struct call_field *field = call->headers->pdata[i];

        if (g_ascii_strcasecmp(field->name, step->idempotency) == 0)
            config_problem_error(reader->problems, node->place,
                                 "the header %s stands in \"headers\", too: leave one of them out",
                                 field->name);
    }
}

void config_read_idempotency(struct config_reader *reader, const struct config_node *node,
                             struct step *step)
{
    const struct config_node *key = config_node_get(node, "idempotency");

    step->idempotency = g_strdup(config_node_text(key));
    if (step->idempotency != NULL)
        check_idempotency(reader, key, step);
    else if (step->retry_on_any && !call_is_idempotent(step->call) &&
             config_node_get(node, "lookup") == NULL)
        config_problem_warn(reader->problems, config_node_entry(node, "retry")->place,
                            "on: any repeats a call that may have written, so that one order "
                            "becomes two: write idempotency: Idempotency-Key where the system "
                            "knows it, or a \"lookup\" that finds both");
}
