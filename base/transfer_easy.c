// SPDX-License-Identifier: MIT
// Options into a curl easy handle, headers and body out of it. What never
// changes is set once for each handle, the rest before each call. Called by
// transfer.c; what a call came to is read off by transfer_result.c.
#include "transfer_easy.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <string.h>
#include <uv.h>

// The one reader of what curl_easy_setopt says: the first refusal ends the call.
static void note(struct transfer_easy *easy, CURLcode code)
{
    if (code != CURLE_OK && !easy->ours)
        easy->ours = g_strdup_printf("the request cannot be set up: %s", curl_easy_strerror(code));
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer_easy *easy = context;
    size_t length = size * count;
    size_t had = easy->body ? easy->body->len : 0;
    size_t room = (size_t)CLAMP(easy->request->max_body, 0, G_MAXINT32) - had;
    size_t kept = MIN(length, room);
    if (!easy->body)
        easy->body = g_byte_array_sized_new((guint)kept);
    g_byte_array_append(easy->body, (const guint8 *)data, (guint)kept);
    easy->too_large = kept < length;
    return easy->too_large ? 0 : length;
}

// A status line starts the headers anew: those of a 1xx before are forgotten.
// What the server showed when the connection was made, which may be long ago: it
// is asked of the connection, not of the handshake.
static void note_certificate(struct transfer_easy *easy)
{
    const struct curl_tlssessioninfo *session = NULL;
    struct transfer_response *response = easy->response;
    if (curl_easy_getinfo(easy->handle, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session ||
        session->backend != CURLSSLBACKEND_OPENSSL)
        return;
    response->certified =
        transfer_tls_time_left(session->internals, &response->certificate_left_ms);
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct transfer_easy *easy = context;
    size_t length = size * count;
    easy->answered = true;
    if (length > 5 && memcmp(data, "HTTP/", 5) == 0) {
        g_ptr_array_set_size(easy->response->headers, 0);
        easy->headed = false;
        note_certificate(easy);
        return length;
    }
    easy->headed |= data[0] == '\r' || data[0] == '\n'; // trailers have no line of status
    char buffer[1024];
    char *line = length < sizeof buffer ? buffer : g_malloc(length + 1);
    memcpy(line, data, length);
    line[length] = '\0';
    transfer_headers_add_line(easy->response->headers, line);
    if (line != buffer)
        g_free(line);
    return length;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct transfer_easy *easy = context;
    if (address->addrlen <= sizeof easy->address)
        memcpy(&easy->address, &address->addr, address->addrlen);
    curl_socket_t fd = easy->opener.open(easy->opener.self, address);
    if (fd == CURL_SOCKET_BAD && !easy->ours && errno != EAFNOSUPPORT)
        easy->ours = g_strdup_printf("no socket can be opened: %s", g_strerror(errno));
    return fd;
}

// Called when the connection stands and before the first byte of a handshake.
static CURLcode on_tls(CURL *handle, void *ssl_context, void *context)
{
    (void)handle;
    struct transfer_easy *easy = context;
    const struct transfer_tls *tls = &easy->request->tls;
    easy->tls_started_ns = uv_hrtime();
    if (tls->no_verify)
        return CURLE_OK;
    g_autoptr(GError) error = NULL;
    X509_STORE *store = transfer_tls_store(easy->stores, tls->ca, &error);
    if (!store) {
        easy->ours = g_strdup(error->message);
        return CURLE_SSL_CACERT_BADFILE;
    }
    SSL_CTX_set1_cert_store(ssl_context, store);
    X509_STORE_free(store);
    return CURLE_OK;
}

// Whether one more request may go out. Where the one before was not answered, curl
// is about to send it again without a word, since the connection was a used one, as
// that of NTLM's second leg always is: never what writes, it may have been read.
static bool may_send(const struct transfer_easy *easy)
{
    // A server that asks on and on would have the password tried again and again, until
    // the account is locked. Digest's third is for a nonce that was too old.
    static const unsigned LEGS[] = {
        [TRANSFER_AUTH_NONE] = G_MAXUINT,
        [TRANSFER_AUTH_DIGEST] = 3,
        [TRANSFER_AUTH_NTLM] = 2,
        [TRANSFER_AUTH_NEGOTIATE] = 3,
    };
    bool again = easy->legs > 0 && !easy->answered;
    return easy->legs < LEGS[easy->request->credentials.kind] &&
           (!again || easy->request->may_reuse);
}

// "127.0.0.1:443"; by hand, since each call has one.
static char *name_peer(const char *address, int port)
{
    char text[16], *digits = text + sizeof text;
    *--digits = '\0';
    for (; port > 0; port /= 10)
        *--digits = (char)('0' + port % 10);
    *--digits = ':';
    return strchr(address, ':') ? g_strconcat("[", address, "]", digits, NULL)
                                : g_strconcat(address, digits, NULL);
}

// Called before the first byte of the request goes out, on whatever connection.
static int on_send(void *context, char *peer, char *local, int peer_port, int local_port)
{
    (void)local;
    (void)local_port;
    struct transfer_easy *easy = context;
    easy->stopped = !may_send(easy);
    if (easy->stopped)
        return CURL_PREREQFUNC_ABORT;
    g_free(easy->response->peer);
    easy->response->peer = name_peer(peer, peer_port);
    easy->response->sent = true;
    // What answered the leg before says nothing of this one.
    g_ptr_array_set_size(easy->response->headers, 0);
    easy->answered = false;
    easy->legs++;
    return CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct transfer_easy *easy)
{
    CURL *handle = easy->handle;
    note(easy, curl_easy_setopt(handle, CURLOPT_PRIVATE, easy));
    note(easy, curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, easy->error));
    note(easy, curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body));
    note(easy, curl_easy_setopt(handle, CURLOPT_WRITEDATA, easy));
    note(easy, curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header));
    note(easy, curl_easy_setopt(handle, CURLOPT_HEADERDATA, easy));
    note(easy, curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, on_send));
    note(easy, curl_easy_setopt(handle, CURLOPT_PREREQDATA, easy));
    note(easy, curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_open));
    note(easy, curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, easy));
    note(easy, curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, easy->opener.close));
    note(easy, curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, easy->opener.self));
}

