/*
 * The conversation with a server that does wrong, or breaks off, at each point: what is certain is told, what is not is
 * "uncertain", nothing is sent twice, no answer is taken for another message's, and every wait ends.
 */
#include "peer.h"

#include <gio/gio.h>

typedef struct {
    const char *sender; /* tells the peer what to do: see tests/peers/evilsmtp.py */
    DeliveryClass class;
    int code;
    guint n_messages; /* that the peer has whole after it */
} Case;

/* Each on a pool of its own, so that nothing comes from the one before. */
static void check_each(const Case *cases, gsize n, const SmtpLimits *limits)
{
    Peer peer;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    guint before = 0;
    for (gsize i = 0; i < n; i++) {
        const char *senders[] = {cases[i].sender, NULL};
        Mail mail = {0};
        send_each(&account, limits, senders, &mail);
        guint now = peer_count(&peer, "MESSAGE");
        if (!mail.is_done || mail.result.class != cases[i].class || mail.result.code != cases[i].code ||
            now - before != cases[i].n_messages)
            fail_msg("%s: %s %d \"%s\", %u messages", cases[i].sender, delivery_class_name(mail.result.class),
                     mail.result.code, mail.result.text, now - before);
        assert_true(mail.result.class == DELIVERY_SENT || *mail.result.text);
        before = now;
        mail_clear(&mail);
    }
    peer_stop(&peer);
}

static void test_refusals(void **state)
{
    static const Case cases[] = {
        {"ok@x.example", DELIVERY_SENT, 250, 1},
        {"mail.450@x.example", DELIVERY_DEFERRED, 450, 0},
        {"mail.550@x.example", DELIVERY_FAILED, 550, 0},
        {"mail.421@x.example", DELIVERY_UNREACHABLE, 421, 0},
        {"mail.530@x.example", DELIVERY_UNREACHABLE, 530, 0},
        {"rcpt.451@x.example", DELIVERY_DEFERRED, 451, 0},
        {"rcpt.550@x.example", DELIVERY_FAILED, 550, 0},
        {"rcpt.421@x.example", DELIVERY_UNREACHABLE, 421, 0},
        {"data.451@x.example", DELIVERY_DEFERRED, 451, 0},
        {"data.554@x.example", DELIVERY_FAILED, 554, 0},
        {"data.421@x.example", DELIVERY_UNREACHABLE, 421, 0},
        {"dot.452@x.example", DELIVERY_DEFERRED, 452, 1},
        {"dot.554@x.example", DELIVERY_FAILED, 554, 1},
        {"dot.421@x.example", DELIVERY_UNREACHABLE, 421, 1},
    };
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    check_each(cases, G_N_ELEMENTS(cases), &limits);
}

static void test_broken_off(void **state)
{
    static const Case cases[] = {
        {"mail.drop@x.example", DELIVERY_UNREACHABLE, 0, 0}, {"mail.rst@x.example", DELIVERY_UNREACHABLE, 0, 0},
        {"mail.half@x.example", DELIVERY_UNREACHABLE, 0, 0}, {"mail.multi@x.example", DELIVERY_UNREACHABLE, 0, 0},
        {"rcpt.drop@x.example", DELIVERY_DEFERRED, 0, 0},    {"rcpt.rst@x.example", DELIVERY_DEFERRED, 0, 0},
        {"data.drop@x.example", DELIVERY_DEFERRED, 0, 0},    {"data.half@x.example", DELIVERY_DEFERRED, 0, 0},
        {"data.odd@x.example", DELIVERY_DEFERRED, 0, 0},     {"body.drop@x.example", DELIVERY_UNCERTAIN, 0, 0},
        {"dot.drop@x.example", DELIVERY_UNCERTAIN, 0, 1},    {"dot.rst@x.example", DELIVERY_UNCERTAIN, 0, 1},
        {"dot.half@x.example", DELIVERY_UNCERTAIN, 0, 1},    {"dot.nocrlf@x.example", DELIVERY_UNCERTAIN, 0, 1},
        {"dot.multi@x.example", DELIVERY_UNCERTAIN, 0, 1},   {"dot.odd@x.example", DELIVERY_UNCERTAIN, 0, 1},
        {"dot.okdrop@x.example", DELIVERY_SENT, 250, 1},     {"dot.trickle@x.example", DELIVERY_SENT, 250, 1},
    };
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    check_each(cases, G_N_ELEMENTS(cases), &limits);
}

