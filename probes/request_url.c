// SPDX-License-Identifier: MIT
// URLs of requests: joined from a system and a path, made fit to be sent,
// resolved and compared by origin. Used by request_build.c and whoever follows links.
#include "request_url.h"

#include "request.h"

#include "../base/encode.h"

#include <string.h>

#define URL_FLAGS (G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED)

static int default_port(const char *scheme)
{
    if (g_ascii_strcasecmp(scheme, "http") == 0)
        return 80;
    return g_ascii_strcasecmp(scheme, "https") == 0 ? 443 : 0;
}

// The URL's parts, or NULL where it is not http or https, or has no host.
static GUri *parse_whole(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, URL_FLAGS, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    if (!host || !*host || default_port(g_uri_get_scheme(uri)) == 0)
        return NULL;
    return g_steal_pointer(&uri);
}

char *request_origin(const char *url)
{
    g_autoptr(GUri) uri = parse_whole(url);
    if (!uri)
        return NULL;
    g_autofree char *scheme = g_ascii_strdown(g_uri_get_scheme(uri), -1);
    int port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : default_port(scheme);
    g_autofree char *ascii = g_hostname_to_ascii(g_uri_get_host(uri));
    g_autofree char *lower = g_ascii_strdown(ascii ? ascii : g_uri_get_host(uri), -1);
    return strchr(lower, ':') ? g_strdup_printf("%s://[%s]:%d", scheme, lower, port)
                              : g_strdup_printf("%s://%s:%d", scheme, lower, port);
}

bool request_has_same_origin(const char *left, const char *right)
{
    g_autofree char *a = request_origin(left), *b = request_origin(right);
    return a && b && strcmp(a, b) == 0;
}

char *request_resolve(const char *base, const char *location)
{
    g_autofree char *fit = request_url_fit(g_strstrip(g_strdup(location)));
    return g_uri_resolve_relative(base, fit, URL_FLAGS, NULL);
}

// The end of scheme://host:port, or the beginning where there is none.
static size_t authority_end(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host || strcspn(url, "/?#") < (size_t)(host - url))
        return 0;
    return (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
}

// What may stand in a path, query or fragment: RFC 3986 section 3.3 to 3.5.
static bool is_url_character(unsigned char c)
{
    return c != '\0' && (g_ascii_isalnum(c) || strchr("-._~!$&'()*+,;=:@/?#", c));
}

char *request_url_fit(char *url)
{
    size_t start = authority_end(url);
    while (is_url_character((unsigned char)url[start]))
        start++; // nearly always to the end
    if (!url[start])
        return url;
    g_autofree char *taken = url;
    GString *out = g_string_new_len(taken, (gssize)start);
    for (const char *at = taken + start; *at; at++) {
        bool escape = *at == '%' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2]);
        if (escape || is_url_character((unsigned char)*at))
            g_string_append_c(out, *at);
        else
            encode_percent(out, at, 1, "");
    }
    return g_string_free(out, FALSE);
}

// True for a host of letters, digits, dots and hyphens, and a port or none: all parsers read
// that alike.
static bool has_plain_host(const char *url)
{
    const char *at = g_str_has_prefix(url, "https://")  ? url + strlen("https://")
                     : g_str_has_prefix(url, "http://") ? url + strlen("http://")
                                                        : "";
    const char *host = at;
    while (g_ascii_isalnum(*at) || *at == '.' || *at == '-')
        at++;
    if (at == host)
        return false;
    if (*at == ':') {
        int port = 0;
        for (at++; g_ascii_isdigit(*at) && port <= UINT16_MAX; at++)
            port = port * 10 + g_ascii_digit_value(*at);
        if (port == 0 || port > UINT16_MAX)
            return false;
    }
    return *at == '\0' || strchr("/?#", *at);
}

bool request_url_check(const char *url, GError **error)
{
    if (has_plain_host(url))
        return true;
    size_t end = authority_end(url);
    bool good = end > 0;
    // Where parsers differ about what the host is, the URL is refused.
    for (size_t i = 0; i < end && good; i++)
        good = (unsigned char)url[i] > ' ' && url[i] != 0x7f && !strchr("\\\"<>^`{|}", url[i]);
    const char *at = good ? memchr(url, '@', end) : NULL;
    good = good && (!at || !memchr(at + 1, '@', end - (size_t)(at + 1 - url)));
    g_autofree char *scheme = NULL, *host = NULL;
    good = good && g_uri_split_network(url, URL_FLAGS, &scheme, &host, NULL, NULL) && *host &&
           default_port(scheme) != 0;
    if (!good)
        g_set_error(error, REQUEST_ERROR, REQUEST_ERROR_URL,
                    "\"%s\" is no URL; a whole one begins with http:// or https://", url);
    return good;
}

char *request_url_join(const char *base, const char *path)
{
    if (!*path)
        return g_strdup(base);
    size_t length = strcspn(base, "?#");
    size_t query = base[length] == '?' ? strcspn(base + length, "#") : 0;
    size_t trimmed = length;
    bool only_query = *path == '?' || *path == '#';
    while (!only_query && trimmed > 0 && base[trimmed - 1] == '/')
        trimmed--;
    GString *out = g_string_new_len(base, (gssize)trimmed);
    if (!only_query) {
        g_string_append_c(out, '/');
        path += strspn(path, "/");
    }
    g_string_append(out, path);
    if (query > 1)
        request_url_add_query(out, base + length + 1, query - 1);
    return g_string_free(out, FALSE);
}

void request_url_add_query(GString *url, const char *query, size_t length)
{
    char *fragment = strchr(url->str, '#');
    if (fragment)
        g_string_truncate(url, (gsize)(fragment - url->str));
    const char *mark = strchr(url->str, '?');
    if (!mark)
        g_string_append_c(url, '?');
    else if (mark[1] && !g_str_has_suffix(url->str, "&"))
        g_string_append_c(url, '&');
    g_string_append_len(url, query, (gssize)length);
}
