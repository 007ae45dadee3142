// SPDX-License-Identifier: MIT
// Reads off an ended call what became of it, in which phase, and says it in one
// sentence. The rules are a table from curl's codes; what the callbacks saw (a
// header line, the request going out) overrides curl where curl is vague.
#include "transfer_result.h"

#include "duration.h"
#include "transfer_auth.h"
#include "transfer_certificate.h"
#include "transfer_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

struct rule {
    CURLcode code;
    enum transfer_outcome outcome;
    char *(*sentence)(const struct transfer_easy *easy);
};

static curl_off_t read_time_us(const struct transfer_easy *easy, CURLINFO info)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(easy->handle, info, &us) == CURLE_OK ? us : 0;
}

static long read_long(const struct transfer_easy *easy, CURLINFO info)
{
    long number = 0;
    return curl_easy_getinfo(easy->handle, info, &number) == CURLE_OK ? number : 0;
}

static bool is_https(const struct transfer_easy *easy)
{
    return g_ascii_strncasecmp(easy->request->url, "https:", 6) == 0;
}

// "erp.acme.example" of the call's URL; the caller frees it.
static char *host_of(const struct transfer_easy *easy)
{
    char *host = transfer_dns_host(easy->request->url);
    return host ? host : g_strdup(easy->request->url);
}

// "127.0.0.1:443" of the address that was tried last, or the host.
static char *address_of(const struct transfer_easy *easy)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (easy->address.any.sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&easy->address.storage;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        return g_strdup_printf("%s:%d", text, ntohs(in->sin_port));
    }
    if (easy->address.any.sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&easy->address.storage;
        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        return g_strdup_printf("[%s]:%d", text, ntohs(in6->sin6_port));
    }
    return host_of(easy);
}

// curl's own words without the prefix that says nothing to a person.
static const char *curl_words(const struct transfer_easy *easy, CURLcode code)
{
    static const char *const PREFIXES[] = {"SSL certificate problem: ", "SSL: "};
    const char *words = easy->error[0] ? easy->error : curl_easy_strerror(code);
    for (size_t i = 0; i < G_N_ELEMENTS(PREFIXES); i++)
        if (g_str_has_prefix(words, PREFIXES[i]))
            return words + strlen(PREFIXES[i]);
    return words;
}

// Where a call that did not end well stood. curl's times alone cannot tell
// connect from TLS: CONNECT_TIME stays 0 until TLS is complete.
static enum transfer_phase phase_of(const struct transfer_easy *easy, CURLcode code)
{
    if (easy->answered)
        return TRANSFER_PHASE_TRANSFER;
    if (easy->response->sent) {
        if (code == CURLE_COULDNT_CONNECT) // a kept connection had ended: curl tried a new one
            return TRANSFER_PHASE_CONNECT;
        bool began = easy->legs == 1 && code != CURLE_GOT_NOTHING && code != CURLE_RECV_ERROR &&
                     read_time_us(easy, CURLINFO_STARTTRANSFER_TIME_T) > 0;
        return began ? TRANSFER_PHASE_TRANSFER : TRANSFER_PHASE_FIRST_BYTE;
    }
    if (easy->tls_started_ns != 0)
        return TRANSFER_PHASE_TLS;
    if (easy->address.any.sa_family != AF_UNSPEC)
        return TRANSFER_PHASE_CONNECT;
    return TRANSFER_PHASE_DNS;
}

// What is left of a flow's deadline is no round number: 1.999 s is said as 2s.
static int64_t said_ms(int64_t milliseconds)
{
    return milliseconds > 1000 ? (milliseconds + 99) / 100 * 100 : milliseconds;
}

static char *say_timeout(const struct transfer_easy *easy)
{
    static const struct {
        const char *before, *after;
    } WORDS[] = {
        [TRANSFER_PHASE_NONE] = {"", " did not answer within "},
        [TRANSFER_PHASE_DNS] = {"the name ", " was not resolved within "},
        [TRANSFER_PHASE_CONNECT] = {"no connection to ", " within "},
        [TRANSFER_PHASE_TLS] = {"no TLS session with ", " within "},
        [TRANSFER_PHASE_FIRST_BYTE] = {"no answer from ", " within "},
        [TRANSFER_PHASE_TRANSFER] = {"the answer of ", " was not complete within "},
    };
    enum transfer_phase phase = phase_of(easy, CURLE_OPERATION_TIMEDOUT);
    g_autofree char *host = host_of(easy);
    g_autofree char *span = duration_format(said_ms(easy->request->timeout_ms));
    return g_strconcat(WORDS[phase].before, host, WORDS[phase].after, span, NULL);
}

static char *say_no_name(const struct transfer_easy *easy)
{
    g_autofree char *host = host_of(easy);
    return g_strdup_printf("name not found: %s", host);
}

static char *say_no_connection(const struct transfer_easy *easy)
{
    g_autofree char *address = address_of(easy);
    int number = (int)read_long(easy, CURLINFO_OS_ERRNO);
    if (number == ECONNREFUSED)
        return g_strdup_printf("connection refused by %s", address);
    if (number == 0)
        return g_strdup_printf("no connection to %s: %s", address,
                               curl_words(easy, CURLE_COULDNT_CONNECT));
    return g_strdup_printf("no connection to %s: %s", address, g_strerror(number));
}

