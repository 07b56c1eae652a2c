/*
 * What gateways and programs put around a person's words: disclaimers, warnings that a mail came from outside, advertisements of virus
 * scanners, the plea not to print. Told by paragraph; one that has only some of a disclaimer's words is the person's own.
 *
 * Pure; any thread.
 */
#include <string.h>

#include "reply_lines.h"
#include "word_gate.h"

enum {
    PARAGRAPH_LOOKED_AT = 1500,
    DISCLAIMER_MIN = 80 /* characters: "This is confidential, please delete it" is a person's */
};

/* What disclaimers say, each in the languages of their senders: of what kind it is, and what its reader may not do. */
static const char *const topics[] = {
    "confidential|confidentiel|konfidensiel|konfidenti|fortrolig|sekretess|vertraulich|vertrouwelijk|confidencia|confidenzial|riservat|poufn|sigilos",
    "privilege|legally|rechtlich|taushets|tavshed|juridisch|privilégi|privilegiad|prawnie|tystnadsplikt|protegid",
    "intended (?:only|solely|for|recipient)|addressee|addressed|rette (?:mottaker|modtager)|tiltenkt|beregnet|avsedd|rätt mottagare|adressat|"
    "geadresseerde|bestemd|destinata[ir]|beoogde|adresat|bestimmt",
    "in error|by mistake|erroneous|ved en fe[ij]l|feilaktig|fejlagtig|av misstag|felaktig|irrtümlich|per abuis|abusievelijk|ten onrechte|par erreur|"
    "por err[oa]|per errore|omyłk|por engano",
    "delete|destroy|notify|slett|slet\\b|radera|underrett|lösch|vernicht|verwijder|détrui|supprim|elimin|borr[ae]|cancell|distrug|usun|apag|destru|informieren",
    "unauthori[sz]ed|disclos|disseminat|copying|distribut|unbefugt|weitergabe|kopier|vidarebefordr|videresend|verspreid|openba|diffus|copié|divulg|"
    "rozpowszech|prohibid|vietat|interdit",
};

/* No disclaimer is without one of these. */
#define DISCLAIMER_WORDS                                                                                                   \
    "confiden konfid fortrolig sekret vertraul vertrouw riserv poufn sigil privil legal recht taus tavs jurid prawn tystn proteg "   \
    "intended address rette tiltenkt beregnet avsed rätt adres geadres bestem bestim destinat beoogd "                      \
    "error mistake errone feil fejl felakt misstag irrtüm abuis abusiev onrecht erreur omył engano"

/* … and no other notice without one of these. */
#define FOOTER_WORDS                                                                                                       \
    "environment miljø umwelt ausdruck milieu medio checked scanned geprüft sjekket skannet gescand analiz virus often ofte häufig oft external ekstern "  \
    "extern caution warning attention advarsel achtung vorsicht let"

#define MAIL "(?:\\be-?mails?\\b|\\bmails?\\b|message|communication|transmission|e-?post|melding|meddel|besked|nachricht|bericht|courriel|mensa[jg]|messaggio|comunicazione|wiadomoś)"

/* Whole paragraphs that only programs write. */
#define FOOTER                                                                                                             \
    "^\\W{0,6}(?:(?:please )?(?:consider|think (?:of|about)) the environment before|(?:vennligst )?(?:tenk|tænk|spar) på miljøet|tänk på miljön|"     \
    "bitte (?:denken sie an|prüfen sie).{0,60}(?:umwelt|ausdrucken)|denk aan het milieu|pensez à l.environnement|piense en el medio ambiente|"  \
    "(?:this|diese|denne|dit|questa|este|cet) .{0,30}(?:was|has been|wurde|er|is|è|fue|a été) .{0,20}(?:checked|scanned|geprüft|sjekket|skannet|gescand|analizz|analizado).{0,30}virus|" \
    "virus-?free\\.? .{0,40}$|no virus found in this|"                                                                      \
    "you don.t often get e-?mails? from|du får ikke ofte e-?post fra|du får inte ofte e-?post från|sie erhalten nicht (?:häufig|oft) e-?mails? von|" \
    "(?:\\[?(?:external|ekstern|extern)(?:e-?mail)?\\]?|caution|warning|attention|advarsel|achtung|vorsicht|let op)\\b.{0,60}\\b(?:originate|outside|external|ekstern|extern|außerhalb|utenfor))"

