/*
 * The new text of a reply: cuts off what the mail program added. By lines, from the top:
 *   - a line that introduces a quote ("On … wrote:", "Den … skrev …:", "-----Original Message-----", a block of From:/Sent:/To: lines)
 *     ends the new text where the quote follows to the end;
 *   - lines behind ">" go; what stands between them (interleaved answers) stays;
 *   - a signature ("-- ") goes, up to the next quote; of "Sent from my …" the line alone.
 * What is in doubt is kept: a line too much is read over, an answer lost is not. Patterns are bounded, and lines are cut to LINE_MAX before
 * they are matched. Pure, any thread.
 */
#include "mail/reply_text.h"

#include <string.h>

enum { LINE_MAX_CHARS = 400, INTRO_MAX_LINES = 4, BLOCK_MAX_LINES = 8, BLOCK_MIN_LINES = 2, SIGNATURE_MAX_LINES = 12 };

/* What a program writes of the time: 09:00, 2026, 5.1.26. */
#define TIME "(?:\\d{1,2}[:.]\\d{2}|\\b(?:19|20)\\d{2}\\b|\\d{1,2}[./-]\\d{1,2}[./-]\\d{2})"

/* … or of the writer: an address. */
#define MARK_PATTERN ".{0,350}(?:" TIME "|[^\\s@]@[^\\s@])"

/* A verb of writing in the languages of the usual programs. */
#define WROTE                                                                                                              \
    "(?:wrote|writes|sent|skrev|skreiv|schrieb|schreef|geschreven|écrit|scritto|escribió|escreveu|napisał(?:\\(a\\)|a)?|napisal|kirjoitti|a scris|"   \
    "написал(?:\\(а\\)|а)?|писал|пише|yazdı|írta|viết|napsal(?:\\(a\\)|a)?|έγραψε|写道|書きました|님이 작성)"

#define WRITES_PATTERN "^.{0,350}\\b" WROTE "(?:\\b|\\W).{0,250}[:：]$"

/* "On Mon, 5 Jan 2026 at 09:00, Anna Berg <anna@example.com> wrote:" */
#define INTRO_PATTERN "^(?=" MARK_PATTERN ")" WRITES_PATTERN

/* "26.01.2026, 14:41, "Anna Berg" <anna@example.com>:", whatever the language */
#define TIMED_PATTERN "^.{0,120}" TIME
#define ADDRESSED_PATTERN "[<\\[][^<>@\\[\\]]{1,100}@[^<>@]{1,150}[>\\]].{0,40}$"

/* How the first of an introduction's wrapped lines begins. */
#define OPENER_PATTERN "^[<\"*]{0,2}(?:On|Den|Am|Le|Il|El|Op|Em|På|Pe|Dne|Dnia|W dniu|Vào)\\s"

/* An answer and its introduction in one line: "Yes --- On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:" */
#define SHARED_PATTERN "^(.{1,150}?)(?:\\s|-{2,3}\\s?)On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|\\d{1,2}[./ -])[^:]{2,60}" TIME ".{2,150}\\bwrote:$"

/* "-----Original Message-----", "---------- Forwarded message ---------", "---- Anna Berg wrote ----" */
#define DIVIDER_PATTERN                                                                                                    \
    "^(?:>\\s?)?[-_=]{2,20}\\s?(?:Original(?:\\s| e-?mail\\s| )?(?:message|nachricht|bericht|melding|meddelande|meddelelse)?|"            \
    "Opprinnelig melding|Opprinneleg melding|Oprindelig meddelelse|Ursprungligt meddelande|Ursprüngliche Nachricht|Oorspronkelijk bericht|"    \
    "Message d'origine|Messaggio originale|Mensaje original|Mensagem original|Wiadomość oryginalna|Oryginalna wiadomość|Forwarded message|"    \
    "Videresendt melding|Videresendt meddelelse|Vidarebefordrat meddelande|Weitergeleitete Nachricht|Doorgestuurd bericht|Message transféré|"  \
    "Messaggio inoltrato|Mensaje reenviado|Mensagem encaminhada|Przekazana wiadomość|Reply message|Original Appointment|Alkuperäinen viesti|"  \
    "Исходное сообщение|元のメッセージ|.{1,200}\\b" WROTE ")\\s?[-_=]{2,20}$"

/* A line without words, as programs draw it above a header block. */
#define RULE_PATTERN "^[-_=*]{3,80}$"

/* The lines of a header block as Outlook writes it: from whom, when, and the others. */
#define HEADER_END ")\\s?[:：][*_]{0,2}(?:\\s|$)"
#define FROM_PATTERN                                                                                                       \
    "^[*_]{0,2}(?:From|Fra|Från|Von|Van|De|Da|Od|Lähettäjä|От|От кого|Feladó|Gönderen|Kimden|差出人|发件人|寄件者|보낸 사람" HEADER_END
#define DATE_PATTERN                                                                                                       \
    "^[*_]{0,2}(?:Sent|Sendt|Skickat|Gesendet|Verzonden|Envoyé(?:\\(e\\))?|Inviato|Enviado(?: el)?|Enviada(?: em)?|Wysłano|Lähetetty|"      \
    "Отправлено|Odesláno|Date|Dato|Datum|Data|Fecha|Päivämäärä|Дата|送信日時|发送时间|日期|날짜" HEADER_END