static void test_no_answer(void **state)
{
    static const Case cases[] = {
        {"mail.hang@x.example", DELIVERY_UNREACHABLE, 0, 0},    {"rcpt.hang@x.example", DELIVERY_DEFERRED, 0, 0},
        {"data.hang@x.example", DELIVERY_DEFERRED, 0, 0},       {"dot.hang@x.example", DELIVERY_UNCERTAIN, 0, 1},
        {"mail.garbage@x.example", DELIVERY_UNREACHABLE, 0, 0}, {"dot.garbage@x.example", DELIVERY_UNCERTAIN, 0, 1},
    };
    SmtpLimits limits = PATIENT_LIMITS;
    gint64 start_ms = clock_monotonic_ms();
    (void)state;
    limits.command_ms = limits.final_ms = 300;
    check_each(cases, G_N_ELEMENTS(cases), &limits);
    assert_true(clock_monotonic_ms() - start_ms < (gint64)G_N_ELEMENTS(cases) * 3000);
}

/* Lines without end, at full speed: ended by their size, long before the time is out. */
static void test_endless_reply(void **state)
{
    static const Case cases[] = {
        {"rcpt.endless@x.example", DELIVERY_DEFERRED, 0, 0},
        {"dot.endless@x.example", DELIVERY_UNCERTAIN, 0, 1},
    };
    const SmtpLimits limits = PATIENT_LIMITS;
    gint64 start_ms = clock_monotonic_ms();
    (void)state;
    check_each(cases, G_N_ELEMENTS(cases), &limits);
    assert_true(clock_monotonic_ms() - start_ms < 10000);
}

/* The dot may be answered late: its limit is another than a command's, in both directions. */
static void test_final_answer_has_its_own_limit(void **state)
{
    Peer peer;
    const char *senders[] = {"dot.late3@x.example", NULL};
    SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {0};
    (void)state;
    limits.command_ms = 1000;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_SENT);
    mail_clear(&mail);
    peer_stop(&peer);
}

/* A 250 that comes after we gave up belongs to no other message. */
static void test_late_answer_is_not_the_next_ones(void **state)
{
    Peer peer;
    const char *senders[] = {"dot.late3@x.example", "dot.hang@x.example", "dot.554@x.example", "ok@x.example", NULL};
    static const DeliveryClass want[] = {DELIVERY_UNCERTAIN, DELIVERY_UNCERTAIN, DELIVERY_FAILED, DELIVERY_SENT};
    SmtpLimits limits = PATIENT_LIMITS;
    Mail mails[4] = {0};
    (void)state;
    limits.final_ms = 500;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, mails);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        assert_int_equal(mails[i].result.class, want[i]);
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "OPENED"), 3);
    peer_stop(&peer);
}

/* An answer too many puts the connection out of step; no message may be told by it. */
static void test_answer_too_many(void **state)
{
    Peer peer;
    const char *senders[] = {"dot.two@x.example", "rcpt.550@x.example", "dot.ok421@x.example", "ok@x.example", NULL};
    Mail mails[4] = {0};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, mails);
    assert_int_equal(mails[0].result.class, DELIVERY_SENT);
    /* where the stray answer came in one segment with the true one, the next attempt meets it and is put off, never
     * "sent" */
    assert_true(mails[1].result.class == DELIVERY_FAILED || mails[1].result.class == DELIVERY_DEFERRED);
    assert_int_equal(mails[2].result.class, DELIVERY_SENT);
    assert_int_equal(mails[3].result.class, DELIVERY_SENT);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_clear(&mails[i]);
    peer_stop(&peer);
}

