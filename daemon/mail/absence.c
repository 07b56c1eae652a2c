/*
 * Dates in absence notes: "until 26 January 2026", "tilbake 26.01.2026", "back on January 26th", "zurück am Montag". Pure.
 *
 * A date without a year is the next one of that day; of several, the latest that is near counts, since a note names both ends. Where there
 * is no date, the weekday behind a word of return counts, or "tomorrow".
 */
#include "mail/absence.h"

#include <string.h>

enum { NOTE_LOOKED_AT = 8 * 1024, DAYS_AHEAD = 400, MAX_DATES = 50 };
#define DAY_MS ((gint64)24 * 3600 * 1000)

#define MONTH                                                                                                              \
    "(jan|feb|f[ée]v|mar|m[äa]r|maa?rt|apr|avr|abr|kwi|ma[iyj]|mag|jun|jui?n|giu|cze|jul|juil|lug|lip|aug|ao[ûu]|ago|sie|sep|set|wrz|o[ck]t|out|pa[zź]|nov|lis|de[czs]|d[ée]c|dic|gru|sty|lut|gen|ene|luty)\\p{L}{0,9}\\.?"

/* A word of return, and soon behind it the day. */
#define RETURN                                                                                                             \
    "\\b(?:back|return\\w*|until|till?|tilbake|til og med|tillbaka|åter|tilbage|zurück|bis|wieder|retour|terug|tot|jusqu|rentr\\w*|torn\\w*|"  \
    "rientr\\w*|fino|vuelv\\w*|regres\\w*|hasta|wrac\\w*|wróc\\w*|do|volt\\w*|at[ée])\\b[^.!?\\n]{0,40}?\\b"

/* From Monday on, in the eleven languages, as alternatives of a pattern. */
static const char *const WEEKDAYS[7] = {
    "monday|mandag|måndag|montag|maandag|lundi|lunes|luned[iì]|poniedział(?:ek|ku)|segunda",
    "tuesday|tirsdag|tisdag|dienstag|dinsdag|mardi|martes|marted[iì]|wtor(?:ek|ku)|terça",
    "wednesday|onsdag|mittwoch|woensdag|mercredi|mi[ée]rcoles|mercoled[iì]|środ[aęy]|quarta",
    "thursday|torsdag|donnerstag|donderdag|jeudi|jueves|gioved[iì]|czwart(?:ek|ku)|quinta",
    "friday|fredag|freitag|vrijdag|vendredi|viernes|venerd[iì]|piąt(?:ek|ku)|sexta",
    "saturday|lørdag|lördag|samstag|sonnabend|zaterdag|samedi|s[áa]bado|sabato|sobot[aęy]",
    "sunday|søndag|söndag|sonntag|zondag|dimanche|domingo|domenica|niedziel[aęi]"};

typedef struct {
    GRegex *day_month, *month_day, *numeric, *short_numeric, *iso, *weekday, *tomorrow;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (!regex)
        g_error("absence: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.day_month = compile("\\b(\\d{1,2})(?:\\.|st|nd|rd|th|er|º|°)?\\s(?:of |de |di )?" MONTH "(?:,?\\s(?:de )?(\\d{4}))?");
        compiled.month_day = compile("\\b" MONTH "\\s(?:\\d{1,2}(?:st|nd|rd|th)?\\s?(?:-|–|to|through)\\s?)?(\\d{1,2})(?:st|nd|rd|th)?\\b(?:,?\\s(\\d{4}))?");
        compiled.numeric = compile("(?<![\\d./-])(\\d{1,2})[./-](\\d{1,2})[./-](\\d{4}|\\d{2})(?![./-]?\\d)");
        compiled.short_numeric = compile(RETURN "(?<![\\d./-])(\\d{1,2})[./-](\\d{1,2})(?![./-]?\\d)()");
        compiled.iso = compile("\\b(20\\d\\d)-(\\d\\d)-(\\d\\d)\\b");
        g_autofree char *names = g_strjoin("|", WEEKDAYS[0], WEEKDAYS[1], WEEKDAYS[2], WEEKDAYS[3], WEEKDAYS[4], WEEKDAYS[5], WEEKDAYS[6], NULL);
        g_autofree char *weekday = g_strdup_printf(RETURN "(%s)\\b", names);
        compiled.weekday = compile(weekday);
        compiled.tomorrow = compile(RETURN "(?:tomorrow|i morgen|imorgen|imorgon|i morgon|morgen|demain|mañana|domani|jutra|amanhã)\\b");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* 1 … 12 by the first letters, in the languages whose names MONTH has; 0: none. */
static int month_of(const char *name)
{
    static const char *const starts[12] = {"jan gen ene sty", "feb fév fev lut", "mar mär maar maa", "apr avr abr kwi", "mai may maj mag",
                                           "jun jui giu cze", "jul lug lip", "aug aoû aou ago sie", "sep set wrz", "oct okt out paź paz ott",
                                           "nov lis", "dec dez des déc dic gru"};
    g_autofree char *lower = g_utf8_strdown(name, -1);
    if (g_str_has_prefix(lower, "juil"))
        return 7;
    for (int month = 0; month < 12; month++) {
        g_auto(GStrv) words = g_strsplit(starts[month], " ", -1);
        for (char **word = words; *word; word++)
            if (g_str_has_prefix(lower, *word))
                return month + 1;
    }
    return 0;
}

/* Midnight of the date; without a year (0) the next such day that is not long past; 0 where it is none. */
static gint64 date_ms(int year, int month, int day, gint64 now_ms)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_ms / 1000);
    if (year > 0 && year < 100)
        year += 2000;
    int used = year ? year : g_date_time_get_year(now);
    for (int attempt = 0; attempt < 2; attempt++, used++) {
        if (month < 1 || month > 12 || day < 1 || used < 1 || !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)used))
            return 0;
        g_autoptr(GDateTime) date = g_date_time_new_utc(used, month, day, 0, 0, 0);
        gint64 at_ms = g_date_time_to_unix(date) * 1000;
        if (year || at_ms >= now_ms - 30 * DAY_MS)
            return at_ms;
    }
    return 0;
}

