// SPDX-License-Identifier: MIT
// What there is to know and to say of authentication by the transport itself.
#ifndef BASE_TRANSFER_AUTH_H
#define BASE_TRANSFER_AUTH_H

#include "transfer_message.h"

// The word for it ("NTLM"), as servers write it in WWW-Authenticate; NULL for none.
const char *transfer_auth_name(enum transfer_auth_kind kind);

// True where the HTTP library of this machine can do it.
bool transfer_auth_is_possible(enum transfer_auth_kind kind);

// Why `response` refuses the request's credentials, as a sentence: a 401 at the end of
// all legs, or a page that asks for a client certificate. NULL where it is no such
// answer. The caller frees it.
char *transfer_auth_refused(const struct transfer_request *request,
                            const struct transfer_response *response);

#endif
