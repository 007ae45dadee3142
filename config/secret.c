// SPDX-License-Identifier: MIT
// Reads what ${env:}, ${file:} and ${credential:} name, once, and keeps it until
// the configuration is freed; then it is wiped. Templates ask for it by
// reference; base/redact learns from here what must not be shown.
#include "secret.h"

#include "../base/redact.h"
#include "../base/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A secret is a password or a key: far below this.
#define SECRET_MAX (256 * 1024)

struct entry {
    char *text;
    char *path; // of a file or credential, as it was read; or NULL
    bool secret;
};

struct secret_store {
    GHashTable *entries;  // "env:NAME" -> struct entry
    GHashTable *literals; // a set of char *
};

static void entry_free(void *data)
{
    struct entry *entry = data;
    wipe_text(entry->text);
    g_free(entry->path);
    g_free(entry);
}

struct secret_store *secret_store_new(void)
{
    struct secret_store *store = g_new0(struct secret_store, 1);
    store->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    store->literals = g_hash_table_new_full(g_str_hash, g_str_equal, wipe_text, NULL);
    return store;
}

static char *reference_key(const struct template_reference *reference)
{
    static const char *const words[] = {"env", "file", "credential"};
    return g_strconcat(words[reference->kind], ":", reference->name, NULL);
}

static bool fail(GError **error, const char *key, const char *problem)
{
    g_set_error(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, "${%s} %s", key, problem);
    return false;
}

// Reads until the end or until the buffer is full; -1 with errno.
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, buffer + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

// The text of a file without its last newline.
static char *read_file(const char *path, const char *key, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *buffer = fd < 0 ? NULL : g_malloc0(SECRET_MAX + 1);
    ssize_t length = fd < 0 ? -1 : read_all(fd, buffer, SECRET_MAX);
    g_autofree char *problem =
        length < 0 ? g_strdup_printf("cannot be read: %s: %s", path, g_strerror(errno)) : NULL;
    if (fd >= 0)
        close(fd);
    if (length > 0 && buffer[length - 1] == '\n')
        buffer[--length] = '\0';
    if (length > 0 && buffer[length - 1] == '\r')
        buffer[--length] = '\0';
    if (!problem && length >= SECRET_MAX - 1)
        problem = g_strdup_printf(
            "is larger than 256 KiB, which no secret is: %s; name another file", path);
    else if (length > 0 && strlen(buffer) != (size_t)length)
        problem = g_strdup_printf("is no text, it holds a zero byte: %s; name another file", path);
    char *text = problem ? NULL : g_strdup(buffer);
    if (buffer)
        explicit_bzero(buffer, SECRET_MAX);
    g_free(buffer);
    if (problem)
        fail(error, key, problem);
    return text;
}

static void *fail_unset(GError **error, const struct template_reference *reference)
{
    g_autofree char *unset = template_reference_unset(reference);
    g_set_error_literal(error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, unset);
    return NULL;
}

static char *credential_path(const struct template_reference *reference, GError **error)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory && *directory)
        return g_build_filename(directory, reference->name, NULL);
    return fail_unset(error, reference);
}

// A new entry with what the reference names.
static struct entry *read_entry(const struct template_reference *reference, const char *directory,
                                const char *key, GError **error)
{
    g_autofree char *path = NULL;
    char *text = NULL;
    if (reference->kind == TEMPLATE_REFERENCE_ENV) {
        text = g_strdup(getenv(reference->name));
        if (!text)
            fail_unset(error, reference);
    } else {
        path = reference->kind == TEMPLATE_REFERENCE_CREDENTIAL
                   ? credential_path(reference, error)
                   : g_canonicalize_filename(reference->name, directory);
        text = path ? read_file(path, key, error) : NULL;
    }
    if (text && !*text) {
        g_clear_pointer(&text, g_free);
        fail(error, key, "is empty: write its value there");
    }
    if (!text)
        return NULL;
    struct entry *entry = g_new0(struct entry, 1);
    entry->text = text;
    entry->path = g_steal_pointer(&path);
    return entry;
}

// The same relative name in two folders would be two secrets of one name.
static bool check_path(const struct template_reference *reference, const struct entry *entry,
                       const char *directory, const char *key, GError **error)
{
    if (reference->kind != TEMPLATE_REFERENCE_FILE)
        return true;
    g_autofree char *path = g_canonicalize_filename(reference->name, directory);
    return strcmp(path, entry->path) == 0 ||
           fail(error, key, "stands in two folders; write the full path");
}

bool secret_store_load(struct secret_store *store, const struct template_reference *reference,
                       const char *directory, GError **error)
{
    g_autofree char *key = reference_key(reference);
    struct entry *entry = g_hash_table_lookup(store->entries, key);
    if (entry && !check_path(reference, entry, directory, key, error))
        return false;
    if (!entry) {
        g_autoptr(GError) problem = NULL;
        entry = read_entry(reference, directory, key, &problem);
        if (!entry && reference->fallback) {
            if (reference->secret)
                secret_store_add_literal(store, reference->fallback);
            return true;
        }
        if (!entry) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        g_hash_table_insert(store->entries, g_steal_pointer(&key), entry);
    }
    entry->secret |= reference->secret;
    return true;
}

const char *secret_store_find(const struct secret_store *store,
                              const struct template_reference *reference)
{
    g_autofree char *key = reference_key(reference);
    const struct entry *entry = g_hash_table_lookup(store->entries, key);
    return entry ? entry->text : reference->fallback;
}

void secret_store_add_literal(struct secret_store *store, const char *secret)
{
    if (*secret)
        g_hash_table_add(store->literals, g_strdup(secret));
}

void secret_store_redact(const struct secret_store *store, struct redact *redact)
{
    GHashTableIter iter;
    void *key = NULL, *value = NULL;
    g_hash_table_iter_init(&iter, store->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct entry *entry = value;
        if (entry->secret)
            redact_add(redact, entry->text);
    }
    g_hash_table_iter_init(&iter, store->literals);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        redact_add(redact, key);
}

void secret_store_free(struct secret_store *store)
{
    if (!store)
        return;
    g_hash_table_destroy(store->entries);
    g_hash_table_destroy(store->literals);
    g_free(store);
}
