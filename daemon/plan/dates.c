/*
 * The dates that steps wait for: anniversaries, days of the year, days that an attribute names. Pure functions, called from any
 * thread.
 *
 * Days are compared, not instants: what is meant for a day may leave on that day, whatever the hour since which it is wanted.
 */
#include "plan/dates.h"

#include <string.h>

#include "plan/attribute.h"
#include "plan/days.h"

/* A date in each year, or in one alone. */
typedef struct {
    LocalDate date; /* year: the first one, where it is yearly */
    gboolean yearly;
} Occasion;

/* ---- text ---- */

/* Reads exactly so many digits; FALSE where there are fewer. */
static gboolean read_digits(const char **text, int count, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (!g_ascii_isdigit(**text))
            return FALSE;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return TRUE;
}

/* 29 February is a day of the year where none is given. */
static gboolean is_date(int year, int month, int day)
{
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return FALSE;
    return local_date(local_day_of(year, month, day)).day == day;
}

/* "2027-03-01", or "03-01" (year 0), blanks around it aside. */
static gboolean parse_date(const char *text, LocalDate *ret_date)
{
    int year = 0, month = 0, day = 0;

    text += strspn(text, " \t");
    gboolean has_year = strcspn(text, "-") == 4;
    if (has_year && (!read_digits(&text, 4, &year) || *text++ != '-'))
        return FALSE;
    if (!read_digits(&text, 2, &month) || *text++ != '-' || !read_digits(&text, 2, &day))
        return FALSE;
    if (text[strspn(text, " \t")] != '\0' || !is_date(has_year ? year : 2000, month, day))
        return FALSE;
    *ret_date = (LocalDate){.year = year, .month = month, .day = day};
    return TRUE;
}

/* ---- the date of a step ---- */

static gboolean attribute_occasion(const Step *step, const PlanFacts *facts, Occasion *ret_occasion)
{
    AttributeValue value = attribute_value(facts, step->on_attribute);
    if (!value.text || !parse_date(value.text, &ret_occasion->date))
        return FALSE;

    ret_occasion->yearly = step->yearly || ret_occasion->date.year == 0;
    if (ret_occasion->yearly)
        ret_occasion->date.year = 0;
    return TRUE;
}

static gboolean step_occasion(const Step *step, const PlanFacts *facts, LocalZone *zone, gint64 anchor_ms,
                              Occasion *ret_occasion)
{
    switch (step->date) {
    case STEP_DATE_NONE:
        return FALSE;
    case STEP_DATE_ANNIVERSARY:
        ret_occasion->yearly = TRUE;
        ret_occasion->date = local_date(local_day(local_from_instant(zone, anchor_ms)));
        ret_occasion->date.year++;
        return TRUE;
    case STEP_DATE_YEARLY:
        *ret_occasion = (Occasion){.yearly = TRUE, .date = {.month = step->on_month, .day = step->on_day}};
        return TRUE;
    case STEP_DATE_ONCE:
        ret_occasion->yearly = FALSE;
        ret_occasion->date = (LocalDate){.year = step->on_year, .month = step->on_month, .day = step->on_day};
        return TRUE;
    case STEP_DATE_ATTRIBUTE:
        return attribute_occasion(step, facts, ret_occasion);
    }
    return FALSE;
}

/* ---- so long before it ---- */

static gint64 business_days_before(const Calendar *calendar, gint64 day, int count)
{
    while (count > 0) {
        day--;
        if (local_weekday(day) < 5 && !calendar_day_is_holiday(calendar, day))
            count--;
    }
    return day;
}

/* From when on mail for that date in that year may leave, and the local day of it. */
static gint64 moment_before(const Step *step, LocalZone *zone, const Calendar *calendar, const LocalDate *date, gint64 year,
                            gint64 *ret_day)
{
    const Duration *before = &step->before;
    gint64 day = local_day_add_months(local_day_of(year, date->month, date->day), -before->months) - before->days;
    day = business_days_before(calendar, day, before->business_days);
    gint64 at_ms = local_day_start(zone, day) - before->ms;

    *ret_day = before->ms ? local_day(local_from_instant(zone, at_ms)) : day;
    return at_ms;
}

gint64 dates_earliest(const Step *step, const PlanFacts *facts, const Calendar *calendar, LocalZone *zone, gint64 anchor_ms,
                      gint64 wanted_ms)
{
    Occasion occasion = {0};
    if (step->date == STEP_DATE_NONE)
        return wanted_ms;
    if (!local_is_meant(anchor_ms) || !local_is_meant(wanted_ms) || !step_occasion(step, facts, zone, anchor_ms, &occasion))
        return SCHEDULE_NEVER;

    gint64 wanted_day = local_day(local_from_instant(zone, wanted_ms));
    gint64 year = occasion.date.year, day = 0;
    if (occasion.yearly) /* the year before may do, and does not where `before` is long */
        year = MAX(year, local_date(wanted_day).year + step->before.months / 12 - 1);
    gint64 at_ms = moment_before(step, zone, calendar, &occasion.date, year, &day);
    while (occasion.yearly && day < wanted_day)
        at_ms = moment_before(step, zone, calendar, &occasion.date, ++year, &day);
    return day < wanted_day ? SCHEDULE_PASSED : MAX(at_ms, wanted_ms);
}
