/*
 * People in running text. Addresses come first: each looks for its name by what stands before its "@", then by what stands beside it.
 * Then telephones, which need a name or join an address; then names alone, which need words that point at them.
 *
 *   a sentence   to the next full stop, or line that a person ended; what it says (introduced_cue.h) decides over who is in it
 *   certain      reachable, and the text recommends or introduces, or is nothing but a list; not of the sender's own domain
 *   a long list  of more than INTRODUCED_MAX people is pasted rather than written: nobody in it is certain
 *
 * Pure; any thread. Bounded by the number of names and contacts looked at.
 */
#include <string.h>

#include "base/text.h"
#include "introduced_cue.h"
#include "name_words.h"
#include "people_list.h"
#include "people_spans.h"

enum {
    MAX_NAMES = 300,
    MAX_CONTACTS = 60,
    WRAPPED_LINE = 55, /* a line as long was broken by a program */
    FAR = 1500,        /* octets between an address and its name */
    NEAR = 4,          /* … between a name and what is written right behind it */
    LIST_MAX_WORDS = 5 /* beside names, in a text that is but a list */
};

typedef struct {
    PeopleList *list;
    const char *text;
    GPtrArray *names, *addresses, *phones;
    GHashTable *claimed; /* NameSpan*: of somebody with an address or telephone */
    GHashTable *owners;  /* NameSpan* -> IntroducedPerson* */
    gboolean recommends; /* the text as a whole */
    gboolean is_list;
} Reading;

/* ---- places ------------------------------------------------------------------------------------------------------------ */

static gboolean is_line_end(const char *text, gsize at)
{
    if (text[at] != '\n')
        return FALSE;
    gsize begin = at;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    return at - begin < WRAPPED_LINE || text[at + 1] == '\n' || at == begin;
}

/* A full stop behind a word and before a space; not that of "Dr." or an initial. */
static gboolean is_sentence_end(const char *text, gsize at)
{
    if (is_line_end(text, at))
        return TRUE;
    if (strchr(".!?", text[at]) == NULL || (text[at + 1] != ' ' && text[at + 1] != '\n' && text[at + 1] != '\0'))
        return FALSE;
    gsize begin = at;
    while (begin > 0 && (g_ascii_isalnum(text[begin - 1]) || (guchar)text[begin - 1] >= 0x80))
        begin--;
    g_autofree char *word = g_ascii_strdown(text + begin, (gssize)(at - begin));
    static const char *const abbreviations[] = {"dr", "mr", "mrs", "ms", "prof", "tlf", "tel", "nr", "no", "mob", "st", "f", "eks", "ca", "st", NULL};
    return !(text[at] == '.' && (at - begin <= 1 || g_strv_contains(abbreviations, word)));
}

static gsize sentence_begin(const char *text, gsize at)
{
    while (at > 0 && !is_sentence_end(text, at - 1))
        at--;
    return at;
}

static gsize sentence_end(const char *text, gsize at)
{
    while (text[at] != '\0' && !is_sentence_end(text, at))
        at++;
    return at;
}

/* Caller frees. */
static char *sentence_at(const char *text, gsize at)
{
    gsize begin = sentence_begin(text, at), end = sentence_end(text, at);
    return g_strndup(text + begin, end - begin + (text[end] != '\0' && text[end] != '\n'));
}

/* Whether an empty line parts the two places. */
static gboolean is_one_paragraph(const char *text, gsize from, gsize to)
{
    const char *gap = g_strstr_len(text + MIN(from, to), (gssize)(MAX(from, to) - MIN(from, to)), "\n\n");
    return gap == NULL;
}

static gboolean is_one_line(const char *text, gsize from, gsize to)
{
    return memchr(text + MIN(from, to), '\n', MAX(from, to) - MIN(from, to)) == NULL;
}

static gboolean has_contact_between(const GPtrArray *contacts, gsize from, gsize to)
{
    for (guint i = 0; i < contacts->len; i++) {
        const ContactSpan *contact = contacts->pdata[i];
        if (contact->start >= from && contact->end <= to)
            return TRUE;
    }
    return FALSE;
}

/* ---- the name of an address -------------------------------------------------------------------------------------------- */

