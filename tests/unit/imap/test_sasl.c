/* Protects the SASL messages: the examples of the RFCs and of Google's description, byte for byte, and what a server's reason may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "config/secret.h"
#include "imap/sasl.h"

static void expect(char *made, const char *want)
{
    assert_string_equal(made, want);
    secret_free(made);
}

static void test_the_examples_of_the_standards(void **state)
{
    (void)state;
    expect(sasl_cram_md5("tim", "tanstaaftanstaaf", "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"),
           "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
    expect(sasl_xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"),
           "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cB"
           "AQ==");
    expect(sasl_oauthbearer("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143),
           "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNS"
           "bGNrQmhiSFJo"
           "ZG1semRHRXVZMjl0Q2c9PQEB");
    expect(sasl_plain("tim", "tanstaaftanstaaf"), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
}

static void test_a_user_cannot_say_more_than_a_name(void **state)
{
    (void)state;
    gsize size = 0;
    char *made = sasl_oauthbearer("a,b=c", "t", "h", 1);
    g_autofree char *octets = (char *)g_base64_decode(made, &size);
    assert_memory_equal(octets, "n,a=a=2Cb=3Dc,\001host=h\001port=1\001auth=Bearer t\001\001", size);
    secret_free(made);
}

static void test_a_challenge_that_is_none(void **state)
{
    (void)state;
    assert_null(sasl_cram_md5("u", "p", ""));
    assert_null(sasl_cram_md5("u", "p", "<1@x>"));
    assert_null(sasl_cram_md5("u", "p", "AAA"));
}

static void test_the_reason_of_a_refusal(void **state)
{
    (void)state;
    const struct {
        const char *text, *want;
    } cases[] = {{"{\"status\":\"invalid_token\",\"scope\":\"x\"}", "invalid_token"}, {"no\r\nJSON", "no\\r\\nJSON"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *challenge = g_base64_encode((const guchar *)cases[i].text, strlen(cases[i].text));
        g_autofree char *reason = sasl_oauth_reason(challenge);
        assert_string_equal(reason, cases[i].want);
    }
    g_autofree char *none = sasl_oauth_reason("*");
    assert_string_equal(none, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standards),
        cmocka_unit_test(test_a_user_cannot_say_more_than_a_name),
        cmocka_unit_test(test_a_challenge_that_is_none),
        cmocka_unit_test(test_the_reason_of_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
