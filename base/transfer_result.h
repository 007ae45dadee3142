// SPDX-License-Identifier: MIT
// What a call came to: curl's result as outcome, phase and a plain sentence.
#ifndef BASE_TRANSFER_RESULT_H
#define BASE_TRANSFER_RESULT_H

#include "transfer_easy.h"

// The response of a call that curl ended with `code`; the caller frees it.
struct transfer_response *transfer_result_take(struct transfer_easy *easy, CURLcode code);

// The response of a call that curl did not end: cancelled, held back, not begun.
// `problem` is taken.
struct transfer_response *transfer_result_take_other(struct transfer_easy *easy,
                                                     enum transfer_outcome outcome,
                                                     enum transfer_phase phase, char *problem);

// Says of a name that was not resolved that the name servers had no answer, in place of
// that there is no such name.
void transfer_result_blame_name_servers(struct transfer_response *response,
                                        const struct transfer_request *request);

#endif