/* A word unasked between two messages: the connection is not trusted with the next. */
static void test_unasked_answer_between_messages(void **state)
{
    static const char *const first[] = {"dot.two0.1@x.example", "dot.ok421@x.example", "dot.okdrop@x.example"};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(first); i++) {
        Peer peer;
        Mail mails[2] = {0};
        peer_start(&peer, NULL);
        const Account account = peer_account(peer.port);
        SmtpPool *pool = mail_pool(&account, &limits);
        mail_submit(pool, &mails[0], first[i]);
        pool_drain(pool);
        g_usleep(400000);
        mail_submit(pool, &mails[1], "ok@x.example");
        pool_drain(pool);
        smtp_pool_free(pool, 1000);
        for (gsize k = 0; k < G_N_ELEMENTS(mails); k++) {
            if (mails[k].result.class != DELIVERY_SENT)
                fail_msg("%s, message %zu: %s", first[i], k, mails[k].result.text);
            mail_clear(&mails[k]);
        }
        assert_int_equal(peer_count(&peer, "MAIL FROM"), 2);
        assert_int_equal(peer_count(&peer, "OPENED"), 2);
        peer_stop(&peer);
    }
}

/* libcurl says QUIT after a refusal, and so do we when we end; neither waits long for a server that is silent then. */
static void test_silence_after_quit(void **state)
{
    Peer peer;
    const char *options[] = {"--quit", "hang", NULL}, *senders[] = {"rcpt.550@x.example", "ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mails[2] = {0};
    gint64 start_ms = clock_monotonic_ms();
    (void)state;
    peer_start(&peer, options);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, mails);
    assert_int_equal(mails[0].result.class, DELIVERY_FAILED);
    assert_int_equal(mails[1].result.class, DELIVERY_SENT);
    assert_true(clock_monotonic_ms() - start_ms < 6000);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++)
        mail_clear(&mails[i]);
    peer_stop(&peer);
}

static void test_connection_is_used_again(void **state)
{
    Peer peer;
    const char *senders[] = {"ok@x.example", "dot.554@x.example", "ok@x.example", "ok@x.example", "ok@x.example", NULL};
    Mail mails[5] = {0};
    SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    limits.max_messages = 3;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, mails);
    for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
        assert_int_equal(mails[i].result.class, i == 1 ? DELIVERY_FAILED : DELIVERY_SENT);
        assert_string_equal(mails[i].result.text, i == 1 ? "first line second line" : "queued as ABC123");
        assert_string_equal(mails[i].result.enhanced, i == 1 ? "5.1.1" : "2.0.0");
        mail_clear(&mails[i]);
    }
    assert_int_equal(peer_count(&peer, "OPENED"), 2); /* three on the first, two on the next */
    assert_int_equal(peer_count(&peer, "QUIT"), 2);
    assert_int_equal(peer_count(&peer, "EHLO sender.example"), 2);
    peer_stop(&peer);
}

/* A server that closes between two messages costs nothing, whether it says so or not, or only when spoken to. */
static void test_stale_connection(void **state)
{
    static const char *const second[] = {"mail.stale@x.example", "mail.stale421@x.example", "rcpt.stale421@x.example"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(second); i++) {
        Peer peer;
        const char *senders[] = {"ok@x.example", second[i], "dot.okdrop@x.example", "ok@x.example", NULL};
        Mail mails[4] = {0};
        const SmtpLimits limits = PATIENT_LIMITS;
        peer_start(&peer, NULL);
        const Account account = peer_account(peer.port);
        send_each(&account, &limits, senders, mails);
        for (gsize k = 0; k < G_N_ELEMENTS(mails); k++) {
            if (mails[k].result.class != DELIVERY_SENT)
                fail_msg("%s: %s", senders[k], mails[k].result.text);
            mail_clear(&mails[k]);
        }
        assert_int_equal(peer_count(&peer, "MESSAGE"), 4);
        peer_stop(&peer);
    }
}

/* The same fault on a fresh connection is not tried again. */
static void test_only_stale_is_tried_again(void **state)
{
    Peer peer;
    const char *senders[] = {"mail.drop@x.example", NULL};
    Mail mail = {0};
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_int_equal(peer_count(&peer, "MAIL FROM"), 1);
    mail_clear(&mail);
    peer_stop(&peer);
}

typedef struct {
    const char *option, *action;
    int code;
} Setup;

