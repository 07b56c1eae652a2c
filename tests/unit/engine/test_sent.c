/*
 * Protects: each sent message is filed once in the Sent folder, whatever the watcher answers; doubt is settled by what lies there, and
 * by the account's policy only when the searches are over; and mail that the owner writes by hand counts as contact with each known
 * recipient, once, and never as mail of ours.
 */
#include "faults.h"

#include "engine/outbound.h"
#include "engine/sent.h"
#include "store/sent.h"

#define IMAP(keys) "imap = { url = \"imap://127.0.0.1:1\"; tls = \"none\"; user = \"a\"; password = \"b\"; " keys " };"
#define ACCOUNT_IMAP(imap_keys, keys)                                                                                       \
    "{ name = \"anna\"; from = \"anna@example.com\"; " IMAP(imap_keys) keys                                                 \
        "  smtp = { url = \"smtp://127.0.0.1:1\"; tls = \"none\"; }; }"

/* ---- a watcher that does nothing by itself ---------------------------------------------------------------------------- */

typedef struct {
    SentWork *work;
    gboolean away;
    guint settled;
    GArray *ids;    /* guint64: tasks that were taken, in order */
    GArray *kinds;  /* ImapTaskKind */
    GArray *maybes; /* gboolean */
    char *content;  /* of the last */
} Watcher;

static gboolean on_ask(const ImapTask *task, gpointer data)
{
    Watcher *watcher = data;
    gsize length = 0;
    const char *octets = task->content != NULL ? g_bytes_get_data(task->content, &length) : NULL;
    assert_true(imap_task_is_possible(task));
    if (watcher->away)
        return FALSE;
    g_array_append_val(watcher->ids, task->id);
    g_array_append_val(watcher->kinds, task->kind);
    g_array_append_val(watcher->maybes, task->maybe_there);
    g_free(watcher->content);
    watcher->content = octets != NULL ? g_strndup(octets, length) : NULL;
    return TRUE;
}

static void on_settled(gpointer data)
{
    ((Watcher *)data)->settled++;
}

static void turn_loop(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void watcher_start(Watcher *watcher, Rig *rig)
{
    *watcher = (Watcher){.ids = g_array_new(FALSE, FALSE, sizeof(guint64)),
                         .kinds = g_array_new(FALSE, FALSE, sizeof(ImapTaskKind)),
                         .maybes = g_array_new(FALSE, FALSE, sizeof(gboolean))};
    const SentCallbacks callbacks = {.ask = on_ask, .on_settled = on_settled, .data = watcher};
    watcher->work = sent_work_new(rig->core, rig->config->accounts[0], &callbacks);
    turn_loop();
}

static void watcher_stop(Watcher *watcher)
{
    sent_work_free(watcher->work);
    g_array_unref(watcher->ids);
    g_array_unref(watcher->kinds);
    g_array_unref(watcher->maybes);
    g_free(watcher->content);
}

static void wake(Watcher *watcher)
{
    sent_work_wake(watcher->work);
    turn_loop();
}

static void answer_last(Watcher *watcher, ImapAnswer answer)
{
    assert_true(watcher->ids->len > 0);
    sent_work_answer(watcher->work, g_array_index(watcher->ids, guint64, watcher->ids->len - 1), answer, "told by the test");
    turn_loop();
}

/* ---- what was sent ---------------------------------------------------------------------------------------------------- */

static gint64 under_way(Rig *rig, const char *email)
{
    gint64 contact = rig_pitched(rig, email, 0);
    rig_decide(rig, contact);
    rig_queue_due(rig);
    assert_int_equal(rig_claim(rig, "anna"), 1);
    return contact;
}

static void end_as(Rig *rig, gint64 contact, DeliveryClass class, const char *bytes)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    const DeliveryResult result = {.class = class, .enhanced = (char *)"", .text = (char *)"told by the test"};
    ComposedMessage composed = {.bytes = g_bytes_new(bytes, strlen(bytes)), .subject = g_strdup("s"), .text = g_strdup("t")};
    assert_done(outcome_commit(rig->core, message->id, config_account(rig->config, message->account), &result, &composed,
                               clock_now_ms(rig->clock), &error));
    composed_message_clear(&composed);
}

