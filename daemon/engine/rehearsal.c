/*
 * The rehearsal: scheduler's batches, claims and outcomes as the daemon has them; only the clock (which jumps) and the delivery (which
 * always succeeds) are its own. One thread, in the command's process.
 */
#include "engine/rehearsal.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/claim.h"
#include "engine/outcome.h"
#include "engine/scheduler.h"
#include "plan/gates.h"
#include "store/accounts.h"
#include "store/marks.h"

enum { SLOTS = 100 };

typedef struct {
    gint64 id;
    char *email, *rule, *step;
    guint round;
    gboolean is_task;
    Letter *letter;
} Claimed;

typedef struct {
    gint64 from_ms, until_ms;
} Span;

typedef struct {
    EngineCore *core;
    Clock *clock;
    GHashTable *full;    /* account -> GArray of Span: when its limits let nothing more go, although something waited */
    GPtrArray *left_out; /* RehearsedOmission* */
    GPtrArray *messages; /* RehearsedMessage* */
    GPtrArray *claimed;  /* Claimed*, of the round under way */
    gint64 began_ms;
} Rehearsal;

static void message_free(gpointer data)
{
    RehearsedMessage *message = data;
    g_free(message->contact);
    g_free(message->rule);
    g_free(message->step);
    g_free(message->template_name);
    g_free(message->subject);
    g_free(message->reason);
    g_free(message);
}

static void claimed_free(gpointer data)
{
    Claimed *claimed = data;
    letter_free(claimed->letter);
    g_free(claimed->email);
    g_free(claimed->rule);
    g_free(claimed->step);
    g_free(claimed);
}

static void on_claimed(const OutboxMessage *message, Letter *letter, gpointer data)
{
    Rehearsal *rehearsal = data;
    Claimed *claimed = g_new0(Claimed, 1);
    claimed->id = message->id;
    claimed->email = g_strdup(message->email);
    claimed->rule = g_strdup(message->rule);
    claimed->step = g_strdup(message->step);
    claimed->round = message->round;
    claimed->is_task = message->is_task;
    claimed->letter = letter;
    g_ptr_array_add(rehearsal->claimed, claimed);
}

/* Delivers one: notes it, and stores its outcome in the round's transaction. */
static gboolean deliver(Rehearsal *rehearsal, const Account *account, const Claimed *claimed, GError **error)
{
    g_autoptr(GError) hole = NULL;
    ComposedMessage composed = {0};
    gboolean ok = letter_compose_words(claimed->letter, &composed, &hole);
    RehearsedMessage *message = g_new0(RehearsedMessage, 1);
    message->at_ms = clock_now_ms(rehearsal->clock);
    message->contact = g_strdup(claimed->email);
    message->rule = g_strdup(claimed->rule);
    message->step = g_strdup(claimed->step);
    message->template_name = g_strdup(letter_template(claimed->letter));
    message->round = claimed->round;
    message->is_task = claimed->is_task;
    message->subject = g_strdup(ok ? composed.subject : "");
    message->held = !ok;
    message->reason = g_strdup(ok ? "" : hole->message);
    g_ptr_array_add(rehearsal->messages, message);
    const DeliveryResult result = {.class = ok ? DELIVERY_SENT : DELIVERY_NOT_COMPOSED,
                                   .code = ok ? 250 : 0,
                                   .enhanced = (char *)"",
                                   .text = (char *)message->reason};
    OutcomeReport *report = NULL;
    gboolean stored = outcome_apply(rehearsal->core, claimed->id, account, &result, ok ? &composed : NULL, 0, &report, error);
    outcome_report_free(report);
    composed_message_clear(&composed);
    return stored;
}

/* Whether a person paused the account, or all sending: then nothing of it would leave. */
static gboolean is_paused(const Rehearsal *rehearsal, const Account *account, gboolean *ret_paused, GError **error)
{
    g_autofree char *all = NULL;
    g_autofree char *own = NULL;
    if (!store_account_pause_get(rehearsal->core->store, "", &all, error) ||
        !store_account_pause_get(rehearsal->core->store, account->name, &own, error))
        return FALSE;
    *ret_paused = *all || *own;
    return TRUE;
}

