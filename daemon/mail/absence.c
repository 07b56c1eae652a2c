/*
 * The day of return in an absence note: "until 26 January 2026", "tilbake 26.01.", "from 24. to 28. november", "back on
 * Monday".
 *
 * All dates of the note are collected, in the usual forms of English, Norwegian, Swedish, Danish, German, Dutch, French,
 * Spanish, Italian, Polish and Portuguese. Those behind a word such as "until" or "back" are preferred; of the preferred
 * the latest counts, since a note names both ends. A date without a year is the next of that day. A weekday counts where
 * there is no date, and only behind such a word.
 *
 * Pure; any thread.
 */
#include "absence.h"

#include <string.h>

enum {
    NOTE_LOOKED_AT = 8 * 1024,
    DAYS_AHEAD = 400,
    MAX_DATES = 50,
    WORD_BEFORE = 60 /* octets before a date in which a word makes it the end */
};
#define DAY_MS ((gint64)24 * 3600 * 1000)

/* Each month's and weekday's names, by their first letters; the longest that fits counts. */
static const char *const months[12] = {
    "jan|gen|ene|sty", "feb|fév|lut", "mar|mär|maart|mrt", "apr|avr|abr|kwi", "mai|may|maj|mei|mag|mayo", "jun|juin|giu|cze",
    "jul|juil|lug|lip", "aug|aoû|aou|ago|sie", "sep|set|wrz", "oct|okt|out|paź|paz|ott", "nov|lis", "dec|dez|des|déc|dic|gru"};
static const char *const weekdays[7] = {
    "monday|mandag|måndag|montag|maandag|lundi|lunes|lunedì|poniedział|segunda",
    "tuesday|tirsdag|tisdag|dienstag|dinsdag|mardi|martes|martedì|wtor|terça",
    "wednesday|onsdag|mittwoch|woensdag|mercredi|miércoles|mercoledì|środ|środę|quarta",
    "thursday|torsdag|donnerstag|donderdag|jeudi|jueves|giovedì|czwart|quinta",
    "friday|fredag|freitag|vrijdag|vendredi|viernes|venerdì|piąt|sexta",
    "saturday|lørdag|lördag|samstag|sonnabend|zaterdag|samedi|sábado|sabato|sobot",
    "sunday|søndag|söndag|sonntag|zondag|dimanche|domingo|domenica|niedziel"};

#define MONTH_NAME                                                                                                          \
    "((?:jan|gen|ene|sty|feb|fév|lut|mar|mär|maa|mrt|apr|avr|abr|kwi|mai|may|maj|mei|mag|jun|juin|giu|cze|jul|juil|lug|" \
    "lip|aug|aoû|aou|ago|" \
    "sie|sep|set|wrz|oct|okt|out|paź|paz|ott|nov|lis|dec|dez|des|déc|dic|gru)\\p{L}{0,9})\\.?"
#define DAY "(\\d{1,2})(?:\\.|st|nd|rd|th|er|º|°|ª)?"
#define YEAR "(?:,?\\s{1,3}(?:de |del )?(20\\d\\d))?(?!\\d)"
#define TO "\\s{0,2}(?:-|–|—|to|til|till|bis|tot|t/m|au|al|do|a|e)\\s{0,2}"

/* What stands before the end of an absence. */
#define END_WORD                                                                                                            \
    "\\b(?:until|till?|through|thru|back|return\\p{L}{0,4}|again|to|available|reachable|"                                   \
    "tilbake|tom|t\\.?o\\.?m|igjen|til og med|tilbage|igen|frem til|"                                                       \
    "tillbaka|åter|till och med|fram till|"                                                                                 \
    "bis(?: zum| einschließlich)?|wieder|zurück|erreichbar|ab(?: dem)?|"                                                    \
    "tot(?: en met)?|t/m|terug|weer|vanaf|"                                                                                 \
    "jusqu.?(?:au|à|en)?|retour|revien\\p{L}{0,5}|au|partir|"                                                               \
    "hasta(?: el)?|regres\\p{L}{0,6}|vuel\\p{L}{0,4}|volver\\p{L}{0,3}|al|"                                                 \
    "fino(?: al)?|rientr\\p{L}{0,6}|ritorn\\p{L}{0,6}|torner\\p{L}{0,3}|"                                                   \
    "do|wrac\\p{L}{0,4}|wróc\\p{L}{0,4}|powr\\p{L}{0,5}|od|"                                                                \
    "até|ate|retorn\\p{L}{0,6}|volt\\p{L}{0,6}|ao|partir)\\b"
/* The day behind such a word: right behind any, or some words behind one that says nothing but return. */
#define RETURN_WORD                                                                                                         \
    "\\b(?:back|return\\w{0,4}|tilbake|tillbaka|åter|tilbage|zurück|wieder|retour|terug|weer|rentr\\w{0,6}|" \
    "rientr\\w{0,6}|torn\\w{0,4}|" \
    "vuelv\\w{0,4}|vuelta|regres\\w{0,6}|wrac\\w{0,5}|wróc\\w{0,5}|volt\\w{0,6}|retorn\\w{0,6})\\b"