static guint64 copies_waiting(Rig *rig)
{
    GError *error = NULL;
    guint64 count = 0;
    assert_done(store_copies_count(rig->store, "anna", &count, NULL, &error));
    return count;
}

static void a_copy_is_asked_for_once_and_gone_when_it_is_filed(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", ""), RULE_CHASE);
    watcher_start(&watcher, rig);
    end_as(rig, under_way(rig, "kari@customer.test"), DELIVERY_SENT, "A: b\r\n\r\n.x\r\n");
    watcher.away = TRUE; /* no mailbox is watched yet */
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 0);
    watcher.away = FALSE;
    wake(&watcher);
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 1);
    assert_string_equal(watcher.content, "A: b\r\n\r\n.x\r\n");
    assert_false(g_array_index(watcher.maybes, gboolean, 0)); /* nobody asked for it before */
    assert_int_equal(copies_waiting(rig), 1);
    answer_last(&watcher, IMAP_ANSWER_FILED);
    assert_int_equal(copies_waiting(rig), 0);
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 1);
    watcher_stop(&watcher);
}

static void no_copy_is_kept_where_nobody_wants_one(void **state)
{
    Rig *rig = *state;
    static const char *const accounts[] = {
        ACCOUNT_IMAP("", ""),
        ACCOUNT("anna"),
        "{ name = \"anna\"; from = \"anna@example.com\"; " IMAP(
            "save_sent = true;") " smtp = { url = \"smtps://SMTP.gmail.com\"; }; }",
        "{ name = \"anna\"; from = \"anna@example.com\"; " IMAP(
            "save_sent = true;") " smtp = { url = \"smtp://smtp.office365.com\"; }; }",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(accounts); i++) {
        g_autofree char *email = g_strdup_printf("p%zu@customer.test", i);
        rig_configure(rig, accounts[i], RULE_CHASE);
        end_as(rig, under_way(rig, email), DELIVERY_SENT, "A: b\r\n\r\n");
        assert_int_equal(copies_waiting(rig), 0);
    }
}

static void a_copy_that_an_earlier_run_may_have_filed_is_looked_for_first(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", ""), RULE_CHASE);
    end_as(rig, under_way(rig, "kari@customer.test"), DELIVERY_SENT, "A: b\r\n\r\n");
    watcher_start(&watcher, rig);
    assert_int_equal(watcher.ids->len, 0); /* the server may still be at work on it */
    const gint64 until_ms = clock_monotonic_ms() + 10000;
    while (watcher.ids->len == 0 && clock_monotonic_ms() < until_ms)
        g_main_context_iteration(NULL, TRUE);
    assert_int_equal(watcher.ids->len, 1);
    assert_true(g_array_index(watcher.maybes, gboolean, 0));
    end_as(rig, under_way(rig, "ola@customer.test"), DELIVERY_SENT, "A: b\r\n\r\n");
    wake(&watcher);
    assert_false(g_array_index(watcher.maybes, gboolean, 1)); /* this one is new */
    answer_last(&watcher, IMAP_ANSWER_LOST);
    assert_int_equal(copies_waiting(rig), 2);
    watcher_stop(&watcher);
}

static void a_refusal_is_told_and_what_waits_is_not_lost(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    g_autoptr(JsonObject) status = json_object_new();
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", ""), RULE_CHASE);
    watcher_start(&watcher, rig);
    end_as(rig, under_way(rig, "kari@customer.test"), DELIVERY_SENT, "A: b\r\n\r\n");
    end_as(rig, under_way(rig, "ola@customer.test"), DELIVERY_SENT, "A: b\r\n\r\n");
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 2);
    answer_last(&watcher, IMAP_ANSWER_REFUSED);
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 2); /* it waits */
    sent_work_add_status(watcher.work, status);
    assert_int_equal(json_object_get_int_member(status, "copies_waiting"), 2);
    assert_string_equal(json_object_get_string_member(status, "copies_reason"), "told by the test");
    assert_true(json_object_get_int_member(status, "copies_retry_in_s") > 30);
    watcher_stop(&watcher);
}

/* ---- doubt ------------------------------------------------------------------------------------------------------------ */