typedef struct {
    GRegex *topic[G_N_ELEMENTS(topics)];
    GRegex *mail, *footer, *heading;
    WordGate *disclaimer_words, *footer_words;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("reply_notice: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        for (guint i = 0; i < G_N_ELEMENTS(topics); i++)
            compiled.topic[i] = compile(topics[i]);
        compiled.disclaimer_words = word_gate_new(DISCLAIMER_WORDS);
        compiled.footer_words = word_gate_new(FOOTER_WORDS);
        compiled.mail = compile(MAIL);
        compiled.footer = compile(FOOTER);
        compiled.heading = compile("^[\\s*_=-]{0,60}(?:(?:confidential(?:ity)?|legal|privacy|important)?\\s?(?:notice|disclaimer|caution)|disclaimer|"
                                   "haftungsausschluss|ansvarsfraskrivelse)?[\\s*_=:-]{0,60}$");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *text)
{
    return g_regex_match(regex, text, 0, NULL);
}

/* Three topics, or two of which one is that it is secret or came by mistake. */
static gboolean is_disclaimer(const char *paragraph)
{
    guint met = 0;
    gboolean telling = FALSE;
    if (!word_gate_is_open(patterns()->disclaimer_words, paragraph) || g_utf8_strlen(paragraph, -1) < DISCLAIMER_MIN || !matches(patterns()->mail, paragraph))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(topics); i++) {
        gboolean is_met = matches(patterns()->topic[i], paragraph);
        met += is_met ? 1 : 0;
        telling = telling || (is_met && (i == 0 || i == 3));
    }
    return met >= 3 || (met == 2 && telling);
}

static gboolean is_footer(const char *paragraph)
{
    return word_gate_is_open(patterns()->footer_words, paragraph) && matches(patterns()->footer, paragraph);
}

/* The lines at … end on one line, cut between characters. Caller frees. */
static char *join(const ReplyLines *reply, guint at, guint end)
{
    g_autoptr(GString) joined = g_string_new(NULL);
    for (guint i = at; i < end && joined->len < PARAGRAPH_LOOKED_AT; i++)
        g_string_append_printf(joined, "%s%s", i > at ? " " : "", reply->lines[i].text);
    gsize length = MIN(joined->len, (gsize)PARAGRAPH_LOOKED_AT);
    while (length < joined->len && length > 0 && ((guchar)joined->str[length] & 0xc0) == 0x80)
        length--;
    return g_strndup(joined->str, length);
}

/* The end of the paragraph at a line: where an empty line, or one that is not the sender's, follows. */
static guint paragraph_end(const ReplyLines *reply, guint at)
{
    while (at < reply->count && !reply->lines[at].blank && reply->lines[at].mark == REPLY_KEPT)
        at++;
    return at;
}

/* The line where a notice's paragraph begins, headings and rules above it included; nothing else is taken along. */
static guint with_heading(const ReplyLines *reply, guint at)
{
    guint start = at;
    for (guint i = at; i > 0 && reply->lines[i - 1].mark == REPLY_KEPT && at - i < 3; i--) {
        if (!reply->lines[i - 1].blank && !matches(patterns()->heading, reply->lines[i - 1].text))
            break;
        start = reply->lines[i - 1].blank ? start : i - 1;
    }
    return start;
}

static gboolean has_own_words(const ReplyLines *reply)
{
    for (guint i = 0; i < reply->count; i++)
        if (reply->lines[i].mark == REPLY_KEPT && !reply->lines[i].blank)
            return TRUE;
    return FALSE;
}

static void mark(ReplyLines *reply, guint at, guint end, ReplyMark as)
{
    for (guint i = at; i < end; i++)
        reply->lines[i].mark = as;
}

void reply_mark_notices(ReplyLines *reply)
{
    for (guint at = 0, end; at < reply->count; at = MAX(end, at + 1)) {
        end = paragraph_end(reply, at);
        if (end == at)
            continue;
        g_autofree char *paragraph = join(reply, at, end);
        if (!is_footer(paragraph) && !is_disclaimer(paragraph))
            continue;
        guint start = with_heading(reply, at);
        mark(reply, start, end, REPLY_SIGNATURE);
        if (!has_own_words(reply)) /* then it is what was meant to be said */
            mark(reply, start, end, REPLY_KEPT);
    }
}
