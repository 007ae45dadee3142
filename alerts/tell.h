// SPDX-License-Identifier: MIT
// What a notice has to say, in single phrases of the reader's language: the
// subject, the headline, which call failed how, who can act. Shared by the text
// and the HTML of a mail.
#ifndef ALERTS_TELL_H
#define ALERTS_TELL_H

#include "../base/json.h"
#include "words.h"

// A notice's facts with what is often asked of them; borrows the facts.
struct tell {
    const cJSON *facts;
    const struct words *words;
    const char *kind, *timezone; // timezone may be NULL: UTC
    gboolean business;
    const cJSON *flow;     // the deciding flow, or NULL
    const cJSON *step;     // the deciding step of the result, or NULL
    const cJSON *verdict;  // its verdict, or NULL
    const cJSON *exchange; // its last exchange, or NULL
    gboolean attached;     // the calls go along as exchange.har: set by who composes
};

// Fills `tell` from the facts.
void tell_init(struct tell *tell, const cJSON *facts);

// True where the notice is of this kind.
gboolean tell_is(const struct tell *tell, const char *kind);

// True where an incident is told that is not over: opened, changed, or a test's sample.
gboolean tell_is_failing(const struct tell *tell);

// True where the notice has a subject and a text of its own in place of flows.
gboolean tell_is_plain(const struct tell *tell);

// All results below are the caller's to free; NULL only where it is said.

// The subject of the mail, one clean line.
char *tell_subject(const struct tell *tell);

// "Submit an order fails", "… works again after 42 min".
char *tell_headline(const struct tell *tell);

// "POST /salesOrders answered 400 Application_DialogException"; NULL where no step decides.
char *tell_what(const struct tell *tell);

// "ERP Partner (the ERP partner)"; NULL where nobody is named.
char *tell_act(const struct tell *tell);

// What it means: the verdict's explanation, else what its class means. NULL without a verdict.
char *tell_meaning(const struct tell *tell);

// What to do now, as the pack of the system says it. NULL where none does.
char *tell_next(const struct tell *tell);

#endif