/* Moves the clock on to the next search and has it answered. */
static void search_and_answer(Rig *rig, Watcher *watcher, ImapAnswer answer)
{
    GError *error = NULL;
    gint64 due_ms = 0;
    guint before = watcher->ids->len;
    assert_done(store_search_next_due(rig->store, "anna", &due_ms, &error));
    assert_true(due_ms > clock_now_ms(rig->clock));
    clock_set(rig->clock, due_ms - 1);
    wake(watcher);
    assert_int_equal(watcher->ids->len, before);
    clock_set(rig->clock, due_ms);
    wake(watcher);
    assert_int_equal(watcher->ids->len, before + 1);
    assert_int_equal(g_array_index(watcher->kinds, ImapTaskKind, before), IMAP_TASK_SEARCH);
    answer_last(watcher, answer);
}

static gint64 next_search_in(Rig *rig)
{
    GError *error = NULL;
    gint64 due_ms = 0;
    assert_done(store_search_next_due(rig->store, "anna", &due_ms, &error));
    return due_ms == 0 ? 0 : due_ms - clock_now_ms(rig->clock);
}

static void what_is_found_was_sent_and_its_rule_goes_on(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", "on_uncertain = \"resend\";"), RULE_CHASE);
    watcher_start(&watcher, rig);
    gint64 contact = under_way(rig, "kari@customer.test");
    end_as(rig, contact, DELIVERY_UNCERTAIN, "A: b\r\n\r\n");
    assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
    assert_int_equal(copies_waiting(rig), 0); /* kept, but not to be filed while it is in doubt */
    search_and_answer(rig, &watcher, IMAP_ANSWER_NOT_FOUND);
    assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
    search_and_answer(rig, &watcher, IMAP_ANSWER_FOUND);
    assert_message(rig, contact, "one", OUTBOX_SENT);
    assert_int_equal(next_search_in(rig), 0);
    assert_int_equal(copies_waiting(rig), 0); /* it lies there */
    assert_int_equal(watcher.settled, 2);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_string_equal(enrolment->next_step, "two");
    watcher_stop(&watcher);
}

static void a_reply_that_settles_the_doubt_lets_the_copy_be_filed(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", ""), RULE_CHASE);
    watcher_start(&watcher, rig);
    gint64 contact = under_way(rig, "kari@customer.test");
    end_as(rig, contact, DELIVERY_UNCERTAIN, "A: kept\r\n\r\n");
    g_autoptr(OutboxMessage) row = rig_message(rig, contact);
    g_autoptr(InboundMessage) reply = rig_inbound(INBOUND_REPLY, "kari@customer.test");
    take_text(&reply->in_reply_to, row->message_id);
    assert_true(rig_arrive(rig, reply));
    assert_int_equal(next_search_in(rig), 0);
    wake(&watcher);
    assert_int_equal(watcher.ids->len, 1);
    assert_string_equal(watcher.content, "A: kept\r\n\r\n");
    watcher_stop(&watcher);
}

static void the_policy_comes_after_the_last_search(void **state)
{
    static const struct {
        const char *account;
        OutboxState want;
    } cases[] = {{ACCOUNT_IMAP("", ""), OUTBOX_UNCERTAIN},
                 {ACCOUNT_IMAP("", "on_uncertain = \"resend\";"), OUTBOX_DEFERRED}};
    Rig *rig = *state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Watcher watcher;
        g_autofree char *email = g_strdup_printf("p%zu@customer.test", i);
        rig_configure(rig, cases[i].account, RULE_CHASE);
        clock_set(rig->clock, NOW);
        watcher_start(&watcher, rig);
        gint64 contact = under_way(rig, email), before_ms = 0;
        rig_outcome(rig, contact, DELIVERY_UNCERTAIN);
        for (guint n = 0; n < SENT_SEARCHES; n++) {
            assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
            assert_true(next_search_in(rig) > before_ms); /* each time later */
            before_ms = next_search_in(rig);
            search_and_answer(rig, &watcher, n % 2 ? IMAP_ANSWER_NO_FOLDER : IMAP_ANSWER_NOT_FOUND);
        }
        assert_message(rig, contact, "one", cases[i].want);
        assert_int_equal(next_search_in(rig), 0);
        watcher_stop(&watcher);
    }
}

