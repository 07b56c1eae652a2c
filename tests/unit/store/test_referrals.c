/*
 * Protects: the ledger of referrals. One row a person and referrer; who may be accepted and who is recognised; how each state follows the
 * one before; and that numbers, by which thanks are sent, are given once.
 */
#include "fixture.h"

#include "store/referrals.h"

static const ReferralAcceptance by_owner = {.first_stage = "research", .customer_stage = CUSTOMER_STAGE, .by = "the owner"};

static gint64 add(Store *store, gint64 referrer, const char *name, const char *address)
{
    GError *error = NULL;
    gint64 id = 0;
    const Referral wish = {.referrer_id = referrer, .address = (char *)address, .name = (char *)name, .how = (char *)"text",
                           .evidence = (char *)"ask them", .rule = (char *)"ask", .message_id = (char *)"m@x", .at_ms = NOW};
    assert_done(store_referral_add(store, &wish, &id, &error));
    return id;
}

static ReferralAcceptResult accept_at(Store *store, gint64 id, gint64 now_ms)
{
    GError *error = NULL;
    ReferralAcceptResult result = REFERRAL_ACCEPT_NOT_OPEN;
    assert_done(store_referral_accept(store, id, &by_owner, now_ms, &result, &error));
    return result;
}

static Referral *get_referral(Store *store, gint64 id)
{
    GError *error = NULL;
    Referral *referral = NULL;
    assert_done(store_referral_get(store, id, &referral, &error));
    assert_non_null(referral);
    return referral;
}

static void assert_row(Store *store, gint64 id, ReferralState state, const char *reason)
{
    g_autoptr(Referral) referral = get_referral(store, id);
    assert_string_equal(referral_state_name(referral->state), referral_state_name(state));
    assert_string_equal(referral->reason, reason);
}

static void move(Store *store, gint64 id, ReferralState to, const char *reason, gint64 at_ms)
{
    GError *error = NULL;
    assert_done(store_referral_move(store, id, to, reason, at_ms, &error));
}

static void write_to(Store *store, const char *address, gint64 at_ms)
{
    GError *error = NULL;
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_find(store, address, &contact, &error));
    const Interaction sent = {.contact_id = contact->id, .at_ms = at_ms, .kind = INTERACTION_SENT, .rule = "intro"};
    assert_done(store_history_add(store, &sent, NULL, &error));
}

static void a_person_is_one_row_for_a_referrer(void **state)
{
    Store *store = store_of(state);
    gint64 kari = add_contact(store, "kari@b.no"), ola = add_contact(store, "ola@b.no");
    assert_true(add(store, kari, "Per", "per@c.no") > 0);
    assert_int_equal(add(store, kari, "Per Olsen", "per@c.no"), 0);
    assert_true(add(store, ola, "Per", "per@c.no") > 0);
    assert_true(add(store, kari, "Åse", "") > 0);
    assert_int_equal(add(store, kari, "ÅSE", ""), 0); /* without case */
    assert_true(add(store, kari, "Anne", "") > 0);
}

