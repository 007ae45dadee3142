// SPDX-License-Identifier: MIT
// One session by libcurl's SMTP: what libesmtp cannot do (implicit TLS, XOAUTH2,
// IPv6 literals, long passwords), and everything where it is chosen. libcurl
// shows no answers of single recipients but in its debug callback, which is
// what is read here. Comes after delivery.c, in a process of its own.
#include "delivery_clients.h"
#include "smtp_dialogue.h"

#include "../base/json.h"

#include <curl/curl.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

// A token's answer is some kilobytes; a larger one is none.
enum { TOKEN_BYTES = 256 * 1024 };

struct smtp_curl {
    const struct delivery_session *session;
    struct smtp_dialogue dialogue;
    CURL *easy;
    struct curl_slist *recipients;
    GString *token;
    char problem[CURL_ERROR_SIZE];
    gsize offset; // of the message's bytes: how much was handed out
    guint next;   // the recipient whose answer comes next
    int dot_code; // the answer to the whole message
    bool refused_to_go_on;
};

// --- the dialogue

static void note_answer(struct smtp_curl *smtp)
{
    struct smtp_dialogue *dialogue = &smtp->dialogue;
    struct delivery_report *report = smtp->session->report;
    if (dialogue->stage == DELIVERY_STAGE_RCPT && smtp->next < report->count)
        delivery_reply_set(&report->replies[smtp->next++], DELIVERY_STAGE_RCPT, dialogue->code,
                           dialogue->text->str);
    else if (dialogue->stage == DELIVERY_STAGE_DATA && dialogue->code == 354)
        report->stage = dialogue->stage = DELIVERY_STAGE_DOT;
    else if (dialogue->stage == DELIVERY_STAGE_DOT)
        smtp->dot_code = dialogue->code;
}

static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t length, void *context)
{
    (void)easy;
    struct smtp_curl *smtp = context;
    if (type == CURLINFO_HEADER_OUT) {
        smtp_dialogue_sent(&smtp->dialogue, bytes, length);
        smtp->session->report->stage = smtp->dialogue.stage;
    } else if (type == CURLINFO_HEADER_IN) {
        if (smtp_dialogue_received(&smtp->dialogue, bytes, length))
            note_answer(smtp);
    }
    return 0;
}

// --- callbacks of the transfer

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
    struct smtp_curl *smtp = context;
    gsize length = 0;
    const char *bytes = g_bytes_get_data(smtp->session->mail->bytes, &length);
    gsize part = MIN(size * count, length - smtp->offset);
    memcpy(buffer, bytes + smtp->offset, part);
    smtp->offset += part;
    return part;
}

