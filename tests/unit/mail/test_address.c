/*
 * Addresses: what is taken, in which canonical form, and what is refused. Protects envelopes and headers from what a
 * contact, a CSV file or a stranger may call an address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/address.h"

static void test_canonical_form(void **state)
{
    (void)state;
    const struct {
        const char *text, *want;
    } cases[] = {
        {"anna@example.com", "anna@example.com"},
        {"Anna.Berg@Example.COM", "anna.berg@example.com"},
        {"a+tag=1!#$%&'*-/?^_`{|}~@b.co", "a+tag=1!#$%&'*-/?^_`{|}~@b.co"},
        {"post@blåbærsyltetøy.no", "post@xn--blbrsyltety-y8ao3x.no"},
        {"post@BLÅBÆRSYLTETØY.NO", "post@xn--blbrsyltety-y8ao3x.no"},
        {"post@xn--blbrsyltety-y8ao3x.no", "post@xn--blbrsyltety-y8ao3x.no"},
        {"post@stra\xc3\x9f"
         "e.de",
         "post@xn--strae-oqa.de"},
        {"Jørgen@example.no", "jørgen@example.no"},
        {"A\xcc\x8a@example.no", "\xc3\xa5@example.no"}, /* A and a combining ring become one letter */
        {"III@example.com", "iii@example.com"},
        {"用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"},
        {"a@mail_1.example.com", "a@mail_1.example.com"},
        {"a@1.example.3com", "a@1.example.3com"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *address = address_canonical(cases[i].text, &error);
        if (!address)
            print_error("%s: %s\n", cases[i].text, error->message);
        assert_non_null(address);
        assert_string_equal(address, cases[i].want);
        g_autofree char *again = address_canonical(address, NULL);
        assert_string_equal(again, address); /* a canonical form is its own */
    }
}

static void test_refused(void **state)
{
    (void)state;
    const char *texts[] = {
        "",
        " ",
        "anna",
        "@",
        "anna@",
        "@example.com",
        "anna@localhost",
        "anna@example",
        "anna@example.",
        "anna@.example.com",
        "anna@exa..mple.com",
        "anna@-example.com",
        "anna@example-.com",
        "anna@[127.0.0.1]",
        "anna@127.0.0.1",
        "anna@example.123",
        ".anna@example.com",
        "anna.@example.com",
        "an..na@example.com",
        "\"anna berg\"@example.com",
        "an na@example.com",
        "anna@exam ple.com",
        " anna@example.com",
        "anna@example.com ",
        "anna@example.com\n",
        "anna@example.com\r\nRCPT TO:<x@y.no>",
        "anna@example.com\tx",
        "anna\x01@example.com",
        "anna\x7f@example.com",
        "an\xc2\xa0na@example.com",
        "an\xe2\x80\xaena@example.com",
        "an\xe2\x80\x8bna@example.com",
        "anna\xff@example.com",
        "anna@exa\xe2\x80\xa8mple.com",
        "a@b@example.com",
        "<anna@example.com>",
        "anna@example.com,x@example.com",
        "anna(x)@example.com",
        "an\\na@example.com",
        "anna@exa<mple.com",
        "anna@xn--a.com",
        "anna@exa/mple.com",
        "anna@example.com>",
        "a:b@example.com",
        "anna@\xc2\xad.com",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *address = address_canonical(texts[i], &error);
        if (address)
            print_error("taken: \"%s\" as %s\n", texts[i], address);
        assert_null(address);
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_ADDRESS));
        assert_null(strpbrk(error->message, "\r\n\x01\x7f"));
        assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    assert_null(address_canonical(NULL, NULL));
}

static void test_lengths(void **state)
{
    (void)state;
    g_autofree char *local64 = g_strnfill(64, 'a');
    g_autofree char *local65 = g_strnfill(65, 'a');
    g_autofree char *label63 = g_strnfill(63, 'b');
    g_autofree char *label64 = g_strnfill(64, 'b');
    g_autofree char *longest =
        g_strdup_printf("%s@%s.%s.%.58s.no", local64, label63, label63, label63); /* 64 + 1 + 189 = 254 */
    g_autofree char *too_long = g_strdup_printf("%s@%s.%s.%.59s.no", local64, label63, label63, label63);
    g_autofree char *long_local = g_strdup_printf("%s@example.com", local65);
    g_autofree char *long_label = g_strdup_printf("a@%s.com", label64);
    g_autofree char *huge = g_strnfill(1000000, 'a');
    g_autofree char *taken = address_canonical(longest, NULL);
    assert_int_equal(strlen(longest), 254);
    assert_string_equal(taken, longest);
    assert_null(address_canonical(too_long, NULL));
    assert_null(address_canonical(long_local, NULL));
    assert_null(address_canonical(long_label, NULL));
    assert_null(address_canonical(huge, NULL));
}

