/*
 * The link and its watcher on a real Dovecot over TLS: what arrives is handed on soon, once and whole, whatever restarts,
 * and the mailbox stays as it was.
 */
#include "rig.h"

#include "imap/limits.h"

#include <signal.h>
#include <sys/types.h>

static PeerProcess server;
static char *ca_file, *password;
static guint imap_port, imaps_port;

static int start_server(void **state)
{
    (void)state;
    peer_process_start(&server, "mailbox.py", NULL, NULL);
    g_auto(GStrv) words = g_strsplit(server.hello, " ", 4);
    imap_port = (guint)g_ascii_strtoull(words[0], NULL, 10);
    imaps_port = (guint)g_ascii_strtoull(words[1], NULL, 10);
    ca_file = g_strdup(words[2]);
    password = g_strdup(words[3]);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    peer_process_stop(&server);
    g_free(ca_file);
    g_free(password);
    return 0;
}

static void init(Rig *rig, const char *user)
{
    rig_init(rig, TLS_IMPLICIT, "localhost", imaps_port, ca_file, user, password);
}

static void assert_untouched(const char *user)
{
    g_autofree char *command = g_strdup_printf("flags %s", user);
    g_autofree char *flags = peer_process_ask(&server, command);
    assert_string_equal(flags, "");
}

static void test_begins_at_the_end_and_tells_what_comes_soon(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "soon");
    peer_process_tell(&server, "deliver soon 1 3 0");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_int_equal(rig.n_records, 0);
    gint64 slowest_ms = 0;
    for (guint i = 0; i < 3; i++) {
        peer_process_tell(&server, "deliver soon %u 1 0", 10 + i);
        const gint64 delivered_ms = clock_monotonic_ms();
        assert_becomes(&rig, rig_has_effects, i + 1, 5);
        slowest_ms = MAX(slowest_ms, rig.last_record_ms - delivered_ms);
        assert_becomes(&rig, rig_is_watching, 0, 5);
    }
    print_message("delivery to on_message: at most %" G_GINT64_FORMAT " ms\n", slowest_ms);
    assert_true(slowest_ms < 2000);
    assert_contains(rig.last_text, "p\303\245 norsk"); /* a character set's module, in spite of the sandbox */
    assert_true(imap_link_last_read_ms(rig.link) >= rig.last_record_ms);
    assert_untouched("soon");
    rig_clear(&rig);
}

static void test_starttls(void **state)
{
    Rig rig;
    (void)state;
    rig_init(&rig, TLS_STARTTLS, "localhost", imap_port, ca_file, "starttls", password);
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "deliver starttls 1 1 0");
    assert_becomes(&rig, rig_has_effects, 1, 5);
    rig_clear(&rig);
}

static void test_1000_at_once_in_order_while_commits_lag(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "many");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    rig.withhold = TRUE;
    peer_process_tell(&server, "deliver many 1 1000 2000");
    assert_becomes(&rig, rig_has_records, WINDOW_RECORDS, 30);
    rig_wait(&rig, rig_never, 0, 1000);
    assert_int_equal(rig.n_records, WINDOW_RECORDS); /* the window, and no more, stands ahead of the commits */
    assert_int_equal(rig.state, IMAP_STATE_READING);
    rig_stop(&rig);
    rig.withhold = FALSE;
    rig_start(&rig);
    assert_becomes(&rig, rig_has_effects, 1000, 60);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_int_equal(rig.n_records, WINDOW_RECORDS + 1000); /* what was not committed came again, and nothing else */
    assert_int_equal(rig.n_repeats + rig.n_twice, 0);
    assert_untouched("many");
    rig_clear(&rig);
}

static void test_a_server_that_restarts(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "restart");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    const gint64 watching_ms = clock_monotonic_ms();
    assert_true(imap_link_last_read_ms(rig.link) >= watching_ms);
    g_usleep(300 * 1000);
    peer_process_tell(&server, "stop");
    assert_becomes(&rig, rig_has_failed, 1, 20);
    assert_true(imap_link_last_read_ms(rig.link) > 0);
    assert_true(imap_link_last_read_ms(rig.link) <= watching_ms); /* how long it was dead before it was found so, nobody knows */
    peer_process_tell(&server, "start");
    peer_process_tell(&server, "deliver restart 1 2 0");
    assert_becomes(&rig, rig_has_effects, 2, 30);
    assert_int_equal(rig.n_records, 2);
    rig_clear(&rig);
}

