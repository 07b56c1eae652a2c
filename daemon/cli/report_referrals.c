/*
 * nurture report referrals: who was asked, who answered, and what came of it; for all, by rule, by owner or by quarter.
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "cli/facts.h"
#include "cli/report.h"
#include "store/reports.h"

enum { GROUP, CUSTOMERS, ASKED, ASK_RATE, ASK_BAR, ASKS, ANSWERED, ANSWER_RATE, REFERRALS, PER_ASK, ACCEPTED, TURNED, TURN_RATE, VALUE };

static const SheetColumn columns[] = {
    {"group", "", SHEET_TEXT},
    {"customers", "CUSTOMERS", SHEET_COUNT},
    {"asked", "ASKED", SHEET_COUNT},
    {"ask_rate", "SHARE", SHEET_SHARE},
    {"bar", "", SHEET_BAR},
    {"asks", "ASKS", SHEET_COUNT},
    {"answered", "ANSWERED", SHEET_COUNT},
    {"answer_rate", "SHARE", SHEET_SHARE},
    {"referrals", "REFERRALS", SHEET_COUNT},
    {"referrals_per_ask", "PER ASK", SHEET_NUMBER},
    {"accepted", "ACCEPTED", SHEET_COUNT},
    {"new_customers", "CUSTOMERS", SHEET_COUNT},
    {"conversion", "SHARE", SHEET_SHARE},
    {"value", "VALUE", SHEET_NUMBER},
    {NULL, NULL, SHEET_TEXT},
};

typedef struct {
    guint64 customers, asks, answered, referrals, accepted, turned;
    GHashTable *asked; /* ids of customers: gint64* */
    double value;
} Sum;

static void sum_free(gpointer data)
{
    Sum *sum = data;
    g_hash_table_unref(sum->asked);
    g_free(sum);
}

typedef struct {
    const ReportCase *report;
    GTree *sums;          /* name of the group -> Sum* */
    GHashTable *askable;  /* ids of customers */
    GArray *customer_times; /* gint64: since when each of them is one */
    const char *rule;     /* whose asks are read */
} Adding;

static int compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    (void)data;
    return g_strcmp0(a, b);
}

static Sum *sum_named(Adding *adding, const char *name)
{
    Sum *sum = g_tree_lookup(adding->sums, name);
    if (sum == NULL) {
        sum = g_new0(Sum, 1);
        sum->asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        g_tree_insert(adding->sums, g_strdup(name), sum);
    }
    return sum;
}

static char *quarter_of(gint64 at_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
    return g_strdup_printf("%d-Q%d", g_date_time_get_year(local), (g_date_time_get_month(local) + 2) / 3);
}

static Sum *sum_of(Adding *adding, const char *rule, const char *owner_key, gint64 at_ms)
{
    const char *by = adding->report->by;
    if (by == NULL)
        return sum_named(adding, "all");
    if (g_str_equal(by, "rule"))
        return sum_named(adding, *rule != '\0' ? rule : "(none)");
    if (g_str_equal(by, "owner"))
        return sum_named(adding, report_owner_name(adding->report, owner_key));
    g_autofree char *quarter = quarter_of(at_ms, adding->report->zone);
    return sum_named(adding, quarter);
}

