/*
 * Days as the file writes them: "2027-06-30", "12-24" (each year), weekdays, an anniversary, the name of an attribute that holds a date.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

enum { FIRST_YEAR = 1900, LAST_YEAR = 2200, LEAP_YEAR = 2000 };

#define ON_EXAMPLE "\"tue\", [ \"tue\", \"thu\" ], \"anniversary\", \"12-24\" (each year), \"2027-01-15\" (once) or the name of an attribute that holds a date"

/* ---- dates ----------------------------------------------------------------------------------------------------------- */

/* The two digits at p, or -1. */
static int two_digits(const char *p)
{
    return g_ascii_isdigit(p[0]) && g_ascii_isdigit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

DateForm date_parse(const char *text, Date *ret_date)
{
    gsize length = strlen(text);
    if (!strpbrk(text, "-./") || strspn(text, "0123456789-./") != length)
        return DATE_NOT;
    gboolean with_year = length == 10;
    if ((length != 5 && !with_year) || text[length - 3] != '-' || (with_year && text[4] != '-'))
        return DATE_WRONG;
    int century = with_year ? two_digits(text) : 0, year = with_year ? two_digits(text + 2) : 0;
    Date date = {.year = century * 100 + year, .month = two_digits(text + length - 5), .day = two_digits(text + length - 2)};
    if (century < 0 || year < 0 || date.month < 1 || date.day < 1 || (with_year && (date.year < FIRST_YEAR || date.year > LAST_YEAR)))
        return DATE_WRONG;
    /* the 29th of February of each year is the last of February where the year has none */
    if (!g_date_valid_dmy((GDateDay)date.day, (GDateMonth)date.month, (GDateYear)(with_year ? date.year : LEAP_YEAR)))
        return DATE_WRONG;
    *ret_date = date;
    return with_year ? DATE_ONCE : DATE_OF_YEAR;
}

/* ---- `on` ------------------------------------------------------------------------------------------------------------ */

/* A text that begins like weekdays: where it is none, somebody wanted weekdays and slipped. */
static gboolean is_like_weekdays(const char *text)
{
    static const char *const long_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL};
    g_auto(GStrv) words = g_strsplit_set(text, ",- ", -1);
    for (char **word = words; *word; word++)
        if (**word && window_days(*word))
            return TRUE;
    return strlen(text) > 5 && text_nearest(text, long_names);
}

static void take_date(Reader *reader, const config_setting_t *setting, const char *text, Step *step)
{
    Date date = {0};
    DateForm form = date_parse(text, &date);
    if (form == DATE_OF_YEAR || form == DATE_ONCE) {
        step->date = form == DATE_ONCE ? STEP_DATE_ONCE : STEP_DATE_YEARLY;
        step->on_year = date.year;
        step->on_month = date.month;
        step->on_day = date.day;
    } else if (form == DATE_WRONG) {
        reader_fault(reader, setting, "on: there is no day \"%s\"; write month and day as \"12-24\" (each year) or \"2027-01-15\" (once)", text);
    } else {
        reader_fault(reader, setting, "on: \"%s\" is no date; write month and day as \"12-24\" (each year) or \"2027-01-15\" (once)", text);
    }
}

static void take_word(Reader *reader, const config_setting_t *setting, const char *text, Step *step)
{
    static const char *const anniversary[] = {"anniversary", NULL};
    step->on_days = window_days(text);
    if (step->on_days)
        return;
    g_autofree char *shown = text_escape(text, 60);
    if (g_ascii_isdigit(*text)) {
        take_date(reader, setting, shown, step);
    } else if (g_ascii_strcasecmp(text, anniversary[0]) == 0) {
        step->date = STEP_DATE_ANNIVERSARY;
    } else if (is_like_weekdays(text)) {
        reader_fault(reader, setting, "on: \"%s\" names no weekdays; write \"tue\", \"mon-wed\" or [ \"tue\", \"thu\" ]", shown);
    } else if (text_nearest(text, anniversary)) {
        reader_fault(reader, setting, "on: \"%s\" is unknown; did you mean \"anniversary\"?", shown);
    } else if (!g_str_equal(shown, text)) {
        reader_fault(reader, setting, "on: \"%s\" is no name of an attribute; write %s", shown, ON_EXAMPLE);
    } else {
        step->date = STEP_DATE_ATTRIBUTE;
        step->on_attribute = g_strdup(text);
    }
}

void step_parse_on(Reader *reader, config_setting_t *setting, Step *step)
{
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        const char *text = reader_text(reader, setting, ON_EXAMPLE);
        if (text)
            take_word(reader, setting, text, step);
        return;
    }
    g_auto(GStrv) words = reader_texts(reader, setting, ON_EXAMPLE);
    if (words && !*words)
        reader_fault(reader, setting, "on names no day; write [ \"tue\", \"thu\" ], or leave it out");
    for (char **word = words; word && *word; word++) {
        guint8 days = window_days(*word);
        if (!days)
            reader_fault(reader, setting, "on: a list holds weekdays only, and \"%s\" is none; write [ \"tue\", \"thu\" ]", *word);
        step->on_days |= days;
    }
}
