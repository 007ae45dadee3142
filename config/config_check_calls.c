// SPDX-License-Identifier: MIT
// What each call is held to as it is written: it leads where its system's calls may, and the
// pack of that system does not refuse to make it. What only the values bring about is found
// when it is sent. After the readers of steps, logins, sweeps and versions.
#include "config_read.h"

#include "config_problem.h"

struct call_check {
    struct config_reader *reader;
    const struct config_system *own; // where a call names none
};

static void check_never(struct config_reader *reader, const struct config_system *system,
                        const struct call *call)
{
    const struct never_rule *rule = never_find_call(system->never, call);

    if (rule != NULL)
        config_problem_error(reader->problems, call->place,
                             "the pack %s never makes this call: %s; for a system where it does no "
                             "harm, write one without the pack",
                             system->pack, rule->says);
}

static void check_call(const struct call *call, const struct lookup *lookup, void *user)
{
    const struct call_check *check = user;
    struct config_reader *reader = check->reader;
    const struct config_system *system =
        call->system != NULL && reader->config != NULL
            ? g_hash_table_lookup(reader->config->systems, call->system)
            : check->own;

    (void)lookup;
    if (system == NULL) // not known, as was said, or not told: a template that nobody uses
        return;
    config_check_reach(reader, system, call);
    check_never(reader, system, call);
}

void config_check_step_calls(struct config_reader *reader, const struct step *step)
{
    step_visit_calls(step, check_call, &(struct call_check){reader, step->system});
}

void config_check_sweep_calls(struct config_reader *reader, const struct config_sweep *sweep)
{
    struct call_check check = {reader, sweep->system};

    check_call(sweep->call, NULL, &check);
    undo_visit_calls(sweep->undo, check_call, &check);
}

void config_check_system_calls(struct config_reader *reader, const struct config_system *system)
{
    for (unsigned i = 0; i < system->auth->len; i++) {
        const struct config_session *session =
            ((const struct config_auth *)system->auth->pdata[i])->session;

        // a token is not asked for at the system itself
        if (session == NULL || session->oauth2 != NULL)
            continue;
        if (session->login != NULL)
            check_never(reader, system, session->login);
        if (session->logout != NULL)
            check_never(reader, system, session->logout);
    }
    if (system->version != NULL)
        check_never(reader, system, system->version);
}