static gboolean by_is(const ReportCase *report, const char *view)
{
    return g_strcmp0(report->by, view) == 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static gboolean on_askable(const Askable *askable, gpointer data)
{
    Adding *adding = data;
    if (report_is_left_out(adding->report, askable->owner_key))
        return TRUE;
    g_hash_table_add(adding->askable, g_memdup2(&askable->contact_id, sizeof askable->contact_id));
    g_array_append_val(adding->customer_times, askable->customer_since_ms);
    if (by_is(adding->report, "owner"))
        sum_of(adding, "", askable->owner_key, 0)->customers++;
    return TRUE;
}

static gboolean on_ask(const Ask *ask, gpointer data)
{
    Adding *adding = data;
    if (report_is_left_out(adding->report, ask->owner_key))
        return TRUE;
    Sum *sum = sum_of(adding, adding->rule, ask->owner_key, ask->at_ms);
    sum->asks++;
    sum->answered += ask->is_answered ? 1 : 0;
    if (g_hash_table_contains(adding->askable, &ask->contact_id))
        g_hash_table_add(sum->asked, g_memdup2(&ask->contact_id, sizeof ask->contact_id));
    return TRUE;
}

/* What the attribute holds, with or without white space between its digits; 0 for what is no number. */
static double value_of(const char *attributes, const char *name)
{
    g_autoptr(JsonObject) object = json_parse_object(attributes, NULL);
    JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
    g_autofree char *text = node != NULL ? facts_attribute_text(node) : g_strdup("");
    GString *digits = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (!g_unichar_isspace(g_utf8_get_char(p)))
            g_string_append_unichar(digits, g_utf8_get_char(p));
    g_autofree char *number = g_string_free(digits, FALSE);
    gboolean is_number = *number != '\0' && strspn(number, "+-.0123456789") == strlen(number);
    return is_number ? g_ascii_strtod(number, NULL) : 0;
}

static gboolean on_referral(const ReferralLine *line, gpointer data)
{
    Adding *adding = data;
    if (report_is_left_out(adding->report, line->owner_key))
        return TRUE;
    Sum *sum = sum_of(adding, line->rule, line->owner_key, line->at_ms);
    gboolean has_turned = g_str_equal(line->state, "customer");
    sum->referrals++;
    sum->accepted += !g_str_equal(line->state, "proposed") && !g_str_equal(line->state, "declined") ? 1 : 0;
    sum->turned += has_turned ? 1 : 0;
    if (has_turned && adding->report->value != NULL)
        sum->value += value_of(line->attributes, adding->report->value);
    return TRUE;
}

static gboolean read_all(Adding *adding, GError **error)
{
    const ReportCase *report = adding->report;
    Store *store = report->cli->store;
    if (!store_report_askable(store, report->to_ms, on_askable, adding, error))
        return FALSE;
    for (Rule **rule = report->cli->config->rules; *rule != NULL; rule++) {
        if (!g_str_equal((*rule)->purpose, "referral"))
            continue;
        adding->rule = (*rule)->name;
        if (by_is(report, "rule"))
            sum_named(adding, adding->rule);
        if (!store_report_asks(store, adding->rule, report->from_ms, report->to_ms, on_ask, adding, error))
            return FALSE;
    }
    return store_report_referrals(store, report->from_ms, report->to_ms, on_referral, adding, error);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

/* Where the quarter "2026-Q4" ends. */
static gint64 quarter_end(const char *name, GTimeZone *zone)
{
    int year = (int)g_ascii_strtoll(name, NULL, 10), quarter = name[strlen(name) - 1] - '0';
    g_autoptr(GDateTime) end = quarter < 4 ? g_date_time_new(zone, year, quarter * 3 + 1, 1, 0, 0, 0) : g_date_time_new(zone, year + 1, 1, 1, 0, 0, 0);
    return g_date_time_to_unix(end) * 1000;
}

static guint64 customers_before(const Adding *adding, gint64 before_ms)
{
    guint64 number = 0;
    for (guint i = 0; i < adding->customer_times->len; i++)
        number += g_array_index(adding->customer_times, gint64, i) < before_ms ? 1 : 0;
    return number;
}

typedef struct {
    const Adding *adding;
    Sheet *sheet;
} Rows;

static gboolean add_row(gpointer name, gpointer data, gpointer user_data)
{
    const Sum *sum = data;
    const Rows *rows = user_data;
    const ReportCase *report = rows->adding->report;
    SheetCell *cells = sheet_add(rows->sheet);
    guint64 asked = g_hash_table_size(sum->asked);
    guint64 customers = by_is(report, "owner")     ? sum->customers
                        : by_is(report, "quarter") ? customers_before(rows->adding, MIN(quarter_end(name, report->zone), report->to_ms))
                                                   : g_hash_table_size(rows->adding->askable);
    sheet_cell_set_text(&cells[GROUP], name);
    sheet_cell_set(&cells[CUSTOMERS], (double)customers);
    sheet_cell_set(&cells[ASKED], (double)asked);
    sheet_cell_set_share(&cells[ASK_RATE], asked, customers);
    sheet_cell_set(&cells[ASKS], (double)sum->asks);
    sheet_cell_set(&cells[ANSWERED], (double)sum->answered);
    sheet_cell_set_share(&cells[ANSWER_RATE], sum->answered, sum->asks);
    sheet_cell_set(&cells[REFERRALS], (double)sum->referrals);
    if (sum->asks > 0)
        sheet_cell_set(&cells[PER_ASK], round((double)sum->referrals / (double)sum->asks * 100) / 100);
    sheet_cell_set(&cells[ACCEPTED], (double)sum->accepted);
    sheet_cell_set(&cells[TURNED], (double)sum->turned);
    sheet_cell_set_share(&cells[TURN_RATE], sum->turned, sum->referrals);
    if (report->value != NULL)
        sheet_cell_set(&cells[VALUE], sum->value);
    return FALSE;
}

Sheet *report_referrals(const ReportCase *report, GError **error)
{
    g_autoptr(GTree) sums = g_tree_new_full(compare_names, NULL, g_free, sum_free);
    g_autoptr(GHashTable) askable = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GArray) customer_times = g_array_new(FALSE, FALSE, sizeof(gint64));
    Adding adding = {.report = report, .sums = sums, .askable = askable, .customer_times = customer_times};
    if (report->by == NULL)
        sum_named(&adding, "all");
    if (!read_all(&adding, error))
        return NULL;
    Sheet *sheet = sheet_new(columns);
    g_tree_foreach(sums, add_row, &(Rows){.adding = &adding, .sheet = sheet});
    return sheet;
}