static void test_faults_before_mail(void **state)
{
    static const Setup setups[] = {
        {"--greeting", "554", 554}, {"--greeting", "421", 421},   {"--greeting", "drop", 0},    {"--greeting", "hang", 0},
        {"--greeting", "half", 0},  {"--greeting", "garbage", 0}, {"--greeting", "endless", 0}, {"--ehlo", "drop", 0},
        {"--ehlo", "hang", 0},      {"--ehlo", "421", 421},       {"--ehlo", "endless", 0},
    };
    SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    limits.command_ms = 500;
    for (gsize i = 0; i < G_N_ELEMENTS(setups); i++) {
        Peer peer;
        const char *options[] = {setups[i].option, setups[i].action, NULL}, *senders[] = {"ok@x.example", NULL};
        Mail mail = {0};
        peer_start(&peer, options);
        const Account account = peer_account(peer.port);
        gint64 start_ms = clock_monotonic_ms();
        send_each(&account, &limits, senders, &mail);
        if (mail.result.class != DELIVERY_UNREACHABLE || mail.result.code != setups[i].code || mail.result.permanent ||
            clock_monotonic_ms() - start_ms > 8000)
            fail_msg("%s %s: %s %d \"%s\"", setups[i].option, setups[i].action, delivery_class_name(mail.result.class),
                     mail.result.code, mail.result.text);
        assert_int_equal(peer_count(&peer, "MESSAGE"), 0);
        mail_clear(&mail);
        peer_stop(&peer);
    }
}

/* An old server that knows HELO only is good enough where nobody needs to sign in. */
static void test_server_without_ehlo(void **state)
{
    Peer peer;
    const char *options[] = {"--ehlo", "502", NULL}, *senders[] = {"ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {0};
    (void)state;
    peer_start(&peer, options);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_SENT);
    assert_int_equal(peer_count(&peer, "HELO sender.example"), 1);
    mail_clear(&mail);
    peer_stop(&peer);
}

static void test_nobody_there(void **state)
{
    g_autoptr(GSocket) taken = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
    const char *senders[] = {"ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {0};
    (void)state;
    assert_true(g_socket_bind(taken, any, FALSE, NULL)); /* and does not listen */
    g_autoptr(GSocketAddress) bound = g_socket_get_local_address(taken, NULL);
    Account account = peer_account(g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound)));
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_false(mail.result.permanent);
    assert_non_null(strstr(mail.result.text, "127.0.0.1"));
    mail_clear(&mail);

    account.smtp.server.host = (char *)"no-such-host.invalid";
    mail = (Mail){0};
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_UNREACHABLE);
    assert_non_null(strstr(mail.result.text, "no-such-host.invalid"));
    mail_clear(&mail);
}

