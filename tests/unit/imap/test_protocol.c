/*
 * What parent and child say to each other: frames go through whole in whatever pieces, what is no frame is told, and no
 * octets of a child that was taken over do harm. And the window of records that neither side leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/config.h"
#include "imap/asked.h"
#include "imap/limits.h"
#include "imap/protocol.h"
#include "imap/window.h"
#include "mail/message.h"

static Hello *some_hello(void)
{
    Hello *hello = hello_new();
    const char *const addresses[] = {"127.0.0.1", "::1", NULL};
    hello->host = g_strdup("imap.example.com");
    hello->port = 993;
    hello->tls = TLS_IMPLICIT;
    hello->ca_file = g_strdup("");
    hello->user = g_strdup("kari \303\245");
    hello->addresses = g_strdupv((char **)addresses);
    hello->poll_ms = 60000;
    hello->sent_name = g_strdup("Sendt \303\245");
    hello->first_since_ms = 1;
    hello->careful = TRUE;
    for (guint i = 0; i < 3; i++) {
        const HelloFolder folder = {.name = g_strdup_printf("folder %u", i),
                                    .known = i > 0,
                                    .uidvalidity = G_MAXUINT32,
                                    .last_uid = i,
                                    .again_since_ms = -5,
                                    .suspect_uid = 7,
                                    .kind = i == 2 ? IMAP_FOLDER_SENT : IMAP_FOLDER_LISTED};
        g_ptr_array_add(hello->folders, g_memdup2(&folder, sizeof folder));
    }
    return hello;
}

static const Task some_task = {.id = G_MAXUINT64,
                               .kind = IMAP_TASK_FILE,
                               .maybe_there = TRUE,
                               .message_id = (char *)"left.part+x@example.com",
                               .at_ms = -1,
                               .since_ms = G_MAXINT64,
                               .size = TASK_OCTETS};

static void append_all(GByteArray *out)
{
    g_autoptr(Hello) hello = some_hello();
    g_autoptr(InboundMessage) message = inbound_message_new();
    frame_append(out, FRAME_HELLO, hello_to_variant(hello));
    frame_append_secret(out, "p\303\245ss");
    frame_append(out, FRAME_COMMITTED, g_variant_new("(uuu)", 0, 1, 2));
    frame_append(out, FRAME_TASK, task_to_variant(&some_task));
    frame_append(out, FRAME_PIECE, g_variant_new("(tt@ay)", (guint64)1, (guint64)2, g_variant_new_bytestring("three")));
    frame_append(out, FRAME_PICKED, g_variant_new_parsed("[uint32 4]"));
    frame_append(out, FRAME_RECORD,
                 g_variant_new("(uuuxv)", 1, 2, 3, G_GINT64_CONSTANT(4), inbound_message_to_variant(message)));
    frame_append(out, FRAME_POSITION, g_variant_new("(uuu)", 3, 4, 5));
    frame_append(out, FRAME_SUSPECT, g_variant_new("(uuu)", 6, 7, 8));
    frame_append(out, FRAME_STATE, g_variant_new("(us)", 1, "state"));
    frame_append(out, FRAME_FAULT, g_variant_new("(us)", 2, "fault"));
    frame_append(out, FRAME_WANT, g_variant_new("(tt)", (guint64)1, (guint64)2));
    frame_append(out, FRAME_ANSWER, g_variant_new("(tus)", (guint64)1, 2, "answer"));
    frame_append(out, FRAME_FOLDER, g_variant_new("(uuxs)", 1, 2, G_GINT64_CONSTANT(3), "why"));
    frame_append(out, FRAME_ASK, g_variant_new_parsed("(uint32 1, [(uint32 2, true, <'3'>)])"));
    frame_append(out, FRAME_HEARTBEAT, NULL);
}

/* Octet by octet: each frame is there as soon as its last octet is, and not before. */
static void test_frames_in_pieces(void **state)
{
    (void)state;
    g_autoptr(GByteArray) all = g_byte_array_new(), in = g_byte_array_new();
    append_all(all);
    guint next = FRAME_HELLO;
    for (guint i = 0; i < all->len; i++) {
        gsize offset = 0;
        FrameKind kind;
        g_autoptr(GVariant) value = NULL;
        g_byte_array_append(in, all->data + i, 1);
        FrameStatus status = frame_parse(in, &offset, &kind, &value);
        assert_int_not_equal(status, FRAME_BROKEN);
        if (status == FRAME_NONE) {
            assert_int_equal(offset, 0);
            continue;
        }
        assert_int_equal(kind, next++);
        assert_int_equal(offset, in->len);
        assert_true((value == NULL) == (kind == FRAME_HEARTBEAT));
        g_byte_array_set_size(in, 0);
    }
    assert_int_equal(next, FRAME_LAST + 1);
    assert_int_equal(in->len, 0);
}

