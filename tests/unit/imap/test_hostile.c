/*
 * The link and its watcher on servers that mean harm, break the protocol, or say true things in an unusual way
 * (hostile.py): a child may die of it, the parent says why, and what can be read is read once.
 */
#include "rig.h"

#include <unistd.h>

enum { READ_BACK_DAYS = 3650 };

static gsize own_resident_octets(void)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    g_auto(GStrv) words = g_strsplit(text, " ", 3);
    return (gsize)g_ascii_strtoull(words[1], NULL, 10) * (gsize)sysconf(_SC_PAGESIZE);
}

static void begin(Rig *rig, PeerProcess *peer, const char *mode, TlsMode tls)
{
    peer_process_start(peer, "hostile.py", mode, NULL);
    rig_init(rig, tls, "127.0.0.1", (guint)g_ascii_strtoull(peer->hello, NULL, 10), "", "kari", "secret-word");
    rig->account.imap.read_back.days = READ_BACK_DAYS;
    rig_start(rig);
}

static void end(Rig *rig, PeerProcess *peer)
{
    assert_null(strstr(rig->texts->str, "secret-word"));
    rig_clear(rig);
    peer_process_stop(peer);
}

/* What the server does, and what the parent then says. */
static void test_what_goes_wrong_is_told(void **state)
{
    static const struct {
        const char *mode, *want;
    } rows[] = {
        {"PermanentFlags", "watcher "},
        {"Brackets", "watcher "},
        {"LiteralEof", "the server closed the connection"},
        {"HugeLiteral", "the server sends more than was asked for"},
        {"WrappedLiteral", ""},
        {"EndlessLine", "the server sends more than was asked for"},
        {"EndlessLines", "the server sends more than was asked for"},
        {"EndlessSignIn", "the server sends more than was asked for"},
        {"EndlessGreeting", "the server sends more than was asked for"},
        {"EndlessIdle", "the server sent a line that is no IMAP"},
        {"TooManyUids", "the server sends more than was asked for"},
        {"LiesAboutSize", "the server sends more than was asked for"},
        {"Goodbye", "connection refused: "},
        {"Garbage", "the server's answer is no IMAP"},
        {"NulBytes", "the server sent a line that is no IMAP"},
        {"OutOfStep", "the server answers out of step: N999 OK done"},
        {"Control", "sign-in refused: \\x1b[31mred\\x07 "},
        {"PreAuth", "PREAUTH"},
        {"NoSignIn", "the server offers no sign-in by AUTHENTICATE PLAIN, LOGIN or CRAM-MD5"},
        {"Echoes", "sign-in refused: (the server repeats what is secret)"},
        {"EchoesGoodbye", "the server says goodbye: (the server repeats what is secret)"},
        {"EchoesLines", "the server answers out of step: (the server repeats what is secret)"},
        {"EchoesDecoded", "the server says goodbye: (the server repeats what is secret)"},
        {"EchoesTurns", "sign-in refused: (the server repeats what is secret)"},
        {"NoUidValidity", "folder INBOX: the server gives no UIDVALIDITY"},
        {"Withholds", "folder INBOX: the server lists message 2 but does not give it"},
    };
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Rig rig;
        PeerProcess peer;
        const gsize before = own_resident_octets();
        print_message("%s\n", rows[i].mode);
        begin(&rig, &peer, rows[i].mode, TLS_NONE);
        assert_becomes(&rig, rig_has_failed, 1, 40);
        assert_contains(rig.failed_text, rows[i].want);
        assert_null(strpbrk(rig.failed_text, "\033\007\n"));
        assert_true(own_resident_octets() < before + (64 << 20));
        end(&rig, &peer);
    }
}

static void test_nothing_is_said_in_plain_text_where_tls_was_asked_for(void **state)
{
    static const struct {
        const char *mode, *want;
    } rows[] = {
        {"StartTlsInjects", "plain text was put in between STARTTLS and TLS"},
        {"StartTlsRefused", "STARTTLS refused: "},
        {"StartTlsMissing", "the server offers no STARTTLS"},
        {"StartTlsPreAuth", "PREAUTH"},
    };
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Rig rig;
        PeerProcess peer;
        begin(&rig, &peer, rows[i].mode, TLS_STARTTLS);
        assert_becomes(&rig, rig_has_failed, 1, 20);
        assert_contains(rig.failed_text, rows[i].want);
        g_autofree char *seen = peer_process_ask(&peer, "seen");
        assert_null(strstr(seen, "LOGIN"));
        assert_null(strstr(seen, "AUTHENTICATE"));
        end(&rig, &peer);
    }
}

