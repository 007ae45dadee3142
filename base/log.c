// SPDX-License-Identifier: MIT
// The log on stderr: one write for each line, so that lines of threads and of
// child processes do not mix. Whatever is logged goes through redaction first.
#include "log.h"

#include "redact.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EXIT_OF_FATAL = 3 };

static char text_of_end[] = "erpwatch has to end: ", end_of_line[] = "\n";
static const char text_of_unmapped[] =
    "a file beside the store (-shm, or one in .locks) was cut short or can no longer be written";

static enum log_level highest_level = LOG_LEVEL_INFO;
static const struct redact *secrets;

void log_set_level(enum log_level level)
{
    highest_level = level;
}

void log_set_redact(const struct redact *redact)
{
    secrets = redact;
}

// True where stderr is the stream that the journal reads: JOURNAL_STREAM names
// it by device and inode, and is inherited by processes with another stderr.
static bool stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    struct stat status;
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    g_autofree char *own =
        g_strdup_printf("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(own, stream) == 0;
}

static bool writes_levels(void)
{
    static gsize known; // 1 plain, 2 with levels
    if (g_once_init_enter(&known))
        g_once_init_leave(&known, stderr_is_journal() ? 2 : 1);
    return known == 2;
}

static void append_prefix(GString *line, enum log_level level)
{
    if (writes_levels())
        g_string_append_printf(line, "<%d>", (int)level);
    else if (level == LOG_LEVEL_ERROR)
        g_string_append(line, "error: ");
    else if (level == LOG_LEVEL_WARNING)
        g_string_append(line, "warning: ");
    else if (level == LOG_LEVEL_DEBUG)
        g_string_append(line, "debug: ");
}

// Control characters (C1 too: some terminals obey them) as \n, \t, \u001b.
static void append_escaped(GString *line, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (character == '\n')
            g_string_append(line, "\\n");
        else if (character == '\t')
            g_string_append(line, "\\t");
        else if (g_unichar_iscntrl(character))
            g_string_append_printf(line, "\\u%04x", character);
        else
            g_string_append_unichar(line, character);
    }
}

G_GNUC_PRINTF(2, 0)
static void log_line(enum log_level level, const char *format, va_list arguments)
{
    if (level > highest_level)
        return;
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    if (secrets) {
        char *redacted = redact_text(secrets, text, -1);
        g_free(text);
        text = redacted;
    }
    g_autoptr(GString) line = g_string_new(NULL);
    append_prefix(line, level);
    append_escaped(line, text);
    g_string_append_c(line, '\n');
    // Nothing can be done about a log that cannot be written.
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return;
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_line(LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

// Written without memory, as there may be none; a handler of signals may call it.
static void end_saying(const char *why)
{
    const struct iovec parts[] = {
        {.iov_base = text_of_end, .iov_len = strlen(text_of_end)},
        {.iov_base = (char *)(uintptr_t)why, .iov_len = strlen(why)},
        {.iov_base = end_of_line, .iov_len = 1},
    };
    ssize_t written = writev(STDERR_FILENO, parts, G_N_ELEMENTS(parts));
    (void)written; // nothing is left to be done about it
    _exit(EXIT_OF_FATAL);
}

static void end_if_fatal(const char *domain, GLogLevelFlags level, const char *message, void *user)
{
    if (level & G_LOG_FLAG_FATAL)
        end_saying(message);
    g_log_default_handler(domain, level, message, user);
}

// Only what the kernel could not read or write for us: another one is a fault of the program.
static void end_if_unmapped(int number, siginfo_t *info, void *user)
{
    (void)user;
    if (info->si_code == BUS_ADRERR || info->si_code == BUS_OBJERR)
        end_saying(text_of_unmapped);
    signal(number, SIG_DFL);
    raise(number);
}

void log_end_on_fatal(void)
{
    const struct sigaction action = {.sa_sigaction = end_if_unmapped, .sa_flags = SA_SIGINFO};
    g_log_set_default_handler(end_if_fatal, NULL);
    sigaction(SIGBUS, &action, NULL);
}
