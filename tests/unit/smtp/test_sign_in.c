/* Protects what is read of a server's offer, and that its words are not told on where they repeat anything secret of a sign-in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "smtp/sign_in.h"

static void test_offers(void **state)
{
    static const struct {
        const char *line;
        guint want;
    } cases[] = {{"250-AUTH PLAIN LOGIN\r\n", OFFERS_PASSWORD},
                 {"250 AUTH CRAM-MD5\r\n", OFFERS_CRAM_MD5},
                 {"250-auth=login cram-md5\r\n", OFFERS_PASSWORD | OFFERS_CRAM_MD5},
                 {"250-AUTH PLAINER XPLAIN\r\n", 0},
                 {"250-AUTH\r\n", 0},
                 {"250-8BITMIME\r\n", 0},
                 {"250", 0},
                 {"", 0},
                 {"250-AUTH SCRAM-SHA-1 PLAIN", OFFERS_PASSWORD}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(smtp_sign_in_offers(cases[i].line, strlen(cases[i].line)), cases[i].want);
}

static void test_cram_md5_is_for_servers_with_nothing_else(void **state)
{
    Endpoint server = {.user = (char *)"anna", .sign_in = SIGN_IN_AUTO};
    (void)state;
    assert_true(smtp_sign_in_wants_cram_md5(&server, OFFERS_CRAM_MD5));
    assert_false(smtp_sign_in_wants_cram_md5(&server, OFFERS_CRAM_MD5 | OFFERS_PASSWORD));
    assert_false(smtp_sign_in_wants_cram_md5(&server, 0));
    server.sign_in = SIGN_IN_PLAIN;
    assert_false(smtp_sign_in_wants_cram_md5(&server, OFFERS_CRAM_MD5));
}

static void test_what_repeats_a_secret(void **state)
{
    /* base64 of "\0anna\0open-sesame", of "open-sesame", of "user=anna\1auth=Bearer tok-12345\1\1" */
    static const struct {
        const char *said, *text;
        gboolean want;
    } cases[] = {
        {"AUTH PLAIN AGFubmEAb3Blbi1zZXNhbWU=\r\n", "535 bad password open-sesame", TRUE},
        {"AUTH PLAIN AGFubmEAb3Blbi1zZXNhbWU=\r\n", "I do not know AGFubmEAb3Blbi1zZXNhbWU=", TRUE},
        {"AUTH PLAIN\r\nAGFubmEAb3Blbi1zZXNhbWU=\r\n", "authentication failed for anna by PLAIN", FALSE},
        {"AUTH LOGIN\r\nYW5uYQ==\r\nb3Blbi1zZXNhbWU=\r\n", "open-sesame is wrong", TRUE},
        {"AUTH XOAUTH2\r\ndXNlcj1hbm5hAWF1dGg9QmVhcmVyIHRvay0xMjM0NQEB\r\n", "token tok-12345 has ended", TRUE},
        {"AUTH XOAUTH2\r\ndXNlcj1hbm5hAWF1dGg9QmVhcmVyIHRvay0xMjM0NQEB\r\n", "invalid_token", FALSE},
        /* cut by the length that is kept of a reply */
        {"AUTH PLAIN AGFubmEAb3Blbi1zZXNhbWU=\r\n", "I do not know AGFubmEAb3Blbi1z", TRUE},
        {"AUTH LOGIN\r\nYW5uYQ==\r\nb3Blbi1zZXNhbWUtYW5kLW1vcmU=\r\n", "I do not know open-sesame-and", FALSE},
        {"AUTH LOGIN\r\nYW5uYQ==\r\nb3Blbi1zZXNhbWUtYW5kLW1vcmU=\r\n", "I do not know open-sesame-and-", TRUE},
        {"", "anything", FALSE},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (smtp_sign_in_is_told(cases[i].said, "anna", cases[i].text) != cases[i].want)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_cram_md5_is_for_servers_with_nothing_else),
        cmocka_unit_test(test_what_repeats_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
