/*
 * Proposals: what a farewell leads to. Nothing but a proposal and silence follows from it before the owner has decided.
 */
#include "rig.h"

#include "base/text.h"
#include "engine/effects.h"
#include "store/proposals.h"

static InboundMessage *farewell(InboundClass class, const char *from, DepartureKind kind, const char *address)
{
    InboundMessage *message = inbound_message_new();
    message->class = class;
    text_replace(&message->from, from);
    text_replace(&message->text, "I have left");
    departure_clear(&message->departure);
    message->departure = (Departure){kind, g_strdup(address), g_strdup("Sam Vik"), g_strdup("I have left, ask Sam Vik")};
    return message;
}

/* Takes the message in, and frees it. */
static void arrives(Rig *rig, InboundMessage *message)
{
    const Arrival arrival = {.account = rig->core->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    gboolean filed = FALSE;
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_done(effects_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(transaction, &error));
    inbound_message_free(message);
}

static gboolean add_words(const Proposal *proposal, gpointer data)
{
    g_string_append_printf(data, "%s %s %s %s;", proposal->email, departure_kind_name(proposal->kind), proposal->address,
                           proposal_state_name(proposal->state));
    return TRUE;
}

static void assert_proposed(const Rig *rig, const char *want)
{
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(store_proposal_each(rig->store, TRUE, add_words, found, &error));
    assert_string_equal(found->str, want);
}

static void who_has_left_is_held_and_the_successor_proposed_once(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "kari@x.test", DEPARTURE_SUCCESSOR, "sam@x.test"));
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "kari@x.test", DEPARTURE_SUCCESSOR, "sam@x.test"));
    assert_proposed(rig, "kari@x.test successor sam@x.test open;");
    g_autoptr(Contact) kari = rig_contact(rig, id);
    assert_string_equal(kari->hold_reason, PROPOSAL_HOLD);
    assert_true(kari->hold_until_ms > clock_now_ms(rig->clock) + 300 * DAY);
    Contact *sam = NULL;
    assert_done(store_contact_find(rig->store, "sam@x.test", &sam, &error));
    assert_null(sam); /* nobody is added without a person's yes */
}

static void a_new_address_holds_nothing_back(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    arrives(rig, farewell(INBOUND_REPLY, "kari@x.test", DEPARTURE_NEW_ADDRESS, "kari@new.test"));
    assert_proposed(rig, "kari@x.test new-address kari@new.test open;");
    g_autoptr(Contact) kari = rig_contact(rig, id);
    assert_true(kari->hold_until_ms == 0);
}

static void strangers_own_people_and_floods_propose_nothing(void **state)
{
    Rig *rig = *state;
    rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "stranger@x.test", DEPARTURE_SUCCESSOR, "sam@x.test"));
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "kari@x.test", DEPARTURE_SUCCESSOR, "bo@example.com"));
    arrives(rig, farewell(INBOUND_REPLY, "kari@x.test", DEPARTURE_NEW_ADDRESS, "kari@x.test"));
    assert_proposed(rig, "");
    for (guint i = 0; i < PROPOSALS_MOST + 5; i++) {
        g_autofree char *address = g_strdup_printf("s%u@x.test", i);
        arrives(rig, farewell(INBOUND_REPLY, "kari@x.test", DEPARTURE_NEW_ADDRESS, address));
    }
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(store_proposal_each(rig->store, FALSE, add_words, found, &error));
    g_auto(GStrv) all = g_strsplit(found->str, ";", -1);
    assert_int_equal(g_strv_length(all) - 1, PROPOSALS_MOST);
}

static void one_that_was_decided_is_not_proposed_again(void **state)
{
    Rig *rig = *state;
    gboolean ended = FALSE;
    rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "kari@x.test", DEPARTURE_LEFT, ""));
    assert_done(store_proposal_end(rig->store, 1, PROPOSAL_DECLINED, 5, &ended, &error));
    assert_true(ended);
    assert_done(store_proposal_end(rig->store, 1, PROPOSAL_ACCEPTED, 6, &ended, &error));
    assert_false(ended);
    arrives(rig, farewell(INBOUND_AUTO_REPLY, "kari@x.test", DEPARTURE_LEFT, ""));
    assert_proposed(rig, "kari@x.test left  declined;");
}

static void a_new_address_takes_the_old_ones_place(void **state)
{
    Rig *rig = *state;
    gboolean suppressed = TRUE;
    gint64 id = rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    rig_add(rig, "ola@x.test", "pitching", "2026-02-27 12:00");
    const Suppression gone = {.address = "kari@x.test", .reason = "bounce", .detail = "", .at_ms = 1};
    assert_done(store_suppression_add(rig->store, &gone, &error));
    g_autoptr(GError) refused = NULL;
    assert_false(store_contact_readdress(rig->store, id, "ola@x.test", &refused));
    assert_true(g_error_matches(refused, STORE_ERROR, STORE_ERROR_EXISTS));
    assert_done(store_contact_alias_add(rig->store, id, "kari@new.test", &error));
    assert_done(store_contact_readdress(rig->store, id, "kari@new.test", &error));
    g_autoptr(Contact) kari = rig_contact(rig, id);
    assert_string_equal(kari->email, "kari@new.test");
    g_auto(GStrv) aliases = NULL;
    assert_done(store_contact_aliases(rig->store, id, &aliases, &error));
    assert_int_equal(g_strv_length(aliases), 1);
    assert_string_equal(aliases[0], "kari@x.test");
    assert_done(store_suppression_check(rig->store, "kari@new.test", &suppressed, NULL, &error));
    assert_false(suppressed); /* the old address's bounce says nothing about the new one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(who_has_left_is_held_and_the_successor_proposed_once),
        with_rig(a_new_address_holds_nothing_back),
        with_rig(strangers_own_people_and_floods_propose_nothing),
        with_rig(one_that_was_decided_is_not_proposed_again),
        with_rig(a_new_address_takes_the_old_ones_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
