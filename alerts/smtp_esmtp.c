// SPDX-License-Identifier: MIT
// One session by libesmtp 1.1.0, in a process of its own, with a guard for each
// of the library's traps: what it returns is never believed, what it lets pass
// is refused here, and where that can only be done by leaving, the process ends.
// Comes after delivery.c; the TLS context is smtp_esmtp_tls.c's.
#include "smtp_esmtp_tls.h" // openssl and auth-client go before libesmtp.h, or prototypes vanish

#include <auth-client.h>
#include <libesmtp.h>

#include "delivery_clients.h"
#include "smtp_dialogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct esmtp {
    const struct delivery_session *session;
    struct smtp_dialogue dialogue;
    struct smtp_esmtp_tls tls;
    smtp_session_t handle;
    smtp_message_t message;
    auth_context_t auth;
    gsize offset; // of the message's bytes: how much was handed out
};

// The session cannot go on: the report is as it is, and no more bytes may leave.
static void abandon(struct esmtp *esmtp, enum delivery_stage stage, int code, const char *text)
{
    delivery_report_close(esmtp->session->report, stage, code, text);
    esmtp->session->report->stage = stage;
    delivery_session_done(esmtp->session);
    _exit(EXIT_SUCCESS);
}

// --- what became of it

// libesmtp's return value and errno say nothing; all three of these together do.
static bool is_delivered(struct esmtp *esmtp, smtp_recipient_t recipient)
{
    const smtp_status_t *message = smtp_message_transfer_status(esmtp->message);
    return smtp_recipient_status(recipient)->code / 100 == 2 &&
           smtp_recipient_check_complete(recipient) && message->code / 100 == 2;
}

// The answer with its enhanced code, which the library has cut off.
static void set_reply(struct delivery_reply *reply, enum delivery_stage stage,
                      const smtp_status_t *status)
{
    g_autofree char *text =
        status->enh_class ? g_strdup_printf("%d.%d.%d %s", status->enh_class, status->enh_subject,
                                            status->enh_detail, status->text ? status->text : "")
                          : g_strdup(status->text);
    delivery_reply_set(reply, stage, status->code, text);
}

struct reader {
    struct esmtp *esmtp;
    guint next;
};

static void read_recipient(smtp_recipient_t recipient, const char *mailbox, void *context)
{
    (void)mailbox;
    struct reader *reader = context;
    struct delivery_report *report = reader->esmtp->session->report;
    if (reader->next >= report->count)
        return;
    struct delivery_reply *reply = &report->replies[reader->next++];
    const smtp_status_t *status = smtp_recipient_status(recipient);
    const smtp_status_t *message = smtp_message_transfer_status(reader->esmtp->message);
    reply->accepted = is_delivered(reader->esmtp, recipient);
    if (reply->accepted)
        set_reply(reply, DELIVERY_STAGE_DOT, message);
    else if (status->code >= 400)
        set_reply(reply, DELIVERY_STAGE_RCPT, status);
}

static void read_statuses(struct esmtp *esmtp)
{
    struct reader reader = {esmtp, 0};
    esmtp->session->report->stage = esmtp->dialogue.stage;
    smtp_enumerate_recipients(esmtp->message, read_recipient, &reader);
}

// The error that the library kept, as a sentence; it counts only because this process has had
// no session before.
static const char *library_problem(char *buffer, size_t size)
{
    int number = smtp_errno();
    if (number < 0)
        return g_strerror(-number);
    if (number == 0 || number == SMTP_ERR_DROPPED_CONNECTION)
        return "the server did not answer in time or dropped the connection";
    return smtp_strerror(number, buffer, size) ? buffer : "unknown";
}

static void close_status(struct delivery_report *report, enum delivery_stage stage,
                         const smtp_status_t *status)
{
    struct delivery_reply reply;
    set_reply(&reply, stage, status);
    delivery_report_close(report, stage, reply.code, reply.text);
}

static void close_tls_failure(struct esmtp *esmtp)
{
    struct delivery_report *report = esmtp->session->report;
    const struct smtp_dialogue *dialogue = &esmtp->dialogue;
    if (esmtp->tls.verify_error != X509_V_OK)
        delivery_report_close(report, DELIVERY_STAGE_TLS, 0,
                              X509_verify_cert_error_string(esmtp->tls.verify_error));
    else if (dialogue->code >= 400)
        delivery_report_close(report, DELIVERY_STAGE_TLS, dialogue->code, dialogue->text->str);
    else
        delivery_report_close(report, DELIVERY_STAGE_TLS, 0, "the TLS handshake failed");
}

static bool lacks_tls(const struct esmtp *esmtp)
{
    return esmtp->session->delivery->security == CONFIG_SECURITY_STARTTLS && !esmtp->dialogue.tls &&
           esmtp->dialogue.stage == DELIVERY_STAGE_EHLO && esmtp->dialogue.code / 100 == 2;
}

