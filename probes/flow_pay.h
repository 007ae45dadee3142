// SPDX-License-Identifier: MIT
// Pays a debt: the undo of what a run has made, at its end or later.
#ifndef PROBES_FLOW_PAY_H
#define PROBES_FLOW_PAY_H

#include "flow_debt.h"
#include "flow_engine.h"

// Pays one debt (found in the ledger at start, or due again) with the systems of
// `config`; `done` gets it back with its new state, already committed. `config` and
// `debt` are borrowed until then.
typedef void (*flow_debt_done)(struct flow_debt *debt, void *context);
void flow_debt_pay(struct flow_engine *engine, const struct config *config, struct flow_debt *debt,
                   flow_debt_done done, void *context);

// The same for a record that a sweep has found: no ledger knows of it, and its calls go
// after those of steps.
void flow_debt_pay_unkept(struct flow_engine *engine, const struct config *config,
                          struct flow_debt *debt, flow_debt_done done, void *context);

#endif
