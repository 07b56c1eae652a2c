/*
 * engine/match: whose an inbound message is, on what evidence, and how the log calls it. One table of every case, and what follows
 * for colleagues, strangers and loops.
 */
#include "rig.h"

#include "base/text.h"
#include "engine/effects.h"
#include "engine/match.h"
#include "engine/stranger.h"
#include "mail/token.h"

static const char OURS[] = "19c5e0f6a00x.aaaabbbbccccddddeeeeffff22@example.com"; /* as mail_new_message_id() makes them */
static const char GATEWAYS[] = "19C5E0F6A00x.aaaabbbbccccddddeeeeffff22@gateway.test";
static const char NOT_OURS[] = "19c5e0f6a00x.aaaabbbbccccddddeeeeffff77@example.com";

/* Kari, of Acme, to whom one message went; Ola, her colleague; Per, of nobody's company. */
typedef struct {
    gint64 kari, ola, per, outbox_id;
} People;

static gint64 person(Rig *rig, const char *email, const char *company)
{
    const ContactEdit edit = {.email = email, .company = company, .stage = "pitching", .stage_since_ms = at("2026-02-27 12:00")};
    gint64 id = rig_save(rig, &edit);
    rig_decide(rig, id);
    return id;
}

static People people(Rig *rig)
{
    People found = {person(rig, "kari@acme.test", "Acme"), person(rig, "ola@acme.test", "Acme"), person(rig, "per@else.test", ""), 0};
    assert_done(store_contact_alias_add(rig->store, found.kari, "kari@earlier.test", &error));
    rig_decide(rig, found.kari);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, found.kari, "after-pitch", "one");
    found.outbox_id = message->id;
    rig_deliver(rig, message->id, OURS, DELIVERY_SENT);
    return found;
}