// QUICK_EXIT: without it a dead name server stops the whole loop for seconds.
// No proxy: what is measured must not hang on the environment of a service.
static void set_limits(struct transfer_easy *easy)
{
    CURL *handle = easy->handle;
    note(easy, curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https"));
    note(easy, curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L));
    note(easy, curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_PROXY, ""));
    note(easy, curl_easy_setopt(handle, CURLOPT_NOPROXY, "*"));
    note(easy, curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS));
    note(easy, curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip, deflate"));
}

// curl reads no certificates itself: on_tls gives each connection its store.
static void set_tls_basics(struct transfer_easy *easy)
{
    CURL *handle = easy->handle;
    note(easy, curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    note(easy, curl_easy_setopt(handle, CURLOPT_CAINFO, NULL));
    note(easy, curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, on_tls));
    note(easy, curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, easy));
}

void transfer_easy_init(struct transfer_easy *easy, const struct transfer_opener *opener,
                        struct transfer_tls_stores *stores)
{
    easy->handle = curl_easy_init();
    easy->url = curl_url();
    easy->opener = *opener;
    easy->stores = stores;
    if (!easy->handle || !easy->url)
        g_error("out of memory for a call");
    set_callbacks(easy);
    set_limits(easy);
    set_tls_basics(easy);
    if (easy->ours)
        g_error("this libcurl does not fit: %s", easy->ours);
}

// Notes the place of a URL that was taken apart.
static void note_place(struct transfer_easy *easy, const char *url)
{
    const char *host = strstr(url, "://");
    size_t length = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
    if (length > 0 && length < sizeof easy->place)
        g_strlcpy(easy->place, url, length + 1);
}

// The path and query of a URL at the place of the one before; false where it is at another,
// or not of plain letters.
static bool change_path(struct transfer_easy *easy, const char *url)
{
    static const char PLAIN[] = "/?=&.-_~,;:@!$'()*+0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(easy->place);
    const char *path = url + length;
    if (length == 0 || strncmp(url, easy->place, length) != 0 || *path != '/' ||
        path[strspn(path, PLAIN)] != '\0')
        return false;
    const char *query = strchr(path, '?');
    g_autofree char *alone = query ? g_strndup(path, (gsize)(query - path)) : NULL;
    return curl_url_set(easy->url, CURLUPART_PATH, alone ? alone : path, 0) == CURLUE_OK &&
           curl_url_set(easy->url, CURLUPART_QUERY, query ? query + 1 : NULL, 0) == CURLUE_OK;
}

// To take a URL apart is dear, and a call mostly goes where the one before it went.
static bool part_url(struct transfer_easy *easy, const char *url)
{
    const unsigned flags = CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME;
    if (change_path(easy, url))
        return true;
    easy->place[0] = '\0';
    if (curl_url_set(easy->url, CURLUPART_URL, url, flags) != CURLUE_OK)
        return false;
    note_place(easy, url);
    return true;
}

