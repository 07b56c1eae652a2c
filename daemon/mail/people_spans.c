/*
 * Finding names, addresses and telephone numbers in a text.
 *
 * A name is a run of capitalised words that are no everyday words ("Try", "Hei", "Oslo"), with particles ("van", "de") and initials inside.
 *
 * Pure; any thread. Each finder goes over the text once; patterns repeat only within bounds.
 */
#include "people_spans.h"

#include <string.h>

#include "mail/address.h"
#include "mail/introduced.h"
#include "name_words.h"

enum { NAME_MAX_WORDS = 5, PHONE_MIN_DIGITS = 7, PHONE_MAX_DIGITS = 15, PHONE_MAX_LOCAL = 11 };

typedef struct {
    GRegex *address, *phone, *no_phone, *written_out;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("people_spans: %s", error->message);
    return regex;
}

#define AT "(?:\\(at\\)|\\[at\\]|\\{at\\}|<at>|\\(a\\)|\\(krøllalfa\\)|\\bkrøllalfa\\b|\\balfakrøll\\b|(?-i:\\bAT\\b))"
#define DOT "(?:\\s{0,2}(?:\\(dot\\)|\\[dot\\]|\\(punktum\\)|\\(prikk\\)|\\bdot\\b|\\bpunktum\\b|\\bprikk\\b)\\s{0,2}|\\.)"

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.address = compile("[\\p{L}\\d!#$%&'*+/=?^_`{|}~.-]{1,64}@[\\p{L}\\d][\\p{L}\\d.-]{0,250}[\\p{L}\\d]");
        compiled.phone = compile("(?<![\\w@.+/=-])(?:\\+|00)?\\(?\\d[\\d ().\\x{a0}/-]{5,22}\\d(?![\\w@/=-])(?!\\.\\d)");
        compiled.no_phone = compile("\\b(?:org|orgnr|vat|mva|konto|kontonr|account|iban|order|ordre|bestilling|invoice|faktura|tracking|sporing\\w*|seri\\w*|kid|ref|"
                                    "kundenr|customer|case|sak|registered|reg)\\W{0,3}(?:nr|no|number|nummer|in \\w{1,20}|gb|no)?\\W{0,4}$");
        compiled.written_out = compile("([\\p{L}\\d_+-][\\p{L}\\d._+-]{0,63})\\s{0,2}(?:" AT "\\s{0,2}([\\p{L}\\d-]{1,63}(?:" DOT "[\\p{L}\\d-]{1,63}){1,4})|"
                                       "\\s(?:at|a|alfa)\\s([\\p{L}\\d-]{1,63}(?:\\s?(?:\\(dot\\)|\\[dot\\]|\\bdot\\b|\\bpunktum\\b)\\s?[\\p{L}\\d-]{1,63}){1,4}))");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* ---- addresses --------------------------------------------------------------------------------------------------------- */

static gboolean write_plain(const GMatchInfo *match, GString *out, gpointer data)
{
    const GRegex *dot = data;
    g_autofree char *local = g_match_info_fetch(match, 1);
    g_autofree char *bracketed = g_match_info_fetch(match, 2);
    g_autofree char *domain = bracketed != NULL && *bracketed != '\0' ? g_steal_pointer(&bracketed) : g_match_info_fetch(match, 3);
    g_autofree char *dotted = g_regex_replace_literal(dot, domain, -1, 0, ".", 0, NULL);
    g_string_append_printf(out, "%s@%s", local, dotted);
    return FALSE;
}

char *people_plain_addresses(const char *text)
{
    static GRegex *dot;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        dot = compile(DOT);
        g_once_init_leave(&once, 1);
    }
    char *plain = g_regex_replace_eval(patterns()->written_out, text, -1, 0, 0, write_plain, dot, NULL);
    return plain != NULL ? plain : g_strdup(text);
}

static void contact_span_free(gpointer data)
{
    ContactSpan *span = data;
    g_free(span->value);
    g_free(span);
}

static void add_contact(GPtrArray *found, int start, int end, char *value)
{
    ContactSpan *span = g_new0(ContactSpan, 1);
    *span = (ContactSpan){(gsize)start, (gsize)end, value};
    g_ptr_array_add(found, span);
}

