/*
 * Protects: what starts by a person's answer. A score is kept, a low one holds all mail and is the owner's to deal with, an unclear one is
 * asked of the owner; whom an answer introduces is a proposal with its evidence, never a contact; who wrote themself becomes one where the
 * rule says so; nobody is asked too often; each referral is thanked for once.
 */
#include "faults.h"

#include "engine/referral.h"
#include "engine/score.h"
#include "store/notices.h"
#include "store/referrals.h"
#include "store/tasks.h"

#define SCORE_RULE                                                                                                          \
    "{ name = \"satisfaction\"; anchor = \"customer\"; when = { tag = \"rate\"; };"                                         \
    "  steps = ( { age = \"1 day\"; kind = \"score\"; template = \"one\"; } ); }"
#define ASK_RULE(more)                                                                                                      \
    "{ name = \"ask\"; purpose = \"referral\"; anchor = \"customer\"; when = { tag = \"ask\"; }; " more                     \
    "  steps = ( { age = \"1 day\"; template = \"two\"; } ); }"
#define AFTER_RULES                                                                                                         \
    "{ name = \"intro\"; anchor = \"referral\"; when = { referred = true; };"                                               \
    "  steps = ( { after = \"1 hour\"; template = \"three\"; } ); },"                                                       \
    "{ name = \"thanks\"; anchor = \"thanks\"; when = {}; stop_on = []; steps = ( { after = \"1 hour\"; template = \"two\"; } ); },"  \
    "{ name = \"reward\"; anchor = \"reward\"; when = {}; stop_on = []; steps = ( { after = \"1 hour\"; template = \"three\"; } ); }"

#define HOUR G_GINT64_CONSTANT(3600000)

static gint64 customer(Rig *rig, const char *email, const char *tag)
{
    const char *tags[] = {tag, NULL};
    gint64 id = rig_save(rig, &(ContactEdit){.email = email, .stage = "follow-up", .stage_since_ms = clock_now_ms(rig->clock) - DAY,
                                             .first_name = "Kari", .add_tags = tags});
    rig_decide(rig, id);
    return id;
}

static void pass(Rig *rig, gint64 ms)
{
    clock_set(rig->clock, clock_now_ms(rig->clock) + ms);
}

/* What is due leaves, and arrives. */
static guint send_all(Rig *rig)
{
    GError *error = NULL;
    DecideSummary summary = {0};
    gboolean more = TRUE;
    guint sent = 0, count = 0;
    while (more) {
        more = FALSE;
        assert_done(decide_marked(rig->core, 100, &summary, &count, &error));
        more = count == 100;
    }
    rig_queue_due(rig);
    const ClaimAccount account = {.account = config_account(rig->config, "anna"), .paused = ""};
    g_autoptr(GPtrArray) due = NULL;
    assert_done(store_outbox_due(rig->store, "anna", clock_now_ms(rig->clock), 100, &due, &error));
    for (guint i = 0; i < due->len; i++) {
        const OutboxMessage *message = due->pdata[i];
        const DeliveryResult result = {.class = DELIVERY_SENT, .enhanced = (char *)"", .text = (char *)""};
        ClaimResult claim;
        assert_done(claim_message(rig->core, &account, message, &claim, &error));
        if (claim.letter)
            assert_done(outcome_commit(rig->core, message->id, account.account, &result, NULL, 0, &error));
        sent += claim.letter != NULL;
        letter_free(claim.letter);
    }
    return sent;
}

/* Their answer to the last message that went to them. */
static InboundMessage *answer(Rig *rig, gint64 contact, const char *from, const char *text)
{
    g_autoptr(OutboxMessage) asked = rig_message(rig, contact);
    InboundMessage *message = rig_inbound(INBOUND_REPLY, from);
    take_text(&message->in_reply_to, asked->message_id);
    take_text(&message->text, text);
    take_text(&message->full_text, text);
    take_text(&message->message_id, "answer@x.test");
    return message;
}

static void score_of(InboundMessage *message, ScoreVerdict verdict, int value)
{
    message->score.verdict = verdict;
    message->score.value = value;
    take_text(&message->score.evidence, message->text);
}

