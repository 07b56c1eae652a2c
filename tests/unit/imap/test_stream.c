/*
 * The stream's promises: an operation ends by its deadline and within its budget, whatever the server does; and it ticks
 * meanwhile.
 */
#include "rig.h"

#include <libetpan/libetpan.h>

#include "imap/fault.h"
#include "imap/limits.h"
#include "imap/stream.h"

typedef struct {
    PeerProcess peer;
    mailstream *over;
    Stream *stream;
    guint ticks;
} Fixture;

static void count_tick(gpointer data)
{
    guint *ticks = data;
    (*ticks)++;
}

static void begin(Fixture *fixture, const char *mode)
{
    const char *const addresses[] = {"127.0.0.1", NULL};
    *fixture = (Fixture){0};
    peer_process_start(&fixture->peer, "hostile.py", mode, NULL);
    fixture->stream = stream_connect(addresses, (guint16)g_ascii_strtoull(fixture->peer.hello, NULL, 10), count_tick,
                                     &fixture->ticks, NULL);
    assert_non_null(fixture->stream);
    fixture->over = stream_to_mailstream(fixture->stream);
}

static void end(Fixture *fixture)
{
    mailstream_close(fixture->over);
    peer_process_stop(&fixture->peer);
}

/* Reads until it fails; octets that came. */
static gsize read_all(Fixture *fixture)
{
    char piece[1000];
    gsize all = 0;
    for (;;) {
        gssize got = mailstream_read(fixture->over, piece, sizeof piece);
        assert_int_not_equal(got, 0); /* libetpan would ask again for ever */
        if (got < 0)
            return all;
        all += (gsize)got;
    }
}

static void assert_fault(const Fixture *fixture, ImapFault code, const char *text)
{
    g_autoptr(GError) error = NULL;
    assert_true(stream_fault(fixture->stream, &error));
    assert_true(g_error_matches(error, IMAP_FAULT, (gint)code));
    assert_string_equal(error->message, text);
}

static void test_a_trickle_meets_the_deadline(void **state)
{
    Fixture fixture;
    (void)state;
    begin(&fixture, "Trickle");
    const gint64 before_ms = clock_monotonic_ms();
    stream_arm(fixture.stream, 700, 1000000);
    gsize got = read_all(&fixture);
    assert_in_range(clock_monotonic_ms() - before_ms, 650, 1500);
    assert_in_range(got, 3, 20);
    assert_true(fixture.ticks >= got);
    assert_fault(&fixture, IMAP_FAULT_NETWORK, "the server takes too long");
    end(&fixture);
}

static void test_a_flood_meets_the_budget(void **state)
{
    Fixture fixture;
    (void)state;
    begin(&fixture, "Pours");
    stream_arm(fixture.stream, 20000, 123456);
    assert_int_equal(read_all(&fixture), 123456);
    assert_fault(&fixture, IMAP_FAULT_SERVER, "the server sends more than was asked for");
    end(&fixture);
}

static void test_an_end_is_an_error(void **state)
{
    Fixture fixture;
    (void)state;
    begin(&fixture, "Closes");
    stream_arm(fixture.stream, 20000, 1000);
    assert_int_equal(read_all(&fixture), 3);
    assert_fault(&fixture, IMAP_FAULT_NETWORK, "the server closed the connection");
    end(&fixture);
}

static void test_a_peer_that_does_not_read_meets_the_deadline(void **state)
{
    Fixture fixture;
    (void)state;
    begin(&fixture, "Pours"); /* it never reads */
    g_autofree char *text = g_strnfill(1 << 20, 'x');
    stream_arm(fixture.stream, 500, 1000);
    const gint64 before_ms = clock_monotonic_ms();
    gboolean sent = TRUE;
    for (guint i = 0; i < 64 && sent; i++)
        sent = mailstream_write(fixture.over, text, 1 << 20) > 0 && mailstream_flush(fixture.over) >= 0;
    assert_false(sent);
    assert_true(clock_monotonic_ms() - before_ms < 3000);
    end(&fixture);
}

/* No TLS where none is spoken: the handshake fails at once, or by its own deadline. */
static void test_tls_with_one_who_speaks_none(void **state)
{
    static const char *const modes[] = {"Pours", "Closes"};
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        Fixture fixture;
        g_autoptr(GError) error = NULL;
        begin(&fixture, modes[i]);
        gnutls_certificate_credentials_t trust = stream_trust_load("", &error);
        assert_non_null(trust);
        assert_false(stream_start_tls(fixture.stream, trust, "localhost", &error));
        assert_int_equal(error->domain, IMAP_FAULT);
        gnutls_certificate_free_credentials(trust);
        end(&fixture);
    }
}

static void test_addresses_are_tried_in_turn(void **state)
{
    PeerProcess peer;
    g_autoptr(GError) error = NULL;
    (void)state;
    peer_process_start(&peer, "hostile.py", "Server", NULL);
    const guint16 port = (guint16)g_ascii_strtoull(peer.hello, NULL, 10);
    const char *const addresses[] = {"127.0.0.2", "::1", "no address", "127.0.0.1", NULL};
    g_autoptr(Stream) stream = stream_connect(addresses, port, NULL, NULL, &error);
    assert_non_null(stream);
    const char *const none[] = {"127.0.0.2", "no address", NULL};
    assert_null(stream_connect(none, port, NULL, NULL, &error));
    assert_string_equal(error->message, "cannot be reached: 127.0.0.2: Connection refused; no address: not an address");
    peer_process_stop(&peer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_trickle_meets_the_deadline), cmocka_unit_test(test_a_flood_meets_the_budget),
    cmocka_unit_test(test_an_end_is_an_error),           cmocka_unit_test(test_a_peer_that_does_not_read_meets_the_deadline),
    cmocka_unit_test(test_tls_with_one_who_speaks_none), cmocka_unit_test(test_addresses_are_tried_in_turn),
};

RIG_MAIN(tests, NULL, NULL)