// Where nobody was told anything after MAIL, the last answer of the dialogue is the reason.
static void close_report(struct esmtp *esmtp)
{
    struct delivery_report *report = esmtp->session->report;
    const struct smtp_dialogue *dialogue = &esmtp->dialogue;
    const smtp_status_t *message = smtp_message_transfer_status(esmtp->message);
    const smtp_status_t *mail = smtp_reverse_path_status(esmtp->message);
    char buffer[256];
    if (message->code >= 400)
        close_status(report, DELIVERY_STAGE_DOT, message);
    else if (mail->code >= 400)
        close_status(report, DELIVERY_STAGE_MAIL, mail);
    else if (dialogue->stage == DELIVERY_STAGE_TLS && !dialogue->tls)
        close_tls_failure(esmtp);
    else if (lacks_tls(esmtp))
        delivery_report_close(report, DELIVERY_STAGE_TLS, 0, "the server offers no STARTTLS");
    else if (dialogue->stage < DELIVERY_STAGE_MAIL && dialogue->code >= 400)
        delivery_report_close(report, dialogue->stage, dialogue->code, dialogue->text->str);
    else
        delivery_report_close(report, dialogue->stage, 0, library_problem(buffer, sizeof buffer));
}

// --- the library's callbacks

static void refuse_injection(struct esmtp *esmtp)
{
    if (esmtp->dialogue.injected)
        abandon(esmtp, DELIVERY_STAGE_TLS, 0,
                "plain text came with the answer to STARTTLS: somebody may be in between");
}

// libesmtp tries the next mechanism with the same password, which counts as one more failure
// there. Only an answer that is about the mechanism lets it.
static void stop_after_refusal(struct esmtp *esmtp)
{
    const struct smtp_dialogue *dialogue = &esmtp->dialogue;
    if (dialogue->stage == DELIVERY_STAGE_AUTH && dialogue->code >= 400 && dialogue->code != 504 &&
        dialogue->code != 534)
        abandon(esmtp, DELIVERY_STAGE_AUTH, dialogue->code, dialogue->text->str);
}

// It also goes on without AUTH where no mechanism is left: we do not.
static void require_auth(struct esmtp *esmtp)
{
    const struct smtp_dialogue *dialogue = &esmtp->dialogue;
    bool refused = dialogue->stage == DELIVERY_STAGE_AUTH && dialogue->code >= 400;
    if (esmtp->session->delivery->username && !dialogue->authenticated)
        abandon(esmtp, DELIVERY_STAGE_AUTH, refused ? dialogue->code : 0,
                refused ? dialogue->text->str : "the server offers no AUTH that can be used");
}

static void on_monitor(const char *bytes, int length, int writing, void *context)
{
    struct esmtp *esmtp = context;
    if (length <= 0 || writing == SMTP_CB_HEADERS)
        return;
    if (writing == SMTP_CB_READING) {
        smtp_dialogue_received(&esmtp->dialogue, bytes, (size_t)length);
        refuse_injection(esmtp);
        stop_after_refusal(esmtp);
        return;
    }
    if (length >= 5 && g_ascii_strncasecmp(bytes, "MAIL ", 5) == 0)
        require_auth(esmtp); // what was refused is still the last answer
    smtp_dialogue_sent(&esmtp->dialogue, bytes, (size_t)length);
    esmtp->session->report->stage = esmtp->dialogue.stage;
}

static void on_starttls(struct esmtp *esmtp, SSL *ssl)
{
    refuse_injection(esmtp);
    if (!smtp_esmtp_tls_is_verified(ssl))
        abandon(esmtp, DELIVERY_STAGE_TLS, 0, "the certificate was not verified");
    esmtp->dialogue.tls = true;
    smtp_esmtp_tls_settle(ssl);
}

// libesmtp compares with the DNS canonical name; OpenSSL has compared with the configured one.
static void on_wrong_certificate(va_list arguments)
{
    int *ok = va_arg(arguments, int *);
    (void)va_arg(arguments, char *);
    *ok = smtp_esmtp_tls_is_verified(va_arg(arguments, SSL *));
}

static void on_event(smtp_session_t handle, int event, void *context, ...)
{
    (void)handle;
    struct esmtp *esmtp = context;
    va_list arguments;
    va_start(arguments, context);
    switch (event) {
    case SMTP_EV_CONNECT:
        smtp_dialogue_connected(&esmtp->dialogue);
        esmtp->session->report->stage = DELIVERY_STAGE_GREETING;
        break;
    case SMTP_EV_MESSAGESENT: // not yet QUIT, over which a server may take its time
        read_statuses(esmtp);
        close_report(esmtp);
        delivery_session_done(esmtp->session);
        break;
    case SMTP_EV_STARTTLS_OK:
        on_starttls(esmtp, va_arg(arguments, SSL *));
        break;
    case SMTP_EV_WRONG_PEER_CERTIFICATE:
        on_wrong_certificate(arguments);
        break;
    case SMTP_EV_INVALID_PEER_CERTIFICATE:
        (void)va_arg(arguments, long);
        *va_arg(arguments, int *) = 0;
        break;
    case SMTP_EV_NO_PEER_CERTIFICATE:
        *va_arg(arguments, int *) = 0;
        break;
    case SMTP_EV_WEAK_CIPHER:
        (void)va_arg(arguments, int);
        *va_arg(arguments, int *) = 0;
        break;
    case SMTP_EV_NO_CLIENT_CERTIFICATE:
        *va_arg(arguments, int *) = 1;
        break;
    default:
        break;
    }
    va_end(arguments);
}

