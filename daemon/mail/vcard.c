/*
 * A reader of vCards that takes name, address, telephone and company, and passes all else over (photos first of all). Lines are
 * unfolded, groups ("item1.EMAIL") and parameters read; quoted-printable (2.1) is decoded.
 *
 * Pure; any thread. Linear in the text, which INTRODUCED_MAX_CARD bounds.
 */
#include "vcard.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/text.h"
#include "mail/introduced.h"

enum { VALUE_MAX = 1000 };

typedef struct {
    char *name, *parameters; /* upper case */
    char *value;
} Property;

typedef struct {
    Vcard *card;   /* NULL: between cards */
    char *n;       /* the structured name, where FN is missing */
    guint email_rank, phone_rank;
} Reader;

void vcard_free(Vcard *card)
{
    if (card == NULL)
        return;
    g_free(card->name);
    g_free(card->address);
    g_free(card->phone);
    g_free(card->company);
    g_free(card);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

/* The next logical line: continued by white space at the next one's begin, or (2.1) by "=" at its end. Caller frees; NULL: the end. */
static char *next_line(const char **text)
{
    if (**text == '\0')
        return NULL;
    GString *line = g_string_new(NULL);
    gboolean printable = FALSE, first = TRUE;
    for (const char *p = *text;; first = FALSE) {
        gsize length = strcspn(p, "\n"), kept = length;
        while (kept > 0 && p[kept - 1] == '\r')
            kept--;
        if (line->len < VALUE_MAX * 4)
            g_string_append_len(line, p, (gssize)kept);
        p += length + (p[length] == '\n');
        *text = p;
        printable = printable || (first && strcasestr(line->str, "QUOTED-PRINTABLE:") != NULL);
        if (printable && line->len > 0 && line->str[line->len - 1] == '=' && *p != '\0')
            g_string_truncate(line, line->len - 1);
        else if (*p == ' ' || *p == '\t')
            p++;
        else
            break;
    }
    return g_string_free(line, FALSE);
}

static char *decode_printable(const char *value)
{
    GMimeEncoding state;
    gsize length = strlen(value);
    g_autofree char *out = g_malloc(length + 4);
    g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    gsize decoded = g_mime_encoding_step(&state, value, length, out);
    return text_make_valid(out, (gssize)decoded);
}

/* "\," and "\;" and "\n" (a space) of what is written in a value; at an unescaped ";" a space, or its end. Caller frees. */
static char *unescape(const char *value, gboolean first_part_only)
{
    GString *out = g_string_new(NULL);
    for (const char *p = value; *p != '\0' && out->len < VALUE_MAX; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            g_string_append_c(out, *p == 'n' || *p == 'N' ? ' ' : *p);
        } else if (*p == ';') {
            if (first_part_only)
                break;
            g_string_append_c(out, ' ');
        } else
            g_string_append_c(out, *p);
    }
    g_autofree char *all = g_string_free(out, FALSE);
    g_autofree char *valid = text_make_valid(all, -1);
    return text_one_line(valid);
}

/* "item1.EMAIL;TYPE=work:kari@firma.example" taken apart. FALSE: it is no property. */
static gboolean read_property(const char *line, Property *property)
{
    const char *colon = line;
    gboolean quoted = FALSE;
    for (; *colon != '\0' && (*colon != ':' || quoted); colon++)
        quoted ^= *colon == '"';
    if (*colon != ':')
        return FALSE;
    g_autofree char *head = g_ascii_strup(line, colon - line);
    char *semicolon = strchr(head, ';');
    const char *parameters = semicolon != NULL ? semicolon : "";
    gsize length = semicolon != NULL ? (gsize)(semicolon - head) : strlen(head);
    const char *dot = memchr(head, '.', length);
    gsize skip = dot != NULL ? (gsize)(dot - head) + 1 : 0;
    property->name = g_strndup(head + skip, length - skip);
    property->parameters = g_strdup(parameters);
    property->value = strstr(parameters, "QUOTED-PRINTABLE") != NULL ? decode_printable(colon + 1) : g_strdup(colon + 1);
    g_strstrip(property->name);
    return TRUE;
}

