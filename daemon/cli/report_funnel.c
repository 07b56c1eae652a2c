/*
 * nurture report funnel: from stage to stage, how many go on, and where people leak.
 *
 * Somebody who came to a stage in the period has gone on when they were in a later stage of the pipeline afterwards, up to the customer stage. Who
 * has not, and stands elsewhere at the period's end, has leaked: back, out of the pipeline, or to a lost stage or one behind the customer stage.
 */
#include "cli/report_stays.h"

enum { STAGE, ENTERED, ENTERED_BAR, WENT_ON, CONVERSION, STANDING, LEAKED, LEAKED_TO, MEDIAN };

static const SheetColumn columns[] = {
    {"stage", "STAGE", SHEET_TEXT},       {"entered", "ENTERED", SHEET_COUNT},     {"bar", "", SHEET_BAR},
    {"went_on", "WENT ON", SHEET_COUNT},  {"conversion", "SHARE", SHEET_SHARE},    {"standing", "STILL THERE", SHEET_COUNT},
    {"leaked", "LEAKED", SHEET_COUNT},    {"leaked_to", "MOSTLY TO", SHEET_TEXT},  {"median_days", "MEDIAN", SHEET_TIME},
    {NULL, NULL, SHEET_TEXT},
};

typedef struct {
    guint64 entered, went_on, standing, leaked;
    GHashTable *leaked_to; /* stage + 1 -> how many */
    GArray *times;         /* gint64 ms until they went on */
} Level;

typedef struct {
    const ReportCase *report;
    const StageNames *names;
    Level *levels; /* one for each stage of the pipeline */
} Funnel;

static void count_leak(Level *level, guint to)
{
    gpointer key = GUINT_TO_POINTER(to + 1);
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(level->leaked_to, key));
    g_hash_table_insert(level->leaked_to, key, GUINT_TO_POINTER(before + 1));
    level->leaked++;
}

static gboolean stage_is_lost(const Config *config, const char *stage)
{
    for (char **lost = config->pipeline.lost_stages; *lost != NULL; lost++)
        if (g_ascii_strcasecmp(*lost, stage) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_further(const Funnel *funnel, guint from, guint to)
{
    return to > from && to <= funnel->names->customer && to < funnel->names->n_pipeline && !stage_is_lost(funnel->report->cli->config, stage_names_at(funnel->names, to));
}

/* One contact at one stage of the pipeline, where they were first in the period at stays[first]. */
static void count_one(const Funnel *funnel, guint stage, const Stay *stays, guint n_stays, guint first)
{
    Level *level = &funnel->levels[stage];
    const Stay *last = &stays[n_stays - 1];
    level->entered++;
    for (guint i = first + 1; i < n_stays; i++)
        if (is_further(funnel, stage, stays[i].stage)) {
            gint64 time_ms = MAX(stays[i].from_ms - stays[first].from_ms, 0);
            g_array_append_val(level->times, time_ms);
            level->went_on++;
            return;
        }
    if (last->stage == stage)
        level->standing++;
    else
        count_leak(level, last->stage);
}

static void on_stays(const Stay *stays, guint n_stays, gpointer data)
{
    const Funnel *funnel = data;
    g_autofree gboolean *seen = g_new0(gboolean, funnel->names->n_pipeline);
    for (guint i = 0; i < n_stays; i++) {
        guint stage = stays[i].stage;
        if (stage >= funnel->names->n_pipeline || seen[stage] || stays[i].from_ms < funnel->report->from_ms)
            continue;
        seen[stage] = TRUE;
        count_one(funnel, stage, stays, n_stays, i);
    }
}

/* Of two that got the same number, the one that is first in the pipeline. */
static const char *most_leaked_to(const Funnel *funnel, const Level *level)
{
    guint most = 0, where = 0;
    for (guint stage = 0; stage < funnel->names->names->len; stage++) {
        guint number = GPOINTER_TO_UINT(g_hash_table_lookup(level->leaked_to, GUINT_TO_POINTER(stage + 1)));
        where = number > most ? stage : where;
        most = MAX(most, number);
    }
    return most > 0 ? stage_names_at(funnel->names, where) : NULL;
}

static void add_row(Sheet *sheet, const Funnel *funnel, guint stage)
{
    Level *level = &funnel->levels[stage];
    SheetCell *cells = sheet_add(sheet);
    gint64 median_ms = times_percentile(level->times, 50);
    const char *leaked_to = most_leaked_to(funnel, level);
    sheet_cell_set_text(&cells[STAGE], stage_names_at(funnel->names, stage));
    sheet_cell_set(&cells[ENTERED], (double)level->entered);
    sheet_cell_set(&cells[WENT_ON], (double)level->went_on);
    if (stage < funnel->names->customer) /* behind it, there is nothing to go on to */
        sheet_cell_set_share(&cells[CONVERSION], level->went_on, level->entered);
    sheet_cell_set(&cells[STANDING], (double)level->standing);
    sheet_cell_set(&cells[LEAKED], (double)level->leaked);
    if (leaked_to != NULL)
        sheet_cell_set_text(&cells[LEAKED_TO], leaked_to);
    if (median_ms >= 0)
        sheet_cell_set(&cells[MEDIAN], (double)median_ms);
}

Sheet *report_funnel(const ReportCase *report, GError **error)
{
    g_auto(StageNames) names = {0};
    g_autoptr(Sheet) sheet = sheet_new(columns);
    stage_names_init(&names, report->cli->config);
    g_autofree Level *levels = g_new0(Level, names.n_pipeline);
    for (guint i = 0; i < names.n_pipeline; i++)
        levels[i] = (Level){.leaked_to = g_hash_table_new(NULL, NULL), .times = g_array_new(FALSE, FALSE, sizeof(gint64))};
    Funnel funnel = {.report = report, .names = &names, .levels = levels};
    gboolean ok = stays_each(report, &names, on_stays, &funnel, error);
    for (guint i = 0; i < names.n_pipeline; i++) {
        if (ok)
            add_row(sheet, &funnel, i);
        g_hash_table_unref(levels[i].leaked_to);
        g_array_unref(levels[i].times);
    }
    return ok ? g_steal_pointer(&sheet) : NULL;
}