static int number(GMatchInfo *match, int group)
{
    g_autofree char *text = g_match_info_fetch(match, group);
    return text && *text ? (int)g_ascii_strtoll(text, NULL, 10) : 0;
}

static int month_in(GMatchInfo *match, int group)
{
    g_autofree char *text = g_match_info_fetch(match, group);
    return text ? month_of(text) : 0;
}

static gint64 from_day_month(GMatchInfo *match, gint64 now_ms)
{
    return date_ms(number(match, 3), month_in(match, 2), number(match, 1), now_ms);
}

static gint64 from_month_day(GMatchInfo *match, gint64 now_ms)
{
    return date_ms(number(match, 3), month_in(match, 1), number(match, 2), now_ms);
}

/* 26.01.2026; where the second number can be no month, 01/26/2026 */
static gint64 from_numeric(GMatchInfo *match, gint64 now_ms)
{
    int first = number(match, 1), second = number(match, 2), year = number(match, 3);
    return second > 12 ? date_ms(year, first, second, now_ms) : date_ms(year, second, first, now_ms);
}

static gint64 from_iso(GMatchInfo *match, gint64 now_ms)
{
    return date_ms(number(match, 1), number(match, 2), number(match, 3), now_ms);
}

/* The next such weekday after today. */
static gint64 from_weekday(GMatchInfo *match, gint64 now_ms)
{
    g_autofree char *name = g_match_info_fetch(match, 1);
    gint64 today_ms = now_ms - now_ms % DAY_MS;
    gint64 since_monday = (today_ms / DAY_MS + 3) % 7; /* 1970-01-01 was a Thursday */
    for (gint64 day = 0; name && day < 7; day++) {
        g_autofree char *pattern = g_strdup_printf("^(?:%s)$", WEEKDAYS[day]);
        if (g_regex_match_simple(pattern, name, G_REGEX_CASELESS, 0))
            return today_ms + ((day - since_monday + 6) % 7 + 1) * DAY_MS;
    }
    return 0;
}

static gint64 from_tomorrow(GMatchInfo *match, gint64 now_ms)
{
    (void)match;
    return now_ms - now_ms % DAY_MS + DAY_MS;
}

static gint64 latest(const GRegex *regex, const char *text, gint64 (*read)(GMatchInfo *match, gint64 now_ms), gint64 now_ms)
{
    gint64 found = 0;
    g_autoptr(GMatchInfo) match = NULL;
    g_regex_match(regex, text, 0, &match);
    for (int i = 0; i < MAX_DATES && g_match_info_matches(match); i++) {
        gint64 at_ms = read(match, now_ms);
        if (at_ms >= now_ms - DAY_MS && at_ms <= now_ms + DAYS_AHEAD * DAY_MS)
            found = MAX(found, at_ms);
        g_match_info_next(match, NULL);
    }
    return found;
}

gint64 absence_until(const char *text, gint64 now_ms)
{
    g_autofree char *start = g_utf8_make_valid(text, (gssize)MIN(strlen(text), (gsize)NOTE_LOOKED_AT));
    const Patterns *known = patterns();
    gint64 found = latest(known->iso, start, from_iso, now_ms);
    found = MAX(found, latest(known->day_month, start, from_day_month, now_ms));
    found = MAX(found, latest(known->month_day, start, from_month_day, now_ms));
    if (!found)
        found = latest(known->numeric, start, from_numeric, now_ms);
    if (!found)
        found = latest(known->short_numeric, start, from_numeric, now_ms); /* "24/7" and versions are no dates: only behind a word of return */
    if (!found)
        found = latest(known->weekday, start, from_weekday, now_ms);
    return found ? found : latest(known->tomorrow, start, from_tomorrow, now_ms);
}
