// SPDX-License-Identifier: MIT
// What the machine gives: environment, files, systemd's credentials; what is a
// secret of it, and which message says that it is missing.
#include "../../base/redact.h"
#include "../../config/secret.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    char *folder, *other;
    struct secret_store *store;
};

// Borrows its texts.
static struct template_reference reference_of(enum template_reference_kind kind, const char *name,
                                              const char *fallback, bool secret)
{
    return (struct template_reference){.kind = kind,
                                       .name = (char *)(uintptr_t)name,
                                       .fallback = (char *)(uintptr_t)fallback,
                                       .secret = secret};
}

static void put(const char *folder, const char *name, const char *text, gssize length)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, text, length, NULL));
}

static int set_up(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture->folder = g_dir_make_tmp("secret-XXXXXX", NULL);
    fixture->other = g_dir_make_tmp("secret-XXXXXX", NULL);
    assert_true(fixture->folder && fixture->other);
    fixture->store = secret_store_new();
    put(fixture->folder, "password", "from a file\n", -1);
    put(fixture->folder, "crlf", "from windows\r\n", -1);
    put(fixture->folder, "two", "one\n\n", -1);
    put(fixture->folder, "empty", "\n", -1);
    put(fixture->folder, "zero", "a\0b", 3);
    put(fixture->other, "password", "another one\n", -1);
    g_setenv("ERPWATCH_TEST_SET", "from the environment", TRUE);
    g_setenv("ERPWATCH_TEST_EMPTY", "", TRUE);
    g_unsetenv("ERPWATCH_TEST_UNSET");
    g_unsetenv("CREDENTIALS_DIRECTORY");
    *state = fixture;
    return 0;
}

static void remove_folder(char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    secret_store_free(fixture->store);
    remove_folder(fixture->folder);
    remove_folder(fixture->other);
    g_free(fixture);
    return 0;
}

struct load_case {
    enum template_reference_kind kind;
    const char *name, *fallback;
    const char *value; // NULL: it fails, and
    const char *word;  // the message holds this
};

static const struct load_case loads[] = {
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_SET", NULL, "from the environment", NULL},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_SET", "else", "from the environment", NULL},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_UNSET", "else", "else", NULL},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_EMPTY", "else", "else", NULL},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_UNSET", "", "", NULL},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_UNSET", NULL, NULL,
     "${env:ERPWATCH_TEST_UNSET} is not set: set ERPWATCH_TEST_UNSET where"},
    {TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_EMPTY", NULL, NULL,
     "${env:ERPWATCH_TEST_EMPTY} is empty: write its value"},
    {TEMPLATE_REFERENCE_FILE, "password", NULL, "from a file", NULL},
    {TEMPLATE_REFERENCE_FILE, "crlf", NULL, "from windows", NULL},
    {TEMPLATE_REFERENCE_FILE, "two", NULL, "one\n", NULL},
    {TEMPLATE_REFERENCE_FILE, "empty", NULL, NULL, "${file:empty} is empty"},
    {TEMPLATE_REFERENCE_FILE, "zero", NULL, NULL, "holds a zero byte"},
    {TEMPLATE_REFERENCE_FILE, "none", NULL, NULL, "No such file"},
    {TEMPLATE_REFERENCE_FILE, ".", NULL, NULL, "cannot be read"},
    {TEMPLATE_REFERENCE_FILE, "/dev/zero", NULL, NULL, "larger than 256 KiB"},
    {TEMPLATE_REFERENCE_CREDENTIAL, "password", NULL, NULL, "LoadCredential=password:PATH"},
};

static void test_load(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
        g_autoptr(GError) error = NULL;
        struct template_reference reference =
            reference_of(loads[i].kind, loads[i].name, loads[i].fallback, true);
        bool good = secret_store_load(fixture->store, &reference, fixture->folder, &error);
        assert_int_equal(good, loads[i].value != NULL);
        if (good) {
            assert_string_equal(secret_store_find(fixture->store, &reference), loads[i].value);
            continue;
        }
        if (!strstr(error->message, loads[i].word))
            fail_msg("%s: %s", loads[i].name, error->message);
        assert_null(secret_store_find(fixture->store, &reference));
    }
}

static void test_credential(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_setenv("CREDENTIALS_DIRECTORY", fixture->folder, TRUE);
    struct template_reference reference =
        reference_of(TEMPLATE_REFERENCE_CREDENTIAL, "password", NULL, true);
    assert_true(secret_store_load(fixture->store, &reference, "/", &error));
    assert_string_equal(secret_store_find(fixture->store, &reference), "from a file");
    struct template_reference none =
        reference_of(TEMPLATE_REFERENCE_CREDENTIAL, "none", NULL, true);
    assert_false(secret_store_load(fixture->store, &none, "/", &error));
    assert_non_null(strstr(error->message, "${credential:none} cannot be read"));
}

// A value is read once: what is set later does not change it.
static void test_once(void **state)
{
    struct fixture *fixture = *state;
    struct template_reference reference =
        reference_of(TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_SET", NULL, false);
    assert_true(secret_store_load(fixture->store, &reference, "/", NULL));
    g_setenv("ERPWATCH_TEST_SET", "something else", TRUE);
    assert_true(secret_store_load(fixture->store, &reference, "/", NULL));
    assert_string_equal(secret_store_find(fixture->store, &reference), "from the environment");
}

// One relative name in two folders is not one secret.
static void test_two_folders(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    struct template_reference reference =
        reference_of(TEMPLATE_REFERENCE_FILE, "password", NULL, true);
    assert_true(secret_store_load(fixture->store, &reference, fixture->folder, &error));
    assert_true(secret_store_load(fixture->store, &reference, fixture->folder, &error));
    assert_false(secret_store_load(fixture->store, &reference, fixture->other, &error));
    assert_non_null(strstr(error->message, "full path"));
}

static void expect_redacted(const struct secret_store *store, const char *text,
                            const char *expected)
{
    g_autoptr(redact_t) redact = redact_new();
    secret_store_redact(store, redact);
    g_autofree char *out = redact_text(redact, text, -1);
    assert_string_equal(out, expected);
}

static void test_redact(void **state)
{
    struct fixture *fixture = *state;
    struct template_reference plain =
        reference_of(TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_SET", NULL, false);
    assert_true(secret_store_load(fixture->store, &plain, "/", NULL));
    expect_redacted(fixture->store, "from the environment", "from the environment");
    // secret in one place is secret in all
    plain.secret = true;
    assert_true(secret_store_load(fixture->store, &plain, "/", NULL));
    plain.secret = false;
    assert_true(secret_store_load(fixture->store, &plain, "/", NULL));
    expect_redacted(fixture->store, "from the environment", "***");
    struct template_reference file = reference_of(TEMPLATE_REFERENCE_FILE, "password", NULL, true);
    assert_true(secret_store_load(fixture->store, &file, fixture->folder, NULL));
    struct template_reference fallback =
        reference_of(TEMPLATE_REFERENCE_ENV, "ERPWATCH_TEST_UNSET", "fallback", true);
    assert_true(secret_store_load(fixture->store, &fallback, "/", NULL));
    secret_store_add_literal(fixture->store, "in the open");
    secret_store_add_literal(fixture->store, "");
    expect_redacted(fixture->store, "from a file, fallback, in the open, other",
                    "***, ***, ***, other");
    secret_store_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_credential, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redact, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
