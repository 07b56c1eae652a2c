/*
 * Threads and jobs: each job comes back once, on the loop; connections are as many as allowed and as needed; an end is
 * an end.
 */
#include "peer.h"

enum { MANY = 200 };

static void test_every_job_comes_back_once(void **state)
{
    Peer peer;
    Mail mails[MANY] = {0};
    guint n_done = 0;
    const SmtpCallbacks callbacks = {.compose = mail_compose, .done = mail_done, .data = &n_done};
    (void)state;
    peer_start(&peer, NULL);
    Account account = peer_account(peer.port);
    account.smtp.connections = 4;
    SmtpPool *pool = smtp_pool_new(&account, NULL, &callbacks);
    for (int i = 0; i < MANY; i++)
        mail_submit(pool, &mails[i], i % 10 == 3 ? "rcpt.550@x.example" : "ok@x.example");
    assert_int_equal(smtp_pool_pending(pool), MANY);
    assert_int_equal(n_done, 0); /* never from within submit */
    pool_drain(pool);
    assert_int_equal(n_done, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(mails[i].result.class, i % 10 == 3 ? DELIVERY_FAILED : DELIVERY_SENT);
        assert_true(mails[i].had_composed);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "MESSAGE"), MANY - MANY / 10);
    smtp_pool_free(pool, 1000);
    peer_stop(&peer);
}

static void test_order_on_one_connection(void **state)
{
    Peer peer;
    Mail mails[20] = {0};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autofree char *body = g_strdup_printf("Subject: %u\r\n\r\n\r\n", i);
        mails[i].bytes = g_bytes_new(body, strlen(body));
        mail_submit(pool, &mails[i], "ok@x.example");
    }
    pool_drain(pool);
    smtp_pool_free(pool, 1000);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autofree char *name = g_strdup_printf("%u.eml", i + 1), *want = g_strdup_printf("Subject: %u\r\n\r\n\r\n", i);
        g_autofree char *got = peer_read(&peer, name, NULL);
        assert_string_equal(got, want);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "OPENED"), 1);
    peer_stop(&peer);
}

static void test_what_is_not_composed_is_not_sent(void **state)
{
    Mail mail = {.bytes = NULL};
    const SmtpEnvelope envelope = {.sender = "ok@x.example", .recipient = "kari@customer.example"};
    const Account account = peer_account(1); /* nobody is there, and nobody is asked */
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    SmtpPool *pool = mail_pool(&account, &limits);
    smtp_pool_submit(pool, &mail, &envelope);
    pool_drain(pool);
    smtp_pool_free(pool, 1000);
    assert_int_equal(mail.result.class, DELIVERY_NOT_COMPOSED);
    assert_string_equal(mail.result.text, "no value for {{first_name}}");
    assert_false(mail.had_composed);
    mail_clear(&mail);
}

static void test_bad_addresses_reach_no_server(void **state)
{
    static const SmtpEnvelope envelopes[] = {
        {"a@b.example\r\nRCPT TO:<c@d.example>", "kari@customer.example"},
        {"a@b.example", "kari@customer.example\r\nRCPT TO:<c@d.example>"},
        {"a@b.example", "kari @customer.example"},
        {"a@b.example", "kari@customer.example\n"},
        {"a@b.example", ""},
        {"a@b.example", "x> ORCPT=rfc822;y"},
    };
    Peer peer;
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    for (gsize i = 0; i < G_N_ELEMENTS(envelopes); i++) {
        Mail mail = {.bytes = g_bytes_new_static(PEER_BODY, strlen(PEER_BODY))};
        smtp_pool_submit(pool, &mail, &envelopes[i]);
        assert_false(mail.is_done);
        pool_drain(pool);
        assert_int_equal(mail.result.class, DELIVERY_FAILED);
        assert_int_equal(mail.result.code, 0);
        assert_false(mail.result.recipient_unknown);
        assert_non_null(strstr(mail.result.text, "address"));
        mail_clear(&mail);
    }
    smtp_pool_free(pool, 1000);
    assert_int_equal(peer_count(&peer, "OPENED"), 0);
    peer_stop(&peer);
}

/* No more than the account allows, each closed with a QUIT. */
static void test_connections_stay_within_the_limit(void **state)
{
    Peer peer;
    Mail mails[12] = {0};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    Account account = peer_account(peer.port);
    account.smtp.connections = 3;
    SmtpPool *pool = mail_pool(&account, &limits);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_submit(pool, &mails[i], "dot.late0.1@x.example");
    pool_drain(pool);
    smtp_pool_free(pool, 1000);
    assert_int_equal(peer_count(&peer, "OPENED"), 3);
    assert_int_equal(peer_count(&peer, "QUIT"), 3);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        assert_int_equal(mails[i].result.class, DELIVERY_SENT);
        mail_clear(&mails[i]);
    }
    peer_stop(&peer);
}

