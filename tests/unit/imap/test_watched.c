/*
 * Protects: what nurture status says of each folder, and that a listed folder which cannot be read keeps the mailbox from counting as read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "imap/watched.h"

static char *names[] = {(char *)"INBOX", (char *)"Leads", NULL};

static GPtrArray *folders_of(gboolean sent, gboolean junk)
{
    const Account account = {.imap = {.folders = names, .sent_folder = (char *)"", .junk_folder = (char *)"Spam", .watch_sent = sent, .watch_junk = junk}};
    return watched_folders_new(&account);
}

static void test_listed_then_sent_then_junk(void **state)
{
    static const char *const want[] = {"INBOX", "Leads", IMAP_SENT_BY_SERVER, "Spam"};
    g_autoptr(GPtrArray) all = folders_of(TRUE, TRUE), few = folders_of(FALSE, FALSE);
    (void)state;
    assert_int_equal(all->len, G_N_ELEMENTS(want));
    for (guint i = 0; i < all->len; i++)
        assert_string_equal(((WatchedFolder *)all->pdata[i])->status.name, want[i]);
    assert_true(((WatchedFolder *)all->pdata[2])->is_sent);
    assert_int_equal(((WatchedFolder *)all->pdata[3])->status.kind, IMAP_FOLDER_JUNK);
    assert_int_equal(few->len, 2);
}

/* Two are found, handed on and committed one after the other; then the end is told before the last commit. */
static void test_what_is_left_counts_down_to_the_last_commit(void **state)
{
    g_autoptr(GPtrArray) folders = folders_of(FALSE, FALSE);
    WatchedFolder *folder = folders->pdata[0];
    (void)state;
    assert_null(folder->status.why);
    assert_true(watched_folder_tell(folder, 2, 500, "", 1000));
    assert_int_equal(folder->status.left, 2);
    assert_int_equal(folder->status.oldest_ms, 500);
    assert_int_equal(folder->status.read_ms, 0);
    watched_folder_add_record(folder);
    watched_folder_add_record(folder);
    watched_folder_commit(folder, 1, 600, 1100);
    assert_int_equal(folder->status.left, 1);
    assert_int_equal(folder->status.oldest_ms, 600);
    assert_false(watched_folder_tell(folder, 0, 0, "", 1200)); /* nothing behind them, but one is not committed */
    assert_int_equal(folder->status.read_ms, 0);
    watched_folder_commit(folder, 1, 700, 1300);
    assert_int_equal(folder->status.read_ms, 1300);
    assert_int_equal(folder->status.left, 0);
    watched_folder_tell(folder, 0, 0, "", 1400);
    assert_int_equal(folder->status.read_ms, 1400);
}

static void test_a_listed_folder_that_fails_holds_the_time_of_reading(void **state)
{
    g_autoptr(GPtrArray) folders = folders_of(TRUE, TRUE);
    (void)state;
    for (guint i = 0; i < folders->len; i++)
        watched_folder_tell(folders->pdata[i], 0, 0, "", 100);
    assert_int_equal(watched_folders_read_ms(folders, 900), 900);
    assert_true(watched_folder_tell(folders->pdata[2], 0, 0, "gone", 200)); /* Sent and junk need not be there */
    assert_true(watched_folder_tell(folders->pdata[3], 0, 0, "gone", 200));
    assert_int_equal(watched_folders_read_ms(folders, 900), 900);
    assert_true(watched_folder_tell(folders->pdata[1], 0, 0, "gone", 200));
    assert_false(((WatchedFolder *)folders->pdata[1])->status.again);
    assert_int_equal(watched_folders_read_ms(folders, 900), 100);
    assert_int_equal(watched_folders_read_ms(folders, 50), 50);
    assert_true(watched_folder_tell(folders->pdata[1], 0, 0, "", 300));
    assert_true(((WatchedFolder *)folders->pdata[1])->status.again);
    assert_int_equal(watched_folders_read_ms(folders, 900), 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_listed_then_sent_then_junk),
                                       cmocka_unit_test(test_what_is_left_counts_down_to_the_last_commit),
                                       cmocka_unit_test(test_a_listed_folder_that_fails_holds_the_time_of_reading)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
