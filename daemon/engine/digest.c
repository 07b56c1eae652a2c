/*
 * Digests. Runs on the loop, by business time: a timer stands at the next one.
 */
#include "engine/digest.h"

#include "base/log.h"
#include "engine/notice.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "store/history.h"
#include "store/notices.h"
#include "store/outbox.h"
#include "store/proposals.h"
#include "store/referrals.h"
#include "store/tasks.h"

enum { REPLIES_MOST = 100, ITEMS_MOST = 50, DAYS_AHEAD = 400, SATURDAY = 6 };
#define DAY_MS ((gint64)24 * 3600 * 1000)
#define AGAIN_MS ((gint64)60 * 1000)

struct Digest {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    ClockTimer *timer;
    void (*on_made)(gpointer data);
    gpointer data;
};

/* ---- what it says ---------------------------------------------------------------------------------------------------- */

typedef struct {
    EngineCore *core;
    const Account *account;
    GString *text;
    guint count;
} Section;

static gboolean is_mine(const Section *section, const char *owner)
{
    const Account *account = config_account_for_owner(section->core->config, owner);
    return account && g_str_equal(account->name, section->account->name);
}

/* The heading stands before the first item. */
static gboolean begin_item(Section *section, const char *heading, guint most)
{
    if (section->count++ == 0)
        g_string_append_printf(section->text, "%s%s\n\n", section->text->len ? "\n" : "", heading);
    if (section->count == most + 1)
        g_string_append(section->text, "… and more\n");
    return section->count <= most;
}

static gboolean on_reply(const HistoryReply *reply, gpointer data)
{
    Section *section = data;
    if (!is_mine(section, reply->owner) || !begin_item(section, "Who wrote", REPLIES_MOST))
        return section->count <= REPLIES_MOST;
    g_autofree char *who = notice_who(reply->first_name, reply->last_name, reply->email);
    g_autofree char *excerpt = notice_excerpt(reply->text);
    g_string_append_printf(section->text, "%s%s\n%s\n", who, reply->kind == INTERACTION_UNSUBSCRIBE ? " asks to be left alone" : "", excerpt);
    return TRUE;
}

static gboolean on_proposal(const Proposal *proposal, gpointer data)
{
    Section *section = data;
    if (!is_mine(section, proposal->owner) || !begin_item(section, "Proposals (nurture proposal list)", ITEMS_MOST))
        return section->count <= ITEMS_MOST;
    g_string_append_printf(section->text, "%s %s%s%s\n", proposal->email,
                           proposal->kind == DEPARTURE_NEW_ADDRESS ? "has a new address:" : "has left",
                           proposal->kind == DEPARTURE_NEW_ADDRESS || !*proposal->address ? "" : "; ask", *proposal->address ? "" : proposal->name);
    if (*proposal->address)
        g_string_append_printf(section->text, "  %s %s\n", proposal->address, proposal->name);
    return TRUE;
}

static gboolean on_referral(const Referral *referral, gpointer data)
{
    Section *section = data;
    if (!is_mine(section, referral->owner) || !begin_item(section, "Introduced by customers, waiting for your yes or no (nurture referral list)", ITEMS_MOST))
        return section->count <= ITEMS_MOST;
    g_autofree char *who = notice_who(referral->name, "", *referral->address ? referral->address : referral->phone);
    g_string_append_printf(section->text, "%" G_GINT64_FORMAT " %s, by %s\n", referral->id, who, referral->referrer);
    return TRUE;
}

static gboolean on_task(const OwnerTask *task, gpointer data)
{
    Section *section = data;
    if (!is_mine(section, task->owner) || !begin_item(section, "To do today (nurture task list)", ITEMS_MOST))
        return section->count <= ITEMS_MOST;
    g_string_append_printf(section->text, "%s: %s\n", task->email, task->text);
    return TRUE;
}

static gboolean add_waiting(Section *section, GError **error)
{
    static const struct {
        OutboxState state;
        const char *words;
    } states[] = {{OUTBOX_HELD, "held"}, {OUTBOX_UNCERTAIN, "uncertain"}, {OUTBOX_FAILED, "failed"}};
    guint64 counts[OUTBOX_SKIPPED + 1] = {0};
    if (!store_outbox_counts(section->core->store, section->account->name, counts, error))
        return FALSE;
    section->count = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
        if (counts[states[i].state] > 0 && begin_item(section, "Messages that wait for you (nurture queue)", ITEMS_MOST))
            g_string_append_printf(section->text, "%s: %" G_GUINT64_FORMAT "\n", states[i].words, counts[states[i].state]);
    return TRUE;
}