/* How well a name and the part before the "@" go together: 0 not at all, 6 wholly. */
static int match_local(const NameSpan *name, const char *address)
{
    g_autofree char *local = g_strndup(address, strcspn(address, "@+"));
    g_auto(GStrv) tokens = g_strsplit_set(local, "._-", 6);
    g_autofree char *whole = name_fold(local);
    const char *first = name->folded, *last = name->words > 1 ? name->folded_last : "";
    int points = 0;

    for (char **token = tokens; *token != NULL; token++) {
        g_autofree char *folded = name_fold(*token);
        if (g_utf8_strlen(folded, -1) == 1 && *first != '\0' && *folded != *first && g_strv_length(tokens) > 1 && *folded != *last)
            return 0; /* another's initial */
        if (g_utf8_strlen(folded, -1) == 1 && *folded == *first)
            points++;
        else if (strlen(folded) >= 2 && (g_str_equal(folded, first) || g_str_equal(folded, name->folded_short) || g_str_equal(folded, last)))
            points += 2;
    }
    if (*last != '\0') {
        g_autofree char *both = g_strconcat(first, last, NULL), *turned = g_strconcat(last, first, NULL);
        g_autofree char *initial = g_strdup_printf("%.1s%s", first, last), *short_last = g_strdup_printf("%s%.1s", first, last);
        if (g_str_equal(whole, both) || g_str_equal(whole, turned))
            return 6;
        if (g_str_equal(whole, initial) || g_str_equal(whole, short_last))
            return 4;
        if (strlen(last) >= 4 && g_str_has_suffix(whole, last))
            points = MAX(points, 2);
    }
    if (strlen(first) >= 3 && g_str_has_prefix(whole, first))
        points = MAX(points, 2);
    return points;
}

static gboolean may_name(const Reading *reading, const NameSpan *name)
{
    return !sender_is_name(reading->list->sender, name->text) && !sender_wrote_to(reading->list->sender, name->text);
}

/* The name in the text that fits the address best; the nearest of several. */
static const NameSpan *name_by_match(const Reading *reading, const ContactSpan *address)
{
    const NameSpan *best = NULL;
    int most = 0;
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        int distance = ABS((int)name->start - (int)address->start);
        int points = distance < FAR ? match_local(name, address->value) : 0;
        if (points == 0 || !may_name(reading, name) || (points == 1 && distance > 80))
            continue;
        int value = points * 1000 - distance - (name->is_company ? 1500 : 0);
        if (best == NULL || value > most) {
            best = name;
            most = value;
        }
    }
    return best;
}

/* Only what joins a name to what stands behind it: brackets, dashes, a comma, "tlf", "på". */
static gboolean is_joining(const char *text, gsize from, gsize to)
{
    static const char *const words[] = {"tlf", "tel", "mob", "mobil", "mobile", "phone", "telefon", "cell", "epost", "mail", "email", "e", "post", "on", "på", "at", "nr", "number",
                                        "nummer", "is", "er", "has", "har", "t", "m", "p", "ph", "dr", NULL};
    g_autofree char *gap = g_utf8_strdown(text + from, (gssize)(to - from));
    g_auto(GStrv) parts = g_strsplit_set(gap, " \t\n<>()[]:;,.\"'*_|/-", -1);
    for (char **part = parts; *part != NULL; part++)
        if (**part != '\0' && !g_str_equal(*part, "–") && !g_str_equal(*part, "—") && !g_strv_contains(words, *part))
            return FALSE;
    return TRUE;
}

/* The nearest name before a contact, for which ok holds; no other contact of its kind between. */
static const NameSpan *name_before(const Reading *reading, const GPtrArray *kind, gsize at, gboolean (*ok)(const Reading *, const NameSpan *, gsize))
{
    for (guint i = reading->names->len; i > 0; i--) {
        const NameSpan *name = reading->names->pdata[i - 1];
        if (name->end > at || !may_name(reading, name))
            continue;
        if (has_contact_between(kind, name->end, at))
            return NULL;
        if (ok(reading, name, at))
            return name;
    }
    return NULL;
}

static gboolean stands_beside(const Reading *reading, const NameSpan *name, gsize at)
{
    return !name->is_company && is_joining(reading->text, name->end, at) && at - name->end < 20;
}