// The connection stands and nothing of the mail is sent: libcurl goes on without AUTH where the
// server offers none that fits, we do not.
static int on_before_mail(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct smtp_curl *smtp = context;
    (void)peer;
    (void)own;
    (void)peer_port;
    (void)own_port;
    smtp->refused_to_go_on = smtp->session->delivery->username && !smtp->dialogue.authenticated;
    return smtp->refused_to_go_on ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct smtp_curl *smtp = context;
    (void)purpose;
    if (smtp)
        smtp_dialogue_connected(&smtp->dialogue);
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_token(char *bytes, size_t size, size_t count, void *context)
{
    GString *token = context;
    if (token->len + size * count > TOKEN_BYTES)
        return 0;
    g_string_append_len(token, bytes, (gssize)(size * count));
    return size * count;
}

// --- the token of XOAUTH2

static void append_field(GString *form, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
    g_string_append_printf(form, "%s%s=%s", form->len ? "&" : "", name, escaped);
}

static char *token_form(const struct delivery *delivery)
{
    GString *form = g_string_new(NULL);
    append_field(form, "grant_type",
                 delivery->refresh_token ? "refresh_token" : "client_credentials");
    append_field(form, "client_id", delivery->client_id);
    append_field(form, "client_secret", delivery->client_secret);
    append_field(form, "scope", delivery->scope);
    append_field(form, "refresh_token", delivery->refresh_token);
    return g_string_free(form, FALSE);
}

// The access token of an answer; NULL with a sentence in `problem`, which quotes only the
// standard's words for errors: the answer itself may hold secrets.
static char *read_token(const GString *answer, long status, char **problem)
{
    g_autoptr(cJSON) json = json_parse(answer->str, answer->len, NULL);
    const char *token = json_text(json, "access_token");
    const char *error = json_text(json, "error");
    const char *description = json_text(json, "error_description");
    if (status == 200 && token && token[0] != '\0')
        return g_strdup(token);
    *problem = g_strdup_printf("no token: %ld %s %s", status, error ? error : "",
                               description ? description : "");
    return NULL;
}

static bool is_token_url_safe(const char *url)
{
    return g_str_has_prefix(url, "https://") || g_str_has_prefix(url, "http://127.0.0.1:") ||
           g_str_has_prefix(url, "http://localhost:") || g_str_has_prefix(url, "http://[::1]:");
}

static void set_common(CURL *easy, const struct delivery *delivery, int64_t timeout_ms)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    if (delivery->ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, delivery->ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

static char *fetch_token(const struct delivery *delivery, int64_t timeout_ms, char **problem)
{
    char text[CURL_ERROR_SIZE] = "";
    g_autofree char *form = token_form(delivery);
    g_autoptr(GString) answer = g_string_new(NULL);
    long status = 0;
    if (!is_token_url_safe(delivery->token_url)) {
        *problem = g_strdup("no token: token_url has to be https");
        return NULL;
    }
    CURL *easy = curl_easy_init();
    set_common(easy, delivery, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_URL, delivery->token_url);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_token);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (code == CURLE_OK)
        return read_token(answer, status, problem);
    *problem = g_strdup_printf("no token: %s", text[0] ? text : curl_easy_strerror(code));
    return NULL;
}

// --- the session

static void set_server(struct smtp_curl *smtp)
{
    const struct delivery *delivery = smtp->session->delivery;
    bool implicit = delivery->security == CONFIG_SECURITY_TLS;
    bool bare_ipv6 = strchr(delivery->host, ':') != NULL;
    g_autofree char *url = g_strdup_printf(bare_ipv6 ? "%s://[%s]:%d/%s" : "%s://%s:%d/%s",
                                           implicit ? "smtps" : "smtp", delivery->host,
                                           delivery->port, g_get_host_name());
    curl_easy_setopt(smtp->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(smtp->easy, CURLOPT_URL, url);
    curl_easy_setopt(
        smtp->easy, CURLOPT_USE_SSL,
        (long)(delivery->security == CONFIG_SECURITY_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(smtp->easy, CURLOPT_OPENSOCKETDATA, smtp);
}

// False where the token cannot be had; the report then says why.
static bool set_auth(struct smtp_curl *smtp)
{
    const struct delivery *delivery = smtp->session->delivery;
    int64_t left_ms = (smtp->session->deadline.us - clock_transport_now().us) / 1000;
    g_autofree char *problem = NULL;
    if (delivery->username)
        curl_easy_setopt(smtp->easy, CURLOPT_USERNAME, delivery->username);
    if (delivery->token_url == NULL) {
        if (delivery->password)
            curl_easy_setopt(smtp->easy, CURLOPT_PASSWORD, delivery->password);
        return true;
    }
    g_autofree char *token = fetch_token(delivery, MAX(left_ms, 1), &problem);
    if (token == NULL) {
        delivery_report_close(smtp->session->report, DELIVERY_STAGE_AUTH, 0, problem);
        return false;
    }
    curl_easy_setopt(smtp->easy, CURLOPT_XOAUTH2_BEARER, token);
    curl_easy_setopt(smtp->easy, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
    return true;
}

static void set_mail(struct smtp_curl *smtp)
{
    const struct delivery_mail *mail = smtp->session->mail;
    g_autofree char *from = g_strdup_printf("<%s>", smtp->session->delivery->from);
    for (guint i = 0; i < mail->recipients->len; i++) {
        g_autofree char *to = g_strdup_printf("<%s>", (char *)mail->recipients->pdata[i]);
        smtp->recipients = curl_slist_append(smtp->recipients, to);
    }
    curl_easy_setopt(smtp->easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT, smtp->recipients);
    // Spelled so in this version: one refused recipient does not end the mail for all.
    curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(smtp->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(smtp->easy, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)g_bytes_get_size(mail->bytes));
    curl_easy_setopt(smtp->easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(smtp->easy, CURLOPT_READDATA, smtp);
}

static void set_callbacks(struct smtp_curl *smtp)
{
    curl_easy_setopt(smtp->easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(smtp->easy, CURLOPT_DEBUGDATA, smtp);
    curl_easy_setopt(smtp->easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(smtp->easy, CURLOPT_PREREQFUNCTION, on_before_mail);
    curl_easy_setopt(smtp->easy, CURLOPT_PREREQDATA, smtp);
    curl_easy_setopt(smtp->easy, CURLOPT_ERRORBUFFER, smtp->problem);
}

// --- what became of it

static void accept_recipients(struct smtp_curl *smtp)
{
    struct delivery_report *report = smtp->session->report;
    for (guint i = 0; i < report->count; i++) {
        struct delivery_reply *reply = &report->replies[i];
        if (reply->stage != DELIVERY_STAGE_RCPT || reply->code / 100 != 2)
            continue;
        delivery_reply_set(reply, DELIVERY_STAGE_DOT, smtp->dot_code, smtp->dialogue.text->str);
        reply->accepted = true;
    }
}

static void close_failure(struct smtp_curl *smtp, CURLcode code)
{
    static const struct {
        CURLcode code;
        enum delivery_stage stage;
    } stages[] = {
        {CURLE_COULDNT_RESOLVE_HOST, DELIVERY_STAGE_CONNECT},
        {CURLE_COULDNT_CONNECT, DELIVERY_STAGE_CONNECT},
        {CURLE_PEER_FAILED_VERIFICATION, DELIVERY_STAGE_TLS},
        {CURLE_SSL_CONNECT_ERROR, DELIVERY_STAGE_TLS},
        {CURLE_SSL_CACERT_BADFILE, DELIVERY_STAGE_TLS},
        {CURLE_USE_SSL_FAILED, DELIVERY_STAGE_TLS},
        {CURLE_LOGIN_DENIED, DELIVERY_STAGE_AUTH},
    };
    const struct smtp_dialogue *dialogue = &smtp->dialogue;
    enum delivery_stage stage = dialogue->stage;
    const char *text = smtp->problem[0] ? smtp->problem : curl_easy_strerror(code);
    for (size_t i = 0; i < G_N_ELEMENTS(stages); i++)
        if (stages[i].code == code)
            stage = stages[i].stage;
    if (dialogue->code >= 400)
        delivery_report_close(smtp->session->report, stage, dialogue->code, dialogue->text->str);
    else
        delivery_report_close(smtp->session->report, stage, 0, text);
}

static void read_outcome(struct smtp_curl *smtp, CURLcode code)
{
    struct delivery_report *report = smtp->session->report;
    if (smtp->refused_to_go_on)
        delivery_report_close(report, DELIVERY_STAGE_AUTH, 0,
                              "the server offers no AUTH that can be used");
    else if (code == CURLE_OK && smtp->dot_code / 100 == 2)
        accept_recipients(smtp);
    else
        close_failure(smtp, code);
    if (smtp->refused_to_go_on)
        report->stage = DELIVERY_STAGE_AUTH;
}

void smtp_curl_send(const struct delivery_session *session)
{
    struct smtp_curl smtp = {.session = session};
    session->report->stage = DELIVERY_STAGE_CONNECT;
    smtp_dialogue_init(&smtp.dialogue);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    smtp.easy = curl_easy_init();
    if (smtp.easy == NULL) {
        delivery_report_close(session->report, DELIVERY_STAGE_CONNECT, 0, "libcurl: no memory");
        return;
    }
    int64_t left_ms = (session->deadline.us - clock_transport_now().us) / 1000;
    set_common(smtp.easy, session->delivery, MAX(left_ms, 1));
    set_server(&smtp);
    set_mail(&smtp);
    set_callbacks(&smtp);
    if (set_auth(&smtp))
        read_outcome(&smtp, curl_easy_perform(smtp.easy));
    delivery_session_done(session); // what follows is QUIT, over which a server may take its time
    curl_easy_cleanup(smtp.easy);
    curl_slist_free_all(smtp.recipients);
    smtp_dialogue_clear(&smtp.dialogue);
}
