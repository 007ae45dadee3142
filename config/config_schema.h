// SPDX-License-Identifier: MIT
// What the table of keys says, for others: a JSON Schema for editors, and the
// reference page for people.
#ifndef CONFIG_CONFIG_SCHEMA_H
#define CONFIG_CONFIG_SCHEMA_H

// The JSON Schema (draft-07, which YAML editors read) of a configuration file.
// The caller frees it.
char *config_schema_json(void);

// The reference page in Markdown: every key with its kind of value, default and
// sentence. The caller frees it.
char *config_schema_markdown(void);

#endif