static gboolean is_known_in_line(const Reading *reading, const NameSpan *name, gsize at)
{
    return !name->is_company && name->known && sentence_begin(reading->text, at) <= name->start;
}

/* "He is on …", a block of lines that a name begins: the name nearest above in its paragraph. */
static gboolean is_above(const Reading *reading, const NameSpan *name, gsize at)
{
    return !name->is_company && (name->known || (name->words > 1 && name->opens)) && is_one_paragraph(reading->text, name->end, at);
}

/* "leo marsh leo@marsh…": one more word between the name that the address spells and the address. */
static gsize with_surname(const char *text, gsize end, gsize address)
{
    gsize stop = end + 1;
    if (text[end] != ' ' || stop >= address)
        return end;
    while (stop < address && strchr(" \t\n,.:;()<>\"/", text[stop]) == NULL)
        stop++;
    g_autofree char *word = g_strndup(text + end + 1, stop - end - 1);
    gboolean letters = g_unichar_isalpha(g_utf8_get_char_validated(word, -1)) && strpbrk(word, "@0123456789") == NULL;
    return letters && !name_is_common_word(word) && is_joining(text, stop, address) ? stop : end;
}

/* "kari nordmann kari.nordmann@…": words of any case that the address spells. The words from *start to *end. */
static gboolean find_spelled(const Reading *reading, const ContactSpan *address, gsize *start, gsize *end)
{
    const char *text = reading->text;
    gsize limit = address->start > 300 ? address->start - 300 : 0, at = address->start;
    gboolean found = FALSE;

    while (at > limit) {
        gsize stop = at;
        while (at > limit && strchr(" \t\n,.:;()<>\"-/", text[at - 1]) == NULL)
            at--;
        g_autofree char *word = g_strndup(text + at, stop - at);
        NameSpan *span = name_span_new(text, at, stop);
        gboolean is_name = stop > at && strlen(span->folded) >= 2 && strpbrk(word, "@0123456789") == NULL && !name_is_common_word(word);
        gboolean spelled = is_name && (match_local(span, address->value) >= 2 || (found && (name_is_first(word))));
        gboolean by_last = is_name && !found && strlen(span->folded) >= 4 && strstr(address->value, span->folded) != NULL &&
                           strstr(address->value, span->folded) < strchr(address->value, '@');
        name_span_free(span);
        if (spelled || by_last) {
            *start = at;
            *end = found ? *end : with_surname(text, stop, address->start);
            found = TRUE;
        } else if (found && stop > at)
            return TRUE;
        if (at > limit)
            at--;
    }
    return found;
}

/* "kari@… – Kari er en venn": a name right behind. */
static const NameSpan *name_right_behind(const Reading *reading, const ContactSpan *address)
{
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        if (name->start >= address->end && name->start - address->end <= NEAR + 2 && is_joining(reading->text, address->end, name->start) &&
            is_one_line(reading->text, address->end, name->start) && name->known && may_name(reading, name))
            return name;
    }
    return NULL;
}

static const NameSpan *name_of_address(const Reading *reading, const ContactSpan *address)
{
    const NameSpan *name = name_by_match(reading, address);
    if (name == NULL)
        name = name_before(reading, reading->addresses, address->start, stands_beside);
    if (name == NULL)
        name = name_before(reading, reading->addresses, address->start, is_known_in_line);
    if (name == NULL)
        name = name_right_behind(reading, address);
    if (name == NULL)
        name = name_before(reading, reading->addresses, address->start, is_above);
    return name;
}

/* ---- what is said of somebody ------------------------------------------------------------------------------------------ */

/* "Kari Nordmann at Acme", "…, Nordvind AS": caller frees; NULL: none is told. */
static char *company_behind(const Reading *reading, const NameSpan *name)
{
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *next = reading->names->pdata[i];
        if (next->start < name->end || next->start - name->end > 12)
            continue;
        g_autofree char *gap = g_strndup(reading->text + name->end, next->start - name->end);
        if (next->is_company && strchr(gap, '.') == NULL)
            return g_strdup(next->text);
        return NULL;
    }
    return NULL;
}

static gboolean is_certain(const Reading *reading, guint cues, const char *address)
{
    if ((cues & (CUE_OTHER_MATTER | CUE_OWN)) != 0 || (*address != '\0' && sender_shares_domain(reading->list->sender, address)))
        return FALSE;
    return reading->recommends || reading->is_list || (cues & (CUE_RECOMMENDS | CUE_INTRODUCES)) != 0;
}

