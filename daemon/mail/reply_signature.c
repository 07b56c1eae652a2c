/*
 * Signatures: "-- " and what follows it; "Sent from my iPhone" and its kin; the footer of a mailing list; a closing
 * ("Mvh", "Best regards") with a name and a few short lines below. Each only at the end of a run of the sender's own
 * lines, and never the whole run.
 *
 * Pure; any thread.
 */
#include <string.h>

#include "reply_lines.h"

enum {
    SIGNATURE_MAX_LINES = 12, /* below a bare "--" or a rule; a delimiter with its space is believed whatever the length */
    CLOSING_MAX_LINES = 7,    /* name, title, company, address, telephone … */
    CLOSING_MAX_LINE = 80,
    DEVICE_MAX_LINE = 90
};

typedef struct {
    GRegex *device, *closing, *name;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("reply_signature: %s", error->message);
    return regex;
}

/* "my" and a thing, in few words and without a clause behind it: "Sent from my desk, it is easier" is no signature */
#define DEVICE                                                                                                              \
    "^\\s*[*_~]{0,2}(?:(?:sent|sendt|skickat|skickades|gesendet|versendet|verstuurd|verzonden|envoyé|enviado|enviada|" \
    "inviato|wysłan[eoy]|" \
    "lähetetty|отправлено)"                                                                                                 \
    "(?: (?:from|with|via|by|using|fra|med|från|von|mit|vanaf|met|de|depuis|desde|do|da|dal|z|ze|с)(?: (?:my|min|mitt|" \
    "mi|mein(?:em|er)?|mijn|mon|ma|" \
    "meu|minha|mio|moj(?:ego|ej)|the|a|an|il|la|le|el|o))?)[ ][^,;!?]{2,60}"                                                \
    "|von (?:meinem/meiner|meinem|meiner|mein) .{2,40} gesendet|(?:\\p{L}{1,14} ){0,3}outlook (?:\\p{L}{1,8} ){1,2}(?:ios|android|mac)\\b[^,;!?]{0,60}|" \
    "(?:get|hent|hämta|skaffa|téléchargez|obtenir|obtener|ottieni|" \
    "laden sie|pobierz|obter|download) outlook (?:for|för|für|til|pour|para|per|voor|dla) [^,;!?]{2,70}" \
    "|(?:sent|sendt) (?:fra|from) (?:outlook|mail|yahoo|samsung|proton).{0,40}|my mobile|typed (?:with|" \
    "on) .{2,40})[.]?\\s*[*_~]{0,2}$"

#define CLOSING                                                                                                             \
    "^\\s*(?:(?:with |my )?(?:best|kind|kindest|warm|warmest|many|sincere)(?: ?,?(?:and )?(?:best|kind|" \
    "warm))?(?: regards| wishes)?|regards|sincerely(?: yours)?|" \
    "yours (?:sincerely|truly|faithfully)|cheers|cordially|respectfully|"                                                   \
    "(?:med )?(?:de )?(?:beste |bedste |vennlige?|venlige?|vänlig(?:a)?|varm(?:e|a)?|mange|kjærlig|god[ea]?|" \
    "hjertelig)(?: hilsen(?:er)?| hälsning(?:ar)?| hilsner)|" \
    "m\\.?v\\.?h\\.?|v\\.?h\\.?|m\\.?vh|b\\.?r\\.?|kh|dbh|hilsen|hilsner|hälsning(?:ar)?|bästa hälsningar|"                 \
    "(?:mit )?(?:freundlichen?|besten?|herzlichen?|schönen?|viele[n]?|liebe[n]?) (?:grüßen?|grüssen?|gruß|gruss)|" \
    "(?:viele|beste|liebe|freundliche|herzliche) (?:grüße|grüsse)|mfg|lg|vg|gruß|" \
    "(?:met )?(?:vriendelijke|hartelijke|beste) (?:groet(?:en)?)|m\\.?v\\.?g\\.?|groet(?:en|jes)?|hoogachtend|"             \
    "(?:bien )?cordialement|(?:bien|sincères|meilleures|cordiales) (?:à vous|salutations)|salutations(?: distinguées)?|" \
    "bien à (?:toi|vous)|amicalement|" \
    "(?:un )?(?:cordial |atento |afectuoso )?saludos?(?: cordiales)?|atentamente|un abrazo|cordialmente|"                   \
    "(?:cordiali|distinti|cari) saluti|saluti|un saluto|"                                                                   \
    "(?:z (?:powa[zż]aniem|wyrazami szacunku)|(?:serdecznie )?pozdrawiam|(?:serdeczne )?pozdrowienia)(?: serdecznie)?|"     \
    "(?:com os )?(?:melhores|atenciosos) cumprimentos|cumprimentos|atenciosamente|um abraço|abraços?|att\\.?)"              \
    "\\s*[,.!]{0,3}(?:\\s+[\\p{Lu}][\\p{L}.'-]{0,25}(?:\\s[\\p{Lu}][\\p{L}.'-]{0,25}){0,2})?\\s*$"

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.device = compile(DEVICE);
        compiled.closing = compile(CLOSING);
        compiled.name = compile("^\\s{0,3}[-–—/]{1,2}\\s?(?-i)\\p{Lu}[\\p{L}.'-]{1,25}(?: "
                                "\\p{Lu}[\\p{L}.'-]{0,25}){0,3}$");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *line, gsize max_len)
{
    return strlen(line) <= max_len && g_regex_match(regex, line, 0, NULL);
}