static void introduce(InboundMessage *message, const char *name, const char *address)
{
    IntroducedPerson *person = g_new0(IntroducedPerson, 1);
    person->name = g_strdup(name);
    person->address = g_strdup(address);
    person->phone = g_strdup("");
    person->company = g_strdup("");
    person->evidence = g_strdup("you should talk to them");
    person->certain = TRUE;
    g_ptr_array_add(message->introduced, person);
}

static gboolean collect_row(const Referral *referral, gpointer data)
{
    g_string_append_printf(data, "%s %s %s%s%s;", referral->address, referral->how, referral_state_name(referral->state),
                           *referral->reason ? ": " : "", referral->reason);
    return TRUE;
}

static void assert_ledger(Rig *rig, const char *want)
{
    GError *error = NULL;
    const ReferralFilter filter = {0};
    g_autoptr(GString) rows = g_string_new(NULL);
    assert_done(store_referral_each(rig->store, &filter, collect_row, rows, &error));
    assert_string_equal(rows->str, want);
}

static Contact *contact_of(Rig *rig, const char *address)
{
    GError *error = NULL;
    Contact *contact = NULL;
    assert_done(store_contact_find(rig->store, address, &contact, &error));
    return contact;
}

static gboolean count_task(const OwnerTask *task, gpointer data)
{
    assert_string_equal(task->source, TASK_BY_SCORE);
    (*(guint *)data)++;
    return TRUE;
}

static guint tasks_of(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    guint count = 0;
    const TaskFilter filter = {.contact_id = contact};
    assert_done(store_task_each(rig->store, &filter, count_task, &count, &error));
    return count;
}

static guint notices_of(Rig *rig)
{
    GError *error = NULL;
    guint count = 0;
    assert_done(store_notice_count(rig->store, "anna", NOW - DAY, &count, &error));
    return count;
}

/* ---- scores ---- */

static void scores_have_their_consequences(void **state)
{
    static const struct {
        const char *email;
        ScoreVerdict verdict;
        int value;
        gboolean kept, paused;
        guint tasks;
    } cases[] = {{"a@c.test", SCORE_CLEAR, 10, TRUE, FALSE, 0}, {"b@c.test", SCORE_CLEAR, 7, TRUE, FALSE, 0},
                 {"c@c.test", SCORE_CLEAR, 6, TRUE, TRUE, 1},   {"d@c.test", SCORE_CLEAR, 0, TRUE, TRUE, 1},
                 {"e@c.test", SCORE_UNCLEAR, -1, FALSE, FALSE, 1}, {"f@c.test", SCORE_NONE, -1, FALSE, FALSE, 0}};
    Rig *rig = *state;
    guint told = 0;
    rig_configure(rig, ACCOUNT("anna"), SCORE_RULE);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 id = customer(rig, cases[i].email, "rate");
        assert_int_equal(send_all(rig), 1);
        g_autoptr(InboundMessage) message = answer(rig, id, cases[i].email, "words");
        score_of(message, cases[i].verdict, cases[i].value);
        assert_true(rig_arrive(rig, message));
        g_autoptr(Contact) contact = contact_of(rig, cases[i].email);
        assert_int_equal(contact->has_score, cases[i].kept);
        if (cases[i].kept)
            assert_int_equal((int)contact->score, cases[i].value);
        assert_int_equal(contact->score_ms, cases[i].kept ? clock_now_ms(rig->clock) : 0);
        assert_int_equal(contact->paused_until_ms, cases[i].paused ? G_MAXINT64 : 0);
        assert_int_equal(*contact->pause_reason != '\0', cases[i].paused);
        assert_int_equal(tasks_of(rig, id), cases[i].tasks);
        told += cases[i].paused ? 1 : 0;
        assert_int_equal(notices_of(rig), told); /* at once */
    }
}

static void a_score_counts_only_from_whom_it_was_asked(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), SCORE_RULE);
    gint64 id = customer(rig, "kari@c.test", "rate");
    send_all(rig);
    g_autoptr(InboundMessage) weak = rig_inbound(INBOUND_REPLY, "kari@c.test"); /* the sender's address can be forged */
    score_of(weak, SCORE_CLEAR, 0);
    rig_arrive(rig, weak);
    g_autoptr(InboundMessage) other = answer(rig, id, "eve@evil.test", "0");
    score_of(other, SCORE_CLEAR, 0);
    rig_arrive(rig, other);
    g_autoptr(Contact) contact = contact_of(rig, "kari@c.test");
    assert_false(contact->has_score);
    assert_int_equal(contact->paused_until_ms, 0);
}

