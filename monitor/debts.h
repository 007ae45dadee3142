// SPDX-License-Identifier: MIT
// Pays what earlier runs owe: those of dead processes first, then whatever comes
// due again (failure-semantics 7, 8, 10).
#ifndef MONITOR_DEBTS_H
#define MONITOR_DEBTS_H

#include "runtime.h"

struct debts;

// `runtime` is borrowed and has a store. Nothing is done yet.
struct debts *debts_new(struct runtime *runtime);

// `hold` is called before each payment and keeps the present configuration; `release`
// is called with what it gave once the payment has ended. Without them nothing is held.
void debts_hold_config(struct debts *debts, void *(*hold)(void *context),
                       void (*release)(void *held, void *context), void *context);

// Claims the debts of dead owners and pays what is due now, one after the other.
// `idle` is called once there is nothing due any more.
void debts_pay(struct debts *debts, void (*idle)(void *context), void *context);

// True where the flow has undos and debts of dead owners at a system that it writes to have
// not been tried once, or it is not known yet whether there are any: it waits.
bool debts_hold_back(const struct debts *debts, const struct config_flow *flow);

// True while debts of dead owners at this system have not been tried once.
bool debts_are_held(const struct debts *debts, const char *system);

// True where a process that used the store has ended since the last round: what it
// owes is ours now.
bool debts_are_inherited(const struct debts *debts);

// The systems (of char *, owned by the caller) at which debts of dead owners were found
// since this was last asked: something may be left there that no debt tells of.
GPtrArray *debts_take_inherited(struct debts *debts);

// True from debts_pay until it is known which debts are due.
bool debts_are_listing(const struct debts *debts);

// Begins no further payment in this round.
void debts_stop(struct debts *debts);

// True while a debt is being paid.
bool debts_are_busy(const struct debts *debts);

// Frees it; not while it is busy. NULL is allowed.
void debts_free(struct debts *debts);

#endif
