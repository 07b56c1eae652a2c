/*
 * store/canary: one row an account; what the last one said stays while the next is under way.
 */
#include "fixture.h"

#include "store/canary.h"

static void assert_record(Store *store, const char *account, gboolean under_way, gboolean failed, const char *reason)
{
    g_auto(CanaryRecord) record = {0};
    assert_true(store_canary_get(store, account, &record, NULL));
    assert_int_equal(canary_record_is_under_way(&record), under_way);
    assert_int_equal(record.failed, failed);
    assert_string_equal(record.reason, reason);
}

static void test_life(void **state)
{
    Store *store = store_of(state);
    assert_record(store, "anna", FALSE, FALSE, "");
    assert_true(store_canary_begin(store, "anna", "1@example.com", 1000, NULL));
    assert_record(store, "anna", TRUE, FALSE, "");
    assert_true(store_canary_end(store, "anna", 2000, TRUE, "found in Junk", "dmarc=pass", NULL));
    assert_record(store, "anna", FALSE, TRUE, "found in Junk");
    assert_true(store_canary_begin(store, "anna", "2@example.com", 3000, NULL));
    assert_record(store, "anna", TRUE, TRUE, "found in Junk");
    assert_true(store_canary_withdraw(store, "anna", NULL));
    assert_record(store, "anna", FALSE, TRUE, "found in Junk");
    assert_true(store_canary_begin(store, "anna", "3@example.com", 4000, NULL));
    assert_true(store_canary_end(store, "anna", 4000, FALSE, "found in INBOX", "", NULL)); /* within the same ms */
    assert_record(store, "anna", FALSE, FALSE, "found in INBOX");
    assert_record(store, "per", FALSE, FALSE, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {with_store(test_life)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
