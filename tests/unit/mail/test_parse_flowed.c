/*
 * mail/parse_flowed: what a mail program wrapped is whole again, and quotes keep their depth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/parse_flowed.h"

static void test_lines_are_joined(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gboolean delete_space;
        const char *want;
    } cases[] = {
        {"one \ntwo\n", FALSE, "one two\n"},
        {"one \ntwo\n", TRUE, "onetwo\n"},
        {"one\ntwo\n", FALSE, "one\ntwo\n"},
        {" From stuffed\n", FALSE, "From stuffed\n"},
        {"> one \n> two\n", FALSE, "> one two\n"},
        {">> one \n> two\n", FALSE, ">> one \n> two\n"}, /* another depth ends the paragraph */
        {"> one \nmine\n", FALSE, "> one \nmine\n"},
        {"last \n-- \nKari\n", FALSE, "last \n-- \nKari\n"},
        {"one \n\ntwo\n", FALSE, "one \ntwo\n"},
        {"no end ", FALSE, "no end "},
        {"", FALSE, ""},
        {">", FALSE, "> "},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = parse_flowed(cases[i].text, cases[i].delete_space);
        assert_string_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_are_joined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