/* A link's "user@host", or a mailing program's "<mailto:…>" right behind the same address. */
static gboolean is_in_link(const char *text, int start)
{
    const char *p = text + start;
    while (p > text && (guchar)p[-1] > ' ' && strchr("<>(\"", p[-1]) == NULL && text + start - p < 300)
        p--;
    gsize length = (gsize)(text + start - p);
    g_autofree char *word = g_strndup(p, length);
    return strstr(word, "://") != NULL || strstr(word, "?") != NULL;
}

GPtrArray *people_find_addresses(const char *text, guint max)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(contact_span_free);
    g_autoptr(GMatchInfo) match = NULL;
    g_regex_match(patterns()->address, text, 0, &match);
    for (; g_match_info_matches(match) && found->len < max; g_match_info_next(match, NULL)) {
        int start = 0, end = 0;
        g_match_info_fetch_pos(match, 0, &start, &end);
        start += (int)strspn(text + start, "'*_`.-/="); /* marks of a writer */
        g_autofree char *word = g_strndup(text + start, (gsize)(end - start));
        const char *mailto = g_ascii_strncasecmp(word, "mailto:", 7) == 0 ? word + 7 : word;
        char *address = is_in_link(text, start) ? NULL : address_canonical(mailto, NULL);
        if (address != NULL)
            add_contact(found, start, end, address);
    }
    return found;
}

/* ---- telephones -------------------------------------------------------------------------------------------------------- */

char *people_phone(const char *text)
{
    g_autoptr(GString) number = g_string_new(NULL);
    const char *p = text + strspn(text, " \t(");
    gboolean abroad = *p == '+' || g_str_has_prefix(p, "00");
    const char *trunk = abroad ? strstr(p, "(0)") : NULL;
    guint digits = 0;

    p += g_str_has_prefix(p, "00") ? 2 : 0;
    for (; *p != '\0'; p++) {
        if (p == trunk)
            p += strlen("(0");
        else if (g_ascii_isdigit(*p)) {
            g_string_append_c(number, *p);
            digits++;
        } else if (g_ascii_isalpha(*p))
            break; /* "ext. 12" */
    }
    if (digits < PHONE_MIN_DIGITS || digits > (abroad ? PHONE_MAX_DIGITS : PHONE_MAX_LOCAL))
        return g_strdup("");
    return g_strconcat(abroad ? "+" : "", number->str, NULL);
}

/* Dates and times, and numbers in long rows, are none. */
static gboolean is_phone(const char *text, int start, int end)
{
    g_autofree char *before = g_strndup(text + MAX(0, start - 40), (gsize)(start - MAX(0, start - 40)));
    g_autofree char *valid = g_utf8_make_valid(before, -1);
    static GRegex *date;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        date = compile("^(?:\\d{1,2}[./-]\\d{1,2}[./-]\\d{2,4}|\\d{4}-\\d{1,2}-\\d{1,2}|(?:19|20)\\d\\d[ ./-].*|\\d{1,3}(?:[.,]\\d{3}){2,})(?:\\D.*)?$");
        g_once_init_leave(&once, 1);
    }
    g_autofree char *number = g_strndup(text + start, (gsize)(end - start));
    const char *last_line = strrchr(valid, '\n');
    return !g_regex_match(date, number, 0, NULL) && !g_regex_match(patterns()->no_phone, last_line != NULL ? last_line + 1 : valid, 0, NULL);
}

GPtrArray *people_find_phones(const char *text, guint max)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(contact_span_free);
    g_autoptr(GMatchInfo) match = NULL;
    g_regex_match(patterns()->phone, text, 0, &match);
    for (; g_match_info_matches(match) && found->len < max; g_match_info_next(match, NULL)) {
        int start = 0, end = 0;
        g_match_info_fetch_pos(match, 0, &start, &end);
        g_autofree char *word = g_strndup(text + start, (gsize)(end - start));
        g_autofree char *number = people_phone(word);
        if (*number != '\0' && is_phone(text, start, end))
            add_contact(found, start, end, g_steal_pointer(&number));
    }
    return found;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    gsize start, end;
    gboolean capital, initial;
} Word;

void name_span_free(NameSpan *span)
{
    g_free(span->text);
    g_free(span->folded);
    g_free(span->folded_short);
    g_free(span->folded_last);
    g_free(span);
}

static gboolean is_name_char(gunichar c)
{
    return g_unichar_isalpha(c) || c == '\'' || c == 0x2019 || c == '-';
}

