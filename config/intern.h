// SPDX-License-Identifier: MIT
// Compiled patterns and templates, shared by whoever writes the same one: a
// thousand flows say '{{mark}}' and $.id. Counted; the last release frees.
#ifndef CONFIG_INTERN_H
#define CONFIG_INTERN_H

#include "../base/jsonpath.h"
#include "../base/regex.h"
#include "../base/xml.h"
#include "template.h"

// As jsonpath_compile, regex_compile (plain), xml_path_compile, template_new and
// template_new_json, but the result is shared: it is given back, not freed.
struct jsonpath *intern_jsonpath(const char *query, GError **error);
struct regex *intern_regex(const char *pattern, GError **error);
struct xml_path *intern_xpath(const char *xpath, GHashTable *namespaces, GError **error);
struct template *intern_template(const char *text, enum template_place place, bool env_secret,
                                 GError **error);
struct template *intern_template_json(const cJSON *tree, bool env_secret, GError **error);

// What is asked for from now on is shared among itself alone: so a configuration shares nothing
// with the one that it replaces, whose memory then is free as a whole.
void intern_begin(void);

// Give one back; what is not shared is freed. NULL is allowed.
void intern_release_jsonpath(struct jsonpath *path);
void intern_release_regex(struct regex *regex);
void intern_release_xpath(struct xml_path *xpath);
void intern_release_template(struct template *template);

#endif
