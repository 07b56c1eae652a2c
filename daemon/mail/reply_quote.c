/*
 * Where an older message begins: what mail programs write above what they quote, in the languages that their users have.
 *
 *   attribution   "On Tue, 24 Nov 2026 at 09:15, Anna Berg <anna@example.com> wrote:", perhaps over several lines
 *   separator     "-----Original Message-----", "________________" above a header block
 *   header block  "From: … / Sent: … / To: … / Subject: …", at least three kinds of such lines
 *
 * Pure; any thread. Each line is cut before a pattern sees it, and patterns repeat only within bounds.
 */
#include <string.h>

#include "reply_lines.h"

enum {
    ATTRIBUTION_MAX_LINES = 4,
    ATTRIBUTION_MAX = 500, /* octets of them, joined */
    LINE_LOOKED_AT = 500,
    HEADER_BLOCK_MAX_LINES = 14,
    NAME_MAX_BYTES = 50, /* of a header line's name, with marks before it */
    FORWARD_WORDS_MAX = 60 /* octets of a line that says so without a rule */
};

typedef enum { HEADER_FROM = 1, HEADER_DATE = 2, HEADER_TO = 4, HEADER_SUBJECT = 8, HEADER_OTHER = 16 } HeaderKind;

static const struct {
    HeaderKind kind;
    const char *names; /* an alternation */
} header_names[] = {
    {HEADER_FROM, "from|fra|från|von|van|de|da|od|mittente|expéditeur|remitente|nadawca|absender|afzender|"
                  "от(?: кого)?|lähettäjä|gönderen|差出人|发件人|寄件者|보낸 사람|từ"},
    {HEADER_DATE, "sent|date|sendt|dato|skickat|datum|gesendet|verzonden|envoyé(?: le)?|enviado(?: el)?|"
                  "enviada(?: em)?|fecha|inviato|data|wysłan[oe]|data wysłania|"
                  "отправлено|дата|lähetetty|päiväys|gönderildi|tarih|送信日時|日時|日付|发送时间|日期|보낸 날짜|ngày"},
    {HEADER_TO, "to|til|till|an|aan|à|a|para|per|do|destinataire|destinatario|odbiorca|кому|vastaanottaja|kime|宛先|"
                "收件人|받는 사람|đến|cc|kopi|kopia|kopie|bcc|копия|dw|抄送"},
    {HEADER_SUBJECT, "subject|emne|ämne|betreff|onderwerp|objet|asunto|oggetto|temat|assunto|тема|aihe|konu|件名|主题|主旨|"
                     "제목|chủ đề|title"},
    {HEADER_OTHER, "reply-to|importance|attachments?|organization|vedlegg|vedhæftet|bilaga|anlagen|bijlage[n]?|"
                   "pièces jointes|adjuntos|allegati|załączniki|anexos|priority"},
};

/* The verbs with which programs say that somebody wrote. */
#define WROTE                                                                                                               \
    "(?:wrote|writes|wrotes|sent|said|skrev|skreiv|schrieb|schreef|écrit|ecrit|scritto|scrive|escribió|escribio|" \
    "escreveu|napisał(?:\\(a\\)|/a|a)?|" \
    "napisal(?:a)?|pisze|kirjoitti|написал(?:\\(а\\)|а)?|пишет|yazdı|írta|a scris|napsal(?:a)?|geschreven|geschrieben|" \
    "het volgende|folgendes|følgende|följande|đã viết|写道|寫道|のメッセージ|" \
    "さんは書きました|님이 작성)"

typedef struct {
    GRegex *header[G_N_ELEMENTS(header_names)];
    GRegex *attribution, *certain, *writes, *dated, *bare, *shared, *opening, *separator, *arrowed, *forward, *time;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("reply_quote: %s", error->message);
    return regex;
}

#define TIME_OR_DATE "(?:\\d{1,2}[:.h]\\d{2}|\\d{1,4}[./-]\\d{1,2}[./-]\\d{1,4}|\\b(?:19|20)\\d{2}\\b|\\d{4}年)"
#define ADDRESS "[\\w.+'-]{1,64}@[\\w.-]{1,100}"