/* The word at *p, which is moved behind it; FALSE: there is none at p. A possessive ending is not of it. */
static gboolean take_word(const char *text, const char **p, Word *word)
{
    const char *end = *p;
    if (!g_unichar_isalpha(g_utf8_get_char(end)))
        return FALSE;
    while (*end != '\0' && is_name_char(g_utf8_get_char(end)))
        end = g_utf8_next_char(end);
    while (end > *p && strchr("'-", end[-1]) != NULL)
        end--;
    gsize length = (gsize)(end - *p);
    gsize own = length;
    if (own > 2 && (*p)[own - 1] == 's' && (*p)[own - 2] == '\'')
        own -= 2;
    else if (own > 4 && (*p)[own - 1] == 's' && memcmp(*p + own - 4, "\xe2\x80\x99", 3) == 0)
        own -= 4;
    glong chars = g_utf8_strlen(*p, (gssize)own);
    *word = (Word){.start = (gsize)(*p - text), .end = (gsize)(*p - text) + own,
                   .capital = g_unichar_isupper(g_utf8_get_char(*p)), .initial = chars == 1};
    *p = end;
    return TRUE;
}

static char *word_text(const char *text, const Word *word)
{
    return g_strndup(text + word->start, word->end - word->start);
}

static gboolean is_particle(const char *text, const Word *word)
{
    static const char *const particles[] = {"van", "von", "de", "der", "den", "da", "di", "del", "la", "le", "af", "av", "al", "el", "bin", "ter", "ten", "dos"};
    g_autofree char *plain = word_text(text, word);
    for (guint i = 0; i < G_N_ELEMENTS(particles); i++)
        if (g_str_equal(plain, particles[i]))
            return TRUE;
    return FALSE;
}

static gboolean is_weekday(const char *plain)
{
    return g_str_has_suffix(plain, "sday") || g_str_has_suffix(plain, "nday") || g_str_has_suffix(plain, "iday") || g_str_has_suffix(plain, "urday") ||
           (g_str_has_suffix(plain, "dag") && strlen(plain) > 4);
}

static gboolean opens_here(const char *text, gsize start)
{
    while (start > 0 && strchr(" \t-*•\"'(<", text[start - 1]) != NULL)
        start--;
    return start == 0 || strchr("\n.!?:", text[start - 1]) != NULL;
}

/* "Per", "Hans", "Dag" are names and everyday words: names where no sentence gives them their capital, or a surname stands behind. */
static gboolean is_name_after_all(const char *text, const Word *word, const char *plain)
{
    if (!name_is_first(plain))
        return FALSE;
    if (!opens_here(text, word->start))
        return TRUE;
    const char *next = text + word->end;
    Word behind;
    if (*next != ' ' || !take_word(text, &(const char *){next + 1}, &behind))
        return FALSE;
    g_autofree char *surname = word_text(text, &behind);
    return behind.capital && !name_is_first(surname) && !name_is_common_word(surname);
}

static gboolean may_be_name(const char *text, const Word *word)
{
    g_autofree char *plain = word_text(text, word);
    return word->capital && !is_weekday(plain) && (!name_is_common_word(plain) || is_name_after_all(text, word, plain));
}

/* A capitalised word right behind a first name is of the name, whatever else it means: "Simon Day". */
static gboolean may_be_surname(const char *text, const Word *first, const Word *word)
{
    g_autofree char *plain = word_text(text, word), *begin = word_text(text, first);
    return may_be_name(text, word) || (word->capital && !word->initial && name_is_first(begin) && !is_weekday(plain) && strchr(plain, '\'') == NULL);
}

