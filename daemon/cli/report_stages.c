/*
 * nurture report stages: how many stand in each stage, and how long people stay.
 */
#include "cli/report_stays.h"

enum { STAGE, NOW, NOW_BAR, ENTERED, LEFT, MEDIAN, NINETIETH, WAITING };

static const SheetColumn columns[] = {
    {"stage", "STAGE", SHEET_TEXT},         {"now", "NOW", SHEET_COUNT},           {"bar", "", SHEET_BAR},
    {"entered", "ENTERED", SHEET_COUNT},    {"left", "LEFT", SHEET_COUNT},         {"median_days", "MEDIAN", SHEET_TIME},
    {"p90_days", "90 %", SHEET_TIME},       {"now_median_days", "SO FAR", SHEET_TIME}, {NULL, NULL, SHEET_TEXT},
};

typedef struct {
    guint64 now, entered, left;
    GArray *stayed;  /* gint64 ms, of the stays that ended in the period */
    GArray *standing; /* of those that go on */
} StageSum;

static void sum_clear(gpointer data)
{
    StageSum *sum = data;
    g_array_unref(sum->stayed);
    g_array_unref(sum->standing);
}

typedef struct {
    const ReportCase *report;
    GArray *sums; /* StageSum, by stage */
} Stages;

static StageSum *sum_of(Stages *stages, guint stage)
{
    while (stages->sums->len <= stage) {
        const StageSum none = {.stayed = g_array_new(FALSE, FALSE, sizeof(gint64)), .standing = g_array_new(FALSE, FALSE, sizeof(gint64))};
        g_array_append_val(stages->sums, none);
    }
    return &g_array_index(stages->sums, StageSum, stage);
}

static void on_stays(const Stay *stays, guint n_stays, gpointer data)
{
    Stages *stages = data;
    const ReportCase *report = stages->report;
    for (guint i = 0; i < n_stays; i++) {
        StageSum *sum = sum_of(stages, stays[i].stage);
        sum->entered += stays[i].from_ms >= report->from_ms ? 1 : 0;
        if (stays[i].until_ms == G_MAXINT64) {
            gint64 so_far_ms = MAX(MIN(report->to_ms, report->now_ms) - stays[i].from_ms, 0);
            sum->now++;
            g_array_append_val(sum->standing, so_far_ms);
        } else if (stays[i].until_ms >= report->from_ms) {
            gint64 stayed_ms = stays[i].until_ms - stays[i].from_ms;
            sum->left++;
            g_array_append_val(sum->stayed, stayed_ms);
        }
    }
}

static void set_time(SheetCell *cell, GArray *times, guint percent)
{
    gint64 time_ms = times_percentile(times, percent);
    if (time_ms >= 0)
        sheet_cell_set(cell, (double)time_ms);
}

static void add_row(Sheet *sheet, const char *name, const StageSum *sum)
{
    SheetCell *cells = sheet_add(sheet);
    sheet_cell_set_text(&cells[STAGE], name);
    sheet_cell_set(&cells[NOW], (double)sum->now);
    sheet_cell_set(&cells[ENTERED], (double)sum->entered);
    sheet_cell_set(&cells[LEFT], (double)sum->left);
    set_time(&cells[MEDIAN], sum->stayed, 50);
    set_time(&cells[NINETIETH], sum->stayed, 90);
    set_time(&cells[WAITING], sum->standing, 50);
}

Sheet *report_stages(const ReportCase *report, GError **error)
{
    g_auto(StageNames) names = {0};
    g_autoptr(GArray) sums = g_array_new(FALSE, FALSE, sizeof(StageSum));
    g_autoptr(Sheet) sheet = sheet_new(columns);
    Stages stages = {.report = report, .sums = sums};
    g_array_set_clear_func(sums, sum_clear);
    stage_names_init(&names, report->cli->config);
    if (!stays_each(report, &names, on_stays, &stages, error))
        return NULL;
    for (guint i = 0; i < names.names->len; i++) {
        const StageSum *sum = sum_of(&stages, i);
        if (i < names.n_pipeline || sum->now + sum->entered + sum->left > 0)
            add_row(sheet, stage_names_at(&names, i), sum);
    }
    return g_steal_pointer(&sheet);
}
