/*
 * nurture forecast --calendar: the days of the forecast as months, with the days on which nothing may leave marked.
 */
#include "base/json.h"
#include "cli/forecast.h"
#include "cli/month_grid.h"
#include "plan/calendar.h"

static void local_date(const Forecast *forecast, gint64 at_ms, GDate *ret_date)
{
    int year = 0, month = 0, day = 0;
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, forecast->zone);
    g_date_time_get_ymd(local, &year, &month, &day);
    g_date_clear(ret_date, 1);
    g_date_set_dmy(ret_date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

/* DAY_… bits: the days on which some window lets something of what was asked leave. */
static guint open_days(const Forecast *forecast)
{
    const Config *config = forecast->cli->config;
    const Account *own = forecast->contact ? config_account_for_owner(config, forecast->contact->owner) : NULL;
    guint days = 0;
    for (Rule **rule = config->rules; *rule; rule++) {
        if (forecast->rule && !g_str_equal((*rule)->name, forecast->rule))
            continue;
        for (Account **account = config->accounts; *account; account++)
            if (!own || *account == own)
                days |= config_window(config, *rule, *account)->days;
    }
    return days;
}

/* The member of a JSON object written as text; NULL where it has no such text. Caller frees. */
static char *attribute_of(const char *attributes, const char *name)
{
    g_autoptr(JsonObject) object = json_parse_object(attributes, NULL);
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_dup_string(node) : NULL;
}

/* Whether these holidays are the person's: by their own attribute, else by their company's, in whatever case. */
static gboolean are_own(const Sending *sending, const Contact *contact, const HolidaysOf *holidays)
{
    g_autofree char *own = attribute_of(contact->attributes, sending->holidays_by);
    g_autofree char *company = own ? NULL : attribute_of(contact->company_attributes, sending->holidays_by);
    if (!own && !company)
        return FALSE;
    g_autofree char *value = g_utf8_casefold(own ? own : company, -1);
    g_autofree char *wanted = g_utf8_casefold(holidays->value, -1);
    return g_str_equal(value, wanted);
}

/* Calendar*: of the person asked for, else all that somebody goes by. */
static GPtrArray *load_calendars(const Forecast *forecast, GError **error)
{
    const Sending *sending = &forecast->cli->config->sending;
    g_autoptr(GPtrArray) calendars = g_ptr_array_new_with_free_func((GDestroyNotify)calendar_free);
    gboolean has_own = FALSE;
    for (HolidaysOf **holidays = sending->holidays_of; *holidays; holidays++) {
        gboolean own = forecast->contact && are_own(sending, forecast->contact, *holidays);
        if (forecast->contact && !own)
            continue;
        Calendar *calendar = calendar_load((*holidays)->files, error);
        if (!calendar)
            return NULL;
        g_ptr_array_add(calendars, calendar);
        has_own = has_own || own;
    }
    Calendar *usual = has_own ? NULL : calendar_load(sending->holiday_files, error);
    if (!has_own && !usual)
        return NULL;
    if (usual)
        g_ptr_array_add(calendars, usual);
    return g_steal_pointer(&calendars);
}

static gboolean is_holiday(const GPtrArray *calendars, GTimeZone *zone, const GDate *date)
{
    g_autoptr(GDateTime) noon =
        g_date_time_new(zone, g_date_get_year(date), (gint)g_date_get_month(date), g_date_get_day(date), 12, 0, 0);
    for (guint i = 0; i < calendars->len; i++)
        if (calendar_is_holiday(calendars->pdata[i], zone, g_date_time_to_unix(noon) * 1000))
            return TRUE;
    return FALSE;
}

gboolean forecast_print_calendar(const Forecast *forecast, const GPtrArray *messages, GError **error)
{
    GDate first, last;
    g_autoptr(GPtrArray) calendars = load_calendars(forecast, error);
    if (!calendars)
        return FALSE;
    local_date(forecast, forecast->now_ms, &first);
    local_date(forecast, forecast->until_ms - 1, &last);
    guint n_days = (guint)g_date_days_between(&first, &last) + 1, open = open_days(forecast);
    g_autofree GridDay *days = g_new0(GridDay, n_days);
    GDate date = first;
    for (guint i = 0; i < n_days; i++, g_date_add_days(&date, 1)) {
        days[i].is_closed = !(open & 1u << (g_date_get_weekday(&date) - G_DATE_MONDAY));
        days[i].is_holiday = is_holiday(calendars, forecast->zone, &date);
    }
    gboolean elsewhere = FALSE;
    for (guint i = 0; i < messages->len; i++) {
        local_date(forecast, ((const RehearsedMessage *)messages->pdata[i])->at_ms, &date);
        GridDay *day = &days[CLAMP(g_date_days_between(&first, &date), 0, (int)n_days - 1)];
        day->count++;
        elsewhere = elsewhere || day->is_closed || day->is_holiday;
    }
    month_grid_print(forecast->cli->out, &first, days, n_days, forecast->cli->columns, forecast->cli->colour);
    if (elsewhere && !forecast->contact)
        fprintf(forecast->cli->out,
                " a number on a day without window, or a holiday: where the contact is, it is another day or no holiday\n");
    return TRUE;
}