static void a_crash_leaves_what_was_under_way_to_be_searched_for(void **state)
{
    GError *error = NULL;
    guint count = 0;
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT_IMAP("", "on_uncertain = \"resend\";"), RULE_CHASE);
    gint64 contact = under_way(rig, "kari@customer.test");
    assert_done(outcome_recover(rig->core, &count, &error));
    assert_int_equal(count, 1);
    assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
    assert_true(next_search_in(rig) > 0);
    g_autoptr(OutboxMessage) row = rig_message(rig, contact);
    assert_int_equal(row->attempts, 1);
    assert_string_equal(row->reason, OUTBOX_RECOVERED);
    gboolean moved = FALSE; /* a person says otherwise: nothing is looked for any more */
    const OutboxOutcome retry = {.state = OUTBOX_QUEUED};
    assert_done(store_outbox_move(rig->store, row->id, 1u << OUTBOX_UNCERTAIN, &retry, NOW, &moved, &error));
    assert_true(moved);
    assert_int_equal(next_search_in(rig), 0);
}

static void a_search_that_is_lost_does_not_count(void **state)
{
    Rig *rig = *state;
    Watcher watcher;
    g_autoptr(SentSearch) search = NULL;
    GError *error = NULL;
    rig_configure(rig, ACCOUNT_IMAP("", "on_uncertain = \"resend\";"), RULE_CHASE);
    watcher_start(&watcher, rig);
    gint64 contact = under_way(rig, "kari@customer.test");
    rig_outcome(rig, contact, DELIVERY_UNCERTAIN);
    search_and_answer(rig, &watcher, IMAP_ANSWER_LOST);
    g_autoptr(OutboxMessage) row = rig_message(rig, contact);
    assert_done(store_search_get(rig->store, row->id, &search, &error));
    assert_int_equal(search->tries, 0);
    assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
    watcher_stop(&watcher);
}

/* ---- what lies in the folder ------------------------------------------------------------------------------------------ */

static gboolean meet(Rig *rig, const InboundMessage *message)
{
    GError *error = NULL;
    gboolean filed = FALSE;
    const Arrival arrival = {.account = rig->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    g_autoptr(StoreTransaction) transaction = store_begin(rig->store, &error);
    assert_non_null(transaction);
    assert_done(outbound_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(g_steal_pointer(&transaction), &error));
    return filed;
}

static gboolean count_by_hand(const Interaction *interaction, gpointer data)
{
    guint *count = data;
    *count += interaction->kind == INTERACTION_SENT && *interaction->rule == '\0' &&
              g_str_equal(interaction->detail, OUTBOUND_BY_HAND);
    return TRUE;
}

static guint by_hand(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    guint count = 0;
    assert_done(store_history_each(rig->store, contact, count_by_hand, &count, &error));
    return count;
}

static InboundMessage *letter_to(const char *commas)
{
    InboundMessage *message = rig_inbound(INBOUND_REPLY, "anna@example.com");
    g_strfreev(message->to);
    message->to = g_strsplit(commas, ",", 0);
    take_text(&message->message_id, "by-hand@mua.example");
    return message;
}

static void mail_by_hand_counts_as_contact_with_each_known_recipient(void **state)
{
    Rig *rig = *state;
    gint64 kari = rig_pitched(rig, "kari@customer.test", 0), ola = rig_pitched(rig, "ola@customer.test", 0);
    gint64 per = rig_pitched(rig, "per@customer.test", 0), boss = rig_pitched(rig, "boss@example.com", 0);
    GError *error = NULL;
    assert_done(store_contact_alias_add(rig->store, kari, "k@customer.test", &error));
    g_autoptr(InboundMessage) message =
        letter_to("kari@customer.test,stranger@else.test,ola@customer.test,k@customer.test,boss@example.com");
    assert_true(meet(rig, message));
    assert_int_equal(by_hand(rig, kari), 1); /* though it went to two addresses of hers */
    assert_int_equal(by_hand(rig, ola), 1);
    assert_int_equal(by_hand(rig, per), 0);
    assert_int_equal(by_hand(rig, boss), 0); /* one of our own people */
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_get(rig->store, kari, &contact, &error));
    assert_int_equal(contact->last_talk_ms, NOW);
    g_autoptr(InboundMessage) to_strangers = letter_to("stranger@else.test");
    assert_false(meet(rig, to_strangers));
}