#define BEHIND_END_WORD "(?:" RETURN_WORD "\\W{1,3}(?:\\p{L}{1,12}\\W{1,3}){0,5}|" END_WORD "\\W{1,3}(?:\\p{L}{1,4}\\W{1,3})?)"
/* … and what stands before its begin, or before dates that are neither. */
#define BEGIN_WORD                                                                                                          \
    "\\b(?:from|since|starting|fra|fra og med|f\\.?o\\.?m|från|vom|seit|van|du|depuis|dès|del|desde|dal|od|de|da|sent|" \
    "sendt|skrev|wrote|date|dato|datum)\\b\\W{0,3}(?:\\p{L}{1,12}\\W{1,3}){0,2}$"

typedef struct {
    GRegex *day_range, *day_month, *month_range, *month_day, *numeric, *short_numeric, *iso, *weekday, *tomorrow;
    GRegex *end_word, *begin_word;
} Patterns;

typedef struct {
    gint64 now_ms;
    const char *note;
    gint64 preferred, other; /* the latest of each; 0: none */
} Search;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("absence: %s", error->message);
    return regex;
}

static void compile_weekday(Patterns *compiled)
{
    g_autoptr(GString) all = g_string_new(BEHIND_END_WORD "\\b(");
    for (guint i = 0; i < G_N_ELEMENTS(weekdays); i++)
        g_string_append_printf(all, "%s%s", i > 0 ? "|" : "", weekdays[i]);
    g_string_append(all, ")");
    compiled->weekday = compile(all->str);
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.day_range = compile("(?<!\\d)\\d{1,2}\\.?" TO DAY "\\s{1,3}(?:of |de |di )?" MONTH_NAME YEAR);
        compiled.day_month = compile("(?<!\\d)" DAY "\\s{0,3}(?:of |de |di )?" MONTH_NAME YEAR);
        compiled.month_range = compile("\\b" MONTH_NAME "\\s{1,3}\\d{1,2}(?:st|nd|rd|th)?" TO "(\\d{1,2})(?:st|nd|rd|th)?(?![\\d:])" YEAR);
        compiled.month_day = compile("\\b" MONTH_NAME "\\s{1,3}(?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?![\\d:]|\\.\\d)" YEAR);
        compiled.numeric = compile("(?<![\\d./-])(\\d{1,2})([./-])(\\d{1,2})[./-](20\\d\\d|\\d\\d)(?![./-]?\\d)");
        compiled.short_numeric = compile("(?<![\\d./-])(\\d{1,2})([./])(\\d{1,2})()\\.?(?![./:-]?\\d)");
        compiled.tomorrow = compile(BEHIND_END_WORD "(?:tomorrow|i ?morgen|i ?morgon|morgen|demain|mañana|domani|"
                "jutra|amanhã)\\b");
        compiled.iso = compile("(?<!\\d)(20\\d\\d)-(\\d\\d)-(\\d\\d)(?!\\d)");
        compiled.end_word = compile(END_WORD);
        compiled.begin_word = compile(BEGIN_WORD);
        compile_weekday(&compiled);
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* ---- dates ------------------------------------------------------------------------------------------------------------ */

/* The index of the entry with the longest name that word begins with; -1: none. */
static int index_of(const char *const *table, guint size, const char *word)
{
    g_autofree char *lower = g_utf8_strdown(word, -1);
    gsize longest = 0;
    int found = -1;

    for (guint i = 0; i < size; i++) {
        g_auto(GStrv) names = g_strsplit(table[i], "|", -1);
        for (char **name = names; *name != NULL; name++)
            if (g_str_has_prefix(lower, *name) && strlen(*name) > longest) {
                longest = strlen(*name);
                found = (int)i;
            }
    }
    return found;
}

/* Midnight of the date; without a year (0) the next such day that is not long past; 0 where it is none. */
static gint64 date_ms(int year, int month, int day, gint64 now_ms)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_ms / 1000);
    if (now == NULL)
        return 0;
    if (year > 0 && year < 100)
        year += 2000;
    int used = year != 0 ? year : g_date_time_get_year(now);
    for (int attempt = 0; attempt < 2; attempt++, used++) {
        if (month < 1 || month > 12 || day < 1 || used < 1970 || used > 9000 ||
            !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)used))
            return 0;
        g_autoptr(GDateTime) date = g_date_time_new_utc(used, month, day, 0, 0, 0);
        gint64 at_ms = g_date_time_to_unix(date) * 1000;
        if (year != 0 || at_ms >= now_ms - 30 * DAY_MS)
            return at_ms;
    }
    return 0;
}

static gboolean is_ahead(const Search *search, gint64 at_ms)
{
    return at_ms >= search->now_ms - DAY_MS && at_ms <= search->now_ms + DAYS_AHEAD * DAY_MS;
}