#define OTHER_PATTERN                                                                                                      \
    "^[*_]{0,2}(?:To|Til|Till|An|Aan|À|A|Para|Do|Komu|Vastaanottaja|Кому|宛先|收件人|Cc|Kopi|Kopie|Kopia|Copie|Reply-To|"                    \
    "Subject|Emne|Ämne|Betreff|Onderwerp|Objet|Oggetto|Asunto|Assunto|Temat|Aihe|Předmět|Тема|件名|主题" HEADER_END

#define DEVICE_PATTERN                                                                                                     \
    "^(?:(?:Sent|Sendt|Skickat|Gesendet|Verzonden|Verstuurd|Envoyé|Inviato|Enviad[oa]|Wysłan[eo]|Lähetetty|Отправлено|Odesláno) "          \
    "(?:from|via|with|by|using|fra|med|från|von|vom|mit|vanaf|vanuit|met|van|de|du|depuis|à partir|avec|dal?|do|con|desde|z|ze|с) "        \
    "[^.,!?;:]{1,60}(?:[<(\\[]{0,2}https?://\\S{1,120}.{0,20})?|"                                                                         \
    "Sent (?:with|from) \\[?Proton ?Mail.{0,80}|Von meinem .{0,40} gesendet.{0,20}|Lähetetty .{0,30}(?:iPhonesta|puhelimesta).{0,20}|"      \
    "(?:Get|Hent|Hämta|Download|Télécharger|Obtener|Obter|Scarica|Pobierz(?: program)?|Last ned|Skaff deg) Outlook .{2,20}(?:[<(\\[].{0,120})?|"         \
    "Outlook (?:for|til|für|para|pour|per) .{2,20}(?:[<(\\[].{0,120})?|(?:Sent|Sendt) .{0,20}\\b(?:iPhone|iPad|Android|Samsung|BlackBerry|Galaxy)[^.,]{0,40})$"

typedef struct {
    GRegex *intro, *writes, *timed, *addressed, *mark, *opener, *shared, *divider, *rule, *from, *date, *other, *firm, *device;
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
                              .timed = compile(TIMED_PATTERN),
                              .addressed = compile(ADDRESSED_PATTERN),
                              .mark = compile(MARK_PATTERN),
                              .opener = compile(OPENER_PATTERN),
                              .shared = compile(SHARED_PATTERN),
                              .divider = compile(DIVIDER_PATTERN),
                              .rule = compile(RULE_PATTERN),
                              .from = compile(FROM_PATTERN),
                              .date = compile(DATE_PATTERN),
                              .other = compile(OTHER_PATTERN),
                              .firm = compile("\\d{1,2}[:.\\x{200e}]{1,3}\\d{2}|[^\\s@]@[^\\s@]|^[*_]{0,2}(?:Subject|Emne|Ämne|Betreff|Onderwerp|Objet|Oggetto|"
                                              "Asunto|Assunto|Temat|Aihe|Předmět|Тема|件名|主题)"),
                              .device = compile(DEVICE_PATTERN)};
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

/* Whether the line tells of time and writer: enough with a colon at its end, or the quote behind. */
static gboolean is_addressed(char **behind, const char *joined)
{
    if (!matches(patterns()->addressed, joined) || !matches(patterns()->timed, joined))
        return FALSE;
    gboolean is_followed = is_followed_by_quote(behind), has_colon = g_str_has_suffix(joined, ":");
    return is_followed || (has_colon && (g_ascii_isdigit(*joined) || matches(patterns()->opener, joined)));
}

