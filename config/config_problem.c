// SPDX-License-Identifier: MIT
// The list of problems that reading a configuration leaves, for `validate` and
// for every command that cannot start.
#include "config_problem.h"

#include <string.h>

enum { MESSAGE_BYTES = 2000 };

static void problem_free(void *data)
{
    struct config_problem *problem = data;

    g_free(problem->message);
    g_free(problem);
}

GPtrArray *config_problems_new(void)
{
    return g_ptr_array_new_with_free_func(problem_free);
}

char *config_problem_format(const struct config_problem *problem)
{
    const struct config_place *place = &problem->place;
    const char *kind = problem->warning ? "warning" : "error";

    if (place->line == 0)
        return g_strdup_printf("%s: %s: %s", place->file, kind, problem->message);
    return g_strdup_printf("%s:%d:%d: %s: %s", place->file, place->line, place->column, kind,
                           problem->message);
}

// What a file holds may be of any length: a sentence that quotes it is not.
static char *cut(char *message)
{
    if (strlen(message) > MESSAGE_BYTES) {
        g_autofree char *beginning = g_strndup(message, MESSAGE_BYTES);
        g_autofree char *whole = g_utf8_make_valid(beginning, -1);

        g_free(message);
        message = g_strconcat(whole, "…", NULL);
    }
    return message;
}

static void add(GPtrArray *problems, struct config_place place, bool warning, char *message)
{
    struct config_problem *problem = g_new0(struct config_problem, 1);

    problem->place = place;
    problem->warning = warning;
    problem->message = cut(message);
    g_ptr_array_add(problems, problem);
}

void config_problem_error(GPtrArray *problems, struct config_place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, place, false, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void config_problem_warn(GPtrArray *problems, struct config_place place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, place, true, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static unsigned file_rank(const GPtrArray *files, const char *file)
{
    for (unsigned i = 0; i < files->len; i++) {
        if (files->pdata[i] == file || strcmp(files->pdata[i], file) == 0)
            return i;
    }
    return files->len;
}

static int compare(const void *left_data, const void *right_data, void *files)
{
    const struct config_problem *left = *(struct config_problem *const *)left_data;
    const struct config_problem *right = *(struct config_problem *const *)right_data;

    if (left->place.file != right->place.file) {
        unsigned a = file_rank(files, left->place.file), b = file_rank(files, right->place.file);

        if (a != b)
            return a < b ? -1 : 1;
    }
    if (left->place.line != right->place.line)
        return left->place.line < right->place.line ? -1 : 1;
    if (left->place.column != right->place.column)
        return left->place.column < right->place.column ? -1 : 1;
    return strcmp(left->message, right->message);
}

static bool same(const struct config_problem *left, const struct config_problem *right)
{
    return left->place.line == right->place.line && left->place.column == right->place.column &&
           left->warning == right->warning && strcmp(left->place.file, right->place.file) == 0 &&
           strcmp(left->message, right->message) == 0;
}

void config_problems_sort(GPtrArray *problems, const GPtrArray *files)
{
    g_ptr_array_sort_with_data(problems, compare, (gpointer)(uintptr_t)files);

    unsigned kept = 0;

    for (unsigned i = 0; i < problems->len; i++) {
        if (kept > 0 && same(problems->pdata[kept - 1], problems->pdata[i])) {
            problem_free(problems->pdata[i]);
            continue;
        }
        problems->pdata[kept++] = problems->pdata[i];
    }
    // What lies behind `kept` was moved or freed: shorten without freeing.
    g_ptr_array_set_free_func(problems, NULL);
    g_ptr_array_set_size(problems, (int)kept);
    g_ptr_array_set_free_func(problems, problem_free);
}

bool config_problems_fatal(const GPtrArray *problems)
{
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];

        if (!problem->warning)
            return true;
    }
    return false;
}

// Damerau-Levenshtein (neighbours swapped count once), case ignored; words are
// cut at 63 bytes.
static unsigned distance(const char *left, const char *right)
{
    unsigned rows[3][65];
    size_t width = MIN(strlen(right), 64), height = MIN(strlen(left), 64);

    for (unsigned j = 0; j <= width; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= height; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= width; j++) {
            char a = g_ascii_tolower(left[i - 1]), b = g_ascii_tolower(right[j - 1]);
            unsigned best = before[j - 1] + (a != b);

            best = MIN(best, MIN(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a == g_ascii_tolower(right[j - 2]) &&
                b == g_ascii_tolower(left[i - 2]))
                best = MIN(best, earlier[j - 2] + 1);
            now[j] = best;
        }
    }
    return rows[height % 3][width];
}

const char *config_problem_guess(const char *word, const GPtrArray *words)
{
    const char *guess = NULL;
    // Of two letters, a wrong one is half the word: they are told apart by case alone.
    unsigned best = (unsigned)MIN(strlen(word) / 3, 3) + 1;

    for (unsigned i = 0; i < words->len; i++) {
        unsigned found = distance(word, words->pdata[i]);

        if (found < best) {
            best = found;
            guess = words->pdata[i];
        }
    }
    return guess;
}
