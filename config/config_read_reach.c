// SPDX-License-Identifier: MIT
// Reads `allow_hosts`, and finds addresses in steps that could never be called.
// Used by config_read_system and config_read_step.
#include "config_read.h"

#include "config_problem.h"
#include "reach.h"

#include <string.h>

static void read_host(struct config_reader *reader, const struct config_node *node,
                      GPtrArray *hosts)
{
    struct template *host = config_read_template(reader, node, TEMPLATE_PLACE_TEXT, false);
    const char *constant = host != NULL ? template_constant(host) : NULL;
    g_autofree char *why = NULL;

    if (host == NULL)
        return;
    g_ptr_array_add(hosts, host);
    if (constant != NULL && !reach_rule_is_valid(constant, &why))
        config_problem_error(reader->problems, node->place,
                             "\"%s\" cannot be allowed as a host: %s", constant, why);
}

void config_read_hosts(struct config_reader *reader, const struct config_node *node,
                       GPtrArray *hosts)
{
    if (node != NULL && node->kind == CONFIG_NODE_SCALAR)
        read_host(reader, node, hosts);
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        read_host(reader, node->items[i], hosts);
}

// NULL where one of them is known at run time only.
static GPtrArray *constant_hosts(const struct config_system *system)
{
    g_autoptr(GPtrArray) hosts = g_ptr_array_new();

    for (unsigned i = 0; i < system->allow_hosts->len; i++) {
        const char *constant = template_constant(system->allow_hosts->pdata[i]);

        if (constant == NULL)
            return NULL;
        g_ptr_array_add(hosts, (gpointer)(uintptr_t)constant);
    }
    return g_steal_pointer(&hosts);
}

void config_check_reach(struct config_reader *reader, const struct config_system *system,
                        const struct call *call)
{
    const char *whole = call != NULL && call->whole_url ? template_constant(call->path) : NULL;
    const char *base =
        system != NULL && system->url != NULL ? template_constant(system->url) : NULL;
    g_autoptr(GPtrArray) hosts = base != NULL ? constant_hosts(system) : NULL;
    g_autofree char *why = NULL;

    if (whole != NULL && hosts != NULL && reach_judge(base, hosts, whole, &why) == REACH_REFUSED)
        config_problem_error(reader->problems, call->place,
                             "%s cannot be called as the system %s: %s; write a path, or give "
                             "this step's server a system of its own",
                             whole, system->id, why);
}