static void each_score_opens_its_rule(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"),
                  SCORE_RULE ", { name = \"promoters\"; purpose = \"referral\"; anchor = \"score\"; when = { score = { min = 9; }; };"
                             "  steps = ( { after = \"1 day\"; template = \"two\"; } ); }");
    gint64 id = customer(rig, "kari@c.test", "rate");
    send_all(rig);
    g_autoptr(InboundMessage) message = answer(rig, id, "kari@c.test", "9");
    score_of(message, SCORE_CLEAR, 9);
    rig_arrive(rig, message);
    pass(rig, 3 * DAY);
    assert_int_equal(send_all(rig), 1);
    g_autoptr(OutboxMessage) first = rig_message(rig, id);
    assert_string_equal(first->rule, "promoters");
    g_autoptr(Contact) before = contact_of(rig, "kari@c.test");
    GError *error = NULL;
    pass(rig, 300 * DAY);
    assert_done(score_apply(rig->store, before, 10, "", NULL, clock_now_ms(rig->clock), &error));
    send_all(rig);
    pass(rig, 3 * DAY);
    assert_int_equal(send_all(rig), 1);
    g_autoptr(OutboxMessage) second = rig_message(rig, id);
    assert_string_equal(second->rule, "promoters");
    assert_int_equal(second->round, 2);
}

/* ---- answers ---- */

static void whom_an_answer_names_is_a_proposal(void **state)
{
    Rig *rig = *state;
    GError *error = NULL;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("accept = \"auto\";") "," AFTER_RULES);
    customer(rig, "old@c.test", "x");
    assert_done(store_suppression_add(rig->store, &(Suppression){.address = "never@c.test", .reason = "manual", .at_ms = NOW}, &error));
    gint64 gone = customer(rig, "gone@c.test", "x");
    assert_done(store_suppression_add(rig->store, &(Suppression){.address = "gone@c.test", .reason = "unsubscribe", .at_ms = NOW}, &error));
    assert_done(store_contact_forget(rig->store, gone, &error));
    gint64 id = customer(rig, "kari@c.test", "ask");
    assert_done(store_contact_alias_add(rig->store, id, "kari@home.test", &error));
    assert_int_equal(send_all(rig), 1);
    g_autoptr(InboundMessage) message = answer(rig, id, "kari@c.test", "you should talk to them");
    introduce(message, "Per Olsen", "per@d.test");
    introduce(message, "Ola", "");
    introduce(message, "Old", "old@c.test");
    introduce(message, "Me", "kari@home.test");
    introduce(message, "Ben", "ben@example.com");
    introduce(message, "Nina", "never@c.test");
    introduce(message, "Gone", "gone@c.test");
    introduce(message, "Per again", "per@d.test");
    assert_true(rig_arrive(rig, message));
    assert_ledger(rig, "per@d.test text proposed; text proposed;old@c.test text declined: was a contact already;"
                       "kari@home.test text declined: the customer themself;ben@example.com text declined: one of our own people;"
                       "never@c.test text declined: never mailed: manual; text declined: never mailed: unsubscribe;");
    g_autoptr(Contact) per = contact_of(rig, "per@d.test");
    assert_null(per); /* CC or a name is nobody's yes */
    pass(rig, DAY);
    assert_int_equal(send_all(rig), 0);
}

static void a_list_that_is_pasted_is_bounded(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE(""));
    gint64 id = customer(rig, "kari@c.test", "ask");
    send_all(rig);
    for (guint round = 0; round < 5; round++) {
        g_autoptr(InboundMessage) message = answer(rig, id, "kari@c.test", "all my friends");
        for (guint i = 0; i < 20; i++) {
            g_autofree char *address = g_strdup_printf("f%u@d.test", round * 20 + i);
            introduce(message, "", address);
        }
        message->introduced_more = TRUE;
        assert_true(rig_arrive(rig, message));
    }
    GError *error = NULL;
    guint count = 0;
    assert_done(store_referral_count_proposed(rig->store, id, &count, &error));
    assert_int_equal(count, REFERRAL_MOST_PROPOSED);
}

