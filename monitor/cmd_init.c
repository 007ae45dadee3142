// SPDX-License-Identifier: MIT
// `init`: writes the starter configuration and lists what is to be filled in.
#include "command.h"

#include "../config/pack.h"
#include "init_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/starter.inc" // static const unsigned char starter[]

static const char default_path[] = "erpwatch.yaml";

// The starter, or one with the pack of that name; NULL, said on stderr, where there is
// none. The caller frees it.
static char *starter_text(const char *pack_name)
{
    g_autofree char *text = g_strndup((const char *)starter, sizeof starter);

    if (pack_name == NULL)
        return g_steal_pointer(&text);
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(pack_t) pack = command_read_pack("init", arena, pack_name);

    return pack != NULL ? init_pack_text(pack, text) : NULL;
}

// A file that is there already is never written over.
static bool write_new(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    size_t length = strlen(text), done = 0;

    while (fd >= 0 && done < length) {
        ssize_t count = write(fd, text + done, length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            break;
        done += (size_t)count;
    }
    int problem = errno;
    bool closed = fd >= 0 && close(fd) == 0;

    errno = problem;
    return closed && done == length;
}

// The lines that the text marks so, with what stands behind the mark.
static void print_gaps(const char *path, const char *text)
{
    static const char mark[] = "FILL IN: ";
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    printf("%s is written, and it is valid. Now fill in:\n", path);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        const char *found = strstr(lines[i], mark);

        if (found != NULL)
            printf("  line %u: %s\n", i + 1, found + strlen(mark));
    }
    printf("Then: erpwatch validate -c %s\n", path);
}

int cmd_init(int argc, char **argv)
{
    g_autofree char *output = NULL, *pack = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "Where to write it (default erpwatch.yaml; - prints it)", "FILE"},
        {"pack", 0, 0, G_OPTION_ARG_STRING, &pack,
         "Begin with this kind of system (erpwatch packs lists them)", "NAME"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int parsed = command_parse(&argc, &argv, entries, 0, 0);

    if (parsed != COMMAND_PARSED)
        return parsed;
    const char *path = output != NULL ? output : default_path;
    g_autofree char *text = starter_text(pack);

    if (text == NULL)
        return COMMAND_UNKNOWN;
    if (strcmp(path, "-") == 0)
        return fputs(text, stdout) >= 0 ? COMMAND_OK : COMMAND_UNKNOWN;
    if (!write_new(path, text)) {
        if (errno == EEXIST)
            return command_fail("init", "%s is there already: name another file with -o", path);
        return command_fail("init", "%s cannot be written: %s", path, g_strerror(errno));
    }
    print_gaps(path, text);
    return COMMAND_OK;
}
