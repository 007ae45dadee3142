// SPDX-License-Identifier: MIT
// The table of every key (config_keys.def), as data.
#ifndef CONFIG_CONFIG_KEYS_H
#define CONFIG_CONFIG_KEYS_H

#include <glib.h>
#include <stdbool.h>

// The maps of the language, in the order of the reference.
enum config_map {
#define MAP(name, title, sentence) CONFIG_MAP_##name,
#define KEY(name, type, argument, need, fallback, sentence)
#define INHERIT(name)
#include "config_keys.def"
#undef MAP
#undef KEY
#undef INHERIT
    CONFIG_MAP_COUNT
};

// What stands behind a key. `argument` of the key says which map or words.
enum config_type {
    CONFIG_TYPE_TEXT,             // as it is, without holes
    CONFIG_TYPE_TEMPLATE,         // text with {{name}} and ${env:NAME}
    CONFIG_TYPE_SECRET,           // likewise; a literal is warned of
    CONFIG_TYPE_PATH,             // likewise; a URL's path, or a whole URL
    CONFIG_TYPE_METHOD_PATH,      // METHOD and path
    CONFIG_TYPE_URL,              // likewise; a base URL
    CONFIG_TYPE_URLS,             // one URL or a list
    CONFIG_TYPE_FILENAME,         // relative to the file where it stands
    CONFIG_TYPE_TIMEZONE,         // IANA name
    CONFIG_TYPE_CRON,             // five fields
    CONFIG_TYPE_ADDRESS,          // Name <address>
    CONFIG_TYPE_EMAILS,           // one address or a list
    CONFIG_TYPE_CONTACT,          // a contact's name
    CONFIG_TYPE_CONTACTS,         // roles or contacts, one or a list
    CONFIG_TYPE_SYSTEM,           // a system's name
    CONFIG_TYPE_TEMPLATE_NAME,    // a template's name
    CONFIG_TYPE_ROLE,             // a role of the flow's system
    CONFIG_TYPE_ROLES,            // role -> contact
    CONFIG_TYPE_NAMESPACES,       // prefix -> URI
    CONFIG_TYPE_DURATION,         // above 0
    CONFIG_TYPE_DURATION_OR_ZERO, // 0s and above
    CONFIG_TYPE_SIZE,
    CONFIG_TYPE_INTEGER, // argument: lowest..highest
    CONFIG_TYPE_BOOLEAN,
    CONFIG_TYPE_FLAG, // true, or nothing
    CONFIG_TYPE_WORD, // argument: a|b|c
    CONFIG_TYPE_LIST, // one text or a list
    CONFIG_TYPE_JSON, // anything
    CONFIG_TYPE_AMOUNT,
    CONFIG_TYPE_TYPES,          // JSON type names, one or a list
    CONFIG_TYPE_MAP,            // argument: its map
    CONFIG_TYPE_NAMES,          // name -> map of the argument
    CONFIG_TYPE_MAPS,           // list of maps of the argument
    CONFIG_TYPE_FIELDS,         // name -> template, or a list of them
    CONFIG_TYPE_VALUES,         // name -> anything
    CONFIG_TYPE_STEPS,          // list of STEP
    CONFIG_TYPE_UNDO,           // UNDO, or a list of UNDO_CALL
    CONFIG_TYPE_CAPTURES,       // name -> CAPTURE, or a selector's word
    CONFIG_TYPE_SELECTOR,       // SELECTOR, or its word
    CONFIG_TYPE_CHECKS,         // a value, or OPERATORS
    CONFIG_TYPE_NAMED_CHECKS,   // name -> checks
    CONFIG_TYPE_ONLY_IF,        // name -> checks, one name
    CONFIG_TYPE_ITEMS,          // JSONPath, or SELECTOR
    CONFIG_TYPE_PATTERN,        // regular expression, without holes
    CONFIG_TYPE_PATTERNS,       // one or a list
    CONFIG_TYPE_NAMED_PATTERNS, // name -> regular expression
    CONFIG_TYPE_STATUSES,       // a status or a class of them, one or a list
};

struct config_key {
    const char *name;
    enum config_type type;
    const char *argument;
    bool needed;
    const char *fallback; // as it is written, "" for none
    const char *sentence;
    enum config_map inherits; // of a row without a name: the map taken over
};

struct config_map_info {
    const char *name, *title, *sentence;
};

// What is known of a map.
const struct config_map_info *config_map_info(enum config_map map);

// The map of this name ("AGENT").
enum config_map config_map_by_name(const char *name);

// All keys of a map, inherited ones in their place; of const struct config_key,
// borrowed for the life of the program.
const GPtrArray *config_map_keys(enum config_map map);

// The key of this name in a map, or NULL.
const struct config_key *config_map_key(enum config_map map, const char *name);

// True for maps whose keys may come from templates and defaults: only their
// readers can say that one is missing.
bool config_map_is_filled_in(enum config_map map);

// The names of a map's keys, of const char *; borrowed.
const GPtrArray *config_map_names(enum config_map map);

#endif
