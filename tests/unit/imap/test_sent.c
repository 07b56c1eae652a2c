/*
 * What the watcher does in the folder for sent mail, on servers that answer as real ones may, and worse (sent_server.py): each message is
 * filed once, what became of it is told, and the mailbox is read on.
 */
#include "rig.h"

enum { DATE_S = 1795507200 }; /* 24-Nov-2026 08:00:00 UTC */

static void begin(Rig *rig, PeerProcess *peer, const char *mode, gboolean watch)
{
    peer_process_start(peer, "sent_server.py", mode, NULL);
    rig_init(rig, TLS_NONE, "127.0.0.1", (guint)g_ascii_strtoull(peer->hello, NULL, 10), "", "kari", "secret-word");
    rig->account.imap.watch_sent = watch;
    rig->account.imap.poll_ms = 200;
    rig_start(rig);
    assert_becomes(rig, rig_is_watching, 0, 20);
}

static void end(Rig *rig, PeerProcess *peer)
{
    rig_clear(rig);
    peer_process_stop(peer);
}

static guint filed(PeerProcess *peer)
{
    g_autofree char *answer = peer_process_ask(peer, "filed");
    return (guint)g_ascii_strtoull(answer, NULL, 10);
}

static GBytes *letter(gsize octets)
{
    GString *text = g_string_new("Message-ID: <m1@example.com>\r\n\r\n");
    while (text->len < octets)
        g_string_append(text, "a line of a letter\r\n");
    return g_string_free_to_bytes(text);
}

static gboolean ask(Rig *rig, guint64 id, ImapTaskKind kind, gboolean maybe_there, gsize octets)
{
    g_autoptr(GBytes) content = kind == IMAP_TASK_FILE ? letter(octets) : NULL;
    const ImapTask task = {.kind = kind,
                           .id = id,
                           .message_id = "m1@example.com",
                           .maybe_there = maybe_there,
                           .at_ms = (gint64)DATE_S * 1000,
                           .since_ms = (gint64)DATE_S * 1000,
                           .content = content};
    return imap_link_ask(rig->link, &task);
}

static void test_a_message_is_filed_whole_and_found(void **state)
{
    static const gsize sizes[] = {40, 64 * 1024, 64 * 1024 + 1, 3 * 1024 * 1024};
    (void)state;
    Rig rig;
    PeerProcess peer;
    begin(&rig, &peer, "Sent", FALSE);
    assert_true(ask(&rig, 1, IMAP_TASK_SEARCH, FALSE, 0));
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        assert_true(ask(&rig, 2 + i, IMAP_TASK_FILE, FALSE, sizes[i])); /* the server checks what it is given */
    assert_true(ask(&rig, 6, IMAP_TASK_SEARCH, FALSE, 0));
    assert_true(ask(&rig, 7, IMAP_TASK_FILE, TRUE, 40)); /* there already */
    assert_becomes(&rig, rig_has_answers, 7, 20);
    assert_string_equal(rig.answers->str, "1:2 ;2:0 ;3:0 ;4:0 ;5:0 ;6:1 ;7:1 ;");
    assert_int_equal(filed(&peer), 4);
    assert_int_equal(rig.n_failed, 0);
    end(&rig, &peer);
}