static gboolean has_lower(const char *text, gsize start, gsize end)
{
    for (const char *p = text + start; p < text + end; p = g_utf8_next_char(p))
        if (g_unichar_islower(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

/* "kari nordmann" and "KARI NORDMANN" to "Kari Nordmann"; capitals inside of a word ("McCoy") stay. Caller frees. */
static char *shown_name(const char *text, gsize start, gsize end)
{
    GString *out = g_string_new(NULL);
    gboolean begin = TRUE, shouted = end - start > 4 && !has_lower(text, start, end);
    for (const char *p = text + start; p < text + end; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, begin ? g_unichar_toupper(c) : shouted ? g_unichar_tolower(c) : c);
        begin = c == ' ' || c == '-' || c == '\n';
    }
    g_autofree char *raw = g_string_free(out, FALSE);
    return name_clean(raw);
}

NameSpan *name_span_new(const char *text, gsize start, gsize end)
{
    NameSpan *span = g_new0(NameSpan, 1);
    g_autofree char *raw = g_strndup(text + start, end - start);
    g_auto(GStrv) words = g_strsplit_set(raw, " \t\n", -1);
    const char *first = "", *last = "";

    span->start = start;
    span->end = end;
    span->text = g_str_equal(raw, "") ? g_strdup("") : shown_name(text, start, end);
    for (char **word = words; *word != NULL; word++) {
        if (**word == '\0')
            continue;
        first = *first == '\0' ? *word : first;
        last = *word;
        span->words++;
        span->is_company |= span->words > 1 && name_is_company_word(*word);
    }
    g_autofree char *short_first = g_strndup(first, strcspn(first, "-"));
    span->known = name_is_first(first);
    span->folded = name_fold(first);
    span->folded_short = name_fold(short_first);
    span->folded_last = name_fold(last);
    return span;
}

/* "at Acme", "i Nordvind", "hos Berg": what stands right behind is a company. */
static gboolean is_behind_at(const char *text, gsize start)
{
    static const char *const words[] = {"at", "i", "hos", "from", "fra", "frå", "in"};
    const char *end = text + start;
    while (end > text && end[-1] == ' ')
        end--;
    const char *begin = end;
    while (begin > text && (guchar)begin[-1] > ' ')
        begin--;
    g_autofree char *word = g_strndup(begin, (gsize)(end - begin));
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(word, words[i]) == 0)
            return TRUE;
    return FALSE;
}

/* A first name at the end of a long line, and a line that goes on with a surname and small letters. */
static gboolean is_wrapped(const char *text, const Word *first, const char *end)
{
    g_autofree char *begin = word_text(text, first);
    gsize line = 0;
    while (text + first->end - line > text && text[first->end - line - 1] != '\n')
        line++;
    if (*end != '\n' || line < 35 || !name_is_first(begin) || !g_unichar_isupper(g_utf8_get_char(end + 1)))
        return FALSE;
    const char *behind = end + 1 + strcspn(end + 1, " \n");
    return *behind == ' ' && g_unichar_islower(g_utf8_get_char(behind + 1));
}

/* Adds the name that begins with *first; *p, behind that word, is moved behind the name. */
static void add_name(GPtrArray *found, const char *text, const Word *first, const char **p)
{
    gsize end = first->end;
    const char *behind = *p;
    for (guint words = 1; words < NAME_MAX_WORDS; words++) {
        const char *next = behind;
        Word word;
        if (*next == '.' && (first->initial || (guint)(end - first->start) <= 2 || words > 1))
            next += next[1] == ' ' && g_unichar_isupper(g_utf8_get_char(next + 2)) && text[end - 1] < 'a' ? 1 : 0;
        if (*next != ' ' && !(words == 1 && is_wrapped(text, first, next)))
            break;
        next += strspn(next, " \n");
        if (!take_word(text, &next, &word))
            break;
        gboolean is_name = may_be_surname(text, first, &word);
        if (is_name) {
            end = word.end;
            behind = next;
        } else if (is_particle(text, &word) && *next == ' ' && g_unichar_isupper(g_utf8_get_char(next + 1)))
            behind = next;
        else
            break;
        if (word.end != (gsize)(next - text) && is_name)
            break; /* a possessive ends the name */
    }
    *p = behind;
    NameSpan *span = name_span_new(text, first->start, end);
    span->opens = opens_here(text, first->start);
    span->is_company |= !span->known && is_behind_at(text, first->start);
    if (*span->text != '\0' && !(first->initial && span->words == 1))
        g_ptr_array_add(found, span);
    else
        name_span_free(span);
}

GPtrArray *people_find_names(const char *text, guint max)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)name_span_free);
    for (const char *p = text; *p != '\0' && found->len < max;) {
        Word word;
        const char *before = p;
        gboolean at_word = (p == text || !g_unichar_isalnum(g_utf8_get_char(g_utf8_prev_char(p)))) && strchr("@._+", p > text ? p[-1] : ' ') == NULL;
        if (!take_word(text, &p, &word)) {
            p = g_utf8_next_char(p);
            continue;
        }
        if (*p == '@' || (*p == '.' && g_unichar_isalnum(g_utf8_get_char(p + 1)) && !word.initial)) {
            p += strcspn(p, " \t\n<>(),;"); /* an address or a host */
            continue;
        }
        if (at_word && may_be_name(text, &word))
            add_name(found, text, &word, &p);
        g_assert(p > before);
    }
    return found;
}
