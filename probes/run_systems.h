// SPDX-License-Identifier: MIT
// What one run keeps for each system that its calls go to: the values that the
// system's `with` gave it, once, and a cookie jar.
#ifndef PROBES_RUN_SYSTEMS_H
#define PROBES_RUN_SYSTEMS_H

#include "cookie_jar.h"
#include "flow_engine.h"

struct run_systems;

// For a run that begins at `system`: its values are made. `config` is borrowed, and so is
// what it holds.
struct run_systems *run_systems_new(struct flow_engine *engine, const struct config *config,
                                    const struct config_system *system);

// The run has its own names, such as {{mark}}: the values that are made of them are made.
void run_systems_begin(struct run_systems *systems);

// The run's names, with those that the present system gives; borrowed.
struct values *run_systems_values(const struct run_systems *systems);

// From now on the names are those of `system` in place of the former one's; what the login
// there gave is forgotten with them.
void run_systems_enter(struct run_systems *systems, const struct config_system *system);

// The present system, and the one that a call of it goes to: NULL where it names one that is
// no longer configured.
const struct config_system *run_systems_present(const struct run_systems *systems);
const struct config_system *run_systems_find(const struct run_systems *systems, const char *id);

// What `with` of a system gives; borrowed.
struct values *run_systems_with(struct run_systems *systems, const struct config_system *system);

// The jar of the present system; borrowed until it is renewed.
struct cookie_jar *run_systems_jar(struct run_systems *systems);
void run_systems_renew_jar(struct run_systems *systems);

// A digest of url and `with` of a system; the caller frees it. NULL where the system is NULL.
char *run_systems_digest(struct run_systems *systems, const struct config_system *system);

// Frees it with the values and jars; NULL is allowed.
void run_systems_free(struct run_systems *systems);

#endif
