/*
 * Sums of processor time, a pair a stage. Owns global state, which is written only while somebody measures.
 */
#include "base/stage.h"

#include <time.h>

#include "base/log.h"

static const char *const names[] = {
    [STAGE_CLAIM] = "claim", [STAGE_LETTER] = "letter",   [STAGE_RENDER] = "render", [STAGE_COMPOSE] = "compose",
    [STAGE_SEND] = "send",   [STAGE_OUTCOME] = "outcome", [STAGE_COMMIT] = "commit", [STAGE_TELL] = "tell"};

static gboolean measuring;
static gsize spent_ns[G_N_ELEMENTS(names)]; /* atomic */
static gint counts[G_N_ELEMENTS(names)];    /* atomic */

void stages_init(void)
{
    measuring = g_strcmp0(g_getenv("NURTURE_STAGES"), "1") == 0;
}

static gint64 thread_ns(void)
{
    struct timespec spent = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (gint64)spent.tv_sec * 1000000000 + spent.tv_nsec;
}

gint64 stage_begin(void)
{
    return measuring ? thread_ns() : 0;
}

void stage_end(Stage stage, gint64 begun, guint messages)
{
    if (!measuring)
        return;
    g_atomic_pointer_add(&spent_ns[stage], (gssize)(thread_ns() - begun));
    g_atomic_int_add(&counts[stage], (gint)messages);
}

void stages_log(void)
{
    for (gsize i = 0; measuring && i < G_N_ELEMENTS(names); i++)
        log_event(LOG_LEVEL_INFO, "stage", LOG_TEXT("name", names[i]), LOG_NUMBER("messages", counts[i]),
                  LOG_NUMBER("ns", (gint64)spent_ns[i]));
}