static void who_did_not_ask_introduces_nobody(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("") "," SCORE_RULE);
    gint64 id = customer(rig, "kari@c.test", "rate");
    customer(rig, "ola@c.test", "ask");
    assert_int_equal(send_all(rig), 2);
    g_autoptr(InboundMessage) other = answer(rig, id, "kari@c.test", "9"); /* in answer to another question */
    introduce(other, "Per", "per@d.test");
    rig_arrive(rig, other);
    g_autoptr(InboundMessage) weak = rig_inbound(INBOUND_REPLY, "ola@c.test");
    introduce(weak, "Per", "per@d.test");
    rig_arrive(rig, weak);
    assert_ledger(rig, "");
}

/* ---- people who write themselves ---- */

static void who_answers_what_was_handed_on_is_introduced(void **state)
{
    static const struct {
        const char *rule, *want;
    } cases[] = {{ASK_RULE(""), "per@d.test forward proposed;"}, {ASK_RULE("accept = \"auto\";"), "per@d.test forward accepted;"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        void *own = NULL;
        rig_setup(&own);
        Rig *rig = own;
        rig_configure(rig, ACCOUNT("anna"), cases[i].rule);
        gint64 id = customer(rig, "kari@c.test", "ask");
        send_all(rig);
        g_autoptr(InboundMessage) message = answer(rig, id, "per@d.test", "Kari sent me this, tell me more");
        take_text(&message->from_name, "Per Olsen");
        assert_true(rig_arrive(rig, message));
        assert_ledger(rig, cases[i].want);
        g_autoptr(Contact) per = contact_of(rig, "per@d.test");
        assert_int_equal(per != NULL, i == 1);
        if (per) {
            assert_string_equal(per->source, "referral");
            assert_int_equal(per->last_reply_ms, clock_now_ms(rig->clock));
        }
        g_autoptr(Contact) kari = contact_of(rig, "kari@c.test");
        assert_int_equal(kari->last_reply_ms, 0); /* it was not she who wrote */
        rig_teardown(&own);
    }
    (void)state;
}

static void a_friend_in_copy_is_accepted_when_they_write(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("accept = \"auto\";"));
    gint64 id = customer(rig, "kari@c.test", "ask");
    send_all(rig);
    g_autoptr(InboundMessage) meet = answer(rig, id, "kari@c.test", "meet Per, copied here");
    introduce(meet, "Per Olsen", "per@d.test");
    assert_true(rig_arrive(rig, meet));
    assert_ledger(rig, "per@d.test text proposed;"); /* somebody else put them there */
    g_autoptr(InboundMessage) hello = rig_inbound(INBOUND_REPLY, "per@d.test");
    g_autoptr(OutboxMessage) asked = rig_message(rig, id);
    take_text(&hello->in_reply_to, "answer@x.test"); /* hers, which we did not send */
    g_strfreev(hello->references);
    hello->references = g_new0(char *, 3);
    hello->references[0] = g_strdup(asked->message_id);
    hello->references[1] = g_strdup("answer@x.test");
    assert_true(rig_arrive(rig, hello));
    assert_ledger(rig, "per@d.test text accepted;");
    g_autoptr(InboundMessage) pia = rig_inbound(INBOUND_REPLY, "pia@d.test"); /* who was named by nobody, and answers nothing */
    assert_false(rig_arrive(rig, pia));
}