static void test_hello_comes_as_it_went(void **state)
{
    (void)state;
    g_autoptr(Hello) hello = some_hello();
    g_autoptr(GVariant) value = g_variant_ref_sink(hello_to_variant(hello));
    g_autoptr(Hello) got = hello_parse(value);
    g_autoptr(GVariant) again = g_variant_ref_sink(hello_to_variant(got));
    assert_true(g_variant_equal(value, again));
    assert_string_equal(got->addresses[1], "::1");
    assert_string_equal(got->sent_name, hello->sent_name);
    assert_string_equal(((HelloFolder *)got->folders->pdata[2])->name, "folder 2");
}

static void test_a_task_comes_as_it_went(void **state)
{
    (void)state;
    g_autoptr(GVariant) value = g_variant_ref_sink(task_to_variant(&some_task));
    g_autoptr(Task) got = task_parse(value);
    assert_non_null(got);
    g_autoptr(GVariant) again = g_variant_ref_sink(task_to_variant(got));
    assert_true(g_variant_equal(value, again));
}

/* It ends in commands to a server. */
static void test_a_task_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *message_id;
        guint64 id, size;
        guint32 kind;
        gboolean possible;
    } cases[] = {
        {"a@b", 1, 1, IMAP_TASK_FILE, TRUE},      {"a@b", 0, 1, IMAP_TASK_FILE, FALSE},
        {"a@b", 1, 0, IMAP_TASK_FILE, FALSE},     {"a@b", 1, 0, IMAP_TASK_SEARCH, TRUE},
        {"a@b", 1, 1, IMAP_TASK_SEARCH + 1, FALSE}, {"a@b", 1, TASK_OCTETS + 1, IMAP_TASK_FILE, FALSE},
        {"", 1, 1, IMAP_TASK_SEARCH, FALSE},      {"a\r\nA1 LOGOUT", 1, 1, IMAP_TASK_SEARCH, FALSE},
        {"a\"b", 1, 1, IMAP_TASK_SEARCH, FALSE},  {"a\\b", 1, 1, IMAP_TASK_SEARCH, FALSE},
        {"a b", 1, 1, IMAP_TASK_SEARCH, FALSE},   {"\303\245@b", 1, 1, IMAP_TASK_SEARCH, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) value = g_variant_ref_sink(
            g_variant_new("(tubsxxt)", cases[i].id, cases[i].kind, FALSE, cases[i].message_id, G_GINT64_CONSTANT(1),
                          G_GINT64_CONSTANT(0), cases[i].size));
        g_autoptr(Task) got = task_parse(value);
        if ((got != NULL) != cases[i].possible)
            fail_msg("case %zu: \"%s\"", i, cases[i].message_id);
    }
    g_autofree char *line = g_strnfill(TASK_ID_OCTETS + 1, 'x');
    const Task too_long = {.id = 1, .kind = IMAP_TASK_SEARCH, .message_id = line};
    assert_false(task_is_possible(&too_long));
}

