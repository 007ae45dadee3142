// SPDX-License-Identifier: MIT
// Bodies in encodings that nobody declared, or declared wrongly: the text is the
// same, and so is what a failing answer says.
#include "../../probes/charset.h"
#include "../../probes/classify.h"
#include "../../probes/envelope.h"
#include "../../probes/lexicon.h"
#include "../../probes/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void check(const char *type, const char *bytes, size_t length, const char *expected)
{
    g_autofree char *text = charset_decode(bytes, length, type);
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_string_equal(text, expected);
}

#define CHECK(type, bytes, expected) check(type, bytes, sizeof(bytes) - 1, expected)

static void test_marks(void **state)
{
    (void)state;
    CHECK(NULL, "\xEF\xBB\xBF{}", "{}");
    CHECK(NULL, "\xEF\xBB\xBF\xEF\xBB\xBF{}", "{}"); // one from each of two includes
    CHECK(NULL, "\xFF\xFE{\0}\0", "{}");
    CHECK(NULL, "\xFE\xFF\0{\0}", "{}");
    CHECK("application/json; charset=utf-8", "\xFF\xFE{\0}\0", "{}");
    CHECK(NULL, "\xFF\xFE\0\0{\0\0\0}\0\0\0", "{}");
    CHECK(NULL, "\0\0\xFE\xFF\0\0\0{\0\0\0}", "{}");
    CHECK(NULL, "\xFF\xFE\x3D\xD8\0\xDE", "😀");
    CHECK(NULL, "\xFF\xFE\x3D\xD8", "\uFFFD");   // half a pair
    CHECK(NULL, "\xFF\xFE\0\xDEx\0", "\uFFFDx"); // the other half
    CHECK(NULL, "\xFF\xFE{\0}\0\r", "{}");       // an odd byte
    CHECK(NULL, "\xFF\xFE{\0}\0\0\0\0\0", "{}"); // a terminated string
    CHECK(NULL, "\xFF\xFE", "");
    CHECK(NULL, "\xEF\xBB\xBF", "");
}

static void test_unmarked_wide(void **state)
{
    (void)state;
    CHECK(NULL, "<\0a\0>\0\xE9\0<\0/\0a\0>\0", "<a>é</a>");
    CHECK("text/xml; charset=utf-16", "\0<\0a\0>\0\xE9\0<\0/\0a\0>", "<a>é</a>");
    assert_true(charset_is_wide("{\0}\0", 4));
    assert_false(charset_is_wide("{}", 2));
    assert_false(charset_is_wide("a\0b\0\0c", 6)); // NULs at either place
    assert_false(charset_is_wide("", 0));
}

// The declaration of a document that was written to a string and sent as UTF-8.
static void test_bytes_go_before_declarations(void **state)
{
    (void)state;
    static const char utf16[] = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>é</a>";
    CHECK("text/xml", "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>é</a>", utf16);
    CHECK("text/xml; charset=iso-8859-1", "<a>Größe</a>", "<a>Größe</a>");
    CHECK("text/xml; charset=utf-8",
          "<a>Gr\xF6\xDF"
          "e</a>",
          "<a>Größe</a>");
    CHECK(NULL,
          "<a>Gr\xF6\xDF"
          "e \x80 5</a>",
          "<a>Größe € 5</a>");
    CHECK(NULL, "\x81", "\xC2\x81"); // open in Windows' charset
    CHECK("text/plain; charset=iso-8859-15", "<?xml encoding=\"iso-8859-1\"?>\xA4",
          "<?xml encoding=\"iso-8859-1\"?>€"); // the header goes first
    CHECK("text/plain; charset=utf-16", "<?xml encoding = 'iso-8859-15'?>\xA4",
          "<?xml encoding = 'iso-8859-15'?>€");
    CHECK("text/plain; charset = \"windows-1251\"", "\xCF\xF0", "Пр");
    CHECK("text/plain; charset=gbk", "\xC1\xAA\xCD\xA8", "联通"); // UTF-8 by accident
}

static void test_some_bytes_broken(void **state)
{
    (void)state;
    CHECK(NULL, "é è \xE9 à", "é è \uFFFD à");
    CHECK(NULL, "été \xC3", "été \uFFFD"); // cut off in a character
    CHECK(NULL, "caf\xE9", "café");        // or Latin-1 at the end
    CHECK(NULL, "\0\0<a/>\0", "<a/>");
    CHECK(NULL, "a\0b\xE9", "a\uFFFDbé");
    CHECK(NULL, "\0\0", "");
}

// ---- what a failing answer says, in each of them ----

