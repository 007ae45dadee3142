// SPDX-License-Identifier: MIT
// The sentences of a mail in the language of its reader: gettext catalogues
// (alerts/po), read by a small reader of our own. The C library's gettext takes the
// language from the process and needs its locale on the machine; here it belongs
// to a mail, and the catalogues are part of the program.
#ifndef ALERTS_WORDS_H
#define ALERTS_WORDS_H

#include <glib.h>

// Marks a text in a table for the catalogues; words_get translates it where it is used.
#define WORDS_MARK(text) text

// A language's catalogue.
struct words;

// The catalogue of a language ("nl"); English for one that is not there, or NULL. Never NULL;
// valid until the end of the program.
const struct words *words_for(const char *language);

// True where there is a catalogue for it (English counts).
gboolean words_has_language(const char *language);

// The translation of an English text, or that text itself; borrowed.
const char *words_get(const struct words *words, const char *text);

// A translation in which each {name} is replaced by the value that follows it in the arguments,
// which a NULL ends. Values are never read as templates. The caller frees it.
char *words_fill(const struct words *words, const char *text, ...) G_GNUC_NULL_TERMINATED;

// Likewise, chosen by `n` between singular and plural (zero takes that of the language); {n} is the
// number. The caller frees it.
char *words_count(const struct words *words, const char *one, const char *many, gint64 n);

// A span of time for people: "12 s", "42 min", "3 h 5 min", "2 d 4 h". The caller frees it.
char *words_duration(const struct words *words, gint64 ms);

// A moment (RFC 3339) for people, in the zone `zone_name`: "Sat 21 Nov 2026, 10:30:05 CET"; `utc`
// (may be NULL) gets the same in UTC, "09:30:05 UTC", or NULL where that is the zone. NULL where it
// is no time. The caller frees both.
char *words_time(const struct words *words, const char *rfc3339, const char *zone_name, char **utc);

// The same in short, in the reader's zone alone: "Sat 21 Nov, 10:30". The caller frees it.
char *words_short_time(const struct words *words, const char *rfc3339, const char *zone_name);

#endif