/* A child that asks for what it was not given, or twice, breaks the protocol. */
static void test_each_piece_is_given_once_and_in_order(void **state)
{
    (void)state;
    Asked asked;
    guint64 lost = 0;
    GVariant *piece = NULL;
    g_autofree char *octets = g_strnfill(TASK_PIECE_OCTETS + 10, 'x');
    g_autoptr(GBytes) content = g_bytes_new(octets, TASK_PIECE_OCTETS + 10);
    const ImapTask file = {.kind = IMAP_TASK_FILE, .id = 7, .message_id = "a@b", .content = content};
    const ImapTask search = {.kind = IMAP_TASK_SEARCH, .id = 8, .message_id = "a@b"};
    asked_init(&asked);
    g_variant_unref(g_variant_ref_sink(asked_add(&asked, &file)));
    g_variant_unref(g_variant_ref_sink(asked_add(&asked, &search)));
    assert_false(asked_give_piece(&asked, 8, 0, &piece)); /* not its turn */
    assert_false(asked_give_piece(&asked, 7, 5, &piece));
    assert_true(asked_give_piece(&asked, 7, 0, &piece));
    g_variant_unref(g_variant_ref_sink(piece));
    assert_false(asked_give_piece(&asked, 7, 0, &piece));
    assert_true(asked_give_piece(&asked, 7, TASK_PIECE_OCTETS, &piece));
    g_variant_ref_sink(piece);
    g_autoptr(GVariant) rest = g_variant_get_child_value(piece, 2);
    assert_int_equal(g_variant_get_size(rest), 10);
    g_variant_unref(piece);
    assert_false(asked_give_piece(&asked, 7, TASK_PIECE_OCTETS + 10, &piece));
    assert_false(asked_end(&asked, 8));
    assert_true(asked_end(&asked, 7));
    assert_false(asked_give_piece(&asked, 8, 0, &piece)); /* a search hands on nothing */
    assert_true(asked_pop(&asked, &lost));
    assert_int_equal(lost, 8);
    assert_false(asked_pop(&asked, &lost));
    for (guint i = 0; i < TASK_WINDOW; i++) {
        assert_true(asked_has_room(&asked));
        g_variant_unref(g_variant_ref_sink(asked_add(&asked, &search)));
    }
    assert_false(asked_has_room(&asked));
    asked_clear(&asked);
}

static void test_a_hello_that_cannot_be(void **state)
{
    (void)state;
    g_autoptr(Hello) hello = some_hello();
    hello->tls = TLS_NONE + 1;
    g_autoptr(GVariant) unknown_tls = g_variant_ref_sink(hello_to_variant(hello));
    assert_null(hello_parse(unknown_tls));
    hello->tls = TLS_NONE;
    hello->poll_ms = 0;
    g_autoptr(GVariant) no_poll = g_variant_ref_sink(hello_to_variant(hello));
    assert_null(hello_parse(no_poll));
    hello->poll_ms = 1;
    g_ptr_array_set_size(hello->folders, 0);
    g_autoptr(GVariant) no_folder = g_variant_ref_sink(hello_to_variant(hello));
    assert_null(hello_parse(no_folder));
}

static FrameStatus parse_head(guint32 length, guint32 kind)
{
    const guint32 head[2] = {length, kind};
    g_autoptr(GByteArray) in = g_byte_array_new();
    g_autoptr(GVariant) value = NULL;
    gsize offset = 0;
    FrameKind found;
    g_byte_array_append(in, (const guint8 *)head, sizeof head);
    return frame_parse(in, &offset, &found, &value);
}

