// SPDX-License-Identifier: MIT
// Asks for the subject as compose_mail does, without the mail. Used by the
// summary and by the mail about an opening of which nobody could be told.
#include "mail_subject.h"
#include "tell.h"

char *mail_subject(const cJSON *facts)
{
    struct tell tell;
    tell_init(&tell, facts);
    return tell_subject(&tell);
}
