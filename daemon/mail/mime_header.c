/*
 * Writing header lines. Pure, any thread.
 *
 * Text that is not plain ASCII is encoded as a whole, never word by word: white space between an encoded word and a
 * plain one is read in too many ways.
 */
#include "mail/mime_header.h"

#include <string.h>

#include "base/text.h"

enum {
    LINE_COLUMNS = 78,      /* RFC 5322, 2.1.1 */
    ENCODED_WORD_MAX = 75,  /* RFC 2047, 2 */
    ENCODED_WORD_FRAME = 12 /* "=?utf-8?q?" and "?=" */
};

/* A header under writing. */
typedef struct {
    GString *out;
    gsize line_start; /* in out */
} Line;

static Line begin(GString *out, const char *field)
{
    Line line = {.out = out, .line_start = out->len};
    g_string_append(out, field);
    g_string_append_c(out, ':');
    return line;
}

static void end(Line *line)
{
    g_string_append(line->out, "\r\n");
}

static gsize column(const Line *line)
{
    return line->out->len - line->line_start;
}

static void fold(Line *line)
{
    g_string_append(line->out, "\r\n");
    line->line_start = line->out->len;
}

/* A space and the word, on a new line where this one has no room. The word stays whole. */
static void append_word(Line *line, const char *word, gsize length)
{
    if (column(line) + 1 + length > LINE_COLUMNS)
        fold(line);
    g_string_append_c(line->out, ' ');
    g_string_append_len(line->out, word, (gssize)length);
}

char *mime_header_clean(const char *text)
{
    g_autofree char *valid = text_make_valid(text, -1);
    for (char *p = valid; *p; p++)
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    return text_one_line(valid);
}

/* ---- encoded words ------------------------------------------------------------------------------------------------ */

/* What stands for itself in "Q", wherever the encoded word is used (RFC 2047, 5, rule 3). */
static gboolean is_q_plain(char c)
{
    return g_ascii_isalnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/' || c == ' ';
}

static gsize q_length(const char *text, gsize length)
{
    gsize total = 0;
    for (gsize i = 0; i < length; i++)
        total += is_q_plain(text[i]) ? 1 : 3;
    return total;
}

static gsize b_length(gsize length)
{
    return (length + 2) / 3 * 4;
}

static void append_q(GString *out, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (text[i] == ' ')
            g_string_append_c(out, '_');
        else if (is_q_plain(text[i]))
            g_string_append_c(out, text[i]);
        else
            g_string_append_printf(out, "=%02X", (guint)(guchar)text[i]);
    }
}

/* How many octets of text, in whole characters and at least one, fit into room encoded ones. */
static gsize fitting(const char *text, gsize room, gboolean is_q)
{
    gsize taken = 0, used = 0;
    while (text[taken]) {
        gsize next = (gsize)(g_utf8_next_char(text + taken) - text);
        used = is_q ? used + q_length(text + taken, next - taken) : b_length(next);
        if (taken > 0 && used > room)
            break;
        taken = next;
    }
    return taken;
}

static void append_encoded_word(Line *line, const char *text, gsize length, gboolean is_q)
{
    g_string_append(line->out, is_q ? " =?utf-8?q?" : " =?utf-8?b?");
    if (is_q) {
        append_q(line->out, text, length);
    } else {
        g_autofree char *base64 = g_base64_encode((const guchar *)text, length);
        g_string_append(line->out, base64);
    }
    g_string_append(line->out, "?=");
}

/* In one word wherever that is possible: some readers get the seam between two of them wrong. may_fold: the first word,
 * too, may go to a new line, which in free text would leave a space before it. */
static void append_encoded(Line *line, const char *text, gboolean may_fold)
{
    gsize all = strlen(text);
    gboolean is_q = q_length(text, all) <= b_length(all);
    gsize encoded = is_q ? q_length(text, all) : b_length(all);
    gsize room = MIN((gsize)ENCODED_WORD_MAX, LINE_COLUMNS - 1 - column(line)) - ENCODED_WORD_FRAME;
    if (may_fold && encoded > room && encoded <= ENCODED_WORD_MAX - ENCODED_WORD_FRAME) {
        fold(line);
        room = ENCODED_WORD_MAX - ENCODED_WORD_FRAME;
    }
    for (;;) {
        gsize length = fitting(text, room, is_q);
        append_encoded_word(line, text, length, is_q);
        text += length;
        if (!*text)
            return;
        fold(line);
        room = ENCODED_WORD_MAX - ENCODED_WORD_FRAME;
    }
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* Whether the text can stand as it is: printable ASCII that cannot be taken for encoded words, with places to fold. */
static gboolean is_plain(const char *text)
{
    gsize word = 0;
    for (const char *p = text; *p; p++) {
        word = *p == ' ' ? 0 : word + 1;
        if (!g_ascii_isprint(*p) || word >= LINE_COLUMNS - 1 || (p[0] == '=' && p[1] == '?'))
            return FALSE;
    }
    return TRUE;
}

static void append_plain(Line *line, const char *text)
{
    while (*text) {
        gsize length = strcspn(text, " ");
        append_word(line, text, length);
        text += length + (text[length] == ' ');
    }
}

void mime_header_append_text(GString *out, const char *field, const char *text)
{
    Line line = begin(out, field);
    if (is_plain(text) && strcspn(text, " ") + strlen(field) + 2 <= LINE_COLUMNS)
        append_plain(&line, text);
    else
        append_encoded(&line, text, FALSE);
    end(&line);
}

/* ---- mailboxes ---------------------------------------------------------------------------------------------------- */

static gboolean is_atoms(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("!#$%&'*+-/=?^_`{|}~ ", *p))
            return FALSE;
    return TRUE;
}

static char *quoted(const char *name)
{
    GString *text = g_string_new("\"");
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *p);
    }
    g_string_append_c(text, '"');
    return g_string_free(text, FALSE);
}

static void append_name(Line *line, const char *name)
{
    g_autofree char *text = is_atoms(name) ? g_strdup(name) : quoted(name);
    if (is_plain(name) && is_plain(text))
        append_plain(line, text);
    else
        append_encoded(line, name, TRUE);
}

void mime_header_append_mailbox(GString *out, const char *field, const char *name, const char *address)
{
    Line line = begin(out, field);
    g_autofree char *bracketed = *name ? g_strconcat("<", address, ">", NULL) : g_strdup(address);
    if (*name)
        append_name(&line, name);
    append_word(&line, bracketed, strlen(bracketed));
    end(&line);
}

/* ---- others ------------------------------------------------------------------------------------------------------- */

void mime_header_append_words(GString *out, const char *field, const char *const *words, gsize count)
{
    Line line = begin(out, field);
    for (gsize i = 0; i < count; i++)
        append_word(&line, words[i], strlen(words[i]));
    end(&line);
}

void mime_header_append_date(GString *out, gint64 at_ms, GTimeZone *zone)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = zone ? g_date_time_to_timezone(utc, zone) : g_date_time_ref(utc);
    int minutes = (int)(g_date_time_get_utc_offset(local) / G_TIME_SPAN_MINUTE);
    g_string_append_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d %c%02d%02d\r\n",
                           days[g_date_time_get_day_of_week(local) - 1], g_date_time_get_day_of_month(local),
                           months[g_date_time_get_month(local) - 1], g_date_time_get_year(local),
                           g_date_time_get_hour(local), g_date_time_get_minute(local), g_date_time_get_second(local),
                           minutes < 0 ? '-' : '+', ABS(minutes) / 60, ABS(minutes) % 60);
}
