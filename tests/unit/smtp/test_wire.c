/*
 * What may go on the wire: no command can be put into an address, and no message can be made to look like two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "smtp/limits.h"
#include "smtp/wire.h"

static void test_addresses(void **state)
{
    static const char *const good[] = {"a@b.example", "first.last+tag@sub.example.co", "o'neil@example.com",
                                       "blåbær@exåmple.no", "=weird!#$%&*/?^`{|}~@example.com"};
    static const char *const bad[] = {"a@b.example\r\nRCPT TO:<c@d>",
                                      "a@b\n",
                                      "a@b\r",
                                      "a b@c",
                                      "\"a b\"@c",
                                      "a@b\t",
                                      "a@b\v",
                                      "a@b>",
                                      "<a@b",
                                      "a@b> SIZE=1",
                                      "a\x01@b",
                                      "a@b\x7f",
                                      " a@b",
                                      "a@b "};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        assert_null(smtp_wire_address_fault(good[i], FALSE));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_non_null(smtp_wire_address_fault(bad[i], TRUE));
    assert_null(smtp_wire_address_fault("", TRUE));
    assert_non_null(smtp_wire_address_fault("", FALSE));
    g_autofree char *longest = g_strnfill(SMTP_ADDRESS_OCTETS, 'a'), *too_long = g_strnfill(SMTP_ADDRESS_OCTETS + 1, 'a');
    assert_null(smtp_wire_address_fault(longest, FALSE));
    assert_non_null(smtp_wire_address_fault(too_long, FALSE));
}

static void test_line_ends(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"a\r\nb\r\n", "a\r\nb\r\n"},
        {"a\nb\n", "a\r\nb\r\n"},
        {"a\rb\r", "a\r\nb\r\n"},
        {"a", "a\r\n"},
        {"a\r\nb", "a\r\nb\r\n"},
        {"a\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
        {"\n.\n", "\r\n.\r\n"},
        {"a\r\n.\nb\r\n", "a\r\n.\r\nb\r\n"},
        {"\r\n", "\r\n"},
        {"\n", "\r\n"},
        {"\r\r\n", "\r\n\r\n"},
        {"a\r\n\rb\r\n", "a\r\n\r\nb\r\n"},
        {"\r.\r\n", "\r\n.\r\n"},
        {"", ""},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) in = g_bytes_new_static(cases[i].in, strlen(cases[i].in));
        g_autoptr(GBytes) out = smtp_wire_lines(in);
        assert_int_equal(g_bytes_get_size(out), strlen(cases[i].want));
        assert_memory_equal(g_bytes_get_data(out, NULL) ? g_bytes_get_data(out, NULL) : "", cases[i].want,
                            strlen(cases[i].want));
    }
}

/* For any octets: no CR or LF stands alone, nothing else changed, and a second pass changes nothing. */
static void test_line_ends_of_any_octets(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261124);
    (void)state;
    for (int round = 0; round < 2000; round++) {
        guint8 octets[64];
        gsize size = (gsize)g_rand_int_range(rand, 1, sizeof octets);
        for (gsize i = 0; i < size; i++)
            octets[i] = (guint8) "\r\n.a\0b"[g_rand_int_range(rand, 0, 6)];
        g_autoptr(GBytes) in = g_bytes_new_static(octets, size);
        g_autoptr(GBytes) once = smtp_wire_lines(in);
        g_autoptr(GBytes) twice = smtp_wire_lines(once);
        gsize n;
        const char *out = g_bytes_get_data(once, &n);
        gsize at = 0;
        for (gsize i = 0; i < n; i++) {
            assert_true(out[i] != '\n' || (i > 0 && out[i - 1] == '\r'));
            assert_true(out[i] != '\r' || (i + 1 < n && out[i + 1] == '\n'));
            if (out[i] == '\r' || out[i] == '\n')
                continue;
            while (octets[at] == '\r' || octets[at] == '\n')
                at++;
            assert_int_equal(octets[at++], (guint8)out[i]);
        }
        while (at < size && (octets[at] == '\r' || octets[at] == '\n'))
            at++;
        assert_int_equal(at, size);
        assert_true(n >= 2 && out[n - 1] == '\n');
        assert_ptr_equal(once, twice); /* right as it is: no copy */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_line_ends_of_any_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
