// SPDX-License-Identifier: MIT
// One message about an incident to one contact: its id and its facts. The facts
// are a JSON document without secrets, complete in themselves, so that deliver
// needs neither the configuration of then nor the run.
#ifndef ALERTS_NOTICE_H
#define ALERTS_NOTICE_H

#include "../base/json.h"
#include "../config/config.h"
#include "transition.h"

struct notice {
    char *id; // hash of incident, kind, number, contact
    char *incident;
    char *contact; // id
    char *kind;    // transition_kind_word, or "test", "debt", "sweep", "monitor"
    int number;
    int priority; // 1 to 4
    cJSON *facts; // alerts/notice.c says what it holds
};

// The facts of a transition for one contact. `result` is the deciding run with its evidence
// (run_result_to_json), or NULL. Owned by the caller.
struct notice *notice_new(const struct transition *transition, const struct config *config,
                          const struct config_contact *contact, const cJSON *result);

// A notice about the monitor itself or an undo that cannot be paid: one subject, one text.
struct notice *notice_new_plain(const char *kind, const struct config *config,
                                const struct config_contact *contact, const char *subject,
                                const char *text, struct clock_wall at);

// Frees it and its facts; NULL is allowed.
void notice_free(struct notice *notice);

typedef struct notice notice_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(notice_t, notice_free)

#endif
