// SPDX-License-Identifier: MIT
// Signed statements, verified by the openssl program.
#include "../../base/json.h"
#include "../../base/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib/gstdio.h>

static char *folder;

// Runs a program in the folder of the test; true where it ended well.
static bool run(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    int code = -1;

    return g_spawn_sync(folder, words, NULL,
                        G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                            G_SPAWN_STDERR_TO_DEV_NULL,
                        NULL, NULL, NULL, NULL, &code, NULL) &&
           g_spawn_check_wait_status(code, NULL);
}

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *read_text(const char *name)
{
    g_autofree char *path = path_of(name);
    char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void write_bytes(const char *name, const void *bytes, gsize length)
{
    g_autofree char *path = path_of(name);

    assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

static guchar *decode(const char *text, gsize *length)
{
    g_autoptr(GString) full = g_string_new(text);

    g_string_replace(full, "-", "+", 0);
    g_string_replace(full, "_", "/", 0);
    while (full->len % 4 != 0)
        g_string_append_c(full, '=');
    return g_base64_decode(full->str, length);
}

static int make_keys(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("erpwatch-jwt-XXXXXX", NULL);
    return run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem") &&
                   run("openssl pkey -in rsa.pem -pubout -out rsa.pub") &&
                   run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "
                       "ec.pem") &&
                   run("openssl pkey -in ec.pem -pubout -out ec.pub") &&
                   run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "
                       "ec384.pem") &&
                   run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "
                       "small.pem") &&
                   run("openssl pkey -in rsa.pem -aes128 -passout pass:x -out locked.pem") &&
                   run("openssl req -x509 -new -key rsa.pem -subj /CN=test -out cert.pem") &&
                   run("openssl x509 -in cert.pem -outform DER -out cert.der")
               ? 0
               : -1;
}

static int remove_keys(void **state)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    (void)state;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return 0;
}

static char *sign(enum jwt_algorithm algorithm, const char *key, GError **error)
{
    g_autofree char *pem = read_text(key);
    g_autoptr(cJSON) head = cJSON_CreateObject();
    g_autoptr(cJSON) claims = cJSON_CreateObject();

    json_add_text(head, "kid", "k-1");
    json_add_text(claims, "iss", "me");
    json_add_integer(claims, "exp", 1800000000);
    return jwt_sign(algorithm, pem, head, claims, error);
}

// The parts, and what is signed in the file "text", the signature in "signature".
static char **take_apart(const char *token)
{
    char **parts = g_strsplit(token, ".", -1);
    gsize length = 0;

    assert_int_equal(g_strv_length(parts), 3);
    assert_null(strpbrk(token, "=+/"));
    g_autofree guchar *bytes = decode(parts[2], &length);

    write_bytes("text", token, strlen(parts[0]) + 1 + strlen(parts[1]));
    write_bytes("signature", bytes, length);
    return parts;
}

static void assert_head(char **parts, const char *algorithm)
{
    gsize length = 0;
    g_autofree guchar *text = decode(parts[0], &length);
    g_autoptr(cJSON) head = json_parse((const char *)text, length, NULL);

    assert_string_equal(json_text(head, "alg"), algorithm);
    assert_string_equal(json_text(head, "typ"), "JWT");
    assert_string_equal(json_text(head, "kid"), "k-1");
}

static void test_rs256(void **state)
{
    g_autofree char *token = sign(JWT_RS256, "rsa.pem", NULL);
    g_auto(GStrv) parts = take_apart(token);

    (void)state;
    assert_head(parts, "RS256");
    assert_true(run("openssl dgst -sha256 -verify rsa.pub -signature signature text"));
}

static void test_ps256(void **state)
{
    g_autofree char *token = sign(JWT_PS256, "rsa.pem", NULL);
    g_auto(GStrv) parts = take_apart(token);

    (void)state;
    assert_head(parts, "PS256");
    assert_true(run("openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 "
                    "-verify rsa.pub -signature signature text"));
    assert_false(run("openssl dgst -sha256 -verify rsa.pub -signature signature text"));
}

// One of the two numbers as DER has it.
static void append_integer(GByteArray *der, const guchar *bytes)
{
    gsize skip = 0;

    while (skip < 31 && bytes[skip] == 0)
        skip++;
    guint8 pad = bytes[skip] >= 0x80, length = (guint8)(32 - skip + pad);

    g_byte_array_append(der, (const guint8[]){2, length, 0}, 2U + pad);
    g_byte_array_append(der, bytes + skip, (guint)(32 - skip));
}

static void test_es256(void **state)
{
    g_autofree char *token = sign(JWT_ES256, "ec.pem", NULL);
    g_auto(GStrv) parts = take_apart(token);
    gsize length = 0;
    g_autofree guchar *bytes = decode(parts[2], &length);
    g_autoptr(GByteArray) der = g_byte_array_new();

    (void)state;
    assert_head(parts, "ES256");
    assert_int_equal(length, 64);
    g_byte_array_append(der, (const guint8[]){0x30, 0}, 2);
    append_integer(der, bytes);
    append_integer(der, bytes + 32);
    der->data[1] = (guint8)(der->len - 2);
    write_bytes("signature", der->data, der->len);
    assert_true(run("openssl dgst -sha256 -verify ec.pub -signature signature text"));
}

static void test_keys_that_do_not_fit(void **state)
{
    static const struct {
        enum jwt_algorithm algorithm;
        const char *key;
    } cases[] = {{JWT_ES256, "rsa.pem"},    {JWT_PS256, "ec.pem"},  {JWT_ES256, "ec384.pem"},
                 {JWT_RS256, "small.pem"},  {JWT_RS256, "rsa.pub"}, {JWT_RS256, "cert.pem"},
                 {JWT_RS256, "locked.pem"}, {JWT_RS256, "cert.der"}};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(sign(cases[i].algorithm, cases[i].key, &error));
        assert_true(g_error_matches(error, JWT_ERROR, JWT_ERROR_KEY));
    }
}

static void test_thumbprints(void **state)
{
    g_autofree char *pem = read_text("cert.pem");
    g_autofree char *key = read_text("rsa.pem");
    g_autofree char *path = path_of("cert.der");
    g_autoptr(cJSON) head = cJSON_CreateObject();
    g_autoptr(GError) error = NULL;
    gsize length = 0, half = 0;
    g_autofree char *der = NULL;

    (void)state;
    assert_true(jwt_add_thumbprints(head, pem, &error));
    assert_true(g_file_get_contents(path, &der, &length, NULL));
    g_autofree guchar *sha256 = decode(json_text(head, "x5t#S256"), &half);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 expected[32];
    gsize size = sizeof expected;

    g_checksum_update(checksum, (const guchar *)der, (gssize)length);
    g_checksum_get_digest(checksum, expected, &size);
    assert_int_equal(half, size);
    assert_memory_equal(sha256, expected, size);
    assert_int_equal(strlen(json_text(head, "x5t")), 27);
    assert_false(jwt_add_thumbprints(head, key, &error));
    assert_non_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rs256),       cmocka_unit_test(test_ps256),
        cmocka_unit_test(test_es256),       cmocka_unit_test(test_keys_that_do_not_fit),
        cmocka_unit_test(test_thumbprints),
    };

    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