static void test_names(void **state)
{
    (void)state;
    const struct {
        const char *text, *name, *address;
    } cases[] = {
        {"anna@example.com", "", "anna@example.com"},
        {"  anna@example.com ", "", "anna@example.com"},
        {"<Anna@Example.com>", "", "anna@example.com"},
        {"Anna Berg <Anna@Example.com>", "Anna Berg", "anna@example.com"},
        {"Anna   B.  Berg<anna@example.com>", "Anna B. Berg", "anna@example.com"},
        {"\"Berg, Anna\" <anna@example.com>", "Berg, Anna", "anna@example.com"},
        {"\"Anna \\\"Ann\\\" \\\\ Berg\" <anna@example.com>", "Anna \"Ann\" \\ Berg", "anna@example.com"},
        {"\"<evil@example.org>\" <anna@example.com>", "<evil@example.org>", "anna@example.com"},
        {"=?utf-8?Q?J=C3=B8rgen_=C3=85s?= <j@example.no>", "Jørgen Ås", "j@example.no"},
        {"=?iso-8859-1?Q?J=F8rgen?= =?utf-8?B?w4Vz?= <j@example.no>", "JørgenÅs", "j@example.no"},
        {"=?utf-8?B?5p2O5bCP6b6Z?= <li@example.cn>", "李小龙", "li@example.cn"},
        {"=?utf-8?Q?a=0D=0ABcc=3A_x=40y?= <j@example.no>", "a Bcc: x@y", "j@example.no"},
        {"(sales) Anna (of \"Berg\" (& Sons)) <anna@example.com> (work)", "Anna", "anna@example.com"},
        {"anna@example.com (Anna Berg)", "", "anna@example.com"},
        {"anna@example.com <anna@example.com>", "anna@example.com", "anna@example.com"},
        {"Jørgen Ås <j@example.no>", "Jørgen Ås", "j@example.no"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = NULL;
        g_autofree char *address = NULL;
        g_autoptr(GError) error = NULL;
        gboolean ok = address_parse(cases[i].text, &name, &address, &error);
        if (!ok)
            print_error("%s: %s\n", cases[i].text, error->message);
        assert_true(ok);
        assert_string_equal(name, cases[i].name);
        assert_string_equal(address, cases[i].address);
    }
    assert_true(address_parse("Anna <anna@example.com>", NULL, NULL, NULL));
}

static void test_not_one_mailbox(void **state)
{
    (void)state;
    const char *texts[] = {
        "a@example.com, b@example.com",
        "Anna <a@example.com>, Bo <b@example.com>",
        "Berg, Anna <a@example.com>",
        "Team: a@example.com, b@example.com;",
        "Team: a@example.com;",
        "undisclosed-recipients:;",
        "Anna <a@example.com> <b@example.com>",
        "Anna <a@example.com> b@example.com",
        "Anna <a@example.com>x",
        "Anna <a@example.com",
        "Anna a@example.com>",
        "Anna <>",
        "\"Anna <a@example.com>",
        "Anna (x <a@example.com>",
        "\"anna\"@example.com",
        "<<a@example.com>>",
        "a@example.com b@example.com",
        "Anna <a@example.com>\r\nBcc: x@example.com",
        "Anna\r\nBcc: x@example.com <a@example.com>",
        "An\x01na <a@example.com>",
        "Anna <a b@example.com>",
        "Anna < a@example.com >",
        "",
        "<",
        "\"",
        "(",
        "\\",
        "\"\\",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        char *name = (char *)"untouched";
        char *address = (char *)"untouched";
        g_autoptr(GError) error = NULL;
        if (address_parse(texts[i], &name, &address, &error))
            print_error("taken: \"%s\" as [%s] [%s]\n", texts[i], name, address);
        assert_non_null(error);
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_ADDRESS));
        assert_string_equal(name, "untouched");
        assert_string_equal(address, "untouched");
    }
}

static void test_domains(void **state)
{
    (void)state;
    const char *const domains[] = {"example.com", "berg.no", NULL};
    const char *const none[] = {NULL};
    assert_string_equal(address_domain("a@example.com"), "example.com");
    assert_string_equal(address_domain("nothing"), "");
    assert_true(address_in_domains("a@example.com", domains));
    assert_true(address_in_domains("a@mail.example.com", domains));
    assert_true(address_in_domains("a@berg.no", domains));
    assert_false(address_in_domains("a@notexample.com", domains));
    assert_false(address_in_domains("a@example.com.evil.org", domains));
    assert_false(address_in_domains("example.com@evil.org", domains));
    assert_false(address_in_domains("a@com", domains));
    assert_false(address_in_domains("a@example.com", none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_form), cmocka_unit_test(test_refused),         cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_not_one_mailbox), cmocka_unit_test(test_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
