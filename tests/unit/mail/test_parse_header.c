/*
 * mail/parse_header and mail/parse_charset: text is what its sender meant, whatever the labels say, and always valid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/parse_charset.h"
#include "mail/parse_header.h"

static void test_encoded_words_as_programs_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"folded\r\n\tover  lines", "folded over lines"},
        {"=?utf-8?Q?Sp=C3=B8rsm=C3=A5l?=", "Spørsmål"},
        {"=?UTF-8?b?U3DDuHJzbcOlbA==?=", "Spørsmål"},
        {"=?utf-8?B?U3DDuHJzbcOlbA?=", "Spørsmål"},               /* no padding */
        {"=?utf-8?B?U3DDuA==?= og mer", "Spø og mer"},            /* what follows padding is kept */
        {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},                    /* no space between two */
        {"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c", "ab c"},
        {"=?utf-8?Q?a_b=20c?= d", "a b c d"},
        {"=?utf-8?Q?a b?=", "a b"},                               /* spaces that may not be there */
        {"Re:=?utf-8?Q?_hei?=", "Re: hei"},                       /* in the middle of a word */
        {"\"=?utf-8?Q?K=C3=A5re?=\" <k@x.example>", "\"Kåre\" <k@x.example>"},
        {"=?utf-8?B?w6?= =?utf-8?B?Xp?=", "\xc3\x83^"},            /* half a character, and no other half */
        {"=?utf-8?Q?=C3?= =?utf-8?Q?=A5?=", "å"},                 /* a character in two words */
        {"=?iso-8859-1*no?Q?bl=E5?=", "blå"},                     /* RFC 2231: a language */
        {"=?iso-8859-1?Q?=80?=", "€"},                            /* which nobody means by Latin 1 */
        {"=?utf-8?Q?bl=E5?=", "blå"},                             /* wrongly labelled */
        {"=?nowhere-1?Q?bl=C3=A5?=", "blå"},
        {"=?gb2312?B?xOO6ww==?=", "你好"},
        {"=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"},
        {"bl\xe5", "blå"},
        {"bl\xc3\xa5", "blå"},
        {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
        {"=?utf-8?Q?never ends", "=?utf-8?Q?never ends"},
        {"=?=?=?utf-8?Q?a?=", "=?=?a"},
        {"=?utf-8?Q?\?=x", "x"},
        {"=?utf-8?Q?a=0D=0ABcc:_b?=", "a Bcc: b"},                /* no line end comes out of a value */
        {"=?utf-8?Q?a=00b?=", "ab"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = parse_header_decode(cases[i].raw, 4096);
        assert_true(g_utf8_validate(got, -1, NULL));
        if (!g_str_equal(got, cases[i].want))
            print_error("%s: \"%s\", not \"%s\"\n", cases[i].raw, got, cases[i].want);
        assert_string_equal(got, cases[i].want);
    }
}

static void test_values_are_bounded_between_characters(void **state)
{
    (void)state;
    g_autofree char *got = parse_header_decode("ååååå", 5);
    assert_string_equal(got, "åå");
}

/* A value of marks that begin words which never end: each costs a bounded look ahead. */
static void test_work_is_bounded(void **state)
{
    (void)state;
    g_autoptr(GString) raw = g_string_new(NULL);
    while (raw->len < 60000)
        g_string_append(raw, "=?a?q?");
    gint64 begin_us = g_get_monotonic_time();
    g_autofree char *got = parse_header_decode(raw->str, 4096);
    assert_true(g_get_monotonic_time() - begin_us < 5 * G_USEC_PER_SEC);
    assert_int_equal(strlen(got), 4096);
}

static void assert_text(const char *bytes, gsize len, const char *charset, const char *want)
{
    gboolean cut = FALSE;
    g_autofree char *got = parse_charset_to_utf8(bytes, len, charset, 1000, &cut);
    if (!g_str_equal(got, want))
        print_error("%s: \"%s\", not \"%s\"\n", charset ? charset : "-", got, want);
    assert_string_equal(got, want);
    assert_false(cut);
}

static void test_charsets(void **state)
{
    (void)state;
    assert_text("bl\xe5\r\nb\xe6r\r", 9, "iso-8859-1", "blå\nbær\n");
    assert_text("bl\xe5", 3, NULL, "blå");
    assert_text("bl\xe5", 3, "us-ascii", "blå");
    assert_text("bl\xc3\xa5", 4, "iso-8859-1", "blå");             /* mislabelled */
    assert_text("\xef\xbb\xbfhei", 6, "us-ascii", "hei");
    assert_text("\xff\xfeh\0e\0i\0", 8, "utf-8", "hei");           /* marked */
    assert_text("h\0e\0i\0", 6, "utf-16le", "hei");
    assert_text("a\0b", 3, "utf-8", "ab");
    assert_text("\xcf\xf0\xe8\xe2\xe5\xf2", 6, "windows-1251", "Привет");
    assert_text("bl\xc3\xa5 \xc3", 6, "utf-8", "blå ");                /* cut within a character */
    assert_text("za\xbf\xf3\xb3\xe6", 6, "iso-8859-2", "zażółć");
    assert_text("x", 1, "../../etc/passwd", "x");
    assert_text("x", 1, "utf-8//TRANSLIT", "x");
    gboolean cut = FALSE;
    g_autofree char *bounded = parse_charset_to_utf8("abcå", 5, "utf-8", 4, &cut);
    assert_string_equal(bounded, "abc");
    assert_true(cut);
}

/* Property: any bytes under any label give valid UTF-8 without controls but line ends, tabs and form feeds. */
static void test_any_bytes_under_any_label(void **state)
{
    (void)state;
    static const char *const labels[] = {NULL, "utf-8", "utf-7", "utf-16", "iso-2022-jp", "hz-gb-2312", "gb18030", "big5", "windows-1252", "koi8-r", "nonsense"};
    GRand *random = g_rand_new_with_seed(20261124);
    for (guint round = 0; round < 3000; round++) {
        char bytes[64];
        gsize len = (gsize)g_rand_int_range(random, 0, sizeof bytes);
        gboolean cut = FALSE;
        for (gsize i = 0; i < len; i++)
            bytes[i] = (char)g_rand_int_range(random, 0, 256);
        g_autofree char *text = parse_charset_to_utf8(bytes, len, labels[round % G_N_ELEMENTS(labels)], 32, &cut);
        assert_true(strlen(text) <= 32 && g_utf8_validate(text, -1, NULL));
        for (const char *p = text; *p; p++)
            assert_true((guchar)*p >= ' ' || strchr("\n\t\f", *p) != NULL);
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoded_words_as_programs_write_them),
        cmocka_unit_test(test_values_are_bounded_between_characters),
        cmocka_unit_test(test_work_is_bounded),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_any_bytes_under_any_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
