// SPDX-License-Identifier: MIT
// Keeps cookies between the calls of a run, as RFC 6265 section 5 says. Filled
// from responses and asked for requests by the flow runner; pure.
#include "cookie_jar.h"

#include "cookie_date.h"

#include "../base/json.h"
#include "../base/transfer.h"
#include "../base/wipe.h"

#include <string.h>

// A server cannot fill the memory: more cookies drive out the oldest, larger
// ones are not kept.
#define JAR_MAX 64
#define COOKIE_MAX (8 * 1024)

struct cookie {
    char *name, *value;
    char *domain; // lower case, without a leading dot
    bool host_only;
    char *path;
    bool secure, http_only;
    int64_t expires_us; // INT64_MAX where it lasts as long as the jar
    guint64 set;        // counts settings: the latest has the highest
};

struct cookie_jar {
    GPtrArray *cookies; // of struct cookie, in the order of creation
    guint64 settings;
};

// Where a cookie comes from or goes to.
struct place {
    char *host, *path;
    bool secure;
};

static void cookie_free(void *data)
{
    struct cookie *cookie = data;
    if (!cookie)
        return;
    g_free(cookie->name);
    wipe_text(cookie->value);
    g_free(cookie->domain);
    g_free(cookie->path);
    g_free(cookie);
}

static void place_clear(struct place *place)
{
    g_free(place->host);
    g_free(place->path);
}

typedef struct place place_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(place_t, place_clear)

struct cookie_jar *cookie_jar_new(void)
{
    struct cookie_jar *jar = g_new0(struct cookie_jar, 1);
    jar->cookies = g_ptr_array_new_with_free_func(cookie_free);
    return jar;
}

static bool place_read(const char *url, struct place *place)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    if (!host || !*host)
        return false;
    const char *path = g_uri_get_path(uri);
    place->host = g_ascii_strdown(host, -1);
    place->path = g_strdup(*path == '/' ? path : "/");
    place->secure = g_ascii_strcasecmp(g_uri_get_scheme(uri), "https") == 0;
    return true;
}

// RFC 6265 section 5.1.3.
static bool domain_matches(const char *host, const char *domain)
{
    size_t host_length = strlen(host), length = strlen(domain);
    if (strcmp(host, domain) == 0)
        return true;
    return host_length > length && host[host_length - length - 1] == '.' &&
           g_str_has_suffix(host, domain) && !g_hostname_is_ip_address(host);
}

// RFC 6265 section 5.1.4.
static bool path_matches(const char *path, const char *cookie_path)
{
    size_t length = strlen(cookie_path);
    if (strncmp(path, cookie_path, length) != 0)
        return false;
    return path[length] == '\0' || path[length] == '/' ||
           (length > 0 && cookie_path[length - 1] == '/');
}

static char *default_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? g_strdup("/") : g_strndup(path, (gsize)(slash - path));
}

// True for domains under which anybody registers names: "com", "co.uk". The list of all of
// them is long and changes; these are the shapes of most, and a jar lasts for one run.
static bool is_public(const char *domain)
{
    static const char *const second[] = {"ac", "co",  "com", "edu", "gob", "gouv", "gov",
                                         "ne", "net", "nom", "or",  "org", NULL};
    const char *dot = strchr(domain, '.');
    if (!dot || !dot[1])
        return true;
    g_autofree char *first = g_strndup(domain, (gsize)(dot - domain));
    return strlen(dot + 1) == 2 && g_strv_contains(second, first);
}

// A domain that the host is not in, or that is everybody's, loses the cookie.
static bool set_domain(struct cookie *cookie, const char *text, const char *host)
{
    g_autofree char *domain = g_ascii_strdown(*text == '.' ? text + 1 : text, -1);
    if (!*domain)
        return true;
    if (!domain_matches(host, domain))
        return false;
    if (strcmp(host, domain) == 0 && is_public(domain))
        return true; // such a host is its own: intranets have names without a dot
    if (is_public(domain))
        return false;
    g_free(cookie->domain);
    cookie->domain = g_steal_pointer(&domain);
    cookie->host_only = false;
    return true;
}

static void set_expires(struct cookie *cookie, const char *text)
{
    int64_t seconds = 0;
    if (cookie_date_parse(text, &seconds))
        cookie->expires_us = seconds * G_USEC_PER_SEC;
}

