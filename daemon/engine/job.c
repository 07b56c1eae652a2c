/*
 * Owned by the courier's lists, or, in between, by the SMTP pool. Made, answered and freed on the loop; a worker reads letter and recalled.
 */
#include "engine/job.h"

Job *job_new(EngineCore *core, gpointer owner, gint64 outbox_id, Letter *letter, const char *sender)
{
    Job *job = g_new0(Job, 1);
    job->clock = core->clock;
    job->owner = owner;
    job->outbox_id = outbox_id;
    job->letter = letter;
    job->sender = g_strdup(sender);
    clock_hold(job->clock);
    return job;
}

void job_free(Job *job)
{
    clock_release(job->clock);
    letter_free(job->letter);
    g_free(job->sender);
    delivery_result_clear(&job->result);
    composed_message_clear(&job->composed);
    g_free(job);
}

void job_take_answer(Job *job, const DeliveryResult *result, const ComposedMessage *composed, gboolean keep_bytes)
{
    job->result = *result;
    job->result.enhanced = g_strdup(result->enhanced);
    job->result.text = g_strdup(result->text);
    job->has_composed = composed != NULL;
    if (!composed)
        return;
    if (keep_bytes && composed->bytes)
        job->composed.bytes = g_bytes_ref(composed->bytes);
    job->composed.subject = g_strdup(composed->subject);
    job->composed.text = g_strdup(composed->text);
}