static void set(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

typedef struct {
    const char *name;
    InboundClass class;
    const char *from, *in_reply_to, *references, *original, *message_id;
    const char *token; /* "unsubscribe", "reply", "forged": what the message is addressed to */
    const char *contact, *thread, *by; /* wanted; "" for none */
    gboolean strong;
} Case;

static InboundMessage *message_of(const Rig *rig, const People *who, const Case *wanted)
{
    InboundMessage *message = inbound_message_new();
    g_autofree char *reply = mail_token_new(wanted->token && g_str_equal(wanted->token, "forged") ? "guessed" : store_token_secret(rig->store),
                                            TOKEN_ANSWER, who->outbox_id);
    g_autofree char *address = mail_token_address("anna@example.com", reply);
    message->class = wanted->class;
    set(&message->from, wanted->from);
    set(&message->in_reply_to, wanted->in_reply_to ? wanted->in_reply_to : "");
    set(&message->original_message_id, wanted->original ? wanted->original : "");
    set(&message->message_id, wanted->message_id ? wanted->message_id : "theirs@x.test");
    set(&message->text, "the words");
    g_strfreev(message->references);
    message->references = g_strsplit(wanted->references ? wanted->references : "", " ", -1);
    if (wanted->token && !g_str_equal(wanted->token, "unsubscribe")) {
        g_strfreev(message->to);
        message->to = g_strsplit(address, " ", -1);
    } else if (wanted->token) {
        g_free(message->token);
        message->token = mail_token_new(store_token_secret(rig->store), TOKEN_UNSUBSCRIBE, who->kari);
    }
    return message;
}

static const Case cases[] = {
    {"an answer", INBOUND_REPLY, "kari@acme.test", OURS, NULL, NULL, NULL, NULL, "kari@acme.test", "", "In-Reply-To", TRUE},
    {"the last of the references", INBOUND_REPLY, "kari@acme.test", "x@y.test", "a@b.test 19c5e0f6a00x.aaaabbbbccccddddeeeeffff22@example.com c@d.test",
     NULL, NULL, NULL, "kari@acme.test", "", "References", TRUE},
    {"a gateway's domain", INBOUND_REPLY, "kari@acme.test", GATEWAYS, NULL, NULL, NULL, NULL, "kari@acme.test", "",
     "a Message-ID of ours under another domain", TRUE},
    {"a left part that is nearly ours", INBOUND_REPLY, "kari@acme.test", NOT_OURS, NULL, NULL, NULL, NULL, "kari@acme.test", "",
     "the sender's address", FALSE},
    {"a rewritten id, our reply address", INBOUND_REPLY, "kari@acme.test", "AM0PR04@eurprd04.prod.outlook.com", NULL, NULL, NULL, "reply",
     "kari@acme.test", "", "the token of the reply address", TRUE},
    {"a reply address that was guessed", INBOUND_REPLY, "stranger@x.test", "AM0PR04@outlook.com", NULL, NULL, NULL, "forged", "", "", "", FALSE},
    {"an earlier address", INBOUND_REPLY, "kari@earlier.test", OURS, NULL, NULL, NULL, NULL, "kari@acme.test", "", "In-Reply-To", TRUE},
    {"a new mail from an alias", INBOUND_REPLY, "kari@earlier.test", NULL, NULL, NULL, NULL, NULL, "kari@acme.test", "", "the sender's address", FALSE},
    {"a colleague answers", INBOUND_REPLY, "ola@acme.test", OURS, NULL, NULL, NULL, NULL, "ola@acme.test", "kari@acme.test", "In-Reply-To", FALSE},
    {"somebody known to whom it was forwarded answers", INBOUND_REPLY, "per@else.test", NULL, OURS, NULL, NULL, NULL, "per@else.test", "kari@acme.test",
     "References", FALSE},
    {"a stranger to whom it was forwarded answers", INBOUND_REPLY, "boss@x.test", NULL, OURS, NULL, NULL, NULL, "kari@acme.test", "", "References",
     FALSE},
    {"a new mail of theirs", INBOUND_REPLY, "per@else.test", NULL, NULL, NULL, NULL, NULL, "per@else.test", "", "the sender's address", FALSE},
    {"a stranger's mail", INBOUND_REPLY, "stranger@x.test", NULL, NULL, NULL, NULL, NULL, "", "", "", FALSE},
    {"a stranger's guess", INBOUND_REPLY, "stranger@x.test", "1@example.com", NOT_OURS, NULL, NULL, NULL, "", "", "", FALSE},
    {"no sender", INBOUND_REPLY, "", NULL, NULL, NULL, NULL, NULL, "", "", "", FALSE},
    {"a bounce with the original", INBOUND_BOUNCE, "mailer-daemon@mx.test", NULL, NULL, OURS, NULL, NULL, "kari@acme.test", "",
     "the Message-ID of the original", TRUE},
    {"a bounce that answers ours", INBOUND_BOUNCE, "mailer-daemon@mx.test", OURS, NULL, NULL, NULL, NULL, "kari@acme.test", "", "In-Reply-To", TRUE},
    {"a bounce with the id of what it is about", INBOUND_BOUNCE, "mailer-daemon@mx.test", NULL, NULL, OURS, OURS, NULL, "kari@acme.test", "",
     "the Message-ID of the original", TRUE},
    {"a bounce of a gateway that rewrites", INBOUND_BOUNCE, "mailer-daemon@mx.test", NULL, NULL, GATEWAYS, NULL, NULL, "kari@acme.test", "",
     "a Message-ID of ours under another domain", TRUE},
    {"a bounce of something never sent", INBOUND_BOUNCE, "kari@acme.test", NULL, NULL, NOT_OURS, NULL, NULL, "", "", "", FALSE},
    {"a token of unsubscribing", INBOUND_UNSUBSCRIBE, "robot@provider.test", NULL, NULL, NULL, NULL, "unsubscribe", "kari@acme.test", "",
     "an unsubscribe token", TRUE},
};

static void every_case_is_matched_as_the_table_says(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(InboundMessage) message = message_of(rig, &who, &cases[i]);
        g_auto(Match) match = {0};
        assert_done(match_find(rig->core, message, &match, &error));
        const char *contact = match.contact ? match.contact->email : "", *thread = match.thread ? match.thread->email : "";
        if (!g_str_equal(contact, cases[i].contact) || !g_str_equal(thread, cases[i].thread) || !g_str_equal(match.by, cases[i].by) ||
            match.strong != cases[i].strong || match.is_copy)
            fail_msg("%s: contact \"%s\", thread \"%s\", by \"%s\", strong %d", cases[i].name, contact, thread, match.by, match.strong);
    }
}