static void append_wide(GString *out, const char *text, bool big_endian)
{
    g_autofree gunichar2 *units = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);
    for (size_t i = 0; units[i]; i++) {
        char bytes[] = {(char)(units[i] & 0xFF), (char)(units[i] >> 8)};
        g_string_append_c(out, bytes[big_endian]);
        g_string_append_c(out, bytes[!big_endian]);
    }
}

static GBytes *encode(const char *text, int how)
{
    g_autoptr(GString) out = g_string_new(NULL);
    switch (how) {
    case 0:
        g_string_append(out, text);
        break;
    case 1:
        g_string_append_printf(out, "\xEF\xBB\xBF%s", text);
        break;
    case 2:
    case 3:
        append_wide(out, text, how == 3);
        break;
    case 4:
        g_string_append_len(out, "\xFF\xFE", 2);
        append_wide(out, text, false);
        break;
    case 5:
        g_string_append_len(out, "\xFE\xFF", 2);
        append_wide(out, text, true);
        break;
    case 6: {
        gsize length = 0;
        g_autofree char *latin = g_convert(text, -1, "ISO-8859-1", "UTF-8", NULL, &length, NULL);
        g_string_append_len(out, latin, (gssize)length);
        break;
    }
    case 7:
        g_string_append_printf(out, " \r\n\t%s%c", text, '\0');
        g_string_append_c(out, '\0');
        break;
    case 8:
        g_string_append_len(out, text, 6);
        g_string_append_c(out, '\0');
        g_string_append(out, text + 6);
        break;
    default:
        g_string_append_printf(out, "\xEF\xBB\xBF\xEF\xBB\xBF\xC2\xA0\n%s", text);
    }
    return g_bytes_new(out->str, out->len);
}

enum { WAYS = 10 };

static void test_answers_in_each_encoding(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{    \"error\":{\"code\":\"R7\",\"message\":\"Größe für Artikel 7 fehlt\"}}",
        ("<?xml version=\"1.0\" encoding=\"utf-8\"?><error><code>R7</code><message>"
         "Größe für Artikel 7 fehlt</message></error>"),
        "<html>      <title>Größe für Artikel 7 fehlt</title></html>",
    };
    static const char *const types[] = {NULL, "text/xml; charset=utf-8",
                                        "application/json; charset=iso-8859-1",
                                        "text/html; charset=utf-16"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies) * WAYS * G_N_ELEMENTS(types); i++) {
        const char *type = types[i % G_N_ELEMENTS(types)];
        int how = (int)(i / G_N_ELEMENTS(types) % WAYS);
        g_autoptr(GBytes) bytes = encode(bodies[i / G_N_ELEMENTS(types) / WAYS], how);
        gsize length;
        const char *data = g_bytes_get_data(bytes, &length);
        g_autoptr(envelope_t) envelope = envelope_read(data, length, type, NULL, NULL);
        if (!envelope->message || strcmp(envelope->message, "Größe für Artikel 7 fehlt") != 0)
            fail_msg("encoding %d, type %s: %s", how, type, envelope->message);
        if (envelope->kind != ENVELOPE_HTML)
            assert_string_equal(envelope->code, "R7");
    }
}

static void test_pictures_are_no_text(void **state)
{
    (void)state;
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0\x1f";
    static const char zip[] = "PK\x03\x04\x14\0\0\0\x08\0\x11\x22\x33\x44\0\0\0\0\0\0\0\0\x05\0";
    g_autoptr(envelope_t) picture = envelope_read(png, sizeof png - 1, "image/png", NULL, NULL);
    assert_int_equal(picture->kind, ENVELOPE_BROKEN);
    g_autoptr(envelope_t) archive = envelope_read(zip, sizeof zip - 1, NULL, NULL, NULL);
    assert_int_equal(archive->kind, ENVELOPE_BROKEN);
}

// Selectors read UTF-16; what is no JSON in any declared charset stays none.
static void test_documents(void **state)
{
    (void)state;
    for (int how = 0; how <= 6; how++) {
        g_autoptr(transfer_response_t) response = transfer_response_new();
        g_bytes_unref(response->body);
        response->body = encode("{\"a\":\"é\"}", how);
        struct subject subject;
        subject_init_response(&subject, response);
        const char *text = json_text(subject_document(&subject), "a");
        if (how == 6)
            assert_null(text);
        else
            assert_string_equal(text, "é");
        subject_clear(&subject);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_unmarked_wide),
        cmocka_unit_test(test_bytes_go_before_declarations),
        cmocka_unit_test(test_some_bytes_broken),
        cmocka_unit_test(test_answers_in_each_encoding),
        cmocka_unit_test(test_pictures_are_no_text),
        cmocka_unit_test(test_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