/* Unusual, but true: everything is read, once, on one connection. */
static void test_what_is_unusual_is_read_once(void **state)
{
    static const struct {
        const char *mode;
        guint messages;
    } rows[] = {
        {"Server", 1},     {"Refuses", 3},  {"Vanishes", 2},   {"Others", 3},   {"StrangeDates", 1}, {"OneSegment", 1},
        {"BeforePlus", 1}, {"WithDone", 1}, {"ByteByByte", 1}, {"EndsIdle", 1}, {"IdleRefused", 1},  {"WithSearch", 1},
    };
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Rig rig;
        PeerProcess peer;
        print_message("%s\n", rows[i].mode);
        begin(&rig, &peer, rows[i].mode, TLS_NONE);
        assert_becomes(&rig, rig_has_effects, rows[i].messages, 10);
        assert_becomes(&rig, rig_is_watching, 0, 10);
        rig_wait(&rig, rig_never, 0, 200);
        assert_int_equal(rig.n_records, rows[i].messages);
        assert_int_equal(rig.n_failed, 0);
        for (guint uid = 1; uid <= rows[i].messages && !g_str_equal(rows[i].mode, "Vanishes"); uid++) {
            g_autofree char *subject = g_strdup_printf("s%u", uid);
            assert_true(g_hash_table_contains(rig.subjects, subject));
        }
        const RigCursor *cursor = g_hash_table_lookup(rig.cursors, "INBOX");
        assert_int_equal(cursor->last_uid, g_str_equal(rows[i].mode, "Vanishes") ? 3 : rows[i].messages);
        g_autofree char *seen = peer_process_ask(&peer, "seen");
        g_autofree char *connections = peer_process_ask(&peer, "connections");
        assert_string_equal(connections, "1");
        assert_null(strstr(seen, "SELECT")); /* only what reads */
        assert_null(strstr(seen, "STORE"));
        assert_null(strstr(seen, "CLOSE"));
        end(&rig, &peer);
    }
}

static void test_tries_grow_rarer(void **state)
{
    Rig rig;
    PeerProcess peer;
    (void)state;
    begin(&rig, &peer, "Goodbye", TLS_NONE);
    const gint64 before_ms = clock_monotonic_ms();
    assert_becomes(&rig, rig_has_failed, 3, 10);
    assert_true(clock_monotonic_ms() - before_ms > 2000); /* a second, then two, less up to a quarter */
    rig_wait(&rig, rig_never, 0, 1500);
    assert_int_equal(rig.n_failed, 3);
    end(&rig, &peer);
}

static void free_within_callback(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    Rig *rig = data;
    (void)text, (void)retry_in_ms;
    rig->state = state;
    if (state == IMAP_STATE_FAILED)
        g_clear_pointer(&rig->link, imap_link_free);
}

static gboolean is_freed(const Rig *rig, guint unused)
{
    (void)unused;
    return rig->link == NULL;
}

static void test_a_link_may_be_freed_at_any_time(void **state)
{
    (void)state;
    for (guint i = 0; i < 12; i++) {
        Rig rig;
        PeerProcess peer;
        begin(&rig, &peer, "Server", TLS_NONE);
        rig_wait(&rig, rig_never, 0, 15 * i);
        end(&rig, &peer);
    }
    Rig rig;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    rig_init(&rig, TLS_NONE, "127.0.0.1", 1, "", "kari", "secret-word"); /* nobody is there */
    const ImapCallbacks callbacks = {.on_message = rig_on_message,
                                     .on_position = rig_on_position,
                                     .on_state = free_within_callback,
                                     .get_cursor = rig_get_cursor,
                                     .data = &rig};
    rig.link = imap_link_new(&rig.account, program, NULL, &callbacks);
    assert_becomes(&rig, is_freed, 0, 10);
    rig_wait(&rig, rig_never, 0, 1500); /* nothing comes after it */
    rig_clear(&rig);
}

static void test_what_cannot_start_says_so(void **state)
{
    Rig rig;
    (void)state;
    rig_init(&rig, TLS_NONE, "127.0.0.1", 1, "", "kari", "secret-word");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 10);
    assert_string_equal(rig.failed_text, "imap://127.0.0.1:1: cannot be reached: 127.0.0.1: Connection refused");
    rig_clear(&rig);
    rig_init(&rig, TLS_NONE, "no-such-host.invalid", 1, "", "kari", "secret-word");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 60);
    assert_contains(rig.failed_text, "the name cannot be resolved");
    rig_clear(&rig);
    rig_init(&rig, TLS_IMPLICIT, "127.0.0.1", 1, "/nowhere/ca.pem", "kari", "secret-word");
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 10);
    assert_contains(rig.failed_text, "ca_file /nowhere/ca.pem: ");
    rig_clear(&rig);
    rig_init(&rig, TLS_NONE, "127.0.0.1", 1, "", "kari", "secret-word");
    rig.account.imap.server.password.kind = SECRET_FILE;
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 10);
    assert_contains(rig.failed_text, "No such file");
    rig_clear(&rig);
    rig_init(&rig, TLS_NONE, "127.0.0.1", 1, "", "kari", "secret-word");
    g_autofree char *commas = g_strnfill(64, ',');
    rig_set_folders(&rig, commas);
    rig_start(&rig);
    assert_becomes(&rig, rig_has_failed, 1, 10);
    assert_contains(rig.failed_text, "at most 64 folders");
    rig_clear(&rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_goes_wrong_is_told),
    cmocka_unit_test(test_nothing_is_said_in_plain_text_where_tls_was_asked_for),
    cmocka_unit_test(test_what_is_unusual_is_read_once),
    cmocka_unit_test(test_tries_grow_rarer),
    cmocka_unit_test(test_a_link_may_be_freed_at_any_time),
    cmocka_unit_test(test_what_cannot_start_says_so),
};

RIG_MAIN(tests, NULL, NULL)
