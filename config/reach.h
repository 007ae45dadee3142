// SPDX-License-Identifier: MIT
// Where the calls of a system may go: to its own scheme, host and port, and to the
// hosts that it allows. Hosts are compared as they are written, so that a number
// or a trick that means one of them is not taken for it. Pure.
#ifndef CONFIG_REACH_H
#define CONFIG_REACH_H

#include <glib.h>
#include <stdbool.h>

enum reach {
    REACH_OWN,     // the system's own origin: credentials go there, and only there
    REACH_ALLOWED, // a host of `allow_hosts`
    REACH_REFUSED,
};

// Judges the whole address `url` for a system with the base URL `base` and `allowed`, of
// const char *: host, host:port, https://host or *.example.com; several in one text are
// separated by commas or blanks. A rule without a scheme means https, and http too where
// `base` is http; one without a port means the scheme's own. `why` (may be NULL) receives
// what is wrong with a refused one, as the end of a sentence that begins with its address;
// the caller frees it.
enum reach reach_judge(const char *base, const GPtrArray *allowed, const char *url, char **why);

// True where `text` is a rule, or several; else false and `why` (the caller frees it).
bool reach_rule_is_valid(const char *text, char **why);

// The scheme, host and port of an address as they are shown to people: https://host, with
// the port where it is not the scheme's own; the address itself where it has none. The
// caller frees it.
char *reach_describe(const char *url);

#endif
