/*
 * nurture report owners: of each owner, people, messages, talks and tasks.
 */
#include "cli/report_messages.h"

#include "cli/task_words.h"
#include "store/reports.h"

enum { OWNER, CONTACTS, CONTACTS_BAR, CUSTOMERS, NEW_CUSTOMERS, SENT, REPLIED, RATE, FIRST_NUMBER };

static const SheetColumn columns[] = {
    {"owner", "OWNER", SHEET_TEXT},
    {"contacts", "CONTACTS", SHEET_COUNT},
    {"bar", "", SHEET_BAR},
    {"customers", "CUSTOMERS", SHEET_COUNT},
    {"new_customers", "NEW", SHEET_COUNT},
    {"sent", "SENT", SHEET_COUNT},
    {"replied", "REPLIED", SHEET_COUNT},
    {"reply_rate", "SHARE", SHEET_SHARE},
    {"by_hand", "BY HAND", SHEET_COUNT},
    {"calls", "CALLS", SHEET_COUNT},
    {"meetings", "MEETINGS", SHEET_COUNT},
    {"notes", "NOTES", SHEET_COUNT},
    {"tasks_open", "TASKS", SHEET_COUNT},
    {"tasks_overdue", "OVERDUE", SHEET_COUNT},
    {"tasks_done", "DONE", SHEET_COUNT},
    {NULL, NULL, SHEET_TEXT},
};

typedef struct {
    const ReportCase *report;
    Sheet *sheet;
    GTree *owners; /* key -> SheetCell* */
} Owners;

static void fill(gpointer key, SheetCell *cells, const ReportCase *report)
{
    sheet_cell_set_text(&cells[OWNER], report_owner_name(report, key));
    for (guint i = CONTACTS; columns[i].key != NULL; i++)
        if (columns[i].kind == SHEET_COUNT)
            sheet_cell_set(&cells[i], 0);
}

static int compare_keys(gconstpointer a, gconstpointer b, gpointer data)
{
    (void)data;
    return g_strcmp0(a, b);
}

/* The cells of the owner, in a sheet of their own until all owners are known. */
static SheetCell *cells_of(Owners *owners, const char *owner_key)
{
    SheetCell *cells = g_tree_lookup(owners->owners, owner_key);
    if (cells == NULL) {
        cells = sheet_add(owners->sheet);
        char *key = g_strdup(owner_key);
        fill(key, cells, owners->report);
        g_tree_insert(owners->owners, key, cells);
    }
    return cells;
}

static gboolean on_number(const OwnerNumber *number, gpointer data)
{
    Owners *owners = data;
    if (report_is_left_out(owners->report, number->owner_key))
        return TRUE;
    SheetCell *cells = cells_of(owners, number->owner_key);
    for (guint i = CONTACTS; columns[i].key != NULL; i++)
        if (g_str_equal(columns[i].key, number->what))
            sheet_cell_set(&cells[i], (double)number->number);
    return TRUE;
}

static gboolean add_messages(Owners *owners, GError **error)
{
    g_autoptr(GPtrArray) sums = message_sums(owners->report, MESSAGES_BY_OWNER, error);
    for (guint i = 0; sums != NULL && i < sums->len; i++) {
        const MessageSum *sum = g_ptr_array_index(sums, i);
        SheetCell *cells = cells_of(owners, sum->owner_key);
        sheet_cell_set(&cells[SENT], (double)sum->sent);
        sheet_cell_set(&cells[REPLIED], (double)sum->replied);
        sheet_cell_set_share(&cells[RATE], sum->replied, sum->sent);
    }
    return sums != NULL;
}

Sheet *report_owners(const ReportCase *report, GError **error)
{
    g_autoptr(Sheet) sheet = sheet_new(columns);
    g_autoptr(GTree) keys = g_tree_new_full(compare_keys, NULL, g_free, NULL);
    Owners owners = {.report = report, .sheet = sheet, .owners = keys};
    gint64 today_ms = 0;
    task_day(report->now_ms, report->zone, &today_ms, NULL);
    for (Account **account = report->cli->config->accounts; *account != NULL; account++) {
        g_autofree char *key = report_fold((*account)->name);
        if (!report_is_left_out(report, key))
            cells_of(&owners, key);
    }
    if (!store_report_owners(report->cli->store, report->from_ms, report->to_ms, today_ms, on_number, &owners, error) ||
        !add_messages(&owners, error))
        return NULL;
    return g_steal_pointer(&sheet);
}