static void a_personal_code_is_evidence_and_a_made_up_one_is_none(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("accept = \"auto\";"));
    gint64 id = customer(rig, "kari@c.test", "ask");
    send_all(rig);
    g_autofree char *code = mail_token_new(store_token_secret(rig->store), TOKEN_REFERRAL, id);
    g_autofree char *address = mail_token_address("anna@example.com", code);
    g_autofree char *forged = g_strdup_printf("anna+r-%d-aaaaaaaaaaaaaaaaaaaa@example.com", (int)id);
    g_autofree char *other_kind = mail_token_new(store_token_secret(rig->store), TOKEN_UNSUBSCRIBE, id);
    const char *bad[] = {forged, other_kind};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(InboundMessage) message = rig_inbound(INBOUND_REPLY, "eve@evil.test");
        take_text(&message->subject, bad[i]);
        assert_false(rig_arrive(rig, message));
    }
    assert_ledger(rig, "");
    g_autoptr(InboundMessage) message = rig_inbound(INBOUND_REPLY, "per@d.test");
    g_strfreev(message->to);
    message->to = g_new0(char *, 2);
    message->to[0] = g_strdup(address);
    assert_true(rig_arrive(rig, message));
    g_autoptr(InboundMessage) spoofed = rig_inbound(INBOUND_REPLY, "victim@d.test");
    take_text(&spoofed->subject, code);
    take_text(&spoofed->authentication_results, "mx.example.com; dmarc=fail header.from=d.test");
    assert_true(rig_arrive(rig, spoofed));
    g_autoptr(InboundMessage) machine = rig_inbound(INBOUND_AUTO_REPLY, "robot@d.test");
    take_text(&machine->subject, code);
    assert_false(rig_arrive(rig, machine));
    g_autoptr(InboundMessage) herself = rig_inbound(INBOUND_REPLY, "kari@c.test");
    take_text(&herself->subject, code);
    rig_arrive(rig, herself);
    assert_ledger(rig, "per@d.test code accepted;victim@d.test code proposed;");
}

/* One code in the hands of somebody who forges senders does not make us write to the world. */
static void a_code_brings_so_many_a_day_without_a_yes(void **state)
{
    Rig *rig = *state;
    GError *error = NULL;
    guint waiting = 0;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("accept = \"auto\";"));
    gint64 id = customer(rig, "kari@c.test", "ask");
    send_all(rig);
    g_autofree char *code = mail_token_new(store_token_secret(rig->store), TOKEN_REFERRAL, id);
    for (guint i = 0; i < 2 * REFERRAL_MOST_AT_ONCE; i++) {
        g_autofree char *from = g_strdup_printf("f%u@d.test", i);
        g_autoptr(InboundMessage) message = rig_inbound(INBOUND_REPLY, from);
        take_text(&message->subject, code);
        assert_true(rig_arrive(rig, message));
    }
    assert_done(store_referral_count_proposed(rig->store, id, &waiting, &error));
    assert_int_equal(waiting, REFERRAL_MOST_AT_ONCE);
    pass(rig, DAY);
    g_autoptr(InboundMessage) next = rig_inbound(INBOUND_REPLY, "next@d.test");
    take_text(&next->subject, code);
    assert_true(rig_arrive(rig, next));
    g_autoptr(Contact) accepted = contact_of(rig, "next@d.test");
    assert_non_null(accepted);
}

/* Where only headers were fetched: what may be a friend's is fetched whole, by its code or because it may stand in the text. */
static void what_may_bear_a_code_is_known_by_its_header(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE(""));
    gint64 id = customer(rig, "kari@c.test", "ask");
    g_autofree char *code = mail_token_new(store_token_secret(rig->store), TOKEN_REFERRAL, id);
    g_autoptr(InboundMessage) letter = rig_inbound(INBOUND_REPLY, "per@d.test");
    g_autoptr(InboundMessage) list = rig_inbound(INBOUND_OTHER, "news@d.test");
    g_autoptr(InboundMessage) machine = rig_inbound(INBOUND_REPLY, "no-reply@d.test");
    assert_true(referral_may_be_taken(rig->core, letter));
    assert_false(referral_may_be_taken(rig->core, list));
    assert_false(referral_may_be_taken(rig->core, machine));
    rig_configure(rig, ACCOUNT("anna"), "");
    assert_false(referral_may_be_taken(rig->core, letter));
    g_strfreev(letter->to);
    letter->to = g_new0(char *, 2);
    letter->to[0] = mail_token_address("anna@example.com", code);
    assert_true(referral_may_be_taken(rig->core, letter));
}

/* ---- what follows ---- */

static guint sent_by(Rig *rig, gint64 contact, const char *rule)
{
    GError *error = NULL;
    guint count = 0;
    g_autoptr(GPtrArray) all = NULL;
    assert_done(store_outbox_of(rig->store, contact, &all, &error));
    for (guint i = 0; i < all->len; i++) {
        const OutboxMessage *message = all->pdata[i];
        count += message->state == OUTBOX_SENT && g_str_equal(message->rule, rule);
    }
    return count;
}