static void our_own_message_that_comes_back_is_no_answer(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    const Case looped = {.class = INBOUND_REPLY, .from = "kari@acme.test", .message_id = OURS};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &looped);
    g_auto(Match) match = {0};
    assert_done(match_find(rig->core, message, &match, &error));
    assert_true(match.is_copy);
    assert_null(match.contact);
}

/* ---- what follows ---- */

static gboolean arrives(Rig *rig, const InboundMessage *message, gboolean adopts)
{
    const Arrival arrival = {.account = rig->core->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock), .adopts_strangers = adopts};
    gboolean filed = FALSE;
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_done(effects_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(transaction, &error));
    return filed;
}

typedef struct {
    InteractionKind kind;
    guint count;
    char *detail;
} Entries;

static gboolean take_entry(const Interaction *interaction, gpointer data)
{
    Entries *entries = data;
    if (interaction->kind == entries->kind) {
        entries->count++;
        text_replace(&entries->detail, interaction->detail);
    }
    return TRUE;
}

static Entries entries_of(const Rig *rig, gint64 id, InteractionKind kind)
{
    Entries entries = {.kind = kind};
    assert_done(store_history_each(rig->store, id, take_entry, &entries, &error));
    return entries;
}

static void a_colleagues_answer_is_filed_with_both_and_stops_their_own_rules(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    const Case answer = {.class = INBOUND_REPLY, .from = "ola@acme.test", .in_reply_to = OURS};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &answer);
    assert_true(arrives(rig, message, FALSE));
    Entries hers = entries_of(rig, who.kari, INTERACTION_REPLY), his = entries_of(rig, who.ola, INTERACTION_REPLY);
    assert_int_equal(hers.count, 1);
    assert_string_equal(hers.detail, "answered by a colleague, ola@acme.test");
    assert_int_equal(his.count, 1);
    assert_string_equal(his.detail, "in the conversation with kari@acme.test");
    assert_enrolment(rig, who.ola, "after-pitch", "reply");
    assert_enrolment(rig, who.kari, "after-pitch", "active");
    g_free(hers.detail);
    g_free(his.detail);
}

static void with_the_scope_of_the_company_it_stops_both(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, "{ name = \"after-pitch\"; anchor = \"stage\"; scope = \"company\"; when = { stage = \"pitching\"; };\n"
                       "  steps = ( { after = \"3 days\"; template = \"one\"; }, { after = \"5 days\"; template = \"two\"; } ); }\n", "");
    const People who = people(rig);
    const Case answer = {.class = INBOUND_REPLY, .from = "ola@acme.test", .in_reply_to = OURS};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &answer);
    assert_true(arrives(rig, message, FALSE));
    rig_decide(rig, who.kari); /* the scheduler takes the mark */
    assert_enrolment(rig, who.ola, "after-pitch", "reply");
    assert_enrolment(rig, who.kari, "after-pitch", "a colleague's reply");
}

static void an_answer_of_somebody_else_stops_both(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    const Case answer = {.class = INBOUND_REPLY, .from = "per@else.test", .in_reply_to = OURS};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &answer);
    assert_true(arrives(rig, message, FALSE));
    assert_enrolment(rig, who.per, "after-pitch", "reply");
    assert_enrolment(rig, who.kari, "after-pitch", "reply");
}

static void two_machines_that_answer_each_other_come_to_an_end(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    const Case answer = {.class = INBOUND_AUTO_REPLY, .from = "kari@acme.test"};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &answer);
    for (int i = 0; i < 5; i++)
        assert_true(arrives(rig, message, FALSE));
    g_autoptr(Contact) before = rig_contact(rig, who.kari);
    clock_set(rig->clock, clock_now_ms(rig->clock) + HOUR);
    assert_false(arrives(rig, message, FALSE));
    g_autoptr(Contact) after = rig_contact(rig, who.kari);
    assert_true(after->hold_until_ms == before->hold_until_ms);
    clock_set(rig->clock, clock_now_ms(rig->clock) + 2 * DAY);
    assert_true(arrives(rig, message, FALSE));
}

/* ---- strangers ---- */