static int number(const GMatchInfo *match, int group)
{
    g_autofree char *text = g_match_info_fetch(match, group);
    return text != NULL && *text != '\0' ? (int)g_ascii_strtoll(text, NULL, 10) : 0;
}

static int month_in(const GMatchInfo *match, int group)
{
    g_autofree char *text = g_match_info_fetch(match, group);
    return text != NULL ? index_of(months, G_N_ELEMENTS(months), text) + 1 : 0;
}

static gint64 read_day_month(const GMatchInfo *match, const Search *search)
{
    return date_ms(number(match, 3), month_in(match, 2), number(match, 1), search->now_ms);
}

static gint64 read_month_day(const GMatchInfo *match, const Search *search)
{
    return date_ms(number(match, 3), month_in(match, 1), number(match, 2), search->now_ms);
}

/* 26.01.2026, 26/1; where that is no date ahead, the American 01/26/2026. */
static gint64 read_numeric(const GMatchInfo *match, const Search *search)
{
    int first = number(match, 1), second = number(match, 3), year = number(match, 4);
    gint64 european = date_ms(year, second, first, search->now_ms);
    g_autofree char *separator = g_match_info_fetch(match, 2);
    gboolean slash = g_str_equal(separator, "/");

    if (!slash || (european != 0 && is_ahead(search, european)))
        return european;
    return date_ms(year, first, second, search->now_ms);
}

static gint64 read_iso(const GMatchInfo *match, const Search *search)
{
    return date_ms(number(match, 1), number(match, 2), number(match, 3), search->now_ms);
}

/* Whether the words before the date make it the end of an absence. */
static gboolean is_end(const Search *search, int at)
{
    const char *start = search->note + MAX(at - WORD_BEFORE, 0);
    g_autofree char *raw = g_strndup(start, (gsize)(search->note + at - start));
    const char *sentence = strrchr(raw, '\n');
    g_autofree char *before = g_utf8_make_valid(sentence != NULL && sentence[1] != '\0' ? sentence + 1 : raw, -1);

    return g_regex_match(patterns()->end_word, before, 0, NULL) && !g_regex_match(patterns()->begin_word, before, 0, NULL);
}

typedef gint64 (*ReadDate)(const GMatchInfo *match, const Search *search);

static void collect(Search *search, const GRegex *regex, ReadDate read, gboolean range)
{
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0;

    g_regex_match(regex, search->note, 0, &match);
    for (int i = 0; i < MAX_DATES && g_match_info_matches(match); i++, g_match_info_next(match, NULL)) {
        gint64 at_ms = read(match, search);
        if (!is_ahead(search, at_ms) || !g_match_info_fetch_pos(match, 0, &at, NULL))
            continue;
        if (range || is_end(search, at))
            search->preferred = MAX(search->preferred, at_ms);
        else
            search->other = MAX(search->other, at_ms);
    }
}

/* "7/12": behind a word of return only, since "24/7" and versions are no dates. */
static void collect_short(Search *search)
{
    Search only = {.now_ms = search->now_ms, .note = search->note};
    collect(&only, patterns()->short_numeric, read_numeric, FALSE);
    search->preferred = MAX(search->preferred, only.preferred);
}

/* The next such weekday behind "back on" and the like; today's is a week ahead. */
static gint64 next_weekday(const Search *search)
{
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(search->now_ms / 1000);

    if (now == NULL || !g_regex_match(patterns()->weekday, search->note, 0, &match))
        return 0;
    g_autofree char *name = g_match_info_fetch(match, 1);
    int weekday = index_of(weekdays, G_N_ELEMENTS(weekdays), name);
    int days = (weekday + 1 - g_date_time_get_day_of_week(now) + 7) % 7;
    gint64 midnight = search->now_ms - search->now_ms % DAY_MS;
    return weekday < 0 ? 0 : midnight + (days == 0 ? 7 : days) * DAY_MS;
}

gint64 absence_until(const char *text, gint64 now_ms)
{
    g_autofree char *note = g_utf8_make_valid(text, (gssize)MIN(strlen(text), (gsize)NOTE_LOOKED_AT));
    Search search = {.now_ms = now_ms, .note = note};
    const Patterns *known = patterns();

    collect(&search, known->iso, read_iso, FALSE);
    collect(&search, known->day_range, read_day_month, TRUE);
    collect(&search, known->day_month, read_day_month, FALSE);
    collect(&search, known->month_range, read_month_day, TRUE);
    collect(&search, known->month_day, read_month_day, FALSE);
    collect(&search, known->numeric, read_numeric, FALSE);
    collect_short(&search);
    if (search.preferred != 0)
        return search.preferred;
    if (search.other != 0)
        return search.other;
    gint64 weekday = next_weekday(&search);
    return weekday != 0 || !g_regex_match(known->tomorrow, note, 0, NULL) ? weekday : now_ms - now_ms % DAY_MS + DAY_MS;
}