static gboolean deliver_claimed(Rehearsal *rehearsal, const Account *account, GError **error)
{
    for (guint i = 0; i < rehearsal->claimed->len; i++)
        if (!deliver(rehearsal, account, rehearsal->claimed->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* Claims and outcomes are one transaction, since nothing can be lost between them here. */
static gboolean run_round(Rehearsal *rehearsal, const ClaimAccount *account, ClaimRound *ret_round, GError **error)
{
    g_ptr_array_set_size(rehearsal->claimed, 0);
    g_autoptr(StoreTransaction) transaction = store_begin(rehearsal->core->store, error);
    return transaction && claim_due(rehearsal->core, account, SLOTS, on_claimed, rehearsal, ret_round, error) &&
           deliver_claimed(rehearsal, account->account, error) && store_commit(g_steal_pointer(&transaction), error);
}

/* From now on something waits until the limits allow more. */
static void note_full(Rehearsal *rehearsal, const Account *account, gint64 until_ms)
{
    GArray *spans = g_hash_table_lookup(rehearsal->full, account->name);
    const Span span = {.from_ms = clock_now_ms(rehearsal->clock), .until_ms = until_ms};
    if (!spans) {
        spans = g_array_new(FALSE, FALSE, sizeof(Span));
        g_hash_table_insert(rehearsal->full, g_strdup(account->name), spans);
    }
    Span *last = spans->len ? &g_array_index(spans, Span, spans->len - 1) : NULL;
    if (last && last->until_ms >= span.from_ms)
        last->until_ms = MAX(last->until_ms, until_ms);
    else
        g_array_append_val(spans, span);
}

static gboolean was_full(const Rehearsal *rehearsal, const char *account, gint64 at_ms)
{
    const GArray *spans = g_hash_table_lookup(rehearsal->full, account);
    for (guint i = 0; spans && i < spans->len; i++) {
        const Span *span = &g_array_index(spans, Span, i);
        if (span->from_ms <= at_ms && at_ms < span->until_ms)
            return TRUE;
    }
    return FALSE;
}

/* All of the account that can leave now; *next_ms becomes earlier where there is something to wait for. */
static gboolean run_account(Rehearsal *rehearsal, const Account *account, gint64 *next_ms, gboolean *ret_moved, GError **error)
{
    const ClaimAccount claim = {.account = account, .blind = FALSE, .paused = ""};
    ClaimRound round = {.looked_at = 1};
    gboolean paused = FALSE;
    if (!is_paused(rehearsal, account, &paused, error))
        return FALSE;
    while (!paused && round.looked_at) {
        if (!run_round(rehearsal, &claim, &round, error))
            return FALSE;
        *ret_moved = *ret_moved || round.looked_at;
    }
    if (round.is_full)
        note_full(rehearsal, account, round.next_ms);
    if (!paused && round.next_ms && round.next_ms < *next_ms)
        *next_ms = round.next_ms;
    return TRUE;
}

static gboolean run_scheduler(Rehearsal *rehearsal, gint64 *next_ms, gboolean *ret_moved, GError **error)
{
    gboolean work = TRUE;
    gint64 due_ms = 0;
    while (work) {
        DecideSummary summary = {0};
        gboolean more = FALSE;
        if (!scheduler_has_work(rehearsal->core, &due_ms, &work, error))
            return FALSE;
        if (work && !scheduler_run_batch(rehearsal->core, &summary, &more, error))
            return FALSE;
        *ret_moved = *ret_moved || work;
    }
    if (due_ms && due_ms < *next_ms)
        *next_ms = due_ms;
    return TRUE;
}

/* Everything that happens at this moment; *ret_next_ms: when something happens next (G_MAXINT64: never). */
static gboolean run_moment(Rehearsal *rehearsal, gint64 *ret_next_ms, GError **error)
{
    gboolean moved = TRUE;
    while (moved) {
        moved = FALSE;
        *ret_next_ms = G_MAXINT64;
        if (!run_scheduler(rehearsal, ret_next_ms, &moved, error))
            return FALSE;
        for (Account **account = rehearsal->core->config->accounts; *account; account++)
            if (!run_account(rehearsal, *account, ret_next_ms, &moved, error))
                return FALSE;
    }
    return TRUE;
}

static gboolean collect_sending(const OutboxMessage *message, gpointer data)
{
    if (message->state == OUTBOX_SENDING)
        g_array_append_val((GArray *)data, message->id);
    return TRUE;
}

/* What the daemon has under way at this moment arrives. */
static gboolean settle_sending(Rehearsal *rehearsal, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    const DeliveryResult sent = {.class = DELIVERY_SENT, .code = 250, .enhanced = (char *)"", .text = (char *)""};
    if (!store_outbox_each(rehearsal->core->store, FALSE, collect_sending, ids, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++)
        if (!outcome_commit(rehearsal->core, g_array_index(ids, gint64, i), rehearsal->core->config->accounts[0], &sent, NULL, 0, error))
            return FALSE;
    return TRUE;
}

/* What awaits a person's yes never leaves by itself: told as held. */
static gboolean collect_awaiting(const OutboxMessage *row, gpointer data)
{
    Rehearsal *rehearsal = data;
    if (row->state != OUTBOX_HELD || row->approval != APPROVAL_AWAITED || row->created_ms < rehearsal->began_ms)
        return TRUE;
    RehearsedMessage *message = g_new0(RehearsedMessage, 1);
    message->at_ms = row->created_ms;
    message->contact = g_strdup(row->email);
    message->rule = g_strdup(row->rule);
    message->step = g_strdup(row->step);
    message->template_name = g_strdup(*row->variant ? row->variant : row->step);
    message->round = row->round;
    message->is_task = row->is_task;
    message->subject = g_strdup("");
    message->held = TRUE;
    message->reason = g_strdup(row->reason);
    g_ptr_array_add(rehearsal->messages, message);
    return TRUE;
}

static void omission_free(gpointer data)
{
    RehearsedOmission *omission = data;
    g_free(omission->contact);
    g_free(omission->rule);
    g_free(omission->account);
    g_free(omission);
}

/* Late, and when its time came the account was full: whatever else came meanwhile, a weekend or the like, that made it late. */
static gboolean collect_left_out(const OutboxMessage *row, gpointer data)
{
    Rehearsal *rehearsal = data;
    if (!g_str_has_prefix(row->reason, GATES_OVERDUE) || !was_full(rehearsal, row->account, MAX(row->planned_ms, rehearsal->began_ms)))
        return TRUE;
    RehearsedOmission *omission = g_new0(RehearsedOmission, 1);
    omission->contact = g_strdup(row->email);
    omission->rule = g_strdup(row->rule);
    omission->account = g_strdup(row->account);
    g_ptr_array_add(rehearsal->left_out, omission);
    return TRUE;
}

static gint compare_times(gconstpointer a, gconstpointer b)
{
    const RehearsedMessage *const *first = a, *const *second = b;
    return ((*first)->at_ms > (*second)->at_ms) - ((*first)->at_ms < (*second)->at_ms);
}

static gboolean add_awaiting(Rehearsal *rehearsal, GError **error)
{
    if (!store_outbox_each(rehearsal->core->store, FALSE, collect_awaiting, rehearsal, error))
        return FALSE;
    g_ptr_array_sort(rehearsal->messages, compare_times); /* merges, so that equal times keep their order */
    return TRUE;
}

static gboolean run(Rehearsal *rehearsal, gint64 until_ms, GError **error)
{
    guint64 marked = 0, by_accounts = 0;
    gint64 now_ms = clock_now_ms(rehearsal->clock);
    if (!settle_sending(rehearsal, error) || !store_marks_add_for_rules(rehearsal->core->store, rehearsal->core->config, now_ms, &marked, error) ||
        !store_marks_add_for_accounts(rehearsal->core->store, rehearsal->core->config, &by_accounts, error) ||
        !store_outbox_touch(rehearsal->core->store, 0, now_ms, error))
        return FALSE;
    for (;;) {
        gint64 next_ms = G_MAXINT64;
        if (!run_moment(rehearsal, &next_ms, error))
            return FALSE;
        if (next_ms >= until_ms)
            return add_awaiting(rehearsal, error);
        clock_set(rehearsal->clock, MAX(next_ms, clock_now_ms(rehearsal->clock) + 1));
    }
}

GPtrArray *rehearse(Config *config, TemplateSet *templates, Store *store, gint64 now_ms, gint64 until_ms, GPtrArray **ret_left_out,
                    GError **error)
{
    g_autoptr(Store) copy = store_copy_to_memory(store, error);
    if (!copy)
        return NULL;
    g_autoptr(Clock) clock = clock_new_manual(now_ms);
    EngineCore *core = core_new(config, templates, copy, clock, error);
    if (!core)
        return NULL;
    Rehearsal rehearsal = {.core = core,
                           .began_ms = now_ms,
                           .clock = clock,
                           .full = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref),
                           .left_out = g_ptr_array_new_with_free_func(omission_free),
                           .messages = g_ptr_array_new_with_free_func(message_free),
                           .claimed = g_ptr_array_new_with_free_func(claimed_free)};
    g_autoptr(GHashTable) full = rehearsal.full;
    g_autoptr(GPtrArray) left_out = rehearsal.left_out;
    log_set_level(LOG_LEVEL_ERROR);
    gboolean ok = run(&rehearsal, until_ms, error) && store_outbox_each_left_out(copy, now_ms, collect_left_out, &rehearsal, error);
    log_set_level(LOG_LEVEL_INFO);
    g_ptr_array_unref(rehearsal.claimed);
    core_free(core);
    if (ok && ret_left_out)
        *ret_left_out = g_steal_pointer(&left_out);
    if (ok)
        return rehearsal.messages;
    g_ptr_array_unref(rehearsal.messages);
    return NULL;
}