/* Refused by the head alone, before memory is taken for what it announces. */
static void test_heads(void **state)
{
    (void)state;
    assert_int_equal(parse_head(0, 0), FRAME_BROKEN);
    assert_int_equal(parse_head(0, FRAME_LAST + 1), FRAME_BROKEN);
    assert_int_equal(parse_head(0, G_MAXUINT32), FRAME_BROKEN);
    assert_int_equal(parse_head(FRAME_OCTETS + 1, FRAME_RECORD), FRAME_BROKEN);
    assert_int_equal(parse_head(G_MAXUINT32, FRAME_RECORD), FRAME_BROKEN);
    assert_int_equal(parse_head(FRAME_OCTETS, FRAME_RECORD), FRAME_NONE);
    assert_int_equal(parse_head(0, FRAME_STATE), FRAME_BROKEN); /* no "(us)" is empty */
    assert_int_equal(parse_head(0, FRAME_HEARTBEAT), FRAME_READY);
}

/* Any octets: a value in normal form of the kind's type, or BROKEN, or NONE; and a record's message is read or refused. */
static void test_any_octets(void **state)
{
    (void)state;
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    append_all(all);
    guint ready = 0, broken = 0;
    for (guint round = 0; round < 30000; round++) {
        g_autoptr(GByteArray) in = g_byte_array_new();
        g_byte_array_append(in, all->data, all->len);
        for (gint changes = g_rand_int_range(random, 1, 6); changes > 0; changes--)
            in->data[g_rand_int_range(random, 0, (gint32)in->len)] ^= (guint8)(1 << g_rand_int_range(random, 0, 8));
        gsize offset = 0;
        FrameStatus status = FRAME_READY;
        while (status == FRAME_READY) {
            FrameKind kind;
            g_autoptr(GVariant) value = NULL;
            status = frame_parse(in, &offset, &kind, &value);
            if (status != FRAME_READY)
                break;
            ready++;
            if (kind == FRAME_HELLO)
                hello_free(hello_parse(value));
            if (kind == FRAME_RECORD) {
                g_autoptr(GVariant) content = g_variant_get_child_value(value, 4);
                g_autoptr(GVariant) message = g_variant_get_variant(content);
                inbound_message_free(inbound_message_from_variant(message, NULL));
            }
        }
        broken += status == FRAME_BROKEN;
    }
    assert_true(ready > 30000 && broken > 3000); /* both were met */
}

static void test_window(void **state)
{
    (void)state;
    RecordWindow window;
    record_window_init(&window);
    assert_true(record_window_has_room(&window, 10 * (gsize)WINDOW_OCTETS)); /* one is always possible */
    for (guint i = 0; i < WINDOW_RECORDS; i++) {
        assert_true(record_window_has_room(&window, 10));
        record_window_add(&window, &(WindowRecord){.folder = i % 2, .uidvalidity = 5, .uid = 1 + i, .octets = 10});
    }
    assert_false(record_window_has_room(&window, 0));
    record_window_commit(&window, 0, 6, G_MAXUINT32, NULL); /* another UIDVALIDITY */
    record_window_commit(&window, 2, 5, G_MAXUINT32, NULL); /* another folder */
    assert_int_equal(window.sent->len, WINDOW_RECORDS);
    record_window_commit(&window, 0, 5, 4, NULL); /* 1 and 3 */
    assert_int_equal(window.sent->len, WINDOW_RECORDS - 2);
    assert_true(record_window_has_room(&window, 10));
    assert_false(record_window_has_room(&window, WINDOW_OCTETS));
    record_window_commit(&window, 0, 5, G_MAXUINT32, NULL);
    assert_false(record_window_has_folder(&window, 0));
    assert_true(record_window_has_folder(&window, 1));
    record_window_commit(&window, 1, 5, G_MAXUINT32, NULL);
    assert_true(record_window_is_empty(&window));
    assert_int_equal(window.octets, 0);
    record_window_clear(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_in_pieces),
        cmocka_unit_test(test_hello_comes_as_it_went),
        cmocka_unit_test(test_a_hello_that_cannot_be),
        cmocka_unit_test(test_a_task_comes_as_it_went),
        cmocka_unit_test(test_a_task_that_cannot_be),
        cmocka_unit_test(test_each_piece_is_given_once_and_in_order),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_any_octets),
        cmocka_unit_test(test_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
