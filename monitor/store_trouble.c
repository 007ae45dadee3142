// SPDX-License-Identifier: MIT
// The words for a store that fails: what it is, and what mends it. Comes after db, which tells the
// kinds of failures apart, and before whoever says so: a command, the standby's log and mail.
#include "store_trouble.h"

#include "../alerts/words.h"
#include "command.h"

static const struct {
    enum db_error cause;
    const char *what, *mend;
} causes[] = {
    {DB_ERROR_FULL, WORDS_MARK("the disk is full"),
     WORDS_MARK("Make room on its disk: nothing else has to be done.")},
    {DB_ERROR_READONLY, WORDS_MARK("it is read-only"),
     WORDS_MARK("Make the file and its folder writable: nothing else has to be done.")},
    {DB_ERROR_CORRUPT, WORDS_MARK("it is damaged"),
     WORDS_MARK("Restart erpwatch: when it starts, it sets the file aside, and carries over what "
                "can be read of owed undos, incidents and notices.")},
    {DB_ERROR_CANNOT_OPEN, WORDS_MARK("it cannot be opened"),
     WORDS_MARK("See that the user who runs erpwatch may read and write the file and its "
                "folder.")},
    {DB_ERROR_BUSY, WORDS_MARK("another process keeps it in use"), WORDS_MARK("End that process.")},
};

const char *store_trouble_what(enum db_error cause)
{
    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (causes[i].cause == cause) {
            return causes[i].what;
        }
    }
    return WORDS_MARK("its disk refuses it");
}

const char *store_trouble_mend(enum db_error cause)
{
    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++) {
        if (causes[i].cause == cause) {
            return causes[i].mend;
        }
    }
    return WORDS_MARK("The system's log says more.");
}

char *store_trouble_sentence(const GError *error)
{
    bool mends = db_is_file_error(error);
    return g_strconcat(error->message, mends ? ". " : "",
                       mends ? store_trouble_mend((enum db_error)error->code) : "", NULL);
}

int store_trouble_fail(const char *command, const GError *error)
{
    g_autofree char *sentence = store_trouble_sentence(error);
    return command_fail(command, "%s", sentence);
}
