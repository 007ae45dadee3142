// SPDX-License-Identifier: MIT
// Debts: made before a step with an undo is sent, settled after (failure-semantics
// section 1). Paying one is flow_debt_pay in flow_run.h.
#ifndef PROBES_FLOW_UNDO_H
#define PROBES_FLOW_UNDO_H

#include "../config/config.h"
#include "flow_debt.h"
#include "values.h"

struct transfer_request;
struct transfer_response;

// Names that a debt's values hold besides those of the run.
#define FLOW_UNDO_SENT "run.sent"       // texts that the request held and that contain the run's id
#define FLOW_UNDO_ABSENT "run.absent"   // a lookup has once found nothing
#define FLOW_UNDO_WAITS "run.waits"     // until then another system may make it: microseconds
#define FLOW_UNDO_SYSTEMS "run.systems" // digests of the other systems that the undo calls

// What a debt is made of.
struct flow_undo_debt {
    const char *run;
    const struct config_flow *flow;
    const struct config_system *system; // that the step calls
    const struct step *step;
    const struct undo *undo; // of the step, or one of its `later`
    unsigned part;           // which of these, from 1; 0 for the undo itself
    int attempt;
    const struct transfer_request *request; // about to be sent
    struct values *values;
    struct values *with; // what the system gives of them
    int64_t timeout_ms;
};

// The debt of a request that is about to go out; the caller frees it.
struct flow_debt *flow_undo_debt_new(const struct flow_undo_debt *facts, struct clock_wall now);

// scheme://host:port and a digest of the system's url and with, as rendered now.
void flow_undo_freeze(const struct config_system *system, struct values *values, char **origin,
                      char **url, char **digest);

// The ids of other systems that the undo's calls and lookups name, each once; of const char *,
// borrowed from them. `lookup` is the step's, or NULL. The caller frees the array.
GPtrArray *flow_undo_systems(const struct undo *undo, const struct lookup *lookup);

// What a debt knows of its record from now on: `values` (taken), and what it held besides.
void flow_undo_set_values(struct flow_debt *debt, cJSON *values);

// Every text in a request's body that contains `needle`: what a lookup's
// candidates are compared with. The caller frees the array.
cJSON *flow_undo_sent_texts(const struct transfer_request *request, const char *needle);

// True where a 404 or 410 says that the record is gone, and not that its company or
// endpoint is.
bool flow_undo_record_is_gone(const struct transfer_response *response);

#endif