static void test_kills_at_random(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "killed");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    rig_stop(&rig);
    peer_process_tell(&server, "deliver killed 1 300 3000");
    guint kills = 0;
    for (guint round = 0; round < 8; round++) {
        rig_start(&rig);
        rig_wait(&rig, rig_has_effects, MIN(30 * (round + 1), 300), 20000);
        rig_wait(&rig, rig_never, 0, g_random_int_range(0, 20));
        if (imap_link_pid(rig.link) != 0 && kill(imap_link_pid(rig.link), SIGKILL) == 0)
            kills++;
        rig_wait(&rig, rig_has_failed, kills, 5000);
        if (round % 2 == 0)
            assert_contains(rig.failed_text, "was killed (signal 9)");
        rig_stop(&rig);
    }
    rig_start(&rig);
    assert_becomes(&rig, rig_has_effects, 300, 60);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_true(kills > 4);
    assert_int_equal(rig.n_repeats + rig.n_twice, 0); /* each was committed before the next start asked for the cursor */
    assert_untouched("killed");
    rig_clear(&rig);
}

static void test_a_changed_uidvalidity_reads_again_what_came_lately(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "rebuilt");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "append rebuilt INBOX 1 10");
    peer_process_tell(&server, "deliver rebuilt 2 2 0");
    assert_becomes(&rig, rig_has_effects, 3, 10);
    rig_stop(&rig);
    peer_process_tell(&server, "rebuild rebuilt");
    peer_process_tell(&server, "deliver rebuilt 4 1 0");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_effects, 4, 20);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_contains(rig.texts->str, "UIDVALIDITY changed");
    assert_int_equal(rig.n_repeats, 2); /* the two of today; that of ten days ago was not read again */
    peer_process_tell(&server, "deliver rebuilt 5 1 0");
    assert_becomes(&rig, rig_has_effects, 5, 10);
    assert_int_equal(rig.n_twice, 0);
    rig_clear(&rig);
}

static void test_reading_back_takes_the_days_asked_for(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "back");
    peer_process_tell(&server, "append back INBOX 1 30");
    peer_process_tell(&server, "append back INBOX 2 7.5");
    peer_process_tell(&server, "append back INBOX 3 6.5");
    peer_process_tell(&server, "append back INBOX 4 0");
    peer_process_tell(&server, "append back INBOX 5 40"); /* moved here lately */
    rig.account.imap.read_back.days = 7;
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_int_equal(rig.n_records, 2);
    assert_true(g_hash_table_contains(rig.subjects, "s3") && g_hash_table_contains(rig.subjects, "s4"));
    const RigCursor *cursor = g_hash_table_lookup(rig.cursors, "INBOX");
    assert_int_equal(cursor->last_uid, 5); /* nothing of it is looked at again */
    rig_clear(&rig);
}

static void test_expunged_messages_do_not_hold_the_cursor(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "gone");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    rig_stop(&rig);
    peer_process_tell(&server, "deliver gone 1 6 0");
    peer_process_tell(&server, "expunge gone 2 2");
    peer_process_tell(&server, "expunge gone 6 1");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_effects, 3, 20);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "expunge gone 1 5");
    rig_wait(&rig, rig_never, 0, 1500);
    peer_process_tell(&server, "deliver gone 7 1 0");
    assert_becomes(&rig, rig_has_effects, 4, 10);
    assert_int_equal(rig.n_failed, 0);
    assert_int_equal(rig.n_records, 4);
    rig_clear(&rig);
}

static void test_several_folders(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "folders");
    rig_set_folders(&rig, "INBOX,Svar/\303\205pne & n\303\246re,Tom");
    rig.account.imap.poll_ms = 1500;
    peer_process_tell(&server, "create folders '\"Svar/&AMU-pne &- n&AOY-re\"'");
    peer_process_tell(&server, "create folders Tom");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_int_equal(g_hash_table_size(rig.cursors), 3);
    for (guint i = 0; i < 3; i++) {
        peer_process_tell(&server, "append folders '\"Svar/&AMU-pne &- n&AOY-re\"' %u 0", 100 + i);
        assert_becomes(&rig, rig_has_effects, 2 * i + 1, 5);
        peer_process_tell(&server, "deliver folders %u 1 0", 200 + i);
        assert_becomes(&rig, rig_has_effects, 2 * i + 2, 5);
    }
    assert_int_equal(rig.n_failed, 0);
    rig_clear(&rig);
}

