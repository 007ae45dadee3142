// SPDX-License-Identifier: MIT
// A pack from anywhere: read, used by a configuration, its calls rendered. It
// is refused with places, or it gives a configuration that can be used as any other.
#include "../../config/pack.h"
#include "render_calls.h"

#include <glib/gstdio.h>

static const char configuration[] =
    "systems:\n"
    "  erp: {pack: fuzz, with: {url: 'https://erp.example/api', item: A-1, user: monitor}}\n"
    "flows:\n"
    "  look: {use: look, system: erp}\n"
    "  order: {use: order, system: erp, with: {item: B-2}}\n";

static char *folder, *pack_path, *config_path;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

// libfyaml 0.7.12 itself leaks a buffer on some syntax errors.
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

static void remove_all(void)
{
    g_autofree char *packs = g_path_get_dirname(pack_path);
    g_remove(pack_path);
    g_remove(packs);
    g_remove(config_path);
    g_remove(folder);
}

static void set_up(void)
{
    folder = g_dir_make_tmp("erpwatch-fuzz-XXXXXX", NULL);
    g_autofree char *packs = g_build_filename(folder, "packs", NULL);
    pack_path = g_build_filename(packs, "fuzz.yaml", NULL);
    config_path = g_build_filename(folder, "erpwatch.yaml", NULL);
    if (g_mkdir(packs, 0700) != 0 || !g_file_set_contents(config_path, configuration, -1, NULL))
        abort();
    atexit(remove_all);
}

static void check_problems(const GPtrArray *problems)
{
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        if (problem->place.line < 1 || problem->place.column < 1 || problem->message[0] == '\0')
            abort();
    }
}

static void read_alone(void)
{
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(pack_t) pack = pack_read(arena, "fuzz", folder, problems);
    check_problems(problems);
    for (unsigned i = 0; pack != NULL && i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        g_free(pack_describe_type(parameter));
        g_free(pack_list_users(pack, parameter));
        if (pack_find_parameter(pack, parameter->name) == NULL)
            abort();
    }
}

static void use_it(void)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config = config_load(config_path, CONFIG_MISSING_IS_NEED, problems);
    check_problems(problems);
    if (config == NULL && problems->len == 0)
        abort();
    if (config != NULL)
        render_calls(config, "a\r\nB: c/../?d#\xc3\xa9\"'<%");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (folder == NULL)
        set_up();
    // not g_file_set_contents, which waits for the disk
    FILE *file = fopen(pack_path, "w");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    read_alone();
    use_it();
    return 0;
}