// Given a text alone, curl takes it apart and puts it together again. What it cannot take
// apart it says itself.
static void set_url(struct transfer_easy *easy)
{
    const char *url = easy->request->url;
    bool parted = part_url(easy, url);
    note(easy, curl_easy_setopt(easy->handle, CURLOPT_URL, url)); // of the legs after the first
    note(easy, curl_easy_setopt(easy->handle, CURLOPT_CURLU, parted ? easy->url : NULL));
}

static void set_target(struct transfer_easy *easy)
{
    const struct transfer_request *request = easy->request;
    long timeout_ms = (long)CLAMP(request->timeout_ms, 1, G_MAXINT);
    CURL *handle = easy->handle;
    set_url(easy);
    note(easy, curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms));
    note(easy, curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms));
    // A kept connection that the server closes on reading a POST makes curl send
    // it again, silently: two orders. Nor is its own connection kept: each would
    // leave one more idle, with its memory here and at the server.
    // curl would send a later leg of NTLM over any kept connection of that user: there
    // is none, so that each call has its own.
    bool keep =
        request->may_reuse && !easy->fresh && request->credentials.kind != TRANSFER_AUTH_NTLM;
    note(easy, curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, keep ? 0L : 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, keep ? 0L : 1L));
}

// The method without a body; curl's own requests are reset by HTTPGET.
static void set_method(struct transfer_easy *easy)
{
    CURL *handle = easy->handle;
    const char *method = easy->request->method;
    bool head = strcmp(method, "HEAD") == 0, get = strcmp(method, "GET") == 0;
    note(easy, curl_easy_setopt(handle, CURLOPT_NOBODY, head ? 1L : 0L));
    if (!head)
        note(easy, curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, head || get ? NULL : method));
}

// These methods say how long their body is even where there is none.
static bool method_has_length(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static bool has_body(const struct transfer_request *request)
{
    if (strcmp(request->method, "HEAD") == 0)
        return false;
    return request->body || method_has_length(request->method);
}

static void set_body(struct transfer_easy *easy)
{
    const struct transfer_request *request = easy->request;
    if (!has_body(request))
        return;
    gsize length = 0;
    const char *data = request->body ? g_bytes_get_data(request->body, &length) : NULL;
    CURL *handle = easy->handle;
    note(easy, curl_easy_setopt(handle, CURLOPT_POST, 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length));
    note(easy, curl_easy_setopt(handle, CURLOPT_POSTFIELDS, length ? data : ""));
    note(easy, curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method));
}

// CAPATH is never looked into, since on_tls replaces the store: it keeps curl
// from using a connection or session of one set of certificates for another.
static void set_tls(struct transfer_easy *easy)
{
    const struct transfer_tls *tls = &easy->request->tls;
    CURL *handle = easy->handle;
    note(easy, curl_easy_setopt(handle, CURLOPT_CAPATH, tls->ca));
    note(easy, curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls->no_verify ? 0L : 1L));
    note(easy, curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls->no_verify ? 0L : 2L));
}

static bool has_line_break(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

// Header lines that switch off what curl would add by itself to a body.
static size_t own_lines(const struct transfer_request *request, const char *lines[2])
{
    size_t count = 0;
    if (!has_body(request))
        return 0;
    if (!transfer_headers_find(request->headers, "Expect"))
        lines[count++] = "Expect:";
    if (!transfer_headers_find(request->headers, "Content-Type"))
        lines[count++] = "Content-Type:";
    return count;
}

// "name: value" at `text`; "name;" is how curl is told of an empty value.
static char *write_line(char *text, const struct transfer_header *header)
{
    char *end = g_stpcpy(text, header->name);
    if (*header->value)
        end = g_stpcpy(g_stpcpy(end, ": "), header->value);
    else
        end = g_stpcpy(end, ";");
    return end + 1;
}

static size_t lines_size(const GPtrArray *headers)
{
    size_t size = 0;
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        size += strlen(header->name) + strlen(header->value) + 3;
    }
    return size;
}

// curl's list of header lines in one block: nodes first, then the texts.
static struct curl_slist *header_list(const struct transfer_request *request)
{
    const char *own[2];
    size_t own_count = own_lines(request, own);
    size_t count = request->headers->len + own_count;
    if (count == 0)
        return NULL;
    size_t nodes_size = count * sizeof(struct curl_slist);
    struct curl_slist *nodes = g_malloc(nodes_size + lines_size(request->headers) + 32);
    char *text = (char *)nodes + nodes_size;
    for (size_t i = 0; i < count; i++) {
        nodes[i].data = text;
        nodes[i].next = i + 1 < count ? &nodes[i + 1] : NULL;
        if (i < own_count)
            text = g_stpcpy(text, own[i]) + 1;
        else
            text = write_line(text, g_ptr_array_index(request->headers, i - own_count));
    }
    return nodes;
}