/* Whether sentences with a person speak of somebody else than a friend. */
static gboolean is_elsewhere(guint cues, gboolean named, gboolean colleague)
{
    if ((cues & CUE_FORBIDS) != 0 || (colleague && ((cues & CUE_OTHER_MATTER) != 0 || (cues & (CUE_RECOMMENDS | CUE_MEETS)) == 0)))
        return TRUE;
    if ((cues & CUE_OWN) != 0)
        return (cues & CUE_RECOMMENDS) == 0 || !named;
    return (cues & CUE_OTHER_MATTER) != 0 && ((cues & (CUE_WANTS | CUE_MEETS)) == 0 || !named);
}

/* Whether a name with a telephone is named for our sake: the text says so, or the sentence is about them. */
static gboolean is_meant(const Reading *reading, const NameSpan *name)
{
    return reading->recommends || reading->is_list || (name != NULL && name->words > 1 && name->opens);
}

static void add(Reading *reading, const NameSpan *name, const char *written_name, const char *address, const char *phone, gsize at)
{
    g_autofree char *sentence = sentence_at(reading->text, at);
    g_autofree char *name_sentence = name != NULL ? sentence_at(reading->text, name->start) : g_strdup("");
    g_autofree char *company = name != NULL ? company_behind(reading, name) : NULL;
    guint of_name = introduced_cues(name_sentence), cues = introduced_cues(sentence) | (of_name & ~(guint)CUE_OWN);
    gboolean named = name != NULL || *written_name != '\0';
    gboolean colleague = *address != '\0' && sender_shares_domain(reading->list->sender, address);

    if (is_elsewhere(cues, named, colleague && !reading->is_list) || (*address == '\0' && !is_meant(reading, name)))
        return;
    IntroducedPerson *person = people_add(reading->list, &(Finding){
        .name = name != NULL ? name->text : written_name, .address = address, .phone = phone, .company = company, .evidence = sentence,
        .how = INTRODUCED_TEXT, .certain = is_certain(reading, cues, address)});
    if (name == NULL || person == NULL)
        return;
    g_hash_table_add(reading->claimed, (gpointer)name);
    g_hash_table_insert(reading->owners, (gpointer)name, person);
}

/* Of "Nordmann, Kari" <kari@…>, with the quotes or without, what stands before the bracket; NULL where it is no name alone. Caller frees. */
static char *display_name(const Reading *reading, const ContactSpan *address)
{
    const char *text = reading->text;
    gsize end = address->start, begin;
    if (end == 0 || text[end - 1] != '<')
        return NULL;
    begin = --end;
    while (begin > 0 && strchr("\n;>:<•*", text[begin - 1]) == NULL && end - begin < 2 * INTRODUCED_MAX_NAME)
        begin--;
    g_autofree char *raw = g_strndup(text + begin, end - begin);
    g_autofree char *name = name_clean(raw);
    g_auto(GStrv) words = g_strsplit_set(name, " .,", -1);
    if (strchr(raw, ',') == NULL || *name == '\0' || g_strv_length(words) > 4)
        return NULL;
    for (char **word = words; *word != NULL; word++)
        if (name_is_common_word(*word) || g_unichar_islower(g_utf8_get_char(*word)))
            return NULL;
    return g_steal_pointer(&name);
}

static void read_addresses(Reading *reading)
{
    for (guint i = 0; i < reading->addresses->len; i++) {
        const ContactSpan *address = reading->addresses->pdata[i];
        g_autofree char *written = g_strdup("");
        const NameSpan *name = name_of_address(reading, address);
        gsize start = 0, end = 0;
        char *displayed = display_name(reading, address);
        if (displayed != NULL) {
            g_free(written);
            written = displayed;
            name = NULL;
        } else if ((name == NULL || match_local(name, address->value) == 0) && find_spelled(reading, address, &start, &end)) {
            NameSpan *spelled = name_span_new(reading->text, start, end);
            g_free(written);
            written = g_strdup(spelled->text);
            name_span_free(spelled);
            name = NULL;
        }
        add(reading, name, written, address->value, NULL, address->start);
    }
}

