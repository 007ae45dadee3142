// SPDX-License-Identifier: MIT
// The report of a session, as its client fills it in.
#include "delivery_session.h"

#include <stdlib.h>
#include <unistd.h>

G_DEFINE_QUARK(delivery - error - quark, delivery_error)

void delivery_report_close(struct delivery_report *report, enum delivery_stage stage, int code,
                           const char *text)
{
    for (guint i = 0; i < report->count; i++) {
        struct delivery_reply *reply = &report->replies[i];
        bool refused = reply->stage == DELIVERY_STAGE_RCPT && reply->code >= 400;
        if (!reply->accepted && !refused)
            delivery_reply_set(reply, stage, code, text);
    }
}

void delivery_session_done(const struct delivery_session *session)
{
    if (session->done_fd >= 0 && write(session->done_fd, "", 1) != 1)
        _exit(EXIT_FAILURE);
}