/* What one server answers to a copy (id 1) and, where that did not end the connection, to a search (id 2). */
static void test_what_a_server_answers_is_told(void **state)
{
    static const struct {
        const char *mode, *file, *search;
        guint filed;
    } rows[] = {
        {"OverQuota", "1:3 [OVERQUOTA] the mailbox is \\x1b[31mfull;", "2:2 ;", 0},
        {"RefusesAtOnce", "1:4 folder \\Sent: [TRYCREATE] no such folder;", "2:2 ;", 0},
        {"TakesHalf", "1:3 done;", "2:2 ;", 0},
        {"MarksNone", "1:4 the server does not say which folder is for sent mail", "2:4 the server does not say", 0},
        {"NamesWithControls", "1:4 the server does not say which folder is for sent mail", "2:4 the server does not say", 0},
        {"Gmail", "1:3 this was to be looked for first;", "2:2 ;", 0},
        {"SearchRefused", "1:0 ;", "2:3 not this;", 1},
        {"GarbageToAppend", "1:5 ", NULL, 0},
        {"DropsInTheMiddle", "1:5 ", NULL, 0},
        {"DropsAfterTaking", "1:5 ", NULL, 1},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Rig rig;
        PeerProcess peer;
        begin(&rig, &peer, rows[i].mode, FALSE);
        assert_true(ask(&rig, 1, IMAP_TASK_FILE, FALSE, 200000));
        assert_becomes(&rig, rig_has_answers, 1, 20);
        assert_contains(rig.answers->str, rows[i].file);
        if (rows[i].search != NULL) {
            assert_true(ask(&rig, 2, IMAP_TASK_SEARCH, FALSE, 0));
            assert_becomes(&rig, rig_has_answers, 2, 20);
            assert_contains(rig.answers->str, rows[i].search);
        }
        assert_int_equal(filed(&peer), rows[i].filed);
        end(&rig, &peer);
    }
}

/* Its copy lies there although it never said so: looked for, it is not filed again; and one that was cut is. */
static void test_a_lost_answer_is_no_second_copy(void **state)
{
    static const char *const modes[] = {"DropsAfterTaking", "DropsInTheMiddle"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        Rig rig;
        PeerProcess peer;
        begin(&rig, &peer, modes[i], FALSE);
        assert_true(ask(&rig, 1, IMAP_TASK_FILE, FALSE, 200000));
        assert_true(ask(&rig, 2, IMAP_TASK_SEARCH, FALSE, 0));
        assert_becomes(&rig, rig_has_answers, 2, 20); /* both are lost */
        assert_contains(rig.answers->str, "2:5 ");
        assert_becomes(&rig, rig_is_watching, 0, 20);
        assert_true(ask(&rig, 3, IMAP_TASK_FILE, TRUE, 200000));
        assert_becomes(&rig, rig_has_answers, 3, 20);
        assert_contains(rig.answers->str, i == 0 ? ";3:1 ;" : ";3:0 ;");
        assert_int_equal(filed(&peer), 1);
        end(&rig, &peer);
    }
}

static void test_the_folder_is_watched_where_it_is_known(void **state)
{
    (void)state;
    Rig rig;
    PeerProcess peer;
    begin(&rig, &peer, "Sent", TRUE);
    assert_becomes(&rig, rig_knows_sent, 0, 10);
    assert_string_equal(rig.sent_folder, "watched");
    assert_true(g_hash_table_contains(rig.cursors, IMAP_SENT_BY_SERVER));
    end(&rig, &peer);
    begin(&rig, &peer, "MarksNone", TRUE);
    assert_becomes(&rig, rig_knows_sent, 0, 10);
    assert_contains(rig.sent_folder, "write sent_folder");
    assert_true(g_hash_table_contains(rig.cursors, "INBOX"));
    assert_int_equal(rig.n_failed, 0);
    end(&rig, &peer);
}

static void test_no_more_is_asked_than_the_window_holds(void **state)
{
    (void)state;
    Rig rig;
    PeerProcess peer;
    begin(&rig, &peer, "Sent", FALSE);
    guint asked = 0;
    while (asked < 100 && ask(&rig, asked + 1, IMAP_TASK_SEARCH, FALSE, 0))
        asked++;
    assert_true(asked >= 4 && asked < 100);
    assert_becomes(&rig, rig_has_answers, asked, 20);
    assert_true(ask(&rig, 1000, IMAP_TASK_SEARCH, FALSE, 0));
    imap_link_free(g_steal_pointer(&rig.link)); /* with one on its way: nobody is called any more */
    end(&rig, &peer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_message_is_filed_whole_and_found),
    cmocka_unit_test(test_what_a_server_answers_is_told),
    cmocka_unit_test(test_a_lost_answer_is_no_second_copy),
    cmocka_unit_test(test_the_folder_is_watched_where_it_is_known),
    cmocka_unit_test(test_no_more_is_asked_than_the_window_holds),
};

RIG_MAIN(tests, NULL, NULL)