static Contact *contact_at(const Rig *rig, const char *address)
{
    Contact *contact = NULL;
    assert_done(store_contact_find(rig->store, address, &contact, &error));
    return contact;
}

static void a_stranger_becomes_a_prospect_where_the_folder_says_so(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    const Case writes = {.class = INBOUND_REPLY, .from = "nina@new.test"};
    g_autoptr(InboundMessage) message = message_of(rig, &who, &writes);
    set(&message->from_name, "Nina Maria Moe");
    assert_false(arrives(rig, message, FALSE));
    assert_null(contact_at(rig, "nina@new.test"));
    assert_true(arrives(rig, message, TRUE));
    g_autoptr(Contact) nina = contact_at(rig, "nina@new.test");
    assert_non_null(nina);
    assert_string_equal(nina->first_name, "Nina Maria");
    assert_string_equal(nina->last_name, "Moe");
    assert_string_equal(nina->stage, "research");
    assert_string_equal(nina->source, "mail");
    assert_string_equal(nina->owner, "anna");
    assert_true(nina->customer_since_ms == 0);
    assert_true(rig_has(rig, nina->id, INTERACTION_REPLY));
    g_autoptr(Enrolment) none = rig_enrolment(rig, nina->id, "aftercare");
    assert_null(none);
}

static void machines_lists_forgers_and_who_was_suppressed_stay_strangers(void **state)
{
    static const struct {
        InboundClass class;
        const char *from, *results;
    } refused[] = {
        {INBOUND_AUTO_REPLY, "a@new.test", ""},       {INBOUND_OTHER, "b@new.test", ""},
        {INBOUND_UNSUBSCRIBE, "c@new.test", ""},      {INBOUND_BOUNCE, "d@new.test", ""},
        {INBOUND_REPLY, "no-reply@new.test", ""},     {INBOUND_REPLY, "shop.noreply+17@new.test", ""},
        {INBOUND_REPLY, "Postmaster@new.test", ""},   {INBOUND_REPLY, "e@new.test", "mx.test; dmarc=fail header.from=new.test"},
        {INBOUND_REPLY, "gone@new.test", ""},         {INBOUND_REPLY, "bo@example.com", ""},
        {INBOUND_REPLY, "", ""},
    };
    Rig *rig = *state;
    const People who = people(rig);
    guint64 before = 0, after = 0;
    const Suppression gone = {.address = "gone@new.test", .reason = "unsubscribe", .detail = "", .at_ms = 1};
    assert_done(store_suppression_add(rig->store, &gone, &error));
    assert_done(store_contact_count(rig->store, &before, &error));
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        const Case writes = {.class = refused[i].class, .from = refused[i].from};
        g_autoptr(InboundMessage) message = message_of(rig, &who, &writes);
        set(&message->authentication_results, refused[i].results);
        assert_false(arrives(rig, message, TRUE));
    }
    assert_done(store_contact_count(rig->store, &after, &error));
    assert_true(before == after);
}

static void a_flood_of_strangers_ends_at_the_days_limit(void **state)
{
    Rig *rig = *state;
    const People who = people(rig);
    for (guint i = 0; i <= STRANGER_MOST_A_DAY; i++) {
        g_autofree char *from = g_strdup_printf("s%u@flood.test", i);
        const Case writes = {.class = INBOUND_REPLY, .from = from};
        g_autoptr(InboundMessage) message = message_of(rig, &who, &writes);
        assert_int_equal(arrives(rig, message, TRUE), i < STRANGER_MOST_A_DAY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(every_case_is_matched_as_the_table_says),
        with_rig(our_own_message_that_comes_back_is_no_answer),
        with_rig(a_colleagues_answer_is_filed_with_both_and_stops_their_own_rules),
        with_rig(with_the_scope_of_the_company_it_stops_both),
        with_rig(an_answer_of_somebody_else_stops_both),
        with_rig(two_machines_that_answer_each_other_come_to_an_end),
        with_rig(a_stranger_becomes_a_prospect_where_the_folder_says_so),
        with_rig(machines_lists_forgers_and_who_was_suppressed_stay_strangers),
        with_rig(a_flood_of_strangers_ends_at_the_days_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
