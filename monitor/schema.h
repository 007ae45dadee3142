// SPDX-License-Identifier: MIT
// The store's tables, as numbered steps that are only ever added to.
#ifndef MONITOR_SCHEMA_H
#define MONITOR_SCHEMA_H

#include "../base/db.h"

#define SCHEMA_ERROR schema_error_quark()
GQuark schema_error_quark(void);
enum schema_error {
    SCHEMA_ERROR_NEWER,  // written by a newer erpwatch
    SCHEMA_ERROR_FOREIGN // a database, but no store
};

// Brings the database at `path`, open as `db`, to the present version, in one
// transaction. An older store is first copied to PATH.v<its version>.
bool schema_migrate(struct db *db, const char *path, GError **error);

// The same with other steps: what schema_migrate stands on, for its tests.
bool schema_migrate_with(struct db *db, const char *path, const char *const *steps, int count,
                         GError **error);

// False and a sentence where the database, open for reading, is not of exactly
// the present version.
bool schema_check(struct db *db, const char *path, GError **error);

#endif