/* ---- telephones -------------------------------------------------------------------------------------------------------- */

/* The person whose address stands nearest, in the same line, or before in the same block; no name between. */
static IntroducedPerson *owner_by_address(const Reading *reading, const ContactSpan *phone)
{
    const ContactSpan *nearest = NULL;
    gsize least = G_MAXSIZE;
    for (guint i = 0; i < reading->addresses->len; i++) {
        const ContactSpan *address = reading->addresses->pdata[i];
        gsize from = MIN(address->end, phone->end), to = MAX(address->start, phone->start);
        gboolean before = address->end <= phone->start;
        gboolean close = is_one_line(reading->text, from, to) || (before && is_one_paragraph(reading->text, from, to));
        if (close && to - from < least) {
            nearest = address;
            least = to - from;
        }
    }
    if (nearest == NULL)
        return NULL;
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        if (name->start >= MIN(nearest->end, phone->end) && name->end <= MAX(nearest->start, phone->start) && !name->is_company && name->known)
            return NULL;
    }
    return people_find(reading->list, "", nearest->value);
}

/* "snakk med mikkel 900 11 223": up to two words right before, of which the first is a name or is pointed at. Caller frees; "" for none. */
static char *lower_name_before(const Reading *reading, gsize at)
{
    const char *text = reading->text;
    gsize end = at, start;
    for (guint skipped = 0; skipped < 4; skipped++) { /* "tlf.", "på" */
        while (end > 0 && strchr(" \t\n,.:;()<>\"-–/", text[end - 1]) != NULL)
            end--;
        start = end;
        while (start > 0 && strchr(" \t\n,.:;()", text[start - 1]) == NULL)
            start--;
        if (start == end || !is_joining(text, start, end))
            break;
        end = start;
    }
    gsize best = end, last_start = end;
    gboolean named = FALSE;
    for (guint words = 0; words < 2 && last_start > 0 && (words == 0 || text[last_start - 1] == ' '); words++) {
        gsize stop = words == 0 ? last_start : last_start - 1;
        start = stop;
        while (start > 0 && strchr(" \t\n,.:;()", text[start - 1]) == NULL)
            start--;
        g_autofree char *word = g_strndup(text + start, stop - start);
        g_autofree char *before = g_strndup(text, start);
        gboolean pointed = words == 0 && introduced_is_pointed_at(before);
        if (start == stop || strpbrk(word, "@0123456789") != NULL || (name_is_common_word(word) && !pointed))
            break;
        if (name_is_first(word) || (pointed && !name_is_common_word(word))) {
            best = start;
            named = TRUE;
        }
        last_start = start;
    }
    NameSpan *span = name_span_new(text, best, named ? end : best);
    char *name = g_strdup(span->text);
    name_span_free(span);
    return name;
}

/* The octets of the word at p; 0: there is none. */
static gsize lower_word(const char *p)
{
    const char *end = p;
    while (*end != '\0' && (g_unichar_isalpha(g_utf8_get_char(end)) || *end == '-'))
        end = g_utf8_next_char(end);
    return (gsize)(end - p);
}

/* "abdul karim har taxifirma, 900 12 812": a common first name somewhere before in the sentence, and a second word where what follows it shows
 * that the name ends there. Caller frees; "" for none. */
static char *lower_name_in_sentence(const Reading *reading, gsize at)
{
    static const char *const behind[] = {" has ", " have ", " is ", " at ", " from ", " who ", " har ", " er ", " i ", " hos ", " fra ", " som ", " runs ", " owns ", " driver ", " eier ", ", ", NULL};
    const char *text = reading->text;
    for (gsize i = sentence_begin(text, at); i < at;) {
        gsize length = lower_word(text + i);
        g_autofree char *word = g_strndup(text + i, length);
        if (length == 0 || !name_is_first(word) || name_is_common_word(word)) {
            i += length > 0 ? length : (gsize)(g_utf8_next_char(text + i) - (text + i));
            continue;
        }
        gsize end = i + length, second = text[end] == ' ' ? lower_word(text + end + 1) : 0;
        g_autofree char *surname = g_strndup(text + end + (second > 0), second);
        for (guint n = 0; second > 0 && !name_is_common_word(surname) && behind[n] != NULL; n++)
            if (g_str_has_prefix(text + end + 1 + second, behind[n])) {
                end += 1 + second;
                break;
            }
        NameSpan *span = name_span_new(text, i, end);
        char *name = g_strdup(span->text);
        name_span_free(span);
        return name;
    }
    return g_strdup("");
}