static GBytes *make_body(gsize size, GRand *rand)
{
    static const char *const pieces[] = {"\r\n", "\r\n.", "\r\n..", "\r\n.\r\n", ".", "a", "some words ", "\r\n.x"};
    GString *body = g_string_sized_new(size + 8);
    g_string_append(body, "Subject: body\r\n\r\n");
    while (body->len + 2 < size)
        g_string_append(body, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
    g_string_truncate(body, size > 2 ? size - 2 : 0);
    if (body->len > 0 && body->str[body->len - 1] == '\r')
        body->str[body->len - 1] = 'x';
    g_string_append(body, "\r\n");
    return g_string_free_to_bytes(body);
}

/* libcurl sends 64 KiB a turn, dots stuffed. This many octets more than a turn as there are dots in it: told the raw
 * size, it would think itself done after the first. */
static GBytes *make_body_of_one_turn_and_dots(guint n_dots)
{
    GString *body = g_string_new("Subject: dots\r\n\r\n");
    for (guint i = 0; i < n_dots; i++)
        g_string_append(body, ".\r\n");
    while (body->len < 65536 + n_dots - 2)
        g_string_append_c(body, 'x');
    g_string_append(body, "\r\n");
    return g_string_free_to_bytes(body);
}

static void check_body_arrives(SmtpPool *pool, const Peer *peer, guint number, GBytes *body)
{
    Mail mail = {.bytes = body};
    mail_submit(pool, &mail, "ok@x.example");
    pool_drain(pool);
    assert_int_equal(mail.result.class, DELIVERY_SENT);
    g_autofree char *name = g_strdup_printf("%u.eml", number);
    gsize got_size = 0, want_size;
    const char *want = g_bytes_get_data(mail.bytes, &want_size);
    g_autofree char *got = peer_read(peer, name, &got_size);
    assert_int_equal(got_size, want_size);
    assert_memory_equal(got, want, want_size);
    mail_clear(&mail);
}

/* Bytes arrive as composed: leading dots, sizes around libcurl's buffers of 16 and 64 KiB. */
static void test_bodies_arrive_as_composed(void **state)
{
    static const gsize sizes[] = {20,    100,   16383, 16384, 16385,  32768,  65533,  65534,
                                  65535, 65536, 65537, 65538, 131071, 131072, 131073, 300000};
    g_autoptr(GRand) rand = g_rand_new_with_seed(64);
    Peer peer;
    const SmtpLimits limits = PATIENT_LIMITS;
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    SmtpPool *pool = mail_pool(&account, &limits);
    guint n = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_body_arrives(pool, &peer, ++n, make_body(sizes[i], rand));
    for (guint dots = 1; dots < 1000; dots += 111)
        check_body_arrives(pool, &peer, ++n, make_body_of_one_turn_and_dots(dots));
    smtp_pool_free(pool, 1000);
    peer_stop(&peer);
}

/* "LF . LF" in a body must not end the message, here or at the next server. */
static void test_bare_line_ends_are_mended(void **state)
{
    static const char body[] = "Subject: x\n\nfirst\n.\nMAIL FROM:<evil@x>\rlast\n.\r\n";
    static const char want[] = "Subject: x\r\n\r\nfirst\r\n.\r\nMAIL FROM:<evil@x>\r\nlast\r\n.\r\n";
    Peer peer;
    const char *senders[] = {"ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {.bytes = g_bytes_new_static(body, strlen(body))};
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_SENT);
    g_autofree char *got = peer_read(&peer, "1.eml", NULL);
    assert_string_equal(got, want);
    assert_int_equal(peer_count(&peer, "MESSAGE"), 1);
    mail_clear(&mail);
    peer_stop(&peer);
}

/* A large message that breaks off half-way has certainly not arrived; one bad message must not stop the account. */
static void test_large_body_broken_off(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    Peer peer;
    const char *senders[] = {"body.rst@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {.bytes = make_body(20 * 1000 * 1000, rand)};
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    send_each(&account, &limits, senders, &mail);
    assert_int_equal(mail.result.class, DELIVERY_DEFERRED);
    assert_int_equal(mail.result.code, 0);
    mail_clear(&mail);
    peer_stop(&peer);
}

/* Environment variables that point libcurl elsewhere are not followed. */
static void test_proxies_of_the_environment_are_ignored(void **state)
{
    Peer peer;
    const char *senders[] = {"ok@x.example", NULL};
    const SmtpLimits limits = PATIENT_LIMITS;
    Mail mail = {0};
    (void)state;
    peer_start(&peer, NULL);
    const Account account = peer_account(peer.port);
    g_setenv("ALL_PROXY", "http://127.0.0.1:1", TRUE);
    g_setenv("smtp_proxy", "http://127.0.0.1:1", TRUE);
    send_each(&account, &limits, senders, &mail);
    g_unsetenv("ALL_PROXY");
    g_unsetenv("smtp_proxy");
    assert_int_equal(mail.result.class, DELIVERY_SENT);
    mail_clear(&mail);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_broken_off),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_endless_reply),
        cmocka_unit_test(test_final_answer_has_its_own_limit),
        cmocka_unit_test(test_late_answer_is_not_the_next_ones),
        cmocka_unit_test(test_answer_too_many),
        cmocka_unit_test(test_unasked_answer_between_messages),
        cmocka_unit_test(test_silence_after_quit),
        cmocka_unit_test(test_connection_is_used_again),
        cmocka_unit_test(test_stale_connection),
        cmocka_unit_test(test_only_stale_is_tried_again),
        cmocka_unit_test(test_faults_before_mail),
        cmocka_unit_test(test_server_without_ehlo),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_bodies_arrive_as_composed),
        cmocka_unit_test(test_bare_line_ends_are_mended),
        cmocka_unit_test(test_large_body_broken_off),
        cmocka_unit_test(test_proxies_of_the_environment_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
