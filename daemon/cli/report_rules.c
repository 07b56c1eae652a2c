/*
 * nurture report rules: of each rule, step and template, what was sent, and what came back.
 */
#include "cli/report_messages.h"

enum { RULE, STEP, VARIANT, SENT, REPLIED, RATE, RATE_BAR, MEDIAN, BOUNCED, COMPLAINED, UNSUBSCRIBED };

static const SheetColumn columns[] = {
    {"rule", "RULE", SHEET_TEXT},       {"step", "STEP", SHEET_TEXT},         {"variant", "VARIANT", SHEET_TEXT},
    {"sent", "SENT", SHEET_COUNT},      {"replied", "REPLIED", SHEET_COUNT},  {"reply_rate", "SHARE", SHEET_SHARE},
    {"bar", "", SHEET_BAR},             {"reply_median_days", "AFTER", SHEET_TIME},
    {"bounced", "BOUNCED", SHEET_COUNT}, {"complained", "COMPLAINED", SHEET_COUNT},
    {"unsubscribed", "UNSUBSCRIBED", SHEET_COUNT}, {NULL, NULL, SHEET_TEXT},
};

static void add_row(Sheet *sheet, const MessageSum *sum)
{
    SheetCell *cells = sheet_add(sheet);
    gint64 median_ms = times_percentile(sum->reply_times, 50);
    sheet_cell_set_text(&cells[RULE], sum->rule);
    sheet_cell_set_text(&cells[STEP], sum->step);
    sheet_cell_set_text(&cells[VARIANT], sum->variant);
    sheet_cell_set(&cells[SENT], (double)sum->sent);
    sheet_cell_set(&cells[REPLIED], (double)sum->replied);
    sheet_cell_set_share(&cells[RATE], sum->replied, sum->sent);
    if (median_ms >= 0)
        sheet_cell_set(&cells[MEDIAN], (double)median_ms);
    sheet_cell_set(&cells[BOUNCED], (double)sum->bounced);
    sheet_cell_set(&cells[COMPLAINED], (double)sum->complained);
    sheet_cell_set(&cells[UNSUBSCRIBED], (double)sum->unsubscribed);
}

Sheet *report_rules(const ReportCase *report, GError **error)
{
    g_autoptr(GPtrArray) sums = message_sums(report, MESSAGES_BY_RULE, error);
    if (sums == NULL)
        return NULL;
    Sheet *sheet = sheet_new(columns);
    for (guint i = 0; i < sums->len; i++)
        add_row(sheet, g_ptr_array_index(sums, i));
    return sheet;
}