static void who_is_accepted_becomes_a_contact_with_a_basis(void **state)
{
    Store *store = store_of(state);
    gint64 kari = save_edit(store, &(ContactEdit){.email = "kari@b.no", .owner = "anna", .language = "nb"}, CONTACT_CREATED);
    gint64 id = add(store, kari, "Per Erik Olsen", "per@c.no");
    assert_int_equal(accept_at(store, id, NOW + DAY), REFERRAL_ACCEPT_DONE);
    assert_int_equal(accept_at(store, id, NOW + DAY), REFERRAL_ACCEPT_NOT_OPEN);
    GError *error = NULL;
    g_autoptr(Contact) per = NULL;
    assert_done(store_contact_find(store, "per@c.no", &per, &error));
    assert_string_equal(per->first_name, "Per Erik");
    assert_string_equal(per->last_name, "Olsen");
    assert_string_equal(per->stage, "research");
    assert_string_equal(per->owner, "anna");
    assert_string_equal(per->language, "nb");
    assert_string_equal(per->source, "referral");
    assert_true(per->referred);
    assert_int_equal(per->referred_ms, NOW + DAY);
    g_autoptr(Referral) referral = get_referral(store, id);
    assert_string_equal(referral->basis, "introduced by a customer; accepted by the owner");
    assert_int_equal(referral->contact_id, per->id);
    assert_int_equal(referral->accepted_number, 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM interaction WHERE kind = 'referral'"), 2);
    assert_int_equal(number_of(store, "SELECT count(*) FROM interaction WHERE kind = 'referral' AND detail LIKE '%@%'"), 0);
}

static void who_is_known_or_never_mailed_is_recognised(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 kari = add_contact(store, "kari@b.no");
    add_contact(store, "old@c.no");
    assert_done(store_contact_alias_add(store, kari, "kari@private.no", &error));
    assert_done(store_suppression_add(store, &(Suppression){.address = "@never.no", .reason = "manual", .at_ms = NOW}, &error));
    const struct {
        const char *address, *reason;
    } cases[] = {{"old@c.no", "was a contact already"},
                 {"kari@private.no", "the customer themself"},
                 {"x@never.no", "never mailed: manual"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 id = add(store, kari, "", cases[i].address);
        assert_int_equal(accept_at(store, id, NOW + 1), REFERRAL_ACCEPT_REFUSED);
        assert_row(store, id, REFERRAL_DECLINED, cases[i].reason);
    }
    assert_int_equal(accept_at(store, add(store, kari, "Per", ""), NOW + 1), REFERRAL_ACCEPT_NO_ADDRESS);
}

static void two_who_name_one_person_brought_them_once(void **state)
{
    Store *store = store_of(state);
    gint64 first = add(store, add_contact(store, "kari@b.no"), "", "per@c.no");
    gint64 second = add(store, add_contact(store, "ola@b.no"), "", "per@c.no");
    assert_int_equal(accept_at(store, first, NOW + 1), REFERRAL_ACCEPT_DONE);
    assert_row(store, second, REFERRAL_DECLINED, "came by another referral already"); /* it is nothing to wait for */
    assert_int_equal(accept_at(store, second, NOW + 2), REFERRAL_ACCEPT_REFUSED);
    assert_row(store, second, REFERRAL_DECLINED, "came by another referral already");
}

static void a_circle_is_refused(void **state)
{
    Store *store = store_of(state);
    gint64 kari = add_contact(store, "kari@b.no");
    assert_int_equal(accept_at(store, add(store, kari, "", "per@c.no"), NOW + 1), REFERRAL_ACCEPT_DONE);
    gint64 per = number_of(store, "SELECT id FROM contact WHERE email = 'per@c.no'");
    run(store, "UPDATE contact SET created_ms = created_ms + 9000000000 WHERE email = 'kari@b.no'"); /* as if added by hand meanwhile */
    gint64 back = add(store, per, "", "kari@b.no");
    assert_int_equal(accept_at(store, back, NOW + 2), REFERRAL_ACCEPT_REFUSED);
    assert_row(store, back, REFERRAL_DECLINED, "a circle: they brought who names them");
}

static void a_referral_goes_its_way(void **state)
{
    Store *store = store_of(state);
    gint64 kari = add_contact(store, "kari@b.no");
    gint64 id = add(store, kari, "", "per@c.no"), other = add(store, kari, "", "pia@c.no");
    move(store, id, REFERRAL_CUSTOMER, "", NOW); /* nobody accepted them */
    assert_row(store, id, REFERRAL_PROPOSED, "");
    accept_at(store, other, NOW + 1);
    accept_at(store, id, NOW + 2);
    write_to(store, "per@c.no", NOW + 1); /* before they were accepted: an old letter that is filed now */
    assert_row(store, id, REFERRAL_ACCEPTED, "");
    write_to(store, "per@c.no", NOW + 3);
    assert_row(store, id, REFERRAL_CONTACTED, "");
    move(store, id, REFERRAL_LOST, "unsubscribe", NOW + 4);
    assert_row(store, id, REFERRAL_LOST, "unsubscribe");
    write_to(store, "per@c.no", NOW + 5);
    assert_row(store, id, REFERRAL_LOST, "unsubscribe");
    move(store, id, REFERRAL_CUSTOMER, "", NOW + 6); /* they came back by themselves */
    assert_row(store, id, REFERRAL_CUSTOMER, "");
    g_autoptr(Referral) one = get_referral(store, id);
    g_autoptr(Referral) two = get_referral(store, other);
    assert_int_equal(two->accepted_number, 1);
    assert_int_equal(one->accepted_number, 2);
    assert_int_equal(one->customer_number, 1);
    assert_int_equal(one->contacted_ms, NOW + 3);
    assert_int_equal(one->customer_ms, NOW + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(a_person_is_one_row_for_a_referrer),
        with_store(who_is_accepted_becomes_a_contact_with_a_basis),
        with_store(who_is_known_or_never_mailed_is_recognised),
        with_store(two_who_name_one_person_brought_them_once),
        with_store(a_circle_is_refused),
        with_store(a_referral_goes_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