/* Whether the first count lines, joined, introduce a quote: by time or writer, or, without these, by the quote right behind. */
static gboolean is_intro(char **lines, guint count, const char *joined)
{
    char **behind = lines + count;
    if (!matches(patterns()->intro, joined) && !(matches(patterns()->writes, joined) && is_followed_by_quote(behind)) &&
        !is_addressed(behind, joined))
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

/* A block of From:, Sent:, To:, Subject: lines, in any order; one of them with a time, an address or a subject, as a traveller's "From: Oslo,
 * To: Bergen" has not. */
static gboolean is_header_block(char **lines)
{
    guint senders = 0, dates = 0, others = 0, firm = 0;
    for (guint i = 0; i < BLOCK_MAX_LINES && lines[i] && !is_blank(lines[i]); i++) {
        guint before = senders + dates + others;
        senders += matches(patterns()->from, lines[i]) ? 1 : 0;
        dates += matches(patterns()->date, lines[i]) ? 1 : 0;
        others += matches(patterns()->other, lines[i]) ? 1 : 0;
        firm += matches(patterns()->firm, lines[i]) ? 1 : 0;
        if (i == 0 && senders + dates == before)
            return FALSE;
    }
    return senders + dates + others >= BLOCK_MIN_LINES && firm && (senders || others);
}

static char **behind_blanks(char **lines)
{
    while (*lines && is_blank(*lines))
        lines++;
    return lines;
}

static gboolean ends_new_text(char **lines)
{
    if (matches(patterns()->divider, lines[0]) || is_header_block(lines))
        return TRUE;
    char **next = matches(patterns()->rule, lines[0]) ? behind_blanks(lines + 1) : NULL;
    return next && *next && is_header_block(next);
}

/* The first line that is neither blank nor quoted, from here. */
static char **next_own(char **lines)
{
    while (*lines && (is_blank(*lines) || is_quoted(*lines)))
        lines++;
    return lines;
}

/* How many lines stand before the next quote, introduction or the end; counted no further than is asked for. */
static guint own_lines(char **lines, guint at_most)
{
    guint count = 0;
    for (; *lines && count < at_most && !is_quoted(*lines) && !ends_new_text(lines) && !intro_length(lines); lines++)
        count += is_blank(*lines) ? 0 : 1;
    return count;
}

/* "-- ", or what programs and people use for it where only few lines follow. */
static gboolean is_signature(char **lines)
{
    g_autofree char *text = trimmed(lines[0]);
    if (g_str_equal(text, "--"))
        return TRUE;
    gboolean is_drawn = g_str_equal(text, "—") || (strlen(text) >= 2 && strspn(text, "_") == strlen(text)) ||
                        (strlen(text) >= 3 && strspn(text, "*") == strlen(text));
    return is_drawn && own_lines(lines + 1, SIGNATURE_MAX_LINES + 1) <= SIGNATURE_MAX_LINES;
}

/* A link that a program wrapped out of the quote around it: "(http://kunde.example/x) >" */
static gboolean is_torn_from_quote(char **lines, char **first)
{
    if (lines == first || !is_quoted(lines[-1]) || !lines[1] || !is_quoted(lines[1]))
        return FALSE;
    const char *above = lines[-1], *open = strrchr(above, '('), *angle = strrchr(above, '<');
    gboolean is_open = (open && strstr(open, "://") && !strchr(open, ')')) || (angle && strstr(angle, "://") && !strchr(angle, '>'));
    g_autofree char *text = trimmed(lines[0]);
    return is_open || (*text == '(' && strstr(text, "://") && g_str_has_suffix(text, ">"));
}

/* What stands before an introduction in the same line; NULL: nothing. Caller frees. */
static char *shared_answer(char **lines)
{
    g_autofree char *text = trimmed(lines[0]);
    g_autoptr(GMatchInfo) match = NULL;
    if (!is_followed_by_quote(lines + 1) || !g_regex_match(patterns()->shared, text, 0, &match))
        return NULL;
    return g_match_info_fetch(match, 1);
}

typedef struct {
    char **first, **line; /* where it is */
    GString *out;
    gboolean in_signature;
    gboolean is_parted;   /* something was left out since the last line kept */
    guint blanks;         /* since the last line kept */
} Reader;

static void keep(Reader *reader, const char *text)
{
    guint blanks = reader->is_parted ? MIN(reader->blanks, 1) : reader->blanks;
    for (guint i = 0; reader->out->len && i < blanks; i++)
        g_string_append_c(reader->out, '\n');
    g_string_append_printf(reader->out, "%s\n", text);
    reader->blanks = 0;
    reader->is_parted = FALSE;
}

/* Past an introduction of count lines; FALSE: all behind it is the quote, marked or not. */
static gboolean pass_intro(Reader *reader, guint count)
{
    g_autofree char *answer = count == 1 ? shared_answer(reader->line) : NULL;
    if (answer)
        keep(reader, answer);
    if (!is_followed_by_quote(reader->line + count) || !*next_own(reader->line + count))
        return FALSE;
    reader->line += count - 1;
    reader->is_parted = TRUE;
    return TRUE;
}

static void read_own_line(Reader *reader)
{
    if (is_blank(*reader->line)) {
        reader->blanks++;
    } else if (reader->in_signature || is_torn_from_quote(reader->line, reader->first) ||
               (reader->out->len && matches(patterns()->device, *reader->line))) {
        reader->is_parted = TRUE;
    } else if (reader->out->len && is_signature(reader->line)) {
        reader->in_signature = reader->is_parted = TRUE;
    } else {
        keep(reader, *reader->line);
    }
}

char *reply_text_extract(const char *text, gsize quote_at)
{
    g_autofree char *start = quote_at < strlen(text) ? g_strndup(text, quote_at) : NULL;
    g_auto(GStrv) lines = g_strsplit(start ? start : text, "\n", -1);
    Reader reader = {.first = lines, .line = lines, .out = g_string_new(NULL)};
    for (; *reader.line; reader.line++) {
        gboolean quoted = is_quoted(*reader.line);
        guint intro = quoted ? 0 : intro_length(reader.line);
        if (intro) {
            if (!pass_intro(&reader, intro))
                break;
            reader.in_signature = FALSE;
        } else if (ends_new_text(reader.line)) {
            break;
        } else if (quoted) {
            reader.in_signature = FALSE;
            reader.is_parted = TRUE;
        } else {
            read_own_line(&reader);
        }
    }
    return g_strstrip(g_string_free(reader.out, FALSE));
}
