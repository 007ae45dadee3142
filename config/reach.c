// SPDX-License-Identifier: MIT
// Judges addresses that come from outside: captured ones, and where redirects
// lead. Asked by config_read_step for what is written, by request_build and
// call_redirect for what is about to be sent.
#include "reach.h"

#include <string.h>

enum { DESCRIBED_MAX = 200 }; // characters of an address that cannot be read

// Of an address, borrowed from its text; host in its brackets where it has some.
struct origin {
    bool https;
    const char *host;
    size_t length;
    int port;
};

struct rule {
    struct origin origin;
    bool any_scheme;
    bool below; // *.example.com: each host below it
};

// What stands between :// and the path; NULL where there is no scheme. Borrowed.
static const char *authority_of(const char *url, size_t *length)
{
    const char *mark = strstr(url, "://");

    if (mark == NULL || strcspn(url, "/?#") < (size_t)(mark - url))
        return NULL;
    *length = strcspn(mark + 3, "/?#");
    return mark + 3;
}

static bool has_scheme(const char *url, const char *scheme)
{
    size_t length = strlen(scheme);

    return g_ascii_strncasecmp(url, scheme, length) == 0 && strncmp(url + length, "://", 3) == 0;
}

// Digits of a port behind the host; `fallback` for none; -1 where they are no port.
static int read_port(const char *text, size_t length, int fallback)
{
    int port = 0;

    if (length <= 1)
        return fallback;
    for (size_t i = 1; i < length; i++) {
        if (!g_ascii_isdigit(text[i]) || port > 65535)
            return -1;
        port = port * 10 + (text[i] - '0');
    }
    return text[0] == ':' && port >= 1 && port <= 65535 ? port : -1;
}

static bool is_host(const char *text, size_t length)
{
    bool number = length > 2 && text[0] == '[' && text[length - 1] == ']';
    const char *more = number ? ":." : "-._";

    if (number) {
        text++;
        length -= 2;
    }
    for (size_t i = 0; i < length; i++) {
        if (!(number ? g_ascii_isxdigit(text[i]) : g_ascii_isalnum(text[i])) &&
            strchr(more, text[i]) == NULL)
            return false;
    }
    return length > 0;
}

// host[:port] into `origin`; false where it is none.
static bool read_host(const char *text, size_t length, int fallback_port, struct origin *origin)
{
    const char *bracket = text[0] == '[' ? memchr(text, ']', length) : NULL;
    size_t from = bracket != NULL ? (size_t)(bracket - text) : 0;
    const char *colon = memchr(text + from, ':', length - from);

    origin->host = text;
    origin->length = colon != NULL ? (size_t)(colon - text) : length;
    origin->port = read_port(text + origin->length, length - origin->length, fallback_port);
    return origin->port >= 0 && is_host(text, origin->length);
}

static bool read_url(const char *url, struct origin *origin)
{
    size_t length = 0;
    const char *authority = authority_of(url, &length);

    origin->https = has_scheme(url, "https");
    if (authority == NULL || (!origin->https && !has_scheme(url, "http")))
        return false;
    return read_host(authority, length, origin->https ? 443 : 80, origin);
}

static bool same_host(const struct origin *left, const struct origin *right)
{
    return left->length == right->length &&
           g_ascii_strncasecmp(left->host, right->host, left->length) == 0;
}

static bool refuse(char **why, const char *text)
{
    if (why != NULL)
        *why = g_strdup(text);
    return false;
}

// A name of at least two parts, of which not all are numbers.
static bool has_domain(const char *text, size_t length)
{
    const char *dot = memchr(text, '.', length);

    return dot != NULL && dot > text && dot + 1 < text + length &&
           strspn(text, "0123456789.") < length;
}

static bool read_rule(const char *text, struct rule *rule, char **why)
{
    const char *host = text;

    *rule = (struct rule){.any_scheme = strstr(text, "://") == NULL};
    rule->origin.https = has_scheme(text, "https");
    if (!rule->any_scheme && !rule->origin.https && !has_scheme(text, "http"))
        return refuse(why, "only http:// and https:// are called");
    if (!rule->any_scheme)
        host = strstr(text, "://") + 3;
    if (strpbrk(host, "/?#") != NULL)
        return refuse(why, "it is a host, without a path: leave out what follows it");
    if (strchr(host, '@') != NULL)
        return refuse(why, "leave the user out");
    rule->below = g_str_has_prefix(host, "*.");
    host += rule->below ? 2 : 0;
    if (!read_host(host, strlen(host), 0, &rule->origin))
        return refuse(why, "write a host as in shop.example, shop.example:8443, "
                           "https://shop.example or *.example.com");
    if (rule->below && !has_domain(host, rule->origin.length))
        return refuse(why, "that is too many hosts: write *.example.com");
    return true;
}