static gboolean is_name_in_sentence(const Reading *reading, const NameSpan *name, gsize at)
{
    return !name->is_company && sentence_begin(reading->text, at) <= name->start;
}

static const NameSpan *name_of_phone(const Reading *reading, const ContactSpan *phone)
{
    const NameSpan *name = name_before(reading, reading->phones, phone->start, stands_beside);
    if (name == NULL)
        name = name_before(reading, reading->phones, phone->start, is_name_in_sentence);
    if (name == NULL && reading->text[phone->end] == ' ' && reading->text[phone->end + 1] == '(')
        name = name_right_behind(reading, phone); /* "922 33 445 (Lars)" */
    return name != NULL ? name : name_before(reading, reading->phones, phone->start, is_above);
}

static void read_phones(Reading *reading)
{
    for (guint i = 0; i < reading->phones->len; i++) {
        const ContactSpan *phone = reading->phones->pdata[i];
        IntroducedPerson *owner = owner_by_address(reading, phone);
        g_autofree char *sentence = sentence_at(reading->text, phone->start);
        const NameSpan *name = owner == NULL ? name_of_phone(reading, phone) : NULL;
        if (owner == NULL && name != NULL)
            owner = g_hash_table_lookup(reading->owners, name);
        if (owner != NULL) {
            if (*owner->phone == '\0')
                text_replace(&owner->phone, phone->value);
            continue;
        }
        g_autofree char *lower = name == NULL ? lower_name_before(reading, phone->start) : g_strdup("");
        if (name == NULL && *lower == '\0') {
            g_free(lower);
            lower = lower_name_in_sentence(reading, phone->start);
        }
        gboolean own = (introduced_cues(sentence) & CUE_OWN) != 0 && (name == NULL || sentence_begin(reading->text, phone->start) > name->start);
        if ((name != NULL || *lower != '\0') && !own)
            add(reading, name, lower, "", phone->value, phone->start);
    }
}

/* ---- names alone ------------------------------------------------------------------------------------------------------- */

/* "Anthony Reed at Reed Logistics" at a sentence's begin. */
static gboolean is_placed(const Reading *reading, const NameSpan *name)
{
    static const char *const words[] = {" at ", " from ", " over at ", " i ", " hos ", " fra ", " frå ", " in "};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_has_prefix(reading->text + name->end, words[i]))
            return name->opens;
    return FALSE;
}

static gboolean is_alone_in_line(const char *text, const NameSpan *name)
{
    gsize from = name->start, to = name->end;
    while (from > 0 && strchr(" \t-*•", text[from - 1]) != NULL)
        from--;
    while (text[from] != '\n' && from > 0 && (guchar)text[from - 1] >= 0x80)
        from--;
    to += strspn(text + to, " \t,.");
    return (from == 0 || text[from - 1] == '\n') && (text[to] == '\n' || text[to] == '\0');
}

static gboolean has_contact_in_paragraph(const Reading *reading, const NameSpan *name)
{
    const GPtrArray *both[] = {reading->addresses, reading->phones};
    for (guint n = 0; n < 2; n++)
        for (guint i = 0; i < both[n]->len; i++)
            if (is_one_paragraph(reading->text, name->start, ((const ContactSpan *)both[n]->pdata[i])->start))
                return TRUE;
    return FALSE;
}

/* Lines that are a name and nothing else: one may be a signature, several are a list. */
static guint count_name_lines(const Reading *reading)
{
    guint count = 0;
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        count += name->words > 1 && !name->is_company && may_name(reading, name) && is_alone_in_line(reading->text, name);
    }
    return count;
}

