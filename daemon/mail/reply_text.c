/*
 * The new text of a reply: cuts off what the mail program added. By lines, from the top:
 *   - a line that introduces a quote ("On … wrote:", "Den … skrev …:", "-----Original Message-----", a block of From:/Sent:/To: lines)
 *     ends the new text where the quote follows to the end;
 *   - lines behind ">" go; what stands between them (interleaved answers) stays;
 *   - a signature ("-- ", "Sent from my …") ends it.
 * Patterns are bounded, and lines are cut to LINE_MAX before they are matched. Pure, any thread.
 */
#include "mail/reply_text.h"

#include <string.h>

enum { LINE_MAX_CHARS = 400, INTRO_MAX_LINES = 4, HEADER_BLOCK_MIN = 2 };

/* What a program writes of the time or the writer: 09:00, 2026, 5.1.26, an address. */
#define MARK "(?:\\d{1,2}[:.]\\d{2}|\\b(?:19|20)\\d{2}\\b|\\d{1,2}[./-]\\d{1,2}[./-]\\d{2}|[^\\s@]@[^\\s@])"
#define MARK_PATTERN ".{0,350}" MARK

/* A verb of writing, and a colon at the end, in the languages of the usual programs. */
#define WRITES_PATTERN                                                                                                     \
    "^.{0,350}\\b(?:wrote|skrev|schrieb|schreef|écrit|scritto|escribió|escreveu|napisał(?:\\(a\\)|a)?|napisal|kirjoitti|a scris|" \
    "написал(?:\\(а\\)|а)?|писал|yazdı|írta|写道|書きました)(?:\\b|\\W).{0,250}:$"

/* "On Mon, 5 Jan 2026 at 09:00, Anna Berg <anna@example.com> wrote:" */
#define INTRO_PATTERN "^(?=" MARK_PATTERN ")" WRITES_PATTERN

/* How the first of an introduction's wrapped lines begins. */
#define OPENER_PATTERN "^[<\"*]{0,2}(?:On|Den|Am|Le|Il|El|Op|Em|På|Pe|Dne|Dnia|W dniu)\\s"

/* "-----Original Message-----", "________________________________" before a header block, "---------- Forwarded message ---------" */
#define DIVIDER_PATTERN                                                                                                    \
    "^(?:>\\s?)?(?:[-_=]{2,20}\\s?)(?:Original(?:\\s| e-?mail\\s| )?(?:message|nachricht|bericht|melding|meddelande|meddelelse)?|"  \
    "Opprinnelig melding|Oprindelig meddelelse|Ursprungligt meddelande|Ursprüngliche Nachricht|Oorspronkelijk bericht|"        \
    "Message d'origine|Messaggio originale|Mensaje original|Mensagem original|Wiadomość oryginalna|Forwarded message|"      \
    "Videresendt melding|Weitergeleitete Nachricht|Reply message|Original Appointment|Alkuperäinen viesti)\\s?[-_=]{2,20}$"

/* A line of a header block as Outlook writes it. */
#define HEADER_PATTERN                                                                                                     \
    "^[*_]{0,2}(From|Fra|Från|Von|Van|De|Da|Od|Sent|Sendt|Skickat|Gesendet|Verzonden|Envoyé|Inviato|Enviado(?: el)?|Enviada em|Wysłano|"    \
    "Date|Dato|Datum|Data|Fecha|To|Til|Till|An|Aan|À|A|Para|Do|Cc|Kopi|Kopie|Subject|Emne|Ämne|Betreff|Onderwerp|Objet|"        \
    "Oggetto|Asunto|Assunto|Temat)\\s?:[*_]{0,2}\\s"

#define FROM_PATTERN "^[*_]{0,2}(From|Fra|Från|Von|Van|De|Da|Od)\\s?:[*_]{0,2}\\s"

#define SIGNATURE_PATTERN                                                                                                  \
    "^(?:--\\s?|—|__+|\\*{3,}|"                                                                                             \
    "(?:Sent|Get|Sendt|Skickat|Gesendet|Verzonden|Envoyé|Inviato|Enviado|Wysłane|Lähetetty|Hent|Download) (?:from|via|with|fra|från|von|mit|vanaf|van|de|depuis|dal|da|do|desde|z|using|Outlook|for)\\b.{0,80}|"  \
    "Von meinem .{0,40} gesendet.{0,20}|Outlook (?:for|til) .{0,20}|"                                                       \
    "(?:Sent|Sendt) .{0,20}\\b(?:iPhone|iPad|Android|Samsung|BlackBerry|Galaxy).{0,60})$"