static char *say_certificate(const struct transfer_easy *easy)
{
    return g_strdup_printf("certificate is not valid: %s",
                           curl_words(easy, CURLE_PEER_FAILED_VERIFICATION));
}

static char *say_tls(const struct transfer_easy *easy)
{
    g_autofree char *address = address_of(easy);
    return g_strdup_printf("no TLS session with %s: %s", address,
                           curl_words(easy, CURLE_SSL_CONNECT_ERROR));
}

static char *say_own_certificate(const struct transfer_easy *easy)
{
    return g_strdup_printf("the client certificate cannot be used: %s",
                           curl_words(easy, CURLE_SSL_CERTPROBLEM));
}

static char *say_nothing(const struct transfer_easy *easy)
{
    g_autofree char *host = host_of(easy);
    return g_strdup_printf("connection closed without an answer by %s", host);
}

static char *say_broken(const struct transfer_easy *easy)
{
    g_autofree char *host = host_of(easy);
    const char *where = easy->answered ? " in the middle of the answer" : "";
    if (strstr(easy->error, "reset by peer"))
        return g_strdup_printf("connection reset by %s%s", host, where);
    return g_strdup_printf("connection to %s broken%s: %s", host, where,
                           curl_words(easy, CURLE_RECV_ERROR));
}

static char *say_cut(const struct transfer_easy *easy)
{
    return g_strdup_printf("the answer was cut short after %u bytes: %s",
                           easy->body ? easy->body->len : 0, curl_words(easy, CURLE_PARTIAL_FILE));
}

// curl takes an end in the middle of the headers for the end of an empty answer.
static char *say_cut_in_headers(const struct transfer_easy *easy)
{
    g_autofree char *host = host_of(easy);
    return g_strdup_printf("connection closed in the middle of the headers by %s", host);
}

static char *say_not_http(const struct transfer_easy *easy)
{
    return g_strdup_printf("the answer is not HTTP: %s",
                           curl_words(easy, CURLE_WEIRD_SERVER_REPLY));
}

static char *say_undecodable(const struct transfer_easy *easy)
{
    return g_strdup_printf("the body cannot be decoded: %s",
                           curl_words(easy, CURLE_BAD_CONTENT_ENCODING));
}

static char *say_bad_url(const struct transfer_easy *easy)
{
    return g_strdup_printf("not a valid address: %s", easy->request->url);
}

static const struct rule RULES[] = {
    {CURLE_OPERATION_TIMEDOUT, TRANSFER_TIMEOUT, say_timeout},
    {CURLE_COULDNT_RESOLVE_HOST, TRANSFER_UNREACHABLE, say_no_name},
    {CURLE_COULDNT_CONNECT, TRANSFER_UNREACHABLE, say_no_connection},
    {CURLE_PEER_FAILED_VERIFICATION, TRANSFER_UNREACHABLE, say_certificate},
    {CURLE_SSL_CONNECT_ERROR, TRANSFER_UNREACHABLE, say_tls},
    {CURLE_GOT_NOTHING, TRANSFER_UNREACHABLE, say_nothing},
    {CURLE_SEND_ERROR, TRANSFER_UNREACHABLE, say_broken},
    {CURLE_RECV_ERROR, TRANSFER_UNREACHABLE, say_broken},
    {CURLE_HTTP2, TRANSFER_UNREACHABLE, say_broken},
    {CURLE_HTTP2_STREAM, TRANSFER_UNREACHABLE, say_broken},
    {CURLE_PARTIAL_FILE, TRANSFER_GARBLED, say_cut},
    {CURLE_UNSUPPORTED_PROTOCOL, TRANSFER_GARBLED, say_not_http},
    {CURLE_WEIRD_SERVER_REPLY, TRANSFER_GARBLED, say_not_http},
    {CURLE_BAD_CONTENT_ENCODING, TRANSFER_GARBLED, say_undecodable},
    {CURLE_WRITE_ERROR, TRANSFER_GARBLED, say_undecodable},
    {CURLE_SSL_CERTPROBLEM, TRANSFER_OUR_FAULT, say_own_certificate},
    {CURLE_URL_MALFORMAT, TRANSFER_OUR_FAULT, say_bad_url},
};

