// SPDX-License-Identifier: MIT
// The deciding part: from a response (and what the flow expected of it) to a
// verdict, in the order of design.md section 4: transport, envelope,
// expectations, status, shape of the body, then the lexicon. Pure.
#ifndef PROBES_CLASSIFY_H
#define PROBES_CLASSIFY_H

#include "../base/transfer.h"
#include "verdict.h"

struct lexicon;      // probes/lexicon.h
struct pack_lexicon; // config/pack_lexicon.h

// What the caller knows besides the response.
struct classify_input {
    const struct transfer_response *response;
    const cJSON *document;          // the body as JSON, or NULL: then it is read here
    const char *failed_expectation; // the first that does not hold, or NULL
    bool expectations_given; // the step has expectations of its own: they decide over the status
    bool status_expected;    // …and one of them is on the status, and it holds
    bool page_due;           // a web page is what the step expects
    bool xml_broken;         // XML was looked for in it, and it is not well-formed
    bool data_due;           // a web page or an empty body is no answer to this call
    int64_t timeout_ms;      // what the call was given, for the message
    const struct pack_lexicon *pack; // what the system's pack knows, asked first; or NULL
};

// The verdict on one call. Never NULL; the caller frees it.
struct verdict *classify(const struct classify_input *input, const struct lexicon *lexicon);

#endif
