// SPDX-License-Identifier: MIT
// The log: one line an event on stderr, with a syslog level in front where the
// journal reads it, and nothing secret in it.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>

struct redact;

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

// Lines above `level` are dropped; INFO at start.
void log_set_level(enum log_level level);

// The secrets that no line may show; borrowed, NULL for none.
void log_set_redact(const struct redact *redact);

// From now on, what GLib takes for fatal (out of memory, above all) is said in one line and ends
// the program with exit code 3, "could not tell", in place of a signal. So does a file mapped into
// memory that the kernel cannot read or write any more (SIGBUS).
void log_end_on_fatal(void);

// Writes one line; control characters in it are escaped.
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