// Hands out the message. An end with errno set drops the connection, one without ends the
// message: so errno is always set on purpose. `length` NULL asks for the beginning.
static const char *on_message(void **unused, int *length, void *context)
{
    (void)unused;
    struct esmtp *esmtp = context;
    gsize size = 0;
    const char *bytes = g_bytes_get_data(esmtp->session->mail->bytes, &size);
    if (length == NULL) {
        esmtp->offset = 0;
        return NULL;
    }
    bool late = clock_transport_now().us > esmtp->session->deadline.us;
    gsize part = late ? 0 : MIN(size - esmtp->offset, 4096);
    const char *start = bytes + esmtp->offset;
    esmtp->offset += part;
    *length = (int)part;
    errno = late ? ETIMEDOUT : 0;
    return start;
}

static int on_auth(auth_client_request_t request, char **result, int fields, void *context)
{
    struct esmtp *esmtp = context;
    const struct delivery *delivery = esmtp->session->delivery;
    for (int i = 0; i < fields; i++)
        result[i] = request[i].flags & AUTH_USER   ? delivery->username
                    : request[i].flags & AUTH_PASS ? delivery->password
                                                   : NULL;
    return 1;
}

// --- the session

// The library takes a time below its own defaults only with this bit, none below a second, and
// counts in milliseconds whatever its manual says.
static void set_timeouts(struct esmtp *esmtp)
{
    static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA, Timeout_TRANSFER,
                                Timeout_DATA2};
    long stage_ms = (long)MAX(esmtp->session->delivery->timeout_ms * 3 / 4, 1000);
    for (size_t i = 0; i < G_N_ELEMENTS(which); i++)
        smtp_set_timeout(esmtp->handle, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, stage_ms);
}

static bool set_tls(struct esmtp *esmtp, GError **error)
{
    const struct delivery *delivery = esmtp->session->delivery;
    if (delivery->security != CONFIG_SECURITY_STARTTLS)
        return smtp_starttls_enable(esmtp->handle, Starttls_DISABLED) != 0;
    return smtp_esmtp_tls_init(&esmtp->tls, delivery->host, delivery->ca, error) &&
           smtp_starttls_enable(esmtp->handle, Starttls_REQUIRED) &&
           smtp_starttls_set_ctx(esmtp->handle, esmtp->tls.context);
}

static bool set_auth(struct esmtp *esmtp)
{
    if (esmtp->session->delivery->username == NULL)
        return true;
    auth_client_init();
    esmtp->auth = auth_create_context();
    auth_set_mechanism_flags(esmtp->auth, AUTH_PLUGIN_PLAIN, 0);
    auth_set_interact_cb(esmtp->auth, on_auth, esmtp);
    return smtp_auth_set_context(esmtp->handle, esmtp->auth) != 0;
}

static bool set_message(struct esmtp *esmtp)
{
    const struct delivery_session *session = esmtp->session;
    esmtp->message = smtp_add_message(esmtp->handle);
    if (esmtp->message == NULL || !smtp_set_reverse_path(esmtp->message, session->delivery->from))
        return false;
    smtp_size_set_estimate(esmtp->message, g_bytes_get_size(session->mail->bytes));
    smtp_set_messagecb(esmtp->message, on_message, esmtp);
    for (guint i = 0; i < session->mail->recipients->len; i++)
        if (!smtp_add_recipient(esmtp->message, session->mail->recipients->pdata[i]))
            return false;
    return true;
}

static bool set_up(struct esmtp *esmtp, GError **error)
{
    const struct delivery *delivery = esmtp->session->delivery;
    g_autofree char *server = g_strdup_printf("%s:%d", delivery->host, delivery->port);
    smtp_dialogue_init(&esmtp->dialogue);
    esmtp->handle = smtp_create_session();
    if (esmtp->handle == NULL || !smtp_set_server(esmtp->handle, server))
        return false;
    smtp_set_eventcb(esmtp->handle, on_event, esmtp);
    smtp_set_monitorcb(esmtp->handle, on_monitor, esmtp, 0);
    set_timeouts(esmtp);
    return set_tls(esmtp, error) && set_auth(esmtp) && set_message(esmtp);
}

void smtp_esmtp_send(const struct delivery_session *session)
{
    struct esmtp esmtp = {.session = session};
    g_autoptr(GError) error = NULL;
    session->report->stage = DELIVERY_STAGE_CONNECT;
    if (!set_up(&esmtp, &error)) {
        delivery_report_close(session->report, DELIVERY_STAGE_CONNECT, 0,
                              error ? error->message : "libesmtp cannot be set up");
        return;
    }
    smtp_start_session(esmtp.handle); // what it returns says nothing
    read_statuses(&esmtp);
    close_report(&esmtp);
}
