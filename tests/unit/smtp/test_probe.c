/*
 * smtp/probe: says what a message would meet up to the sign-in, and sends none.
 */
#include "peer.h"

#include "smtp/probe.h"

enum { WAIT_MS = 5000 };

static gboolean probe(const Account *account, DeliveryResult *ret_trouble)
{
    const SmtpCallbacks callbacks = {0};
    return smtp_probe(account, &callbacks, WAIT_MS, ret_trouble);
}

static void sign_in_as(Account *account, const char *user)
{
    account->smtp.server.user = (char *)user;
    account->smtp.server.password = (SecretSource){.kind = SECRET_TEXT, .value = (char *)"correct-horse"};
}

static void test_well_and_nothing_sent(void **state)
{
    static const char *const offers[] = {"--auth=PLAIN LOGIN", "--auth=LOGIN", NULL};
    (void)state;
    for (const char *const *offer = offers; *offer; offer++) {
        const char *options[] = {*offer, NULL};
        Peer peer;
        peer_start(&peer, options);
        Account account = peer_account(peer.port);
        sign_in_as(&account, "anna");
        DeliveryResult trouble = {0};
        if (!probe(&account, &trouble))
            fail_msg("%s: %d %s", *offer, trouble.code, trouble.text);
        assert_true(peer_count(&peer, "AUTH") > 0);
        assert_int_equal(peer_count(&peer, "NOOP"), 1);
        assert_int_equal(peer_count(&peer, "QUIT"), 1);
        assert_int_equal(peer_count(&peer, "MAIL"), 0);
        peer_stop(&peer);
    }
}

static void test_trouble(void **state)
{
    static const struct {
        const char *option, *value, *words;
        int code;
        gboolean refused;
    } rows[] = {
        {"--auth-reply=535", "--auth=PLAIN", "", 535, TRUE},
        {"--greeting=554", "--auth=PLAIN", "", 554, FALSE},
        {"--greeting=drop", "--auth=PLAIN", "lost", 0, FALSE},
        {"--ehlo=hang", "--auth=PLAIN", "gave no answer to EHLO", 0, FALSE},
        {"--auth=GSSAPI", NULL, "sign-in", 0, FALSE},
        {"--auth=CRAM-MD5", NULL, "no such mechanism", 504, TRUE}, /* the second try, which a delivery makes as well */
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *options[] = {rows[i].option, rows[i].value, NULL};
        DeliveryResult trouble = {0};
        Peer peer;
        peer_start(&peer, options);
        Account account = peer_account(peer.port);
        sign_in_as(&account, "anna");
        assert_false(probe(&account, &trouble));
        if (trouble.code != rows[i].code || !strstr(trouble.text, rows[i].words) || trouble.sign_in_refused != rows[i].refused)
            fail_msg("%s: %d \"%s\"", rows[i].option, trouble.code, trouble.text);
        assert_null(strstr(trouble.text, "correct-horse"));
        assert_int_equal(peer_count(&peer, "MAIL"), 0);
        delivery_result_clear(&trouble);
        peer_stop(&peer);
    }
}

static void test_nobody_there(void **state)
{
    DeliveryResult trouble = {0};
    const Account account = peer_account(9);
    (void)state;
    assert_false(probe(&account, &trouble));
    assert_int_equal(trouble.class, DELIVERY_UNREACHABLE);
    assert_non_null(strstr(trouble.text, "no connection to 127.0.0.1:9"));
    delivery_result_clear(&trouble);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_and_nothing_sent), cmocka_unit_test(test_trouble), cmocka_unit_test(test_nobody_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
