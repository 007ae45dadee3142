// SPDX-License-Identifier: MIT
// A configuration file as a tree: YAML 1.2 by libfyaml's events, with anchors
// and merge keys resolved here (shared nodes, so no bomb grows), duplicate keys
// and YAML's own traps refused in words that say what to write.
#ifndef CONFIG_CONFIG_FILE_H
#define CONFIG_CONFIG_FILE_H

#include "config_node.h"

// Reads `length` bytes of YAML; `file` names them in places. NULL, with problems
// (of struct config_problem) appended, where it is not well-formed; an empty
// text is an empty map. The node lives in `arena`.
struct config_node *config_file_parse(struct arena *arena, const char *file, const char *text,
                                      size_t length, GPtrArray *problems);

#endif