static void set_headers(struct transfer_easy *easy)
{
    easy->headers = header_list(easy->request);
    note(easy, curl_easy_setopt(easy->handle, CURLOPT_HTTPHEADER, easy->headers));
}

// What curl would send, or leave out, without complaint.
static void check_request(struct transfer_easy *easy)
{
    const struct transfer_request *request = easy->request;
    const char *url = request->url;
    if (g_ascii_strncasecmp(url, "http://", 7) != 0 && g_ascii_strncasecmp(url, "https://", 8) != 0)
        easy->ours = g_strdup_printf("not an http or https address: %s", url);
    else if (has_line_break(url) || has_line_break(request->method))
        easy->ours = g_strdup("the address or the method has a line break");
    for (guint i = 0; i < request->headers->len && !easy->ours; i++) {
        const struct transfer_header *header = g_ptr_array_index(request->headers, i);
        if (has_line_break(header->name) || has_line_break(header->value))
            easy->ours = g_strdup_printf("a header has a line break: %s", header->name);
    }
}

// NTLM and Negotiate authenticate the connection, which HTTP/2 shares. The user is
// given apart from the password: either may hold a colon.
static void set_credentials(struct transfer_easy *easy)
{
    static const unsigned long KINDS[] = {
        [TRANSFER_AUTH_DIGEST] = CURLAUTH_DIGEST,
        [TRANSFER_AUTH_NTLM] = CURLAUTH_NTLM,
        [TRANSFER_AUTH_NEGOTIATE] = CURLAUTH_NEGOTIATE,
    };
    const struct transfer_credentials *credentials = &easy->request->credentials;
    CURL *handle = easy->handle;
    if (credentials->kind == TRANSFER_AUTH_NONE)
        return;
    note(easy, curl_easy_setopt(handle, CURLOPT_HTTPAUTH, KINDS[credentials->kind]));
    note(easy, curl_easy_setopt(handle, CURLOPT_USERNAME,
                                credentials->username ? credentials->username : ""));
    note(easy, curl_easy_setopt(handle, CURLOPT_PASSWORD,
                                credentials->password ? credentials->password : ""));
    if (credentials->service)
        note(easy, curl_easy_setopt(handle, CURLOPT_SERVICE_NAME, credentials->service));
    if (credentials->kind != TRANSFER_AUTH_DIGEST)
        note(easy, curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
}

// Read by curl at each new connection; one with another certificate, or with none, is
// never reused, nor is its TLS session.
static void set_certificate(struct transfer_easy *easy)
{
    const struct transfer_credentials *credentials = &easy->request->credentials;
    CURL *handle = easy->handle;
    if (!credentials->cert)
        return;
    note(easy, curl_easy_setopt(handle, CURLOPT_SSLCERT, credentials->cert));
    note(easy, curl_easy_setopt(handle, CURLOPT_SSLKEY, credentials->key));
    note(easy, curl_easy_setopt(handle, CURLOPT_KEYPASSWD, credentials->key_password));
}

bool transfer_easy_begin(struct transfer_easy *easy, const struct transfer_request *request)
{
    easy->request = request;
    easy->response = transfer_response_new();
    easy->started_ns = uv_hrtime();
    check_request(easy);
    if (easy->ours)
        return false;
    set_target(easy);
    set_method(easy);
    set_body(easy);
    set_tls(easy);
    set_headers(easy);
    set_credentials(easy);
    set_certificate(easy);
    return !easy->ours;
}

bool transfer_easy_was_kept(const struct transfer_easy *easy)
{
    return easy->legs > 0 && easy->address.any.sa_family == AF_UNSPEC;
}

// curl keeps with a handle what it learned of a server: nonces, states of handshakes.
bool transfer_easy_end(struct transfer_easy *easy)
{
    bool clean = !easy->request || (easy->request->credentials.kind == TRANSFER_AUTH_NONE &&
                                    !easy->request->credentials.cert);
    g_clear_pointer(&easy->response, transfer_response_free);
    g_clear_pointer(&easy->body, g_byte_array_unref);
    g_clear_pointer(&easy->headers, g_free);
    g_clear_pointer(&easy->ours, g_free);
    easy->request = NULL;
    easy->error[0] = '\0';
    easy->tls_started_ns = 0;
    easy->address.any.sa_family = AF_UNSPEC;
    easy->legs = 0;
    easy->stopped = false;
    easy->answered = easy->headed = false;
    easy->too_large = false;
    return clean;
}

void transfer_easy_clear(struct transfer_easy *easy)
{
    curl_easy_cleanup(easy->handle);
    curl_url_cleanup(easy->url);
    easy->handle = NULL;
    easy->url = NULL;
    transfer_easy_end(easy);
}
