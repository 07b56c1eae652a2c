/*
 * Durability costs one commit a round, not a message. Runs on the loop; keeps nothing.
 */
#include "engine/round.h"

#include "base/crashpoint.h"
#include "base/stage.h"
#include "engine/job.h"
#include "engine/outcome.h"

typedef struct {
    const RoundWork *work;
    GPtrArray *reports; /* OutcomeReport*: of what was answered */
    GPtrArray *jobs;    /* Job*: claimed */
    ClaimRound claims;
} Round;

/* Stores what was answered. */
static gboolean apply_answers(Round *round, GError **error)
{
    const RoundWork *work = round->work;
    for (guint i = 0; i < work->answered->len; i++) {
        const Job *job = work->answered->pdata[i];
        OutcomeReport *report = NULL;
        if (!outcome_apply(work->core, job->outbox_id, work->account, &job->result, job->has_composed ? &job->composed : NULL, work->retry_ms,
                           &report, error))
            return FALSE;
        if (report)
            g_ptr_array_add(round->reports, report);
    }
    return TRUE;
}

static void on_claimed(const OutboxMessage *message, Letter *letter, gpointer data)
{
    Round *round = data;
    const RoundWork *work = round->work;
    g_ptr_array_add(round->jobs, job_new(work->core, work->owner, message->id, letter, work->account->from_address));
}

static gboolean fill(Round *round, GError **error)
{
    const RoundWork *work = round->work;
    const ClaimAccount account = {.account = work->account, .blind = FALSE, .paused = ""};
    gint64 begun = stage_begin();
    if (!apply_answers(round, error))
        return FALSE;
    stage_end(STAGE_OUTCOME, begun, work->answered->len);
    begun = stage_begin();
    if (work->slots && !claim_due(work->core, &account, work->slots, on_claimed, round, &round->claims, error))
        return FALSE;
    stage_end(STAGE_CLAIM, begun, round->jobs->len);
    return TRUE;
}

static gboolean commit(Round *round, GError **error)
{
    gboolean answers = round->work->answered->len > 0;
    g_autoptr(StoreTransaction) transaction = store_begin(round->work->core->store, error);
    if (!transaction || !fill(round, error))
        return FALSE;
    if (answers)
        crash_point("outcome-before-commit");
    if (round->jobs->len)
        crash_point("claim-before-commit");
    gint64 begun = stage_begin();
    if (!store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    stage_end(STAGE_COMMIT, begun, round->jobs->len);
    if (answers)
        crash_point("outcome-after-commit");
    if (round->jobs->len)
        crash_point("claim-after-commit");
    return TRUE;
}

static void tell(Round *round)
{
    core_note_store(round->work->core, NULL);
    for (guint i = 0; i < round->reports->len; i++)
        outcome_report(round->reports->pdata[i]);
    g_ptr_array_set_free_func(round->reports, NULL); /* each is freed by its telling */
    g_ptr_array_set_size(round->work->answered, 0);
}

gboolean round_run(const RoundWork *work, RoundDone *ret_done, GError **error)
{
    Round round = {
        .work = work,
        .reports = g_ptr_array_new_with_free_func((GDestroyNotify)outcome_report_free),
        .jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free),
    };
    gboolean ok = commit(&round, error);
    if (ok) {
        tell(&round);
        g_ptr_array_set_free_func(round.jobs, NULL);
        *ret_done = (RoundDone){.jobs = g_ptr_array_ref(round.jobs), .claims = round.claims};
    }
    g_ptr_array_unref(round.reports);
    g_ptr_array_unref(round.jobs);
    return ok;
}
