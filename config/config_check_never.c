// SPDX-License-Identifier: MIT
// Finds calls that the pack of the system that they go to refuses to make, as they are
// written; what only their values bring about is found when they are sent. After the
// readers of steps, logins, sweeps and versions.
#include "config_read.h"

#include "config_problem.h"

struct never_check {
    struct config_reader *reader;
    const struct config_system *own;
};

static void check_call(const struct call *call, const struct lookup *lookup, void *user)
{
    const struct never_check *check = user;
    const struct config_system *named =
        call->system != NULL ? g_hash_table_lookup(check->reader->config->systems, call->system)
                             : NULL;
    const struct config_system *system = named != NULL ? named : check->own;
    const struct never_rule *rule = never_find_call(system->never, call);

    (void)lookup;
    if (rule != NULL)
        config_problem_error(check->reader->problems, call->place,
                             "the pack %s never makes this call: %s; for a system where it does no "
                             "harm, write one without the pack",
                             system->pack, rule->says);
}

static void check_optional(const struct call *call, struct never_check *check)
{
    if (call != NULL)
        check_call(call, NULL, check);
}

void config_check_never_steps(struct config_reader *reader, const struct config_system *own,
                              const GPtrArray *steps)
{
    for (unsigned i = 0; i < steps->len; i++) {
        const struct step *step = steps->pdata[i];
        struct never_check check = {reader, step->system != NULL ? step->system : own};

        step_visit_calls(step, check_call, &check);
    }
}

void config_check_never_system(struct config_reader *reader, const struct config_system *system)
{
    struct never_check check = {reader, system};

    for (unsigned i = 0; i < system->auth->len; i++) {
        const struct config_session *session =
            ((const struct config_auth *)system->auth->pdata[i])->session;

        // a token is not asked for at the system itself
        if (session == NULL || session->oauth2 != NULL)
            continue;
        check_optional(session->login, &check);
        check_optional(session->logout, &check);
    }
    check_optional(system->version, &check);
}

void config_check_never_sweep(struct config_reader *reader, const struct config_sweep *sweep)
{
    struct never_check check = {reader, sweep->system};

    check_call(sweep->call, NULL, &check);
    undo_visit_calls(sweep->undo, check_call, &check);
}