gboolean digest_text(EngineCore *core, const Account *account, gint64 after_id, char **ret_text, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Section replies = {core, account, text, 0}, proposals = replies, referrals = replies, tasks = replies, waiting = replies;
    const ReferralFilter undecided = {.states = 1u << REFERRAL_PROPOSED};
    const TaskFilter due = {.due_before_ms = calendar_local_minute(core->default_zone, clock_now_ms(core->clock), 1, 0)};
    if (!store_history_each_reply(core->store, after_id, on_reply, &replies, error) ||
        !store_proposal_each(core->store, FALSE, on_proposal, &proposals, error) ||
        !store_referral_each(core->store, &undecided, on_referral, &referrals, error) || !store_task_each(core->store, &due, on_task, &tasks, error) ||
        !add_waiting(&waiting, error))
        return FALSE;
    *ret_text = text->len ? g_strdup(text->str) : NULL;
    return TRUE;
}

/* ---- when ------------------------------------------------------------------------------------------------------------ */

static gboolean is_business_day(const EngineCore *core, gint64 at_ms)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, core->default_zone);
    return g_date_time_get_day_of_week(local) < SATURDAY && !calendar_is_holiday(core->calendar, core->default_zone, at_ms);
}

gint64 digest_next(EngineCore *core, const Account *account, gint64 after_ms)
{
    for (int day = 0; day < DAYS_AHEAD; day++) {
        gint64 at_ms = calendar_local_minute(core->default_zone, after_ms, day, account->digest_min);
        if (at_ms > after_ms && is_business_day(core, at_ms))
            return at_ms;
    }
    return after_ms + DAY_MS;
}

static gboolean make(Digest *digest, gint64 after_id, GError **error)
{
    EngineCore *core = digest->core;
    const Account *account = digest->account;
    g_autofree char *text = NULL;
    g_autofree char *message_id = mail_new_message_id(address_domain(account->from_address), clock_system_now_ms());
    gint64 newest = 0;
    if (!store_history_newest(core->store, &newest, error) || !digest_text(core, account, after_id, &text, error))
        return FALSE;
    const Notice notice = {.account = account->name, .is_digest = TRUE, .subject = (char *)"Who answered, and what waits for you", .text = text,
                           .message_id = message_id, .created_ms = clock_now_ms(core->clock)};
    return store_notice_add(core->store, &notice, newest, error);
}

/* Before the first one nothing is told of what lies behind: its beginning is kept as an empty one. */
static gboolean begin(Digest *digest, GError **error)
{
    gint64 newest = 0;
    const Notice empty = {.account = digest->account->name, .is_digest = TRUE, .subject = (char *)"", .message_id = (char *)"",
                          .created_ms = clock_now_ms(digest->core->clock)};
    return store_history_newest(digest->core->store, &newest, error) && store_notice_add(digest->core->store, &empty, newest, error);
}

/* *ret_next_ms: when the next is due. One that was due while the daemon was down is made at once. */
static gboolean look(Digest *digest, gint64 *ret_next_ms, GError **error)
{
    gint64 last_ms = 0, mark = 0, now_ms = clock_now_ms(digest->core->clock);
    g_autoptr(StoreTransaction) transaction = store_begin(digest->core->store, error);
    if (!transaction || !store_notice_last_digest(digest->core->store, digest->account->name, &last_ms, &mark, error))
        return FALSE;
    gboolean due = last_ms && digest_next(digest->core, digest->account, last_ms) <= now_ms;
    if ((due && !make(digest, mark, error)) || (!last_ms && !begin(digest, error)) || !store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    *ret_next_ms = digest_next(digest->core, digest->account, now_ms);
    if (due)
        digest->on_made(digest->data);
    return TRUE;
}

static void on_timer(gpointer data)
{
    Digest *digest = data;
    g_autoptr(GError) error = NULL;
    gint64 next_ms = clock_now_ms(digest->core->clock) + AGAIN_MS;
    if (!look(digest, &next_ms, &error))
        log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", digest->account->name), LOG_TEXT("reason", error->message));
    clock_timer_set(digest->timer, next_ms);
}

Digest *digest_new(EngineCore *core, const Account *account, void (*on_made)(gpointer data), gpointer data)
{
    Digest *digest = g_new0(Digest, 1);
    digest->core = core;
    digest->config = config_ref(core->config);
    digest->account = account;
    digest->on_made = on_made;
    digest->data = data;
    digest->timer = clock_timer_new(core->clock, NULL, on_timer, digest);
    on_timer(digest);
    return digest;
}

void digest_free(Digest *digest)
{
    clock_timer_free(digest->timer);
    config_unref(digest->config);
    g_free(digest);
}