static void accept_all(Rig *rig, gint64 first, gint64 last)
{
    GError *error = NULL;
    const ReferralAcceptance acceptance = {.first_stage = "research", .customer_stage = "follow-up", .by = "the owner"};
    for (gint64 id = first; id <= last; id++) {
        ReferralAcceptResult result = REFERRAL_ACCEPT_NOT_OPEN;
        assert_done(store_referral_accept(rig->store, id, &acceptance, clock_now_ms(rig->clock), &result, &error));
        assert_int_equal(result, REFERRAL_ACCEPT_DONE);
    }
}

static void each_referral_is_introduced_thanked_for_and_rewarded_once(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"), ASK_RULE("reward = \"chocolates\";") "," AFTER_RULES);
    gint64 kari = customer(rig, "kari@c.test", "ask");
    send_all(rig);
    g_autoptr(InboundMessage) message = answer(rig, kari, "kari@c.test", "two friends");
    introduce(message, "Per Olsen", "per@d.test");
    introduce(message, "Pia", "pia@d.test");
    rig_arrive(rig, message);
    accept_all(rig, 1, 2);
    for (guint i = 0; i < 10; i++) {
        pass(rig, 3 * DAY / 2);
        send_all(rig);
    }
    g_autoptr(Contact) per = contact_of(rig, "per@d.test");
    assert_int_equal(sent_by(rig, per->id, "intro"), 1);
    assert_int_equal(sent_by(rig, kari, "thanks"), 2);
    assert_int_equal(sent_by(rig, kari, "reward"), 0);
    assert_ledger(rig, "per@d.test text contacted;pia@d.test text contacted;");
    rig_save(rig, &(ContactEdit){.email = "per@d.test", .stage = "follow-up"});
    GError *error = NULL;
    assert_done(store_suppression_add(rig->store, &(Suppression){.address = "pia@d.test", .reason = "unsubscribe", .at_ms = NOW}, &error));
    for (guint i = 0; i < 5; i++) {
        pass(rig, 3 * DAY / 2);
        send_all(rig);
    }
    assert_ledger(rig, "per@d.test text customer;pia@d.test text lost: never mailed: unsubscribe;");
    assert_int_equal(sent_by(rig, kari, "reward"), 1);
    assert_int_equal(sent_by(rig, kari, "thanks"), 2);
}

static void nobody_is_asked_too_often_or_while_a_friend_is_under_way(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT("anna"),
                  ASK_RULE("cooldown = \"30 days\"; stop_on = [];") ","
                  "{ name = \"second\"; purpose = \"referral\"; anchor = \"customer\"; when = { tag = \"ask\"; }; cooldown = \"30 days\";"
                  "  stop_on = []; steps = ( { age = \"5 days\"; template = \"three\"; } ); }");
    gint64 kari = customer(rig, "kari@c.test", "ask");
    gint64 ola = customer(rig, "ola@c.test", "ask");
    assert_int_equal(send_all(rig), 2);
    g_autoptr(InboundMessage) message = answer(rig, kari, "kari@c.test", "Per");
    introduce(message, "Per Olsen", "per@d.test");
    rig_arrive(rig, message);
    pass(rig, 6 * DAY);
    assert_int_equal(send_all(rig), 0); /* both within the cooldown of another rule */
    assert_int_equal(sent_by(rig, ola, "second"), 0);
    pass(rig, 25 * DAY);
    assert_int_equal(send_all(rig), 1); /* Kari's friend is under way */
    assert_int_equal(sent_by(rig, ola, "second"), 1);
    assert_int_equal(sent_by(rig, kari, "second"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(scores_have_their_consequences),
        with_rig(a_score_counts_only_from_whom_it_was_asked),
        with_rig(each_score_opens_its_rule),
        with_rig(whom_an_answer_names_is_a_proposal),
        with_rig(a_list_that_is_pasted_is_bounded),
        with_rig(who_did_not_ask_introduces_nobody),
        cmocka_unit_test(who_answers_what_was_handed_on_is_introduced),
        with_rig(a_friend_in_copy_is_accepted_when_they_write),
        with_rig(a_personal_code_is_evidence_and_a_made_up_one_is_none),
        with_rig(a_code_brings_so_many_a_day_without_a_yes),
        with_rig(what_may_bear_a_code_is_known_by_its_header),
        with_rig(each_referral_is_introduced_thanked_for_and_rewarded_once),
        with_rig(nobody_is_asked_too_often_or_while_a_friend_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
