// SPDX-License-Identifier: MIT
// What a token server's answer says (RFC 6749 section 5), and when a token is to be
// asked for anew. Pure: for auth_token.c.
#ifndef PROBES_TOKEN_ANSWER_H
#define PROBES_TOKEN_ANSWER_H

#include "../base/transfer.h"

struct token_answer {
    char *access;         // NULL where `problem` says why it cannot be used
    char *refresh;        // the next refresh token, or NULL: the former one stays
    int64_t expires_in_s; // 0 where the answer does not say
    char *problem;        // one sentence, or NULL
};

// Reads the body of an answer; the caller clears what is filled in. Where the access token
// cannot be used, a refresh token that came with it is read all the same.
void token_answer_read(const struct transfer_response *response, struct token_answer *answer);
void token_answer_clear(struct token_answer *answer);

// True where the server has decided: it gave no token, and the refresh token that was sent was
// not exchanged. An answer such as 503 does not say so.
bool token_answer_is_refusal(const struct transfer_response *response);

// True where it is the refresh token itself that is refused, not the client or the form.
bool token_answer_refuses_refresh(const struct transfer_response *response);

// True where the server gives no new token as the former one has not ended (Exact Online).
bool token_answer_is_too_early(const struct transfer_response *response);

// How long before its end a token of this lifetime is renewed: early enough for a slow answer,
// not so early that a server refuses it (Exact Online: not before 570 s of 600).
int64_t token_answer_margin_us(int64_t lifetime_us);

#endif