// Max-Age wins over Expires, wherever it stands.
static bool set_max_age(struct cookie *cookie, const char *text, struct clock_wall now)
{
    gint64 seconds = 0;
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return false;
    if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &seconds, NULL))
        seconds = *text == '-' ? -1 : G_MAXINT64;
    // Ten years are forever to a run.
    seconds = MIN(seconds, (gint64)10 * 366 * 86400);
    cookie->expires_us = seconds <= 0 ? 0 : now.us + seconds * G_USEC_PER_SEC;
    return true;
}

// Applies the attributes behind the first part; false: the cookie is not kept.
static bool read_attributes(struct cookie *cookie, char **parts, const struct place *from,
                            struct clock_wall now)
{
    bool aged = false;
    for (; *parts; parts++) {
        char *equals = strchr(*parts, '=');
        if (equals)
            *equals = '\0';
        const char *name = g_strstrip(*parts);
        const char *value = equals ? g_strstrip(equals + 1) : "";
        if (g_ascii_strcasecmp(name, "domain") == 0 && !set_domain(cookie, value, from->host))
            return false;
        if (g_ascii_strcasecmp(name, "path") == 0 && *value == '/') {
            g_free(cookie->path);
            cookie->path = g_strdup(value);
        }
        if (g_ascii_strcasecmp(name, "expires") == 0 && !aged)
            set_expires(cookie, value);
        if (g_ascii_strcasecmp(name, "max-age") == 0)
            aged |= set_max_age(cookie, value, now);
        cookie->secure |= g_ascii_strcasecmp(name, "secure") == 0;
        cookie->http_only |= g_ascii_strcasecmp(name, "httponly") == 0;
    }
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

// One Set-Cookie line as a cookie, or NULL where it is to be ignored.
static struct cookie *parse_cookie(const char *line, const struct place *from,
                                   struct clock_wall now)
{
    g_auto(GStrv) parts = g_strsplit(line, ";", 64);
    char *equals = *parts ? strchr(*parts, '=') : NULL;
    if (!equals || has_control(line) || strlen(line) > COOKIE_MAX)
        return NULL;
    *equals = '\0';
    struct cookie *cookie = g_new0(struct cookie, 1);
    cookie->name = g_strdup(g_strstrip(*parts));
    cookie->value = g_strdup(g_strstrip(equals + 1));
    cookie->domain = g_strdup(from->host);
    cookie->host_only = true;
    cookie->path = default_path(from->path);
    cookie->expires_us = INT64_MAX;
    if (*cookie->name && read_attributes(cookie, parts + 1, from, now))
        return cookie;
    cookie_free(cookie);
    return NULL;
}

static bool same_cookie(const struct cookie *left, const struct cookie *right)
{
    return strcmp(left->name, right->name) == 0 && strcmp(left->domain, right->domain) == 0 &&
           strcmp(left->path, right->path) == 0;
}

// Takes the cookie into the jar, in place of the same one, which it ends where
// it has expired.
static void keep_cookie(struct cookie_jar *jar, struct cookie *cookie, struct clock_wall now)
{
    guint i = 0;
    while (i < jar->cookies->len && !same_cookie(g_ptr_array_index(jar->cookies, i), cookie))
        i++;
    bool expired = cookie->expires_us <= now.us;
    cookie->set = ++jar->settings;
    if (i < jar->cookies->len && !expired) {
        cookie_free(g_ptr_array_index(jar->cookies, i));
        g_ptr_array_index(jar->cookies, i) = cookie;
        return;
    }
    if (i < jar->cookies->len)
        g_ptr_array_remove_index(jar->cookies, i);
    if (expired) {
        cookie_free(cookie);
        return;
    }
    if (jar->cookies->len >= JAR_MAX)
        g_ptr_array_remove_index(jar->cookies, 0);
    g_ptr_array_add(jar->cookies, cookie);
}

void cookie_jar_store(struct cookie_jar *jar, const char *url, const GPtrArray *headers,
                      struct clock_wall now)
{
    g_auto(place_t) from = {0};
    if (!transfer_headers_find(headers, "Set-Cookie") || !place_read(url, &from))
        return;
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        if (g_ascii_strcasecmp(header->name, "Set-Cookie") != 0)
            continue;
        struct cookie *cookie = parse_cookie(header->value, &from, now);
        if (cookie)
            keep_cookie(jar, cookie, now);
    }
}

static bool goes_to(const struct cookie *cookie, const struct place *to, struct clock_wall now)
{
    if (cookie->expires_us <= now.us || (cookie->secure && !to->secure))
        return false;
    bool host = cookie->host_only ? strcmp(cookie->domain, to->host) == 0
                                  : domain_matches(to->host, cookie->domain);
    return host && path_matches(to->path, cookie->path);
}