static gboolean has_said_well(const Rig *rig, guint unused)
{
    (void)unused;
    return strstr(rig->texts->str, "Nowhere: well") != NULL;
}

/* The others are read, the mailbox does not count as read, and when the folder is there, it is read, too. */
static void test_a_folder_that_is_missing_is_named_and_tried_again(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "missing");
    rig_set_folders(&rig, "Nowhere,INBOX");
    rig.account.imap.poll_ms = 500;
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_contains(rig.texts->str, "Nowhere: ");
    assert_non_null(strstr(imap_link_folder(rig.link, 0)->why, "doesn't exist"));
    assert_int_equal(imap_link_last_read_ms(rig.link), 0);
    peer_process_tell(&server, "deliver missing 1 1 0");
    assert_becomes(&rig, rig_has_effects, 1, 5);
    peer_process_tell(&server, "create missing Nowhere");
    assert_becomes(&rig, has_said_well, 0, 10);
    assert_true(imap_link_last_read_ms(rig.link) > 0);
    peer_process_tell(&server, "append missing Nowhere 2 0");
    assert_becomes(&rig, rig_has_effects, 2, 10);
    peer_process_tell(&server, "deliver missing 3 1 0"); /* and the other one still is */
    assert_becomes(&rig, rig_has_effects, 3, 10);
    assert_int_equal(rig.n_failed, 0);
    rig_clear(&rig);
}

/* As a server with NOTIFY is watched: long before the next look. */
static guint last_uid_of(const Rig *rig, const char *folder)
{
    const RigCursor *cursor = g_hash_table_lookup(rig->cursors, folder);
    return cursor != NULL ? cursor->last_uid : 0;
}

static gboolean has_read_to(const Rig *rig, guint uid)
{
    return last_uid_of(rig, "INBOX") >= uid;
}

/* Of many, each is asked about by its header; a few are read at once. The cursor passes what is not wanted. */
static void test_of_many_only_the_wanted_are_read(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "picky");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    rig_stop(&rig);
    peer_process_tell(&server, "deliver picky 1 40 0");
    rig.want = "kari7@kunde.example";
    rig_start(&rig);
    assert_becomes(&rig, has_read_to, 40, 20);
    assert_int_equal(rig.n_asked, 40);
    assert_int_equal(rig.n_records, 1);
    assert_true(g_hash_table_contains(rig.subjects, "s7"));
    assert_contains(rig.last_text, "Svar 7");
    peer_process_tell(&server, "deliver picky 41 1 0");
    assert_becomes(&rig, rig_has_effects, 2, 10);
    assert_int_equal(rig.n_asked, 40);
    peer_process_tell(&server, "big picky 42 1"); /* a large one is asked about, and not read */
    assert_becomes(&rig, has_read_to, 42, 10);
    assert_int_equal(rig.n_asked, 41);
    assert_int_equal(rig.n_records, 2);
    assert_int_equal(rig.n_failed, 0);
    rig_clear(&rig);
}

static void test_news_of_another_folder_wake_the_watcher(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "notify");
    rig_set_folders(&rig, "INBOX,Other");
    rig.account.imap.poll_ms = 600 * 1000;
    peer_process_tell(&server, "create notify Other");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "append notify Other 1 0");
    assert_becomes(&rig, rig_has_effects, 1, 20);
    peer_process_tell(&server, "deliver notify 2 1 0");
    assert_becomes(&rig, rig_has_effects, 2, 20);
    const ImapFolderStatus *other = imap_link_folder(rig.link, 1);
    assert_int_equal(other->left, 0);
    assert_true(other->read_ms > 0);
    assert_string_equal(other->why, "");
    rig_clear(&rig);
}