static gboolean is_run_of(const char *line, char c, guint at_least)
{
    gsize length = strspn(line + strspn(line, " "), (char[]){c, '\0'});
    return length >= at_least && line[strspn(line, " ") + length] == '\0';
}

/* How many lines with text are below one, to the end of its run. */
typedef struct {
    guint all, long_ones;
} Below;

static void count_line(const ReplyLine *line, Below *below, int step)
{
    if (line->blank)
        return;
    below->all += (guint)step;
    below->long_ones += strlen(line->text) > CLOSING_MAX_LINE ? (guint)step : 0;
}

/* Whether a signature begins at this line of a run. */
static gboolean begins_signature(const char *line, const Below *below)
{
    if (g_str_equal(line, "-- "))
        return TRUE;
    if (below->all > SIGNATURE_MAX_LINES)
        return FALSE;
    if (g_str_equal(line, "--") || g_str_equal(line, "—") || is_run_of(line, '_', 5))
        return TRUE;
    if (below->all == 0 && matches(patterns()->name, line, CLOSING_MAX_LINE))
        return TRUE;
    if (below->all <= 2 && matches(patterns()->device, line, DEVICE_MAX_LINE))
        return TRUE;
    /* "Best" alone may be the sender's last word */
    return below->long_ones == 0 && below->all <= CLOSING_MAX_LINES && (below->all > 0 || strchr(line, ' ') != NULL) &&
           matches(patterns()->closing, line, CLOSING_MAX_LINE);
}

/* The lines at … end are one run of the sender's own. TRUE where there is text in it. */
static gboolean mark_run(ReplyLines *reply, guint at, guint end, gboolean text_before)
{
    gboolean text = FALSE;
    Below below = {0};

    for (guint i = at; i < end; i++)
        count_line(&reply->lines[i], &below, 1);
    for (guint i = at; i < end; i++) {
        if (reply->lines[i].blank)
            continue;
        count_line(&reply->lines[i], &below, -1);
        if ((text || text_before) && begins_signature(reply->lines[i].text, &below)) {
            for (guint n = i; n < end; n++)
                reply->lines[n].mark = REPLY_SIGNATURE;
            return text;
        }
        text = TRUE;
    }
    return text;
}

void reply_mark_signatures(ReplyLines *reply)
{
    gboolean text_before = FALSE;

    for (guint at = 0; at < reply->count;) {
        guint end = at;
        while (end < reply->count && reply->lines[end].mark == REPLY_KEPT)
            end++;
        text_before |= mark_run(reply, at, end, text_before);
        at = end + 1;
    }
}