typedef struct {
    GRegex *intro, *writes, *mark, *opener, *divider, *header, *from, *signature;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (!regex)
        g_error("reply_text: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled = (Patterns){.intro = compile(INTRO_PATTERN),
                              .writes = compile(WRITES_PATTERN),
                              .mark = compile(MARK_PATTERN),
                              .opener = compile(OPENER_PATTERN),
                              .divider = compile(DIVIDER_PATTERN),
                              .header = compile(HEADER_PATTERN),
                              .from = compile(FROM_PATTERN),
                              .signature = compile(SIGNATURE_PATTERN)};
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* The line for matching: white space trimmed, cut. Caller frees. */
static char *trimmed(const char *line)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    if (strlen(copy) <= LINE_MAX_CHARS || g_utf8_strlen(copy, -1) <= LINE_MAX_CHARS)
        return g_steal_pointer(&copy);
    return g_utf8_substring(copy, 0, LINE_MAX_CHARS);
}

static gboolean matches(const GRegex *regex, const char *line)
{
    g_autofree char *text = trimmed(line);
    return *text && g_regex_match(regex, text, 0, NULL);
}

static gboolean is_blank(const char *line)
{
    return line[strspn(line, " \t\xC2\xA0")] == '\0';
}

static gboolean is_quoted(const char *line)
{
    return line[strspn(line, " ")] == '>';
}

/* Whether a quote follows a line that introduces one: to the end, or with answers in between. */
static gboolean is_followed_by_quote(char **lines)
{
    while (*lines && is_blank(*lines))
        lines++;
    return *lines && is_quoted(*lines);
}

/* Whether a wrapped introduction may begin with this line: else it is the person's own, right above one. */
static gboolean may_begin_intro(const char *line)
{
    g_autofree char *text = trimmed(line);
    gsize length = strlen(text);
    gboolean ends_sentence = length && strchr(".!?:;", text[length - 1]);
    return matches(patterns()->opener, line) || (matches(patterns()->mark, line) && !ends_sentence);
}

/* Whether the first count lines, joined, introduce a quote: by time or writer, or, without these, by the quote right behind. */
static gboolean is_intro(char **lines, guint count, const char *joined)
{
    if (!matches(patterns()->intro, joined) && !(matches(patterns()->writes, joined) && is_followed_by_quote(lines + count)))
        return FALSE;
    if (count > 1 && !may_begin_intro(lines[0]))
        return FALSE;
    for (guint i = 1; i < count; i++)
        if (matches(patterns()->opener, lines[i]))
            return FALSE; /* it begins there */
    return TRUE;
}

/* How many lines, from here, introduce a quote: 0 for none. Programs wrap long ones. */
static guint intro_length(char **lines)
{
    GString *joined = g_string_new(NULL);
    guint found = 0;
    for (guint i = 0; i < INTRO_MAX_LINES && lines[i] && !found; i++) {
        if (is_blank(lines[i]) || (i > 0 && is_quoted(lines[i])))
            break;
        const char *text = lines[i] + strspn(lines[i], " \t");
        g_string_append_printf(joined, "%s%s", i ? " " : "", text);
        if (joined->len > LINE_MAX_CHARS * 3)
            break;
        if (is_intro(lines, i + 1, joined->str))
            found = i + 1;
    }
    g_string_free(joined, TRUE);
    return found;
}

/* A block of From:, Sent:, To:, Subject: lines. */
static gboolean is_header_block(char **lines)
{
    guint found = 0;
    if (!matches(patterns()->from, lines[0]))
        return FALSE;
    for (guint i = 1; i < 8 && lines[i] && !is_blank(lines[i]); i++)
        found += matches(patterns()->header, lines[i]) ? 1 : 0;
    return found >= HEADER_BLOCK_MIN;
}

static gboolean ends_new_text(char **lines)
{
    return matches(patterns()->divider, lines[0]) || is_header_block(lines) ||
           (strspn(lines[0], "_") >= 20 && lines[1] && is_header_block(lines + 1));
}

/* The first line that is neither blank nor quoted, from here. */
static char **next_own(char **lines)
{
    while (*lines && (is_blank(*lines) || is_quoted(*lines)))
        lines++;
    return lines;
}

static void append_line(GString *out, const char *line)
{
    g_autofree char *text = g_strchomp(g_strdup(line));
    g_string_append(out, text);
    g_string_append_c(out, '\n');
}

/* At most one empty line in a row. */
static char *tidy(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);
    gboolean blank = FALSE;
    for (char **line = lines; *line; line++) {
        if (is_blank(*line)) {
            blank = TRUE;
            continue;
        }
        if (blank && out->len)
            g_string_append_c(out, '\n');
        blank = FALSE;
        append_line(out, *line);
    }
    return g_strchomp(g_string_free(out, FALSE));
}

char *reply_text_extract(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);
    for (char **line = lines; *line; line++) {
        guint intro = is_quoted(*line) ? 0 : intro_length(line);
        if (ends_new_text(line))
            break;
        if (intro) {
            if (!is_followed_by_quote(line + intro) || !*next_own(line + intro))
                break; /* the quote goes to the end, marked or not */
            line += intro - 1;
            continue;
        }
        if (is_quoted(*line))
            continue;
        if (matches(patterns()->signature, *line) && out->len)
            break;
        append_line(out, *line);
    }
    char *result = tidy(out->str);
    g_string_free(out, TRUE);
    return result;
}