static bool rule_allows(const struct rule *rule, const struct origin *origin, bool plain)
{
    int port = rule->origin.port != 0 ? rule->origin.port : origin->https ? 443 : 80;
    struct origin tail = *origin;

    if (rule->any_scheme ? !origin->https && !plain : rule->origin.https != origin->https)
        return false;
    if (rule->below) {
        if (origin->length < rule->origin.length + 2)
            return false;
        tail.host += origin->length - rule->origin.length;
        tail.length = rule->origin.length;
        if (tail.host[-1] != '.')
            return false;
    }
    return origin->port == port && same_host(&rule->origin, &tail);
}

static bool is_allowed(const GPtrArray *allowed, const struct origin *origin, bool plain)
{
    bool found = false;

    for (guint i = 0; allowed != NULL && i < allowed->len && !found; i++) {
        g_auto(GStrv) rules = g_strsplit_set(allowed->pdata[i], ", \t\n", -1);

        for (char **text = rules; *text != NULL && !found; text++) {
            struct rule rule;

            found = **text != '\0' && read_rule(*text, &rule, NULL) &&
                    rule_allows(&rule, origin, plain);
        }
    }
    return found;
}

// Byte for byte the base's scheme, host and port: whatever they look like.
static bool is_literally_own(const char *base, const char *url)
{
    size_t own_length = 0, length = 0;
    const char *own = authority_of(base, &own_length), *authority = authority_of(url, &length);

    return own != NULL && authority != NULL && own_length == length && length > 0 &&
           own - base == authority - url &&
           g_ascii_strncasecmp(base, url, (size_t)(authority - url) + length) == 0;
}

static const char *why_unreadable(const char *url)
{
    size_t length = 0;
    const char *authority = authority_of(url, &length);

    if (!has_scheme(url, "http") && !has_scheme(url, "https"))
        return "it is no address that begins with http:// or https://";
    if (authority != NULL && memchr(authority, '@', length) != NULL)
        return "it carries a user name or a password";
    return "its host is none that can be called as it is written";
}

// The base with its host in ASCII, as it is looked up; NULL where that cannot be. The caller
// frees it.
static char *ascii_base(const char *base)
{
    size_t length = 0;
    const char *authority = authority_of(base, &length);
    size_t host = authority != NULL ? strcspn(authority, ":/?#@") : 0;
    g_autofree char *name = g_strndup(authority != NULL ? authority : "", host);
    g_autofree char *ascii = g_hostname_to_ascii(name);

    if (ascii == NULL || authority == NULL)
        return NULL;
    return g_strdup_printf("%.*s%s%s", (int)(authority - base), base, ascii, authority + host);
}

enum reach reach_judge(const char *base, const GPtrArray *allowed, const char *url, char **why)
{
    struct origin own, origin;

    if (why != NULL)
        *why = NULL;
    if (is_literally_own(base, url))
        return REACH_OWN;
    g_autofree char *ascii = ascii_base(base);
    bool known = read_url(ascii != NULL ? ascii : base, &own);

    if (!read_url(url, &origin)) {
        refuse(why, why_unreadable(url));
        return REACH_REFUSED;
    }
    if (known && own.https == origin.https && own.port == origin.port && same_host(&own, &origin))
        return REACH_OWN;
    if (is_allowed(allowed, &origin, known && !own.https))
        return REACH_ALLOWED;
    g_autofree char *base_text = reach_describe(base);
    bool secure = known && !own.https && origin.https && same_host(&own, &origin);

    if (why != NULL)
        *why = g_strdup_printf("it is not at the system's own %s%s", base_text,
                               secure ? ": write https in the system's url"
                                      : ", and \"allow_hosts\" does not list it");
    return REACH_REFUSED;
}

bool reach_rule_is_valid(const char *text, char **why)
{
    g_auto(GStrv) rules = g_strsplit_set(text, ", \t\n", -1);
    unsigned count = 0;

    *why = NULL;
    for (char **each = rules; *each != NULL; each++) {
        struct rule rule;

        if (**each == '\0')
            continue;
        count++;
        if (!read_rule(*each, &rule, why))
            return false;
    }
    if (count == 0)
        *why = g_strdup("it is empty");
    return count > 0;
}

// The beginning of an address that nobody reads as one, its user and password left out.
static char *without_user(const char *url)
{
    size_t length = 0;
    const char *authority = authority_of(url, &length);
    const char *at = authority != NULL ? g_strrstr_len(authority, (gssize)length, "@") : NULL;
    g_autofree char *text =
        at != NULL ? g_strdup_printf("%.*s***%s", (int)(authority - url), url, at) : g_strdup(url);
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return g_utf8_strlen(valid, -1) > DESCRIBED_MAX ? g_utf8_substring(valid, 0, DESCRIBED_MAX)
                                                    : g_steal_pointer(&valid);
}

char *reach_describe(const char *url)
{
    struct origin origin;

    if (!read_url(url, &origin))
        return without_user(url);
    g_autofree char *host = g_ascii_strdown(origin.host, (gssize)origin.length);
    const char *scheme = origin.https ? "https" : "http";

    return origin.port == (origin.https ? 443 : 80)
               ? g_strdup_printf("%s://%s", scheme, host)
               : g_strdup_printf("%s://%s:%d", scheme, host, origin.port);
}