/* The first of a text that begins with a name, and whoever is joined to somebody proposed: "Kari Hansen og Per Lie". */
static gboolean is_enumerated(const Reading *reading, guint i, gssize last_proposed)
{
    static const char *const joining[] = {" og ", " and ", " & ", ", "};
    const NameSpan *name = reading->names->pdata[i], *before = last_proposed >= 0 ? reading->names->pdata[last_proposed] : NULL;
    gboolean first = name->known && reading->text + strspn(reading->text, " \t\n") == reading->text + name->start;
    for (guint n = 0; n < G_N_ELEMENTS(joining); n++) {
        gsize length = strlen(joining[n]);
        if (first && n < 3 && g_str_has_prefix(reading->text + name->end, joining[n]))
            return TRUE;
        if (before != NULL && name->start == before->end + length && g_str_has_prefix(reading->text + before->end, joining[n]))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_proposed(const Reading *reading, const NameSpan *name, guint name_lines, gboolean enumerated)
{
    g_autofree char *before = g_strndup(reading->text, name->start);
    g_autofree char *sentence = sentence_at(reading->text, name->start);
    guint cues = introduced_cues(sentence);

    if ((cues & (CUE_FORBIDS | CUE_OTHER_MATTER | CUE_OURS)) != 0 || g_str_has_suffix(before, " by ") || g_str_has_suffix(before, " av "))
        return FALSE;
    if (is_alone_in_line(reading->text, name) && !name->known && has_contact_in_paragraph(reading, name))
        return FALSE; /* a company in a block about somebody */
    if (is_alone_in_line(reading->text, name))
        return name_lines > 1 || (reading->text + strspn(reading->text, " \t\n")) == reading->text + name->start;
    if (introduced_is_pointed_at(before))
        return (cues & CUE_RECOMMENDS) != 0 || name->known;
    return enumerated || is_placed(reading, name) || ((cues & CUE_RECOMMENDS) != 0 && name->known);
}

static void read_names(Reading *reading)
{
    guint name_lines = count_name_lines(reading);
    gssize last_proposed = -1;
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        if (name->words < 2 || name->is_company || g_hash_table_contains(reading->claimed, name) || !may_name(reading, name) ||
            people_find(reading->list, name->text, "") != NULL ||
            !is_proposed(reading, name, name_lines, is_enumerated(reading, i, last_proposed)))
            continue;
        last_proposed = (gssize)i;
        g_autofree char *sentence = sentence_at(reading->text, name->start);
        g_autofree char *company = company_behind(reading, name);
        people_add(reading->list, &(Finding){.name = name->text, .company = company, .evidence = sentence, .how = INTRODUCED_TEXT});
    }
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

/* Whether little stands beside names, addresses and numbers. */
static gboolean is_list(const Reading *reading)
{
    g_autofree char *rest = g_strdup(reading->text);
    for (guint i = 0; i < reading->names->len; i++) {
        const NameSpan *name = reading->names->pdata[i];
        if (name->known || name->words > 1)
            memset(rest + name->start, ' ', name->end - name->start);
    }
    const GPtrArray *both[] = {reading->addresses, reading->phones};
    for (guint n = 0; n < 2; n++)
        for (guint i = 0; i < both[n]->len; i++) {
            const ContactSpan *contact = both[n]->pdata[i];
            memset(rest + contact->start, ' ', contact->end - contact->start);
        }
    g_auto(GStrv) parts = g_strsplit_set(rest, " \t\n", 2000);
    guint words = 0;
    for (char **part = parts; *part != NULL; part++)
        words += g_unichar_isalpha(g_utf8_get_char_validated(*part, -1)) ? 1 : 0;
    return words <= LIST_MAX_WORDS + 2 * (reading->addresses->len + reading->phones->len);
}

void people_read_text(PeopleList *list, const char *words)
{
    g_autofree char *text = people_plain_addresses(words);
    Reading reading = {.list = list, .text = text, .names = people_find_names(text, MAX_NAMES), .addresses = people_find_addresses(text, MAX_CONTACTS),
                       .phones = people_find_phones(text, MAX_CONTACTS), .claimed = g_hash_table_new(NULL, NULL), .owners = g_hash_table_new(NULL, NULL)};
    reading.recommends = (introduced_cues(text) & (CUE_RECOMMENDS | CUE_INTRODUCES)) != 0;
    reading.is_list = is_list(&reading);
    read_addresses(&reading);
    read_phones(&reading);
    read_names(&reading);
    g_ptr_array_unref(reading.names);
    g_ptr_array_unref(reading.addresses);
    g_ptr_array_unref(reading.phones);
    g_hash_table_unref(reading.claimed);
    g_hash_table_unref(reading.owners);
}