static gboolean wake(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void wait_ms(guint ms)
{
    gboolean over = FALSE;
    g_timeout_add(ms, wake, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

static void test_idle_connection_is_closed(void **state)
{
    Peer peer;
    Mail mails[2] = {0};
    SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    limits.idle_ms = 100;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        mail_submit(pool, &mails[i], "ok@x.example");
        pool_drain(pool);
        wait_ms(500);
        assert_int_equal(peer_count(&peer, "QUIT"), i + 1);
        assert_int_equal(mails[i].result.class, DELIVERY_SENT);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "OPENED"), 2);
    smtp_pool_free(pool, 1000);
    peer_stop(&peer);
}

/* Submitting around the moment when an idle thread ends loses no job. */
static void test_no_job_is_lost_to_an_ending_thread(void **state)
{
    Peer peer;
    SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    limits.idle_ms = 2;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    for (guint i = 0; i < 60; i++) {
        Mail mail = {0};
        mail_submit(pool, &mail, "ok@x.example");
        pool_drain(pool);
        assert_int_equal(mail.result.class, DELIVERY_SENT);
        mail_clear(&mail);
        g_usleep(1500 + 50 * (i % 20));
    }
    smtp_pool_free(pool, 1000);
    peer_stop(&peer);
}

static void test_end_gives_back_what_was_not_begun(void **state)
{
    Peer peer;
    Mail mails[5] = {0};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_submit(pool, &mails[i], "dot.late0.5@x.example");
    while (peer_count(&peer, "MESSAGE") == 0)
        g_usleep(10000);
    smtp_pool_free(pool, 5000);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++) {
        assert_true(mails[i].is_done);
        assert_int_equal(mails[i].result.class, i == 0 ? DELIVERY_SENT : DELIVERY_UNREACHABLE);
        assert_false(mails[i].result.permanent);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "MESSAGE"), 1);
    peer_stop(&peer);
}

/* Wherever the server stalls, the end comes when it was said to. */
static void test_end_against_a_stalled_server(void **state)
{
    static const struct {
        const char *sender, *option;
        DeliveryClass class;
    } cases[] = {
        {"dot.hang@x.example", NULL, DELIVERY_UNCERTAIN},     {"rcpt.hang@x.example", NULL, DELIVERY_UNREACHABLE},
        {"ok@x.example", "--greeting", DELIVERY_UNREACHABLE}, {"ok@x.example", "--ehlo", DELIVERY_UNREACHABLE},
        {"dot.endless@x.example", NULL, DELIVERY_UNCERTAIN},  {"ok@x.example", "--quit", DELIVERY_SENT},
    };
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Peer peer;
        const char *options[] = {cases[i].option, "hang", NULL};
        Mail mail = {0};
        peer_start(&peer, cases[i].option ? options : NULL);
        const Account account = peer_account(peer.port);
        SmtpPool *pool = mail_pool(&account, &limits);
        mail_submit(pool, &mail, cases[i].sender);
        g_usleep(300000);
        gint64 start_ms = clock_monotonic_ms();
        smtp_pool_free(pool, 200);
        gint64 took_ms = clock_monotonic_ms() - start_ms;
        if (mail.result.class != cases[i].class || took_ms > 2500)
            fail_msg("case %u: %s \"%s\" after %d ms", i, delivery_class_name(mail.result.class), mail.result.text,
                     (int)took_ms);
        mail_clear(&mail);
        peer_stop(&peer);
    }
}

typedef struct {
    SmtpPool *pool;
    Mail *mails;
    guint n_sent, n_all;
} Chain;

static void submit_next(gpointer job, const DeliveryResult *result, const ComposedMessage *composed, gpointer data)
{
    Chain *chain = data;
    mail_done(job, result, composed, NULL);
    if (++chain->n_sent < chain->n_all)
        mail_submit(chain->pool, &chain->mails[chain->n_sent], "ok@x.example");
}

/* done() may submit the next one, as a courier does. */
static void test_submit_from_done(void **state)
{
    Peer peer;
    Mail mails[30] = {0};
    Chain chain = {.mails = mails, .n_all = G_N_ELEMENTS(mails)};
    const SmtpCallbacks callbacks = {.compose = mail_compose, .done = submit_next, .data = &chain};
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    chain.pool = smtp_pool_new(&account, NULL, &callbacks);
    mail_submit(chain.pool, &mails[0], "ok@x.example");
    pool_drain(chain.pool);
    assert_int_equal(chain.n_sent, G_N_ELEMENTS(mails));
    assert_int_equal(peer_count(&peer, "OPENED"), 1);
    for (guint i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_clear(&mails[i]);
    smtp_pool_free(chain.pool, 1000);
    peer_stop(&peer);
}

static void test_free_of_an_unused_pool(void **state)
{
    const Account account = peer_account(1);
    const SmtpLimits limits = PATIENT_LIMITS;
    gint64 start_ms = clock_monotonic_ms();
    (void)state;
    smtp_pool_free(mail_pool(&account, &limits), 10000);
    assert_true(clock_monotonic_ms() - start_ms < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_job_comes_back_once),
        cmocka_unit_test(test_order_on_one_connection),
        cmocka_unit_test(test_what_is_not_composed_is_not_sent),
        cmocka_unit_test(test_bad_addresses_reach_no_server),
        cmocka_unit_test(test_connections_stay_within_the_limit),
        cmocka_unit_test(test_idle_connection_is_closed),
        cmocka_unit_test(test_no_job_is_lost_to_an_ending_thread),
        cmocka_unit_test(test_end_gives_back_what_was_not_begun),
        cmocka_unit_test(test_end_against_a_stalled_server),
        cmocka_unit_test(test_submit_from_done),
        cmocka_unit_test(test_free_of_an_unused_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
