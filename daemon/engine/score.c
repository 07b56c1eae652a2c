/*
 * What follows from a score. Runs on the loop, or in the command by which a person writes one down.
 */
#include "engine/score.h"

#include "base/log.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "store/history.h"
#include "store/tasks.h"

/* A sentence of the task: who can be called, and why. */
static gboolean add_task(Store *store, const Contact *contact, const char *what, const char *words, const OutboxMessage *answers, gint64 at_ms,
                         GError **error)
{
    g_autofree char *quoted = *words ? text_quote(words, 200) : NULL;
    g_autofree char *text = quoted ? g_strdup_printf("%s: %s", what, quoted) : g_strdup(what);
    const OwnerTask task = {.contact_id = contact->id,
                            .owner = contact->owner,
                            .text = text,
                            .source = (char *)TASK_BY_SCORE,
                            .rule = answers ? answers->rule : NULL,
                            .step = answers ? answers->step : NULL,
                            .due_ms = at_ms,
                            .created_ms = at_ms};
    return store_task_add(store, &task, NULL, NULL, error);
}

static gboolean take_low(Store *store, const Contact *contact, int score, const char *words, const OutboxMessage *answers, gint64 at_ms,
                         GError **error)
{
    g_autofree char *day = timestamp_format(at_ms);
    g_autofree char *reason = g_strdup_printf("they gave the score %d on %.10s", score, day);
    g_autofree char *what = g_strdup_printf("gave the score %d: speak to them, then nurture contact resume %s", score, contact->email);
    return store_contact_pause_because(store, contact->id, reason, error) && add_task(store, contact, what, words, answers, at_ms, error);
}

gboolean score_apply(Store *store, const Contact *contact, int score, const char *words, const OutboxMessage *answers, gint64 at_ms,
                     GError **error)
{
    log_event(LOG_LEVEL_INFO, "score", LOG_TEXT("contact", contact->email), LOG_NUMBER("score", score),
              LOG_TEXT("rule", answers ? answers->rule : NULL));
    return store_contact_score(store, contact->id, score, at_ms, error) &&
           (score > SCORE_LOW_MAX || take_low(store, contact, score, words, answers, at_ms, error));
}

gboolean score_take_answer(Store *store, const Contact *contact, const ScoreRead *read, const OutboxMessage *answers, gint64 at_ms, GError **error)
{
    switch (read->verdict) {
    case SCORE_CLEAR:
        return score_apply(store, contact, read->value, read->evidence, answers, at_ms, error);
    case SCORE_UNCLEAR: {
        g_autofree char *what = g_strdup_printf("answered with an unclear score: read it, then nurture contact score %s NUMBER", contact->email);
        return add_task(store, contact, what, read->evidence, answers, at_ms, error);
    }
    case SCORE_NONE:
        break;
    }
    return TRUE;
}

char *score_detail(const ScoreRead *read)
{
    switch (read->verdict) {
    case SCORE_CLEAR:
        return g_strdup_printf("score %d", read->value);
    case SCORE_UNCLEAR:
        return g_strdup("score unclear");
    case SCORE_NONE:
        break;
    }
    return g_strdup("no score");
}
