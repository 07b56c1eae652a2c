/*
 * Durations as people write them. A table of units reads and writes them; no length is computed here except for machines
 * (duration_to_ms), because days, months and business days have none until they meet a calendar. Owns nothing; any thread.
 */
#include "base/duration.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define SECOND_MS G_GINT64_CONSTANT(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define HUNDRED_YEARS_DAYS (100 * 366)

typedef struct {
    const char *singular;
    const char *plural;
    int months;
    int days;
    int business_days;
    gint64 ms;
} Unit;

static const Unit units[] = {
    {"second", "seconds", 0, 0, 0, SECOND_MS}, {"minute", "minutes", 0, 0, 0, MINUTE_MS},
    {"hour", "hours", 0, 0, 0, HOUR_MS},       {"day", "days", 0, 1, 0, 0},
    {"week", "weeks", 0, 7, 0, 0},             {"month", "months", 1, 0, 0, 0},
    {"year", "years", 12, 0, 0, 0},            {"business day", "business days", 0, 0, 1, 0},
};

static const char example[] = "write a whole number and a unit, such as \"90 seconds\", \"3 days\", \"2 weeks\", \"6 months\" or \"3 business days\"";

static const char *skip_space(const char *at)
{
    while (g_ascii_isspace(*at))
        at++;
    return at;
}

/* Between two terms: white space, one comma, one "and". */
static const char *skip_joint(const char *at)
{
    at = skip_space(at);
    if (*at == ',')
        at = skip_space(at + 1);
    if (g_ascii_strncasecmp(at, "and", 3) == 0 && g_ascii_isspace(at[3]))
        at = skip_space(at + 3);
    return at;
}

/* The letters at *at, and the word after "business"; *at moves behind them. Lower case; caller frees. */
static char *read_unit_word(const char **at)
{
    GString *word = g_string_new(NULL);
    const char *from = *at;
    for (int n_words = 0; n_words < 2; n_words++) {
        while (g_ascii_isalpha(*from) || (guchar)*from >= 0x80)
            g_string_append_c(word, g_ascii_tolower(*from++));
        if (n_words > 0 || strcmp(word->str, "business") != 0)
            break;
        from = skip_space(from);
        g_string_append_c(word, ' ');
    }
    *at = from;
    return g_string_free(word, FALSE);
}

static const Unit *find_unit(const char *word, GError **error)
{
    const char *names[2 * G_N_ELEMENTS(units) + 1] = {NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(word, units[i].singular) == 0 || strcmp(word, units[i].plural) == 0)
            return &units[i];
        names[2 * i] = units[i].plural;
        names[2 * i + 1] = units[i].singular;
    }
    g_autofree char *shown = text_quote(word, 40);
    const char *nearest = *word != '\0' ? text_nearest(word, names) : NULL;
    if (*word == '\0')
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "a number without a unit; %s", example);
    else if (nearest != NULL)
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "unknown unit %s; did you mean \"%s\"?", shown, nearest);
    else
        g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX, "unknown unit %s; %s", shown, example);
    return NULL;
}

/* Adds count units to the sum; FALSE where that passes a hundred years in the part concerned. */
static gboolean add_term(Duration *sum, const Unit *unit, gint64 count)
{
    if (count > 100LL * 366 * 86400)
        return FALSE;
    gint64 months = sum->months + count * unit->months;
    gint64 days = sum->days + count * unit->days;
    gint64 business_days = sum->business_days + count * unit->business_days;
    gint64 ms = sum->ms + count * unit->ms;
    if (months > 1200 || days > HUNDRED_YEARS_DAYS || business_days > HUNDRED_YEARS_DAYS || ms > HUNDRED_YEARS_DAYS * DAY_MS)
        return FALSE;
    /* about a hundred years in all; a month counts 30 days, so that "100 years" alone passes */
    if (months * 30 + days + business_days * 7 / 5 + ms / DAY_MS > HUNDRED_YEARS_DAYS)
        return FALSE;
    *sum = (Duration){.months = (int)months, .days = (int)days, .business_days = (int)business_days, .ms = ms};
    return TRUE;
}

static gboolean parse_terms(const char *text, Duration *sum, GError **error)
{
    const char *at = skip_space(text);
    do {
        if (!g_ascii_isdigit(*at)) {
            g_set_error_literal(error, BASE_ERROR, BASE_ERROR_SYNTAX, example);
            return FALSE;
        }
        char *end = NULL;
        guint64 count = g_ascii_strtoull(at, &end, 10);
        at = skip_space(end);
        g_autofree char *word = read_unit_word(&at);
        const Unit *unit = find_unit(word, error);
        if (unit == NULL)
            return FALSE;
        if (count > G_MAXINT64 || !add_term(sum, unit, (gint64)count)) {
            g_set_error_literal(error, BASE_ERROR, BASE_ERROR_RANGE, "longer than a hundred years; write a shorter duration");
            return FALSE;
        }
        const char *next = skip_joint(at);
        if (*next == '\0' && *skip_space(at) != '\0') /* it ends in a comma */
            next = at;
        at = next;
    } while (*at != '\0');
    return TRUE;
}

gboolean duration_parse(const char *text, Duration *ret_duration, GError **error)
{
    Duration sum = {0};
    g_autoptr(GError) inner = NULL;
    if (!parse_terms(text, &sum, &inner)) {
        g_autofree char *shown = text_quote(text, 80);
        g_set_error(error, BASE_ERROR, inner->code, "%s is not a duration: %s", shown, inner->message);
        return FALSE;
    }
    *ret_duration = sum;
    return TRUE;
}

static void append_term(GString *text, gint64 count, const char *singular)
{
    if (count != 0)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s%s", text->len > 0 ? " " : "", count, singular, count == 1 ? "" : "s");
}

char *duration_format(const Duration *duration)
{
    GString *text = g_string_new(NULL);
    append_term(text, duration->months / 12, "year");
    append_term(text, duration->months % 12, "month");
    if (duration->days % 7 == 0)
        append_term(text, duration->days / 7, "week");
    else
        append_term(text, duration->days, "day");
    append_term(text, duration->business_days, "business day");
    append_term(text, duration->ms / HOUR_MS, "hour");
    append_term(text, duration->ms % HOUR_MS / MINUTE_MS, "minute");
    append_term(text, duration->ms % MINUTE_MS / SECOND_MS, "second");
    if (text->len == 0)
        g_string_append(text, "0 seconds");
    return g_string_free(text, FALSE);
}

gboolean duration_is_zero(const Duration *duration)
{
    return duration->months == 0 && duration->days == 0 && duration->business_days == 0 && duration->ms == 0;
}

double duration_rough_days(const Duration *duration)
{
    return duration->months * 30.4 + duration->days + duration->business_days * 1.4 + (double)duration->ms / (double)DAY_MS;
}

gboolean duration_to_ms(const Duration *duration, gint64 *ret_ms, GError **error)
{
    if (duration->months != 0 || duration->business_days != 0) {
        g_autofree char *shown = duration_format(duration);
        g_set_error(error, BASE_ERROR, BASE_ERROR_RANGE,
                    "\"%s\" has no fixed length; write it in seconds, minutes, hours, days or weeks", shown);
        return FALSE;
    }
    *ret_ms = duration->days * DAY_MS + duration->ms;
    return TRUE;
}
