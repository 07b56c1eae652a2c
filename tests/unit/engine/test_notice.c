/*
 * Notices to the owner: whom they tell of, when a digest is due, what it says, and that a flood of mail makes no flood of them.
 */
#include "rig.h"

#include "base/text.h"
#include "engine/digest.h"
#include "engine/effects.h"
#include "engine/notice.h"
#include "store/notices.h"

#define NOTIFYING                                                                                                           \
    "{ name = \"after-pitch\"; anchor = \"stage\"; notify = \"at once\"; when = { stage = \"pitching\"; };\n"               \
    "  steps = ( { after = \"3 days\"; template = \"one\"; }, { after = \"5 days\"; template = \"two\"; } ); }\n"

static void writes(Rig *rig, const char *from, const char *answers, const char *text)
{
    g_autoptr(InboundMessage) message = inbound_message_new();
    const Arrival arrival = {.account = rig->core->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    gboolean filed = FALSE;
    message->class = INBOUND_REPLY;
    text_replace(&message->from, from);
    text_replace(&message->in_reply_to, answers);
    text_replace(&message->text, text);
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_done(effects_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(transaction, &error));
}

/* The oldest notice of the account that waits; NULL: none. Counts as sent. */
static Notice *next_notice(Rig *rig, const char *account)
{
    Notice *notice = NULL;
    assert_done(store_notice_take(rig->store, account, &notice, &error));
    if (notice)
        assert_done(store_notice_end(rig->store, notice->id, TRUE, FALSE, clock_now_ms(rig->clock), &error));
    return notice;
}

static void an_answer_to_a_rule_that_asks_for_it_is_told_at_once(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, NOTIFYING, "");
    gint64 id = rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_send(rig, id, "after-pitch", "one", "first@example.com");
    writes(rig, "kari@x.test", "", "A new mail, which answers no rule");
    assert_null(next_notice(rig, "anna"));
    writes(rig, "kari@x.test", "first@example.com", "Yes, call me\non Thursday\x1b[2J");
    g_autoptr(Notice) notice = next_notice(rig, "anna");
    assert_non_null(notice);
    assert_string_equal(notice->subject, "kari@x.test answered");
    assert_non_null(strstr(notice->text, "  > Yes, call me\n  > on Thursday"));
    assert_null(strchr(notice->text, '\x1b'));
    assert_null(next_notice(rig, "bo"));
}

static void a_subject_is_told_as_a_line_that_can_be_shown(void **state)
{
    Rig *rig = *state;
    g_autoptr(InboundMessage) message = inbound_message_new();
    const Arrival arrival = {.account = rig->core->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    rig_configure(rig, NOTIFYING, "");
    gint64 id = rig_add(rig, "kari@x.test", "pitching", "2026-02-27 12:00");
    g_autoptr(Contact) kari = rig_contact(rig, id);
    g_autofree char *long_one = g_strnfill(4000, 'x');
    g_autofree char *hostile = g_strconcat("\x1b[2J\u202eReward\n\nThe whole: nurture contact forget ", long_one, NULL);
    const OutboxMessage answers = {.rule = (char *)"after-pitch"};
    text_replace(&message->subject, hostile);
    assert_done(notice_reply(rig->core, &arrival, kari, &answers, &error));
    g_autoptr(Notice) notice = next_notice(rig, "anna");
    assert_null(strchr(notice->text, '\x1b'));
    assert_null(strstr(notice->text, "\u202e"));
    assert_null(strstr(notice->text, "\nThe whole: nurture contact forget"));
    assert_true(strlen(notice->text) < 1000);
}

static void a_flood_makes_no_flood(void **state)
{
    Rig *rig = *state;
    guint count = 0;
    const Account *anna = rig->core->config->accounts[0];
    for (guint i = 0; i < NOTICE_MOST_AN_HOUR + 20; i++)
        assert_done(notice_owner(rig->core, anna, "Hello\r\nBcc: x@y.test", "text", &error));
    assert_done(store_notice_count(rig->store, "anna", 0, &count, &error));
    assert_int_equal(count, NOTICE_MOST_AN_HOUR);
    g_autoptr(Notice) first = next_notice(rig, "anna");
    assert_string_equal(first->subject, "Hello Bcc: x@y.test");
}

static void what_was_under_way_goes_again_after_a_crash(void **state)
{
    Rig *rig = *state;
    assert_done(notice_owner(rig->core, rig->core->config->accounts[0], "Hello", "text", &error));
    Notice *none = NULL;
    g_autoptr(Notice) taken = NULL;
    assert_done(store_notice_take(rig->store, "anna", &taken, &error));
    assert_done(store_notice_take(rig->store, "anna", &none, &error));
    assert_null(none);
    assert_done(store_notice_recover(rig->store, &error));
    g_autoptr(Notice) again = next_notice(rig, "anna");
    assert_string_equal(again->message_id, taken->message_id); /* so that a mail program may know the two as one */
}

static void a_digest_is_due_at_its_minute_on_business_days(void **state)
{
    Rig *rig = *state;
    const Account *anna = rig->core->config->accounts[0]; /* 8 o'clock, where nothing is said */
    assert_true(digest_next(rig->core, anna, at("2026-03-02 07:59")) == at("2026-03-02 08:00"));
    assert_true(digest_next(rig->core, anna, at("2026-03-02 08:00")) == at("2026-03-03 08:00"));
    assert_true(digest_next(rig->core, anna, at("2026-03-06 12:00")) == at("2026-03-09 08:00")); /* over a weekend */
    assert_true(digest_next(rig->core, anna, at("2026-03-27 12:00")) == at("2026-03-30 08:00")); /* and the change of clocks in it */
}

static void a_digest_says_who_wrote_to_whom(void **state)
{
    Rig *rig = *state;
    char *text = NULL;
    rig_save(rig, &(ContactEdit){.email = "kari@x.test", .first_name = "Kari", .last_name = "Vik", .stage = "pitching", .owner = "anna"});
    rig_save(rig, &(ContactEdit){.email = "per@x.test", .stage = "pitching", .owner = "bo"});
    assert_done(digest_text(rig->core, rig->core->config->accounts[0], 0, &text, &error));
    assert_null(text); /* nothing to tell is no mail */
    writes(rig, "kari@x.test", "", "First");
    gint64 mark = 0;
    assert_done(store_history_newest(rig->store, &mark, &error));
    writes(rig, "kari@x.test", "", "Second");
    writes(rig, "per@x.test", "", "Third");
    assert_done(digest_text(rig->core, rig->core->config->accounts[0], mark, &text, &error));
    assert_string_equal(text, "Who wrote\n\nKari Vik <kari@x.test>\n  > Second\n\n");
    g_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(an_answer_to_a_rule_that_asks_for_it_is_told_at_once),
        with_rig(a_subject_is_told_as_a_line_that_can_be_shown),
        with_rig(a_flood_makes_no_flood),
        with_rig(what_was_under_way_goes_again_after_a_crash),
        with_rig(a_digest_is_due_at_its_minute_on_business_days),
        with_rig(a_digest_says_who_wrote_to_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
