// SPDX-License-Identifier: MIT
// Finds calls that the pack of the system that they go to refuses to make, as they are
// written; what only their values bring about is found when they are sent. After the
// readers of steps, logins, sweeps and versions.
#include "config_read.h"

#include "config_problem.h"

static void check_call(struct config_reader *reader, const struct config_system *own,
                       const struct call *call)
{
    const struct config_system *named =
        call != NULL && call->system != NULL
            ? g_hash_table_lookup(reader->config->systems, call->system)
            : NULL;
    const struct config_system *system = named != NULL ? named : own;
    const struct never_rule *rule = call != NULL ? never_find_call(system->never, call) : NULL;

    if (rule != NULL)
        config_problem_error(reader->problems, call->place,
                             "the pack %s never makes this call: %s; for a system where it does no "
                             "harm, write one without the pack",
                             system->pack, rule->says);
    if (call != NULL)
        check_call(reader, system, call->otherwise);
}

static void check_lookup(struct config_reader *reader, const struct config_system *own,
                         const struct lookup *lookup)
{
    if (lookup != NULL)
        check_call(reader, own, lookup->call);
}

static void check_undo(struct config_reader *reader, const struct config_system *own,
                       const struct undo *undo)
{
    if (undo == NULL)
        return;
    check_lookup(reader, own, undo->lookup);
    for (unsigned i = 0; i < undo->calls->len; i++)
        check_call(reader, own, undo->calls->pdata[i]);
    for (unsigned i = 0; i < undo->later->len; i++)
        check_undo(reader, own, undo->later->pdata[i]);
}

void config_check_never_steps(struct config_reader *reader, const struct config_system *own,
                              const GPtrArray *steps)
{
    for (unsigned i = 0; i < steps->len; i++) {
        const struct step *step = steps->pdata[i];
        const struct config_system *system = step->system != NULL ? step->system : own;

        check_call(reader, system, step->call);
        check_lookup(reader, system, step->lookup);
        check_undo(reader, system, step->undo);
    }
}

void config_check_never_system(struct config_reader *reader, const struct config_system *system)
{
    for (unsigned i = 0; i < system->auth->len; i++) {
        const struct config_session *session =
            ((const struct config_auth *)system->auth->pdata[i])->session;

        // a token is not asked for at the system itself
        if (session == NULL || session->oauth2 != NULL)
            continue;
        check_call(reader, system, session->login);
        check_call(reader, system, session->logout);
    }
    check_call(reader, system, system->version);
}

void config_check_never_sweep(struct config_reader *reader, const struct config_sweep *sweep)
{
    check_call(reader, sweep->system, sweep->call);
    check_undo(reader, sweep->system, sweep->undo);
}
