// SPDX-License-Identifier: MIT
// Redirects, followed by hand: curl would send headers with keys to whatever host an
// answer names. Comes between an answer and the next request of the same call.
#include "call_redirect.h"

#include "../base/redact.h"
#include "request.h"

#include <string.h>

static const struct exchange *exchange_at(const struct call_redirect *redirect, guint index)
{
    return redirect->exchanges->pdata[index];
}

static const struct exchange *last_of(const struct call_redirect *redirect)
{
    return exchange_at(redirect, redirect->exchanges->len - 1);
}

static bool is_redirect(const struct transfer_response *response)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (response->outcome == TRANSFER_ANSWERED && response->status == statuses[i])
            return true;
    return false;
}

// The one Location of an answer; NULL and `problem` where it names none, or two.
static const char *location_of(const struct transfer_response *response, char **problem)
{
    const char *found = NULL;
    for (guint i = 0; i < response->headers->len; i++) {
        const struct transfer_header *header = response->headers->pdata[i];
        if (g_ascii_strcasecmp(header->name, "Location") != 0 || !*header->value)
            continue;
        if (found && strcmp(found, header->value) != 0) {
            *problem = g_strdup_printf("%d names two different addresses as its Location",
                                       response->status);
            return NULL;
        }
        found = header->value;
    }
    if (!found)
        *problem =
            g_strdup_printf("%d does not say where to go: it has no Location", response->status);
    return found;
}

static char *resolve(const struct exchange *last, const char *location, char **problem)
{
    char *target = request_resolve(last->request->url, location);
    if (!target) {
        *problem = g_strdup_printf("%d leads to \"%s\", which is no address",
                                   last->response->status, location);
        return NULL;
    }
    char *fragment = strchr(target, '#');
    if (fragment)
        *fragment = '\0';
    return target;
}

// RFC 9110 section 15.4: 303 turns into GET, so do 301 and 302 after a POST;
// 307 and 308 repeat the request as it was.
static bool keeps_method(const struct exchange *last)
{
    int status = last->response->status;
    return status == 307 || status == 308 ||
           (status != 303 && strcmp(last->request->method, "POST") != 0);
}

static bool is_content_header(const char *name)
{
    return g_ascii_strncasecmp(name, "Content-", strlen("Content-")) == 0;
}

