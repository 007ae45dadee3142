// SPDX-License-Identifier: MIT
// Fuzz target: a configuration from memory, whole; and the same bytes as an undo
// of the ledger. Whatever they are, they are read or refused with a place.
#include "../../config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

// libfyaml 0.7.12 itself leaks a buffer on some syntax errors.
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

static void check_problems(const GPtrArray *problems)
{
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        g_autofree char *line = config_problem_format(problem);

        if (problem->place.line < 1 || problem->place.column < 1 || problem->message[0] == '\0')
            abort(); // each problem has a place and says something
    }
}

static void read_undo(const char *text)
{
    struct lookup *lookup = NULL;
    g_autoptr(GError) error = NULL;
    struct undo *undo = undo_parse(text, &lookup, &error);

    if ((undo == NULL) == (error == NULL))
        abort();
    if (undo != NULL && undo->source != NULL) {
        struct undo *again = undo_parse(undo->source, NULL, NULL);

        if (again == NULL)
            abort(); // what the ledger keeps can be read back
        undo_free(again);
    }
    undo_free(undo);
    lookup_free(lookup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config = config_load_text("fuzz", (const char *)data, size, problems);

    check_problems(problems);
    read_undo(text);
    return 0;
}
