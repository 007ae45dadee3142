// SPDX-License-Identifier: MIT
// erpwatch mail-test: one sample alert to one contact, at once and past the
// outbox, so that a wrong server, password or address shows before it matters.
#include "command.h"

#include "../alerts/mailer.h"
#include "../alerts/sample.h"

#include <stdio.h>
#include <string.h>

// Prints what each recipient's server said; the exit code.
static int print_report(const struct delivery_report *report, const GPtrArray *recipients)
{
    int code = COMMAND_OK;
    for (guint i = 0; i < report->count; i++) {
        const struct delivery_reply *reply = &report->replies[i];
        char text[DELIVERY_REPLY_LINE];
        delivery_reply_format(reply, text, sizeof text);
        printf("%s: %s (%s)\n", (const char *)recipients->pdata[i],
               reply->accepted ? "accepted" : "not accepted", text);
        if (!reply->accepted)
            code = COMMAND_FAILED;
    }
    return code;
}

static int send_sample(const struct config *config, const struct config_contact *contact,
                       int64_t session_ms)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mailer_t) mailer = mailer_new(config, session_ms, NULL, &error);
    if (mailer == NULL)
        return command_fail("mail-test", "%s", error->message);
    g_autofree char *way = mailer_describe(mailer);
    printf("sending a sample alert to %s: %s\n", contact->id, way);
    g_autoptr(notice_t) notice = sample_notice(config, contact, clock_wall_now());
    g_autoptr(GBytes) mail = mailer_compose(notice->facts, false, &error);
    if (mail == NULL)
        return command_fail("mail-test", "%s", error->message);
    g_autoptr(delivery_report_t) report = mailer_send(mailer, notice->facts, contact->email, mail);
    return print_report(report, contact->email);
}

int cmd_mail_test(int argc, char **argv)
{
    char *config_option = NULL, *timeout_option = NULL;
    int64_t session_ms = 60000;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&config_option),
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &timeout_option,
         "How long the session may take (default 1m)", "TIME"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 1, 1);
    g_autofree char *path = config_option, *timeout = timeout_option;
    if (code != COMMAND_PARSED)
        return code;
    if (!command_read_duration("mail-test", "--timeout", timeout, &session_ms))
        return COMMAND_UNKNOWN;
    g_autoptr(config_t) config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    if (config == NULL)
        return COMMAND_UNKNOWN;
    const struct config_contact *contact = config_find_contact(config, argv[1]);
    if (contact == NULL) {
        (void)command_find_name("mail-test", config, COMMAND_CONTACT, argv[1]);
        return COMMAND_UNKNOWN;
    }
    return send_sample(config, contact, session_ms);
}
