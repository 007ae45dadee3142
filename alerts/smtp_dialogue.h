// SPDX-License-Identifier: MIT
// Follows an SMTP dialogue line by line, as the mail clients show it: which
// stage it has reached, what was answered last, whether AUTH was accepted. Keeps
// nothing that the client sends but the command's word: AUTH lines hold the
// password. Pure.
#ifndef ALERTS_SMTP_DIALOGUE_H
#define ALERTS_SMTP_DIALOGUE_H

#include "delivery_plan.h"

#include <glib.h>

struct smtp_dialogue {
    enum delivery_stage stage; // of the command that was sent last
    bool tls;                  // the handshake is over
    bool authenticated;        // 235 to AUTH
    bool injected;             // more than its answer came with the answer to STARTTLS
    bool quitting;             // QUIT was sent: what follows decides nothing and is not read
    int code;                  // the last complete answer, 0 for none since the command
    GString *text;             // of it, its lines joined with blanks
    GString *partial;          // a line not yet complete
};

// Begins before a connection.
void smtp_dialogue_init(struct smtp_dialogue *dialogue);
// Frees what it holds.
void smtp_dialogue_clear(struct smtp_dialogue *dialogue);

// A new connection: forgets all that an earlier one said.
void smtp_dialogue_connected(struct smtp_dialogue *dialogue);

// Bytes of commands that go out, never those of a message.
void smtp_dialogue_sent(struct smtp_dialogue *dialogue, const char *bytes, size_t length);

// Bytes that came in. Returns true where they completed an answer.
bool smtp_dialogue_received(struct smtp_dialogue *dialogue, const char *bytes, size_t length);

#endif