static void test_a_wrong_password_is_told(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "locked");
    g_free(rig.account.imap.server.password.value);
    rig.account.imap.server.password.value = g_strdup("w\303\270rong \"\\");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 20);
    g_autofree char *want =
        g_strdup_printf("imaps://localhost:%u: sign-in refused: [AUTHENTICATIONFAILED] Authentication failed.", imaps_port);
    assert_string_equal(rig.failed_text, want);
    assert_null(strstr(rig.texts->str, "rong"));
    rig_clear(&rig);
}

static void test_a_huge_message_is_read_in_part(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "huge");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "big huge 1 40");
    peer_process_tell(&server, "deliver huge 2 1 0");
    assert_becomes(&rig, rig_has_records, 1, 30);
    assert_true(rig.last_truncated || rig.n_records == 2);
    assert_becomes(&rig, rig_has_effects, 2, 30);
    assert_int_equal(rig.n_failed, 0);
    rig_clear(&rig);
}

/* Nobody can stop a mailbox by sending one message that its reader cannot bear. */
static void test_a_message_that_ends_its_reader_is_handed_on_unread(void **state)
{
    Rig rig;
    (void)state;
    init(&rig, "poisoned");
    rig_start(&rig);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    peer_process_tell(&server, "deliver poisoned 1 2 0");
    peer_process_tell(&server, "poison poisoned 3");
    peer_process_tell(&server, "deliver poisoned 4 2 0");
    assert_becomes(&rig, rig_has_effects, 5, 60);
    assert_becomes(&rig, rig_is_watching, 0, 20);
    assert_int_equal(rig.n_failed, 4); /* once not knowing which it was, three times knowing */
    assert_contains(rig.failed_text, "watcher crashed (signal 6)");
    assert_true(g_hash_table_contains(rig.subjects, "")); /* the one that was not read */
    assert_true(g_hash_table_contains(rig.subjects, "s5"));
    assert_int_equal(rig.n_repeats + rig.n_twice, 0);
    rig_clear(&rig);
}

static void test_bad_certificates_are_refused_before_the_sign_in(void **state)
{
    static const struct {
        const char *kind, *want;
    } rows[] = {
        {"expired", "the certificate has expired"},
        {"wrong-name", "the certificate is not for localhost"},
        {"self-signed", "not signed by an authority that is trusted here"},
        {"other-authority", "not signed by an authority that is trusted here"},
    };
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Rig rig;
        peer_process_tell(&server, "certificate %s", rows[i].kind);
        for (guint starttls = 0; starttls < 2; starttls++) {
            rig_init(&rig, starttls ? TLS_STARTTLS : TLS_IMPLICIT, "localhost", starttls ? imap_port : imaps_port, ca_file,
                     "careful", password);
            rig_start(&rig);
            assert_becomes(&rig, rig_has_failed, 1, 20);
            assert_contains(rig.failed_text, rows[i].want);
            rig_clear(&rig);
        }
    }
    peer_process_tell(&server, "certificate good");
    g_autofree char *attempts = peer_process_ask(&server, "attempts careful");
    assert_string_equal(attempts, "0");
    g_autofree char *others = peer_process_ask(&server, "attempts locked");
    assert_string_not_equal(others, "0"); /* attempts are counted */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_begins_at_the_end_and_tells_what_comes_soon),
    cmocka_unit_test(test_starttls),
    cmocka_unit_test(test_1000_at_once_in_order_while_commits_lag),
    cmocka_unit_test(test_a_server_that_restarts),
    cmocka_unit_test(test_kills_at_random),
    cmocka_unit_test(test_a_changed_uidvalidity_reads_again_what_came_lately),
    cmocka_unit_test(test_reading_back_takes_the_days_asked_for),
    cmocka_unit_test(test_expunged_messages_do_not_hold_the_cursor),
    cmocka_unit_test(test_several_folders),
    cmocka_unit_test(test_a_folder_that_is_missing_is_named_and_tried_again),
    cmocka_unit_test(test_of_many_only_the_wanted_are_read),
    cmocka_unit_test(test_news_of_another_folder_wake_the_watcher),
    cmocka_unit_test(test_a_wrong_password_is_told),
    cmocka_unit_test(test_a_huge_message_is_read_in_part),
    cmocka_unit_test(test_a_message_that_ends_its_reader_is_handed_on_unread),
    cmocka_unit_test(test_bad_certificates_are_refused_before_the_sign_in),
};

RIG_MAIN(tests, start_server, stop_server)
