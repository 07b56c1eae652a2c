/*
 * Folder names on the wire: RFC 3501's modified UTF-7, and nothing that could end a command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "imap/fault.h"
#include "imap/folder_name.h"

static void test_names(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"INBOX", "INBOX"},
        {"Sent Items", "Sent Items"},
        {"a & b", "a &- b"},
        {"&", "&-"},
        {"\"\\", "\"\\"},
        {"\303\245pne", "&AOU-pne"},
        {"S\303\270k/\303\205", "S&APg-k/&AMU-"},
        {"~peter/mail/\345\217\260\345\214\227/\346\227\245\346\234\254\350\252\236",
         "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, /* the RFC's */
        {"\303\246\303\270\303\245", "&AOYA+ADl-"},
        {"\360\237\230\200", "&2D3eAA-"}, /* a surrogate pair */
        {"\303\245&\303\245", "&AOU-&-&AOU-"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = folder_wire_name(rows[i].name, NULL);
        assert_string_equal(got, rows[i].want);
    }
}

static void test_what_is_no_name(void **state)
{
    static const char *const names[] = {"",       "a\r\nb", "a\nb",     "a\rb",         "a\tb",
                                        "a\177b", "\xff",   "\xc3\x28", "\xc2\x85next", "\xed\xa0\x80"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(folder_wire_name(names[i], &error));
        assert_true(g_error_matches(error, IMAP_FAULT, IMAP_FAULT_LOCAL));
        assert_null(strpbrk(error->message, "\r\n\t"));
    }
    g_autofree char *huge = g_strnfill(1001, 'a');
    assert_null(folder_wire_name(huge, NULL));
}

/* What is encoded is always printable ASCII, and decodes to what it was by glib's UTF-7, whose "+" is IMAP's "&". */
static void test_every_character_goes_and_comes_back(void **state)
{
    (void)state;
    for (gunichar c = 0xA0; c < 0x11000; c += 7) {
        if ((c >= 0xD800 && c <= 0xDFFF) || g_unichar_iscntrl(c))
            continue;
        g_autoptr(GString) name = g_string_new("x");
        g_string_append_unichar(name, c);
        g_string_append_unichar(name, c + 1 >= 0xD800 && c + 1 <= 0xDFFF ? 'y' : c + 1);
        g_autofree char *wire = folder_wire_name(name->str, NULL);
        assert_non_null(wire);
        for (char *at = wire; *at != '\0'; at++) {
            assert_true(*at >= 0x20 && *at < 0x7f);
            *at = *at == '&' ? '+' : *at == ',' ? '/' : *at;
        }
        g_autofree char *back = g_convert(wire, -1, "UTF-8", "UTF-7", NULL, NULL, NULL);
        assert_string_equal(back, name->str);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_name),
        cmocka_unit_test(test_every_character_goes_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