// curl does not say so when a lookup fails for want of descriptors.
static bool lacks_descriptors(void)
{
    enum { NEEDED = 8 };
    int taken[NEEDED], count = 0;
    while (count < NEEDED && (taken[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0)
        count++;
    bool lacks = count < NEEDED && (errno == EMFILE || errno == ENFILE);
    while (count > 0)
        close(taken[--count]);
    return lacks;
}

// A name that was not looked up has the same code as one that was not found.
static bool lacks_means(const struct transfer_easy *easy)
{
    return strstr(easy->error, "thread failed to start") || lacks_descriptors();
}

static void fill_failure(const struct transfer_easy *easy, CURLcode code,
                         struct transfer_response *response)
{
    const struct rule *rule = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(RULES) && !rule; i++)
        rule = RULES[i].code == code ? &RULES[i] : NULL;
    response->phase = phase_of(easy, code);
    if (!rule) {
        response->outcome = TRANSFER_OUR_FAULT;
        response->problem = g_strdup(curl_words(easy, code));
        return;
    }
    response->problem = rule->sentence(easy);
    response->outcome = rule->outcome;
    if (is_https(easy) && !easy->answered)
        response->refused = transfer_certificate_refused(easy->error);
    if (response->refused) {
        // By TLS 1.3 a server looks at the certificate after the client is done: the
        // request is on its way, and nobody reads it.
        response->phase = TRANSFER_PHASE_TLS;
        response->sent = false;
    }
    if (response->outcome == TRANSFER_UNREACHABLE && easy->answered)
        response->outcome = TRANSFER_GARBLED;
}

static void fill_outcome(struct transfer_easy *easy, CURLcode code,
                         struct transfer_response *response)
{
    if (code == CURLE_OK && easy->headed) {
        response->outcome = TRANSFER_ANSWERED;
    } else if (code == CURLE_OK) {
        response->outcome = TRANSFER_GARBLED;
        response->phase = TRANSFER_PHASE_TRANSFER;
        response->problem = say_cut_in_headers(easy);
    } else if (easy->too_large) {
        response->outcome = TRANSFER_TOO_LARGE;
        response->problem = g_strdup_printf("the body is larger than %" G_GINT64_FORMAT " bytes",
                                            easy->request->max_body);
    } else if (easy->ours) {
        response->outcome = TRANSFER_OUR_FAULT;
        response->problem = g_steal_pointer(&easy->ours);
    } else if (easy->stopped && easy->answered) {
        response->outcome = TRANSFER_ANSWERED; // by what asked for one leg too many
    } else if (easy->stopped) {
        fill_failure(easy, CURLE_GOT_NOTHING, response);
    } else if (code == CURLE_COULDNT_RESOLVE_HOST && lacks_means(easy)) {
        response->outcome = TRANSFER_OUR_FAULT;
        response->problem = g_strdup("no descriptor or thread is left to look a name up");
    } else {
        fill_failure(easy, code, response);
    }
}

// Milliseconds, -1 where curl has no time.
static double time_ms(const struct transfer_easy *easy, CURLINFO info)
{
    curl_off_t us = read_time_us(easy, info);
    return us > 0 ? (double)us / 1000 : -1;
}

static void fill_timing(const struct transfer_easy *easy, struct transfer_timing *timing)
{
    timing->total = time_ms(easy, CURLINFO_TOTAL_TIME_T);
    if (easy->response->sent)
        timing->sent = time_ms(easy, CURLINFO_PRETRANSFER_TIME_T);
    if (easy->answered)
        timing->first_byte = time_ms(easy, CURLINFO_STARTTRANSFER_TIME_T);
    if (easy->address.any.sa_family == AF_UNSPEC)
        return; // a kept connection, or none at all
    timing->dns = time_ms(easy, CURLINFO_NAMELOOKUP_TIME_T);
    timing->connect = easy->tls_started_ns != 0
                          ? (double)(easy->tls_started_ns - easy->started_ns) / 1e6
                          : time_ms(easy, CURLINFO_CONNECT_TIME_T);
    if (is_https(easy))
        timing->tls = time_ms(easy, CURLINFO_APPCONNECT_TIME_T);
}

static const char *version_name(long version)
{
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return "1.0";
    case CURL_HTTP_VERSION_2_0:
        return "2";
    default:
        return "1.1";
    }
}

static void fill_answer(struct transfer_easy *easy, struct transfer_response *response)
{
    if (easy->answered) {
        response->status = (int)read_long(easy, CURLINFO_RESPONSE_CODE);
        response->http_version = version_name(read_long(easy, CURLINFO_HTTP_VERSION));
    }
    if (easy->body) {
        g_bytes_unref(response->body);
        response->body = g_byte_array_free_to_bytes(g_steal_pointer(&easy->body));
    }
}

struct transfer_response *transfer_result_take(struct transfer_easy *easy, CURLcode code)
{
    struct transfer_response *response = easy->response;
    fill_outcome(easy, code, response);
    fill_timing(easy, &response->timing);
    fill_answer(easy, response);
    if (!response->refused)
        response->refused = transfer_auth_refused(easy->request, response);
    easy->response = NULL;
    return response;
}

void transfer_result_blame_name_servers(struct transfer_response *response,
                                        const struct transfer_request *request)
{
    g_autofree char *host = transfer_dns_host(request->url);
    g_free(response->problem);
    response->problem = g_strdup_printf("the name servers have no answer for %s", host);
}

struct transfer_response *transfer_result_take_other(struct transfer_easy *easy,
                                                     enum transfer_outcome outcome,
                                                     enum transfer_phase phase, char *problem)
{
    struct transfer_response *response = g_steal_pointer(&easy->response);
    response->outcome = outcome;
    response->phase = phase;
    response->problem = problem;
    return response;
}