static void what_a_server_wrote_is_no_contact(void **state)
{
    static const InboundClass classes[] = {INBOUND_AUTO_REPLY, INBOUND_BOUNCE, INBOUND_COMPLAINT, INBOUND_OTHER};
    Rig *rig = *state;
    gint64 kari = rig_pitched(rig, "kari@customer.test", 0);
    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_autoptr(InboundMessage) message = letter_to("kari@customer.test");
        message->class = classes[i];
        assert_false(meet(rig, message));
    }
    assert_int_equal(by_hand(rig, kari), 0);
    assert_false(rig_is_suppressed(rig, "kari@customer.test"));
}

/* An answer that was moved beside what it answers; and the owner's own mail, under whatever address. */
static void who_wrote_it_is_told_by_the_sender(void **state)
{
    static const struct {
        const char *from;
        guint filed;
    } cases[] = {{"kari@customer.test", 0},
                 {"ANNA@example.com", 1},
                 {"somebody.else@example.com", 1},
                 {"anna@private.test", 1},
                 {"", 1}};
    Rig *rig = *state;
    rig_pitched(rig, "kari@customer.test", 0);
    rig_pitched(rig, "somebody.else@example.com", 0); /* a colleague whom somebody has put among the contacts */
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *email = g_strdup_printf("p%zu@customer.test", i);
        gint64 contact = rig_pitched(rig, email, 0);
        g_autoptr(InboundMessage) message = letter_to(email);
        take_text(&message->from, cases[i].from);
        meet(rig, message);
        assert_int_equal(by_hand(rig, contact), cases[i].filed);
    }
}

static void our_own_mail_is_recognised_and_is_evidence(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT_IMAP("save_sent = true;", ""), RULE_CHASE);
    gint64 kari = under_way(rig, "kari@customer.test"), ola = under_way(rig, "ola@customer.test");
    end_as(rig, kari, DELIVERY_SENT, "A: b\r\n\r\n");
    end_as(rig, ola, DELIVERY_UNCERTAIN, "A: b\r\n\r\n");
    assert_int_equal(copies_waiting(rig), 1);
    const gint64 contacts[] = {kari, ola};
    for (gsize i = 0; i < G_N_ELEMENTS(contacts); i++) {
        g_autoptr(OutboxMessage) row = rig_message(rig, contacts[i]);
        g_autoptr(InboundMessage) copy = letter_to("kari@customer.test,ola@customer.test");
        g_autofree char *shouted = g_ascii_strup(row->message_id, -1);
        take_text(&copy->message_id, shouted);
        copy->class = INBOUND_OTHER; /* its Auto-Submitted */
        assert_true(meet(rig, copy) == (i == 1));
        assert_message(rig, contacts[i], "one", OUTBOX_SENT);
        assert_int_equal(by_hand(rig, contacts[i]), 0);
    }
    assert_int_equal(copies_waiting(rig), 0); /* the provider has filed it by itself */
    assert_int_equal(next_search_in(rig), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_copy_is_asked_for_once_and_gone_when_it_is_filed),
        with_rig(no_copy_is_kept_where_nobody_wants_one),
        with_rig(a_copy_that_an_earlier_run_may_have_filed_is_looked_for_first),
        with_rig(a_refusal_is_told_and_what_waits_is_not_lost),
        with_rig(what_is_found_was_sent_and_its_rule_goes_on),
        with_rig(a_reply_that_settles_the_doubt_lets_the_copy_be_filed),
        with_rig(the_policy_comes_after_the_last_search),
        with_rig(a_crash_leaves_what_was_under_way_to_be_searched_for),
        with_rig(a_search_that_is_lost_does_not_count),
        with_rig(mail_by_hand_counts_as_contact_with_each_known_recipient),
        with_rig(what_a_server_wrote_is_no_contact),
        with_rig(who_wrote_it_is_told_by_the_sender),
        with_rig(our_own_mail_is_recognised_and_is_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