static void compile_all(Patterns *compiled)
{
    for (guint i = 0; i < G_N_ELEMENTS(header_names); i++) {
        g_autofree char *pattern = g_strdup_printf("^[\\s*_>|]{0,8}(?:%s)\\s?[*_]{0,2}\\s?[:：][*_]{0,2}(?:\\s|$|[^/])", header_names[i].names);
        compiled->header[i] = compile(pattern);
    }
    /* a date, a time or an address; then the verb, and a colon at the end */
    compiled->attribution =
        compile("^(?=.{0,460}?(?:" TIME_OR_DATE "|" ADDRESS "))(?:.{0,400}?[\\s>,)\\]\"'*_a-z]|)" WROTE "\\b.{0,200}?[:：]\\s{0,3}[*_]{0,2}$|"
                "^(?:on|am|den|le|el|il|op|em|dnia|w dniu|på)\\b.{0,300}\\b" WROTE "\\s{0,3}[:：]?$|"
                "^\\s{0,4}[-_=]{2,20}\\s?.{1,200}\\b" WROTE "\\s?:?[-_=]{2,20}$");
    compiled->writes = compile("^.{0,400}?\\b" WROTE "\\b.{0,200}?[:：]\\s{0,3}[*_]{0,2}$"); /* "Anna skrev:" */
    /* without a verb: "2026/11/24 Anna Berg <anna@example.com>", "Anna <anna@example.com> 24.11.2026:" */
    compiled->dated = compile("^(?=.{0,300}?" TIME_OR_DATE ").{0,300}?[<(\\[]\\s?(?:mailto:)?" ADDRESS "\\s?[>)\\]].{0,60}$");
    /* … of which these stand above messages without ">", too: '24.11.2026, 09:00, "Anna Berg" <anna@example.com>:' */
    compiled->bare = compile("^\\s{0,3}\\d{1,2}[ .]\\S{1,12}[ .]\\d{4}.{0,4}[, ]\\d{1,2}:\\d{2}.{0,80}<" ADDRESS ">\\s?:$");
    /* where no quote follows: an address or the time of day, and no verb that people use of themselves ("On 24/11 we sent:") */
    compiled->certain = compile("^(?!.{0,460}?\\b(?:sent|said)\\s{0,3}:$)(?=.{0,460}?(?:" ADDRESS "|\\d{1,2}[:.h]\\d{2})).{0,499}(?:[:：]\\s{0,3}[*_]{0,2}|[-_=]{2,20})$");
    compiled->shared = compile("\\bon (?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}|(?:jan|feb|mar|apr|may|jun|jul|aug|"
                               "sep|oct|nov|dec)[a-z]{0,6}|\\d{1,4}[-/. ])"
                               ".{0,300}\\bwrote ?:$");
    compiled->opening =
        compile("^[\\s*_>-]{0,30}(?:(?:on|am|den|le|el|il|op|em|dnia|w dniu|på|ons?dag|(?:mon|tues?|wed(?:nes)?|"
                "thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|"
                "(?:man|mån|tirs?|tis|tors?|fre|lør|lör|søn|sön)(?:dag|\\.)?|(?:mon|diens|donners|frei|sams|sonn)tag|"
                "mittwoch|lun(?:di|es|edì)|mar(?:di|tes|tedì)|"
                "mer(?:credi|coledì)|jeu(?:di)?|jueves|giovedì|ven(?:dredi|erdì)|viernes|sam(?:edi)?|s[áa]bado|"
                "dim(?:anche)?|domingo|domenica)[.,]?\\s|\\d{1,4}[./-]|\\d{1,2}\\.? \\p{L}{3,12}\\.? \\d{4})");
    compiled->separator =
        compile("^[\\s>*]{0,4}(?:[-_=*]\\s?){2,40}\\s?(?:original(?: |-)?(?: e-?mail )?(?:message|mail|nachricht|"
                "meddelande|meddelelse|melding|bericht|appointment)|"
                "opprinnelig (?:melding|e-post)|oprindelig (?:meddelelse|besked)|ursprungligt meddelande|"
                "ursprüngliche nachricht|oorspronkelijk bericht|"
                "message d.origine|message original|messaggio originale|mensaje original|mensagem original|"
                "(?:oryginalna wiadomość|wiadomość oryginalna)|"
                "reply message|alkuperäinen viesti|исходное сообщение|original|antwort|svar)\\s?(?:[-_=*]\\s?){2,40}$");
    compiled->time = compile(TIME_OR_DATE);
    compiled->arrowed = compile("^\\s{0,3}>>> ?[^>].{0,200}?" TIME_OR_DATE ".{0,20}>>>$");
    compiled->forward = compile("^[\\s*]{0,4}(?:[-_=]\\s?){2,40}\\s?(?:forwarded (?:message|mail)|"
                                "videresendt (?:melding|meddelelse|besked)|vidarebefordrat meddelande|"
                                "weitergeleitete nachricht|doorgestuurd bericht|message transféré|mensaje reenviado|"
                                "messaggio inoltrato|przekazana wiadomość|"
                                "mensagem encaminhada).{0,30}$|^\\s{0,3}(?:begin forwarded message|(?:start(?:en)? på |begynnelsen? på )?(?:den )?videresendte? melding(?:en)?|"
                                "vidarebefordrat brev|videresendt besked):?$");
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compile_all(&compiled);
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* The line, cut between characters for patterns. Caller frees. */
static char *looked_at(const char *line)
{
    gsize len = strlen(line);
    if (len <= LINE_LOOKED_AT)
        return g_strdup(line);
    const char *end = g_utf8_find_prev_char(line, line + LINE_LOOKED_AT + 1);
    return g_strndup(line, (gsize)(end - line));
}

gboolean reply_line_is_quote(const char *line)
{
    const char *start = line + strspn(line, " \t");
    gsize len = strlen(start);
    /* ">>> http://example.com <<<" is an ornament */
    return *start == '>' && start[len - 1] != '<' && strncmp(start, ">From ", 6) != 0;
}

gboolean reply_is_arrowed_head(const char *line)
{
    if (!g_str_has_suffix(line, ">>>"))
        return FALSE;
    g_autofree char *text = looked_at(line);
    return g_regex_match(patterns()->arrowed, text, 0, NULL);
}

gboolean reply_is_forward(const char *line)
{
    const char *start = line + strspn(line, " \t*");
    gboolean in_words = strchr("BbSsVv", *start) != NULL && strlen(start) < FORWARD_WORDS_MAX;
    if (strchr("-_=", *start) == NULL && !in_words)
        return FALSE;
    g_autofree char *text = looked_at(line);
    return g_regex_match(patterns()->forward, text, 0, NULL);
}

/* ---- header blocks ---------------------------------------------------------------------------------------------------- */

static HeaderKind header_kind(const char *line)
{
    const char *wide = strstr(line, "：");
    if (strcspn(line, ":") >= NAME_MAX_BYTES && (wide == NULL || wide - line >= NAME_MAX_BYTES))
        return 0;
    g_autofree char *text = looked_at(line);
    for (guint i = 0; i < G_N_ELEMENTS(header_names); i++)
        if (g_regex_match(patterns()->header[i], text, 0, NULL))
            return header_names[i].kind;
    return 0;
}

typedef struct {
    guint kinds, count, length; /* length: in lines, up to the last that is one */
    gboolean address, time;
} HeaderBlock;

static void add_header_line(HeaderBlock *block, HeaderKind kind, const char *line)
{
    block->count += (block->kinds & kind) == 0;
    block->kinds |= kind;
    block->address = block->address || ((kind & (HEADER_FROM | HEADER_TO)) != 0 && strchr(line, '@') != NULL);
    block->time = block->time || (kind == HEADER_DATE && g_regex_match(patterns()->time, line, 0, NULL));
}

/* Three kinds of lines, the sender among them, and what only mail has ("From: Oslo / To: Bergen / Date: Friday" is a
 * traveller's); or just two, with an address and a time, or below a rule. */
static gboolean is_header_block(const HeaderBlock *block, gboolean below_rule)
{
    gboolean sender = (block->kinds & HEADER_FROM) != 0;
    gboolean dated = (block->kinds & HEADER_DATE) != 0 && (block->address || block->time);

    if (block->count >= 3 && sender && ((block->kinds & HEADER_SUBJECT) != 0 || dated))
        return TRUE;
    return block->count >= 2 && ((block->address && block->time) || (below_rule && sender));
}

/* The length of the block of header lines that begins here; 0: none. Values may be wrapped, and single empty lines
 * stand between. */
static guint header_block_length(const ReplyLines *reply, guint at, gboolean below_rule)
{
    HeaderBlock block = {0};
    guint end = MIN(reply->count, at + HEADER_BLOCK_MAX_LINES), misses = 0;

    if ((header_kind(reply->lines[at].text) & (HEADER_FROM | HEADER_DATE | HEADER_SUBJECT)) == 0)
        return 0;
    for (guint i = at; i < end && misses < 3; i++) {
        HeaderKind kind = reply->lines[i].blank ? 0 : header_kind(reply->lines[i].text);
        misses = kind != 0 ? 0 : misses + 1;
        if (kind == 0)
            continue;
        g_autofree char *line = looked_at(reply->lines[i].text);
        add_header_line(&block, kind, line);
        block.length = i - at + 1;
    }
    return is_header_block(&block, below_rule) ? block.length : 0;
}

/* A rule above a header block: that of Outlook. */
static gboolean is_rule(const char *line)
{
    const char *start = line + strspn(line, " *");
    gsize length = strspn(start, "_-=");
    return length >= 5 && start[length + strspn(start + length, " *")] == '\0';
}

static gboolean is_separator(const char *line)
{
    if (strchr(" >*-_=", *line) == NULL)
        return FALSE;
    g_autofree char *text = looked_at(line);
    return g_regex_match(patterns()->separator, text, 0, NULL);
}

guint reply_older_message_length(const ReplyLines *reply, guint at)
{
    const char *line = reply->lines[at].text;
    guint next = at + 1, below;

    if (is_separator(line) || reply_is_arrowed_head(line))
        return 1;
    if (!is_rule(line))
        return header_block_length(reply, at, FALSE);
    while (next < reply->count && reply->lines[next].blank && next < at + 3)
        next++;
    if (next >= reply->count || reply->lines[next].blank)
        return 0;
    below = header_block_length(reply, next, TRUE);
    return below > 0 ? next - at + below : 0;
}

/* ---- attributions ----------------------------------------------------------------------------------------------------- */

/* What stands below, for a form that alone would be too weak. */
static gboolean quote_follows(const ReplyLines *reply, guint at)
{
    while (at < reply->count && reply->lines[at].blank)
        at++;
    return at < reply->count && reply_line_is_quote(reply->lines[at].text);
}

static gboolean matches_at(const GRegex *regex, const char *text, int *ret_start)
{
    g_autoptr(GMatchInfo) match = NULL;
    return g_regex_match(regex, text, 0, &match) && g_match_info_fetch_pos(match, 0, ret_start, NULL);
}

/* The lines from … last on one line. NULL where that is too long for an attribution. Caller frees. */
static char *join_lines(const ReplyLines *reply, guint from, guint last)
{
    GString *joined = g_string_new(NULL);

    for (guint i = from; i <= last && joined->len <= ATTRIBUTION_MAX; i++) {
        const char *line = reply->lines[i].text;
        g_string_append(joined, i > from ? " " : "");
        g_string_append(joined, i > from ? line + strspn(line, " \t") : line);
    }
    return g_string_free(joined, joined->len > ATTRIBUTION_MAX);
}

/* Whether the last character is one with which an attribution ends that no quote follows; most lines are settled by this. */
static gboolean may_end_attribution(const char *joined)
{
    gsize len = strlen(joined);
    return g_str_has_suffix(joined, "：") || (len > 0 && strchr(":-=_*", joined[len - 1]) != NULL);
}

/* Whether the lines joined so far are an attribution, the last of them at last. */
static gboolean is_attribution(const ReplyLines *reply, const char *joined, guint last, gsize *ret_offset)
{
    int start = 0;
    gboolean quoted = quote_follows(reply, last + 1);

    *ret_offset = 0;
    if (!quoted && !may_end_attribution(joined))
        return FALSE;
    if (quoted && matches_at(patterns()->shared, joined, &start) && start > 0) {
        *ret_offset = (gsize)start;
        return TRUE;
    }
    if (!quoted)
        return (g_regex_match(patterns()->certain, joined, 0, NULL) && g_regex_match(patterns()->attribution, joined, 0, NULL)) ||
               g_regex_match(patterns()->bare, joined, 0, NULL);
    return g_regex_match(patterns()->attribution, joined, 0, NULL) || g_regex_match(patterns()->writes, joined, 0, NULL) ||
           g_regex_match(patterns()->dated, joined, 0, NULL);
}

/* Where the attribution that ends with last begins: the sender's last words may stand right above. A line that begins
 * as attributions do (a date, "On", a weekday) counts, the lowest of several; else the shortest that still is one. */
static guint attribution_start(const ReplyLines *reply, guint at, guint last)
{
    guint shortest = at;
    gsize offset;

    for (guint i = last; i > at; i--) {
        g_autofree char *joined = join_lines(reply, i, last);
        if (joined == NULL || !is_attribution(reply, joined, last, &offset) || offset > 0)
            continue;
        if (g_regex_match(patterns()->opening, joined, 0, NULL))
            return i;
        shortest = MAX(shortest, i);
    }
    g_autofree char *first = looked_at(reply->lines[at].text);
    return g_regex_match(patterns()->opening, first, 0, NULL) ? at : shortest;
}

guint reply_attribution_length(const ReplyLines *reply, guint at, gsize *ret_offset)
{
    for (guint i = at; i < reply->count && i < at + ATTRIBUTION_MAX_LINES; i++) {
        if (reply->lines[i].blank || (i > at && reply_line_is_quote(reply->lines[i].text)))
            break;
        if (!may_end_attribution(reply->lines[i].text) && !quote_follows(reply, i + 1))
            continue; /* as nearly all lines */
        g_autofree char *joined = join_lines(reply, at, i);
        if (joined == NULL)
            break;
        if (!is_attribution(reply, joined, i, ret_offset))
            continue;
        if (*ret_offset > 0) /* behind words of the first line, or of one that is to come */
            return *ret_offset < strlen(reply->lines[at].text) ? i - at + 1 : 0;
        return attribution_start(reply, at, i) == at ? i - at + 1 : 0;
    }
    return 0;
}