// What says nothing but how the answer is to look: it may go to another host.
static bool is_harmless(const char *name)
{
    static const char *const names[] = {"Accept", "Accept-Language", "User-Agent", "Content-Type",
                                        "Content-Encoding"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

// A signature is of one URL alone: the new request gets its own.
static bool is_signature(const struct transfer_header *header)
{
    return g_ascii_strcasecmp(header->name, "Authorization") == 0 &&
           g_ascii_strncasecmp(header->value, "OAuth ", strlen("OAuth ")) == 0;
}

struct copying {
    const struct call_redirect *redirect;
    struct transfer_request *request;
    bool with_body;   // it carries the body on
    bool same_origin; // as the first request
};

static bool is_copied(const struct copying *copying, const struct transfer_header *header)
{
    const char *key = copying->redirect->key_header;
    if (g_ascii_strcasecmp(header->name, "Cookie") == 0 || is_signature(header))
        return false;
    if (!copying->with_body &&
        (is_content_header(header->name) || (key && g_ascii_strcasecmp(header->name, key) == 0)))
        return false;
    return copying->same_origin || is_harmless(header->name);
}

// Headers are those of the first request, so that a way back finds what was left off elsewhere.
static void copy_headers(const struct copying *copying, const struct transfer_request *first)
{
    for (guint i = 0; i < first->headers->len; i++) {
        const struct transfer_header *header = first->headers->pdata[i];
        if (is_copied(copying, header))
            transfer_headers_add(copying->request->headers, header->name, header->value);
    }
}

static bool holds_secret(const struct call_redirect *redirect, GBytes *body)
{
    gsize length = 0;
    const char *bytes = body ? g_bytes_get_data(body, &length) : NULL;
    if (length == 0 || redirect->login)
        return length > 0;
    g_autoptr(redact_t) redact = redact_copy(redirect->redact);
    values_redact(redirect->values, redact);
    g_autofree char *text = redact_text(redact, bytes, (gssize)length);
    return strlen(text) != length || memcmp(text, bytes, length) != 0;
}

static struct transfer_request *make_request(const struct call_redirect *redirect,
                                             const char *target, bool elsewhere)
{
    const struct transfer_request *first = exchange_at(redirect, redirect->first)->request;
    const struct transfer_request *former = last_of(redirect)->request;
    bool keep = keeps_method(last_of(redirect));
    bool same_method = keep || strcmp(former->method, "HEAD") == 0;
    struct transfer_request *request =
        transfer_request_new(same_method ? former->method : "GET", target);
    const struct copying copying = {
        .redirect = redirect,
        .request = request,
        .with_body = keep && strcmp(former->method, first->method) == 0,
        .same_origin = request_has_same_origin(first->url, target),
    };
    copy_headers(&copying, first);
    if (keep && former->body)
        request->body = g_bytes_ref(former->body);
    request->timeout_ms = former->timeout_ms;
    request->max_body = former->max_body;
    request->may_reuse = former->may_reuse;
    request_set_tls(request, redirect->system, elsewhere);
    if (call_redirect_is_ours(redirect, elsewhere))
        transfer_request_copy_credentials(request, first);
    return request;
}

// Where the target is, or why it is not gone to.
static enum reach reach_of(const struct call_redirect *redirect, const char *target, char **problem)
{
    int status = last_of(redirect)->response->status;
    g_autoptr(GError) error = NULL;
    enum reach reach =
        request_reach(target, redirect->system, redirect->values, clock_wall_now(), &error);
    if (reach == REACH_REFUSED)
        *problem = g_strdup_printf("%d leads elsewhere: %s", status, error->message);
    return reach;
}

struct transfer_request *call_redirect_next(const struct call_redirect *redirect, bool *elsewhere,
                                            char **problem)
{
    const struct exchange *last = last_of(redirect);
    *problem = NULL;
    *elsewhere = false;
    if (redirect->follow == 0 || !is_redirect(last->response))
        return NULL;
    const char *location = location_of(last->response, problem);
    g_autofree char *target = location ? resolve(last, location, problem) : NULL;
    enum reach reach = target ? reach_of(redirect, target, problem) : REACH_REFUSED;
    if (reach == REACH_REFUSED)
        return NULL;
    if (redirect->exchanges->len - redirect->first > (guint)redirect->follow) {
        *problem = g_strdup_printf("%d redirects were followed, and the last answer leads on to "
                                   "%s: raise \"follow\" where that is meant",
                                   redirect->follow, target);
        return NULL;
    }
    *elsewhere = reach == REACH_ALLOWED;
    if (*elsewhere && keeps_method(last) && holds_secret(redirect, last->request->body)) {
        g_autofree char *host = reach_describe(target);
        *problem = g_strdup_printf("%d would have the body sent to %s, and it holds a secret: "
                                   "nothing was sent there",
                                   last->response->status, host);
        return NULL;
    }
    g_autoptr(transfer_request_t) request = make_request(redirect, target, *elsewhere);
    g_autoptr(GError) error = NULL;
    if (!request_is_allowed(request, redirect->system, &error)) {
        *problem = g_strdup_printf("%d leads to %s, and %s", last->response->status, target,
                                   error->message);
        return NULL;
    }
    return g_steal_pointer(&request);
}

bool call_redirect_is_ours(const struct call_redirect *redirect, bool elsewhere)
{
    return !elsewhere && (redirect->exchanges->len <= redirect->first ||
                          !exchange_at(redirect, redirect->first)->elsewhere);
}

bool call_redirect_became_get(const struct call_redirect *redirect,
                              const struct transfer_request *request)
{
    return strcmp(exchange_at(redirect, redirect->first)->request->method, "POST") == 0 &&
           strcmp(request->method, "POST") != 0;
}

bool call_redirect_is_circle(const struct call_redirect *redirect,
                             const struct transfer_request *request)
{
    for (guint i = redirect->first; i < redirect->exchanges->len; i++) {
        const struct transfer_request *former = exchange_at(redirect, i)->request;
        if (strcmp(former->method, request->method) == 0 &&
            strcmp(former->url, request->url) == 0 &&
            g_strcmp0(transfer_headers_find(former->headers, "Cookie"),
                      transfer_headers_find(request->headers, "Cookie")) == 0)
            return true;
    }
    return false;
}
