/*
 * The ways of people through the stages, one contact at a time.
 */
#pragma once

#include "cli/report.h"

typedef struct {
    guint stage;            /* index into StageNames */
    gint64 from_ms, until_ms; /* until_ms G_MAXINT64: there they stand at the period's end */
} Stay;

/* The stages of the pipeline in their order, then others that histories name. */
typedef struct {
    GPtrArray *names; /* char* */
    guint n_pipeline;
    guint customer;   /* the customer stage's */
    GHashTable *indexes; /* folded name -> index + 1 */
} StageNames;

/* The stays of one contact, in the order in which the changes were made. */
typedef void (*StaysFunc)(const Stay *stays, guint n_stays, gpointer data);

/* Calls func for each contact that counts, as things stood at the period's end; names is filled on the way. Free it with stage_names_clear(). */
gboolean stays_each(const ReportCase *report, StageNames *names, StaysFunc func, gpointer data, GError **error);

void stage_names_init(StageNames *names, const Config *config);
void stage_names_clear(StageNames *names);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StageNames, stage_names_clear)

/* "(none)" for people without stage. Belongs to names. */
const char *stage_names_at(const StageNames *names, guint stage);
