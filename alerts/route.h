// SPDX-License-Identifier: MIT
// Who is told of a transition. Pure: route(transition, config) -> notices.
#ifndef ALERTS_ROUTE_H
#define ALERTS_ROUTE_H

#include "notice.h"

// The notices of a transition, one a contact, in the order of `notify`: an
// opening goes to the contacts of all its flows (mail.fallback where there is
// none), a later one to those who got the opening. Contacts that are no longer
// configured are left out. The caller frees the array, which owns its notices.
GPtrArray *route(const struct transition *transition, const struct config *config,
                 const cJSON *result);

// The contact ids that an opening of `flow` goes to, where the system with the id `system`
// failed: its `notify`, and who has one of the roles there at that system; of char *, owned.
GPtrArray *route_contacts(const struct config_flow *flow, const char *system,
                          const struct config *config);

// Who hears of test records that were left behind at `system` (NULL: it is not configured any
// more): `notify` (contact ids, may be NULL), without any of them the system's integrator, else the
// technical contacts of `flow`, or of all flows of the system where that is NULL, else the
// fallback. Of struct config_contact, borrowed; the caller frees the array.
GPtrArray *route_leftovers(const struct config *config, const struct config_system *system,
                           const GPtrArray *notify, const struct config_flow *flow);

#endif
