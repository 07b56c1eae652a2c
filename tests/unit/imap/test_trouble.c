/*
 * Protects: what mail providers say when they are asked too much or cannot answer is told from a refusal, and waited out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "imap/fault.h"
#include "imap/limits.h"
#include "imap/trouble.h"

static void test_words_of_servers(void **state)
{
    static const struct {
        int code;
        const char *words;
        Trouble want;
    } rows[] = {
        {IMAP_FAULT_NETWORK, "the server closed the connection", TROUBLE_PLAIN},
        {IMAP_FAULT_SIGN_IN, "sign-in refused: [AUTHENTICATIONFAILED] Invalid credentials (Failure)", TROUBLE_REFUSED},
        {IMAP_FAULT_CERTIFICATE, "expired", TROUBLE_REFUSED},
        {IMAP_FAULT_SIGN_IN, "sign-in refused: [UNAVAILABLE] Temporary authentication failure", TROUBLE_BUSY},
        {IMAP_FAULT_SIGN_IN, "sign-in refused: [ALERT] Too many simultaneous connections. (Failure)", TROUBLE_THROTTLED},
        {IMAP_FAULT_NETWORK, "the server says goodbye: [OVERQUOTA] Account exceeded command or bandwidth limits.", TROUBLE_THROTTLED},
        {IMAP_FAULT_NETWORK, "the server says goodbye: Account exceeded command or bandwidth limits. u10", TROUBLE_THROTTLED},
        {IMAP_FAULT_SERVER, "FETCH refused: Request is throttled. Suggested Backoff Time: 299961 milliseconds", TROUBLE_THROTTLED},
        {IMAP_FAULT_SERVER, "SEARCH refused: User is authenticated but not connected.", TROUBLE_BUSY},
        {IMAP_FAULT_SERVER, "folder INBOX refused: [INUSE] Mailbox is locked", TROUBLE_BUSY},
        {IMAP_FAULT_LOCAL, "the file \"rate limit\" cannot be read", TROUBLE_PLAIN},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(trouble_of(rows[i].code, rows[i].words), rows[i].want);
}

static void test_tries_grow_rarer_up_to_a_limit(void **state)
{
    static const struct {
        Trouble trouble;
        gint64 first_ms, max_ms;
    } rows[] = {{TROUBLE_PLAIN, RETRY_FIRST_MS, RETRY_MAX_MS},
                {TROUBLE_REFUSED, RETRY_REFUSED_MS, RETRY_MAX_MS},
                {TROUBLE_BUSY, RETRY_BUSY_MS, RETRY_MAX_MS},
                {TROUBLE_THROTTLED, RETRY_THROTTLED_MS, RETRY_THROTTLED_MAX_MS}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        for (guint failures = 0; failures < 100; failures++) {
            gint64 delay_ms = trouble_delay_ms(rows[i].trouble, "", failures);
            gint64 whole_ms = failures < 12 ? MIN(rows[i].first_ms << failures, rows[i].max_ms) : rows[i].max_ms;
            assert_in_range(delay_ms, whole_ms * 3 / 4, whole_ms);
        }
}

static void test_a_time_that_the_server_names_is_kept_to(void **state)
{
    static const char words[] = "FETCH refused: Request is throttled. Suggested Backoff Time: 299961 milliseconds";
    static const char long_words[] = "Request is throttled. Suggested Backoff Time: 99999999999999999999999 milliseconds";
    (void)state;
    assert_int_equal(trouble_delay_ms(TROUBLE_THROTTLED, words, 0), 299961);
    assert_int_equal(trouble_delay_ms(TROUBLE_THROTTLED, long_words, 0), RETRY_THROTTLED_MAX_MS);
    assert_true(trouble_delay_ms(TROUBLE_THROTTLED, "Suggested Backoff Time: 1 milliseconds", 0) >= RETRY_THROTTLED_MS * 3 / 4);
    assert_true(trouble_delay_ms(TROUBLE_PLAIN, words, 0) <= RETRY_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words_of_servers), cmocka_unit_test(test_tries_grow_rarer_up_to_a_limit),
                                       cmocka_unit_test(test_a_time_that_the_server_names_is_kept_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
