/*
 * Protects: who was erased is not in the store any more, and yet an address of theirs is never mailed when it comes back, whichever
 * way it comes.
 */
#include "fixture.h"

static const char ADDRESS[] = "kari@example.no";

static void suppress(Store *store, const char *address, const char *reason)
{
    GError *error = NULL;
    const Suppression suppression = {.address = address, .reason = reason, .detail = "of kari@example.no", .at_ms = NOW - DAY};
    assert_done(store_suppression_add(store, &suppression, &error));
}

/* Kari has unsubscribed and is erased. */
static void erase_kari(Store *store)
{
    GError *error = NULL;
    gint64 id = add_contact(store, ADDRESS);
    suppress(store, ADDRESS, "unsubscribe");
    assert_done(store_contact_forget(store, id, &error));
}

static char *reason_of(Store *store, const char *address)
{
    GError *error = NULL;
    gboolean suppressed = FALSE;
    char *reason = NULL;
    assert_done(store_suppression_check(store, address, &suppressed, &reason, &error));
    assert_int_equal(suppressed, reason[0] != '\0');
    return reason;
}

static void expect_reason(Store *store, const char *address, const char *want)
{
    g_autofree char *reason = reason_of(store, address);
    assert_string_equal(reason, want);
}

static gboolean note(const Suppression *suppression, gpointer data)
{
    g_string_append_printf(data, "%s%s=%s/%s@%" G_GINT64_FORMAT " ", suppression->address,
                           suppression->is_erased ? "(erased)" : "", suppression->reason, suppression->detail,
                           suppression->at_ms - NOW);
    return TRUE;
}

static void expect_list(Store *store, const char *want)
{
    GError *error = NULL;
    g_autoptr(GString) all = g_string_new(NULL);
    assert_done(store_suppression_each(store, note, all, &error));
    assert_string_equal(all->str, want);
}

/* Not in any page of the file: neither the address nor what was told of it. */
static void nothing_of_the_address_is_left_in_the_file(void **state)
{
    Fixture *fixture = *state;
    erase_kari(fixture->store);
    g_clear_pointer(&fixture->store, store_close); /* the journal is merged */
    g_autofree char *bytes = NULL;
    gsize length = 0;
    assert_true(g_file_get_contents(fixture->path, &bytes, &length, NULL));
    assert_null(memmem(bytes, length, "kari@", 5));
    assert_null(memmem(bytes, length, "@example.no", 11));
    fixture->store = store_open(fixture->url, 0, NULL);
    assert_non_null(fixture->store);
    expect_reason(fixture->store, ADDRESS, "unsubscribe"); /* the secret is that of the store, not of the run */
    expect_list(fixture->store, "(erased)=unsubscribe/@-86400000 ");
}

static void one_who_comes_back_is_never_mailed(void **state)
{
    Store *store = store_of(state);
    erase_kari(store);
    gint64 id = save_edit(store, &(ContactEdit){.email = ADDRESS}, CONTACT_CAME_BACK);
    gint64 message = add_message(store, id, add_enrolment(store, id, "rule", NOW), "one", NOW);
    assert_false(claim_at(store, message, NOW));
    expect_list(store, "kari@example.no=unsubscribe/was erased, and came back@-86400000 ");
    save_edit(store, &(ContactEdit){.email = ADDRESS}, CONTACT_UNCHANGED);

    /* and so again */
    GError *error = NULL;
    assert_done(store_contact_forget(store, id, &error));
    expect_list(store, "(erased)=unsubscribe/@-86400000 ");
    save_edit(store, &(ContactEdit){.email = ADDRESS}, CONTACT_CAME_BACK);
}