// Longer paths first, then older cookies.
static int compare_cookies(const void *left, const void *right)
{
    const struct cookie *a = *(struct cookie *const *)left;
    const struct cookie *b = *(struct cookie *const *)right;
    size_t a_length = strlen(a->path), b_length = strlen(b->path);
    return (a_length < b_length) - (a_length > b_length);
}

char *cookie_jar_header(const struct cookie_jar *jar, const char *url, struct clock_wall now)
{
    g_auto(place_t) to = {0};
    if (jar->cookies->len == 0 || !place_read(url, &to))
        return NULL;
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    for (guint i = 0; i < jar->cookies->len; i++) {
        if (goes_to(g_ptr_array_index(jar->cookies, i), &to, now))
            g_ptr_array_add(chosen, g_ptr_array_index(jar->cookies, i));
    }
    // The sort of GLib is stable.
    g_ptr_array_sort(chosen, compare_cookies);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < chosen->len; i++) {
        const struct cookie *cookie = g_ptr_array_index(chosen, i);
        g_string_append_printf(out, "%s%s=%s", i ? "; " : "", cookie->name, cookie->value);
    }
    return g_string_free(out, out->len == 0);
}

// True where `cookies` hold one of the name that `pair` begins with.
static bool has_name(const GString *cookies, const char *pair)
{
    size_t length = strcspn(pair, "=") + 1;
    for (const char *at = cookies->str; at && *at; at = strchr(at, ';')) {
        at += strspn(at, "; ");
        if (strncmp(at, pair, length) == 0)
            return true;
    }
    return false;
}

void cookie_jar_merge(GString *cookies, const char *more)
{
    g_auto(GStrv) pairs = g_strsplit(more, "; ", -1);
    g_autoptr(GString) before = g_string_new(cookies->str);
    for (char **pair = pairs; *pair; pair++) {
        if (**pair && !has_name(before, *pair))
            g_string_append_printf(cookies, "%s%s", cookies->len ? "; " : "", *pair);
    }
}

const char *cookie_jar_find(const struct cookie_jar *jar, const char *name)
{
    const struct cookie *found = NULL;
    for (guint i = 0; i < jar->cookies->len; i++) {
        const struct cookie *cookie = g_ptr_array_index(jar->cookies, i);
        if (strcmp(cookie->name, name) == 0 && (!found || cookie->set > found->set))
            found = cookie;
    }
    return found ? found->value : NULL;
}

cJSON *cookie_jar_to_json(const struct cookie_jar *jar)
{
    cJSON *array = cJSON_CreateArray();
    for (guint i = 0; i < jar->cookies->len; i++) {
        const struct cookie *cookie = g_ptr_array_index(jar->cookies, i);
        cJSON *object = cJSON_CreateObject();
        json_add_text(object, "name", cookie->name);
        json_add_text(object, "value", cookie->value);
        json_add_text(object, "domain", cookie->domain);
        cJSON_AddBoolToObject(object, "host_only", cookie->host_only);
        json_add_text(object, "path", cookie->path);
        cJSON_AddBoolToObject(object, "secure", cookie->secure);
        cJSON_AddBoolToObject(object, "http_only", cookie->http_only);
        if (cookie->expires_us != INT64_MAX)
            json_add_integer(object, "expires_us", cookie->expires_us);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

void cookie_jar_add_json(struct cookie_jar *jar, const cJSON *array)
{
    const cJSON *object = NULL;
    cJSON_ArrayForEach(object, array)
    {
        const char *name = json_text(object, "name"), *value = json_text(object, "value");
        const char *domain = json_text(object, "domain"), *path = json_text(object, "path");
        if (!name || !value || !domain || !path || has_control(name) || has_control(value))
            continue;
        struct cookie *cookie = g_new0(struct cookie, 1);
        cookie->name = g_strdup(name);
        cookie->value = g_strdup(value);
        cookie->domain = g_strdup(domain);
        cookie->path = g_strdup(path);
        cookie->host_only = !cJSON_IsFalse(json_member(object, "host_only"));
        cookie->secure = cJSON_IsTrue(json_member(object, "secure"));
        cookie->http_only = cJSON_IsTrue(json_member(object, "http_only"));
        cookie->expires_us = json_integer(object, "expires_us", INT64_MAX);
        keep_cookie(jar, cookie, (struct clock_wall){INT64_MIN});
    }
}

void cookie_jar_free(struct cookie_jar *jar)
{
    if (!jar)
        return;
    g_ptr_array_unref(jar->cookies);
    g_free(jar);
}