static void property_clear(Property *property)
{
    g_free(property->name);
    g_free(property->parameters);
    g_free(property->value);
}

/* ---- cards ------------------------------------------------------------------------------------------------------------- */

/* "Lima;Victor Hugo;;;" to "Victor Hugo Lima". Caller frees. */
static char *name_of_n(const char *n)
{
    g_auto(GStrv) parts = g_strsplit(n, ";", 3);
    g_autofree char *last = unescape(parts[0] != NULL ? parts[0] : "", TRUE);
    g_autofree char *first = unescape(parts[0] != NULL && parts[1] != NULL ? parts[1] : "", TRUE);
    g_autofree char *both = g_strconcat(first, " ", last, NULL);
    return text_one_line(both);
}

static void end_card(Reader *reader, GPtrArray *cards)
{
    if (reader->card != NULL) {
        if (*reader->card->name == '\0' && reader->n != NULL) {
            g_free(reader->card->name);
            reader->card->name = name_of_n(reader->n);
        }
        g_ptr_array_add(cards, reader->card);
    }
    g_free(reader->n);
    *reader = (Reader){0};
}

static void begin_card(Reader *reader)
{
    reader->card = g_new0(Vcard, 1);
    *reader->card = (Vcard){g_strdup(""), g_strdup(""), g_strdup(""), g_strdup("")};
}

/* Keeps the value of the highest rank, the first of several. */
static void take_ranked(char **field, guint *rank, guint new_rank, const char *value)
{
    g_autofree char *plain = unescape(value, TRUE);
    const char *bare = g_ascii_strncasecmp(plain, "tel:", 4) == 0 || g_ascii_strncasecmp(plain, "mailto:", 7) == 0 ? strchr(plain, ':') + 1 : plain;
    if (*bare == '\0' || new_rank <= *rank)
        return;
    text_replace(field, bare);
    *rank = new_rank;
}

static void take_property(Reader *reader, const Property *property)
{
    guint preferred = strstr(property->parameters, "PREF") != NULL ? 2 : 0;
    guint mobile = strstr(property->parameters, "CELL") != NULL ? 1 : 0;
    Vcard *card = reader->card;

    if (g_str_equal(property->name, "FN")) {
        g_free(card->name);
        card->name = unescape(property->value, FALSE);
    } else if (g_str_equal(property->name, "N"))
        text_replace(&reader->n, property->value);
    else if (g_str_equal(property->name, "ORG")) {
        g_free(card->company);
        card->company = unescape(property->value, TRUE);
    } else if (g_str_equal(property->name, "EMAIL"))
        take_ranked(&card->address, &reader->email_rank, 1 + preferred, property->value);
    else if (g_str_equal(property->name, "TEL") && strstr(property->parameters, "FAX") == NULL)
        take_ranked(&card->phone, &reader->phone_rank, 1 + mobile + preferred, property->value);
}

GPtrArray *vcard_read(const char *text, guint max)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func((GDestroyNotify)vcard_free);
    g_autofree char *bounded = g_strndup(text, INTRODUCED_MAX_CARD);
    const char *rest = bounded;
    Reader reader = {0};

    while (cards->len < max) {
        g_autofree char *line = next_line(&rest);
        Property property;
        if (line == NULL)
            break;
        if (!read_property(line, &property))
            continue;
        gboolean of_card = g_ascii_strcasecmp(property.value, "VCARD") == 0;
        if (of_card && g_str_equal(property.name, "BEGIN")) {
            end_card(&reader, cards);
            begin_card(&reader);
        } else if (of_card && g_str_equal(property.name, "END"))
            end_card(&reader, cards);
        else if (reader.card != NULL)
            take_property(&reader, &property);
        property_clear(&property);
    }
    if (cards->len < max)
        end_card(&reader, cards); /* one that does not end is one all the same */
    vcard_free(reader.card);
    g_free(reader.n);
    return cards;
}