static void one_of_many_who_comes_back_is_told_from_the_others(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    erase_kari(store);
    const ContactEdit people[] = {{.email = "a@example.no"}, {.email = ADDRESS}, {.email = "z@example.no"}};
    const ContactEdit *const wanted[] = {&people[0], &people[1], &people[2]};
    ContactSaveResult results[G_N_ELEMENTS(people)];
    const ContactEdits edits = {.edits = wanted, .len = G_N_ELEMENTS(people)};
    assert_done(store_contacts_save(store, &edits, CUSTOMER_STAGE, "research", NOW, results, &error));
    assert_int_equal(results[0], CONTACT_CREATED);
    assert_int_equal(results[1], CONTACT_CAME_BACK);
    assert_int_equal(results[2], CONTACT_CREATED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM suppression"), 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 3);
}

static void one_who_comes_back_as_an_alias_is_never_mailed(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    erase_kari(store);
    gint64 message = add_due_message(store, "k@new.no");
    assert_done(store_contact_alias_add(store, number_of(store, "SELECT id FROM contact"), ADDRESS, &error));
    assert_false(claim_at(store, message, NOW));
    expect_reason(store, "k@new.no", "unsubscribe");
}

static void all_addresses_are_kept_and_domains_stay_as_they_are(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_contact(store, ADDRESS);
    assert_done(store_contact_alias_add(store, id, "kari@work.no", &error));
    assert_done(store_contact_alias_add(store, id, "kari@free.no", &error));
    suppress(store, ADDRESS, "bounce");
    suppress(store, "kari@work.no", "complaint");
    suppress(store, "@work.no", "manual");
    suppress(store, "ola@example.no", "manual");
    assert_done(store_contact_forget(store, id, &error));
    expect_list(store, "@work.no=manual/of kari@example.no@-86400000 ola@example.no=manual/of kari@example.no@-86400000 "
                       "(erased)=bounce/@-86400000 (erased)=complaint/@-86400000 (erased)=complaint/@-86400000 ");
    expect_reason(store, ADDRESS, "bounce");
    expect_reason(store, "kari@work.no", "manual"); /* by its domain */
    expect_reason(store, "kari@free.no", "complaint"); /* theirs as well */
}

static void a_wish_goes_for_all_addresses_and_a_bounce_for_one(void **state)
{
    static const struct {
        const char *reason, *want;
    } rows[] = {{"unsubscribe", "unsubscribe"}, {"complaint", "complaint"}, {"manual", "manual"}, {"bounce", ""}};
    Store *store = store_of(state);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        GError *error = NULL;
        g_autofree char *main = g_strdup_printf("kari%u@example.no", i);
        g_autofree char *other = g_strdup_printf("kari%u@free.no", i);
        gint64 id = add_contact(store, main);
        assert_done(store_contact_alias_add(store, id, other, &error));
        suppress(store, main, rows[i].reason);
        assert_done(store_contact_forget(store, id, &error));
        expect_reason(store, main, rows[i].reason);
        expect_reason(store, other, rows[i].want);
        save_edit(store, &(ContactEdit){.email = other}, *rows[i].want ? CONTACT_CAME_BACK : CONTACT_CREATED);
    }
}

/* A list of suppressions that is read in again must not write the address back. */
static void suppressing_again_keeps_the_digest(void **state)
{
    Store *store = store_of(state);
    erase_kari(store);
    suppress(store, ADDRESS, "manual");
    expect_list(store, "(erased)=unsubscribe/@-86400000 ");
}

static void who_knows_the_address_finds_and_removes_it(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean removed = FALSE;
    erase_kari(store);
    g_autoptr(Suppression) found = NULL;
    assert_done(store_suppression_find(store, ADDRESS, &found, &error));
    assert_true(found != NULL && found->is_erased);
    assert_string_equal(found->reason, "unsubscribe");
    assert_int_equal(found->at_ms, NOW - DAY);
    assert_done(store_suppression_remove(store, "ola@example.no", &removed, &error));
    assert_false(removed);
    assert_done(store_suppression_remove(store, ADDRESS, &removed, &error));
    assert_true(removed);
    expect_reason(store, ADDRESS, "");
    save_edit(store, &(ContactEdit){.email = ADDRESS}, CONTACT_CREATED);
}

static void removing_decides_again_for_whom_it_was(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean removed = FALSE;
    gint64 message = add_due_message(store, ADDRESS);
    add_contact(store, "ola@other.no");
    suppress(store, ADDRESS, "manual");
    suppress(store, "@example.no", "manual");
    assert_false(claim_at(store, message, NOW));
    const char *const addresses[] = {ADDRESS, "@example.no"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        run(store, "DELETE FROM mark");
        assert_done(store_suppression_remove(store, addresses[i], &removed, &error));
        assert_true(removed);
        assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 1);
    }
    assert_true(claim_at(store, message, NOW));
    run(store, "DELETE FROM mark");
    assert_done(store_suppression_remove(store, ADDRESS, &removed, &error));
    assert_false(removed);
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(nothing_of_the_address_is_left_in_the_file),
        with_store(one_who_comes_back_is_never_mailed),
        with_store(one_of_many_who_comes_back_is_told_from_the_others),
        with_store(one_who_comes_back_as_an_alias_is_never_mailed),
        with_store(all_addresses_are_kept_and_domains_stay_as_they_are),
        with_store(a_wish_goes_for_all_addresses_and_a_bounce_for_one),
        with_store(suppressing_again_keeps_the_digest),
        with_store(who_knows_the_address_finds_and_removes_it),
        with_store(removing_decides_again_for_whom_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
