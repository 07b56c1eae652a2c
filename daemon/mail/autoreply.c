/*
 * Automatic answers. Headers decide where there are any that say it; without them, the subject must have the form that a
 * program gives it ("Automatic reply: …", "Out of office") and the text must say what such notes say, or the envelope be
 * a program's besides: a person who writes about office furniture or holidays is a person.
 *
 * Pure; any thread.
 */
#include "autoreply.h"

#include <string.h>

#include "word_gate.h"

enum { NOTE_LOOKED_AT = 8 * 1024, SELF_LOOKED_AT = 1500 };

typedef struct {
    GRegex *explicit, *loose, *words, *self;
    WordGate *automatic;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("autoreply: %s", error->message);
    return regex;
}

/* What only a program writes at the begin of a subject, if the subject of what it answers, or nothing, is behind: "Automatic reply: Hi". */
#define EXPLICIT                                                                                                            \
    "^\\W{0,5}(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer|svar)|automatisk(?:t)? svar|autosvar|" \
    "automatische (?:antwort|abwesenheit\\p{L}{0,20})|" \
    "automatisch antwoord|réponse automatique|reponse automatique|respuesta automática|respuesta automatica|" \
    "risposta automatica|" \
    "resposta automática|automatyczna odpowied[zź]|odpowied[zź] automatyczna|autoodpowied[zź]|"                                      \
    "out of (?:the )?of+ice(?: auto-?(?:reply|response))?|vacation (?:reply|response|notice|message)|" \
    "away from my (?:office|desk|mail)|" \
    "fraværsmelding|fraværsbeskjed|fraværsbesked|feriemelding|frånvaromeddelande|abwesenheits(?:notiz|nachricht|" \
    "meldung|info\\p{L}{0,8}|agent|assistent)|" \
    "afwezigheids(?:bericht|melding)|message d.absence|automaattinen vastaus|automatická odpověď|automatikus válasz|" \
    "otomatik yanıt|автоматический ответ|automatinis atsakymas|automaatvastus|自動応答|自动答复|自動回覆|" \
    "auto ?: .{2,80}(?:out of (?:the )?office|returning|außer haus|abwesend|afwezig|ausente|absente?|fuori ufficio|poza biurem|borte|fraværende)[^:]{0,60})(?:\\s{0,2}[:：\\])(–-]|\\s{0,3}$|\\s(?:re|sv|aw|vs|antw|ang)\\s?:)"

/* What people write too. */
#define LOOSE                                                                                                               \
    "^\\s{0,5}(?:(?:re|sv|aw|vs|ad|rif|tr|fwd?|odp|r)\\s?:\\s{0,3}){0,3}\\W{0,3}(?:"                                        \
    "auto(?:matic|mated)?[ -]?(?:reply|response|answer|svar)|automatisk(?:t)? svar|autosvar|automatische antwort|"          \
    "out of (?:the )?(?:of+ice|town)|ooo\\b|away from (?:the |my )?(?:office|desk|mail)|(?:i am |" \
    "i'm )?(?:currently )?(?:on|away on) (?:vacation|holiday|annual leave|leave|parental leave)\\b|" \
    "vacation\\b|away (?:until|till|from|message)|"                                                                         \
    "(?:er )?ikke (?:til stede|på kontoret)|fravær(?:ende)?\\b|(?:jeg )?(?:er |har )(?:på |tatt )?ferie|feriefravær|" \
    "utenfor kontoret|ute av kontoret|" \
    "frånvaro|frånvarande|ej på kontoret|inte på kontoret|semester\\b|ikke på kontoret|ferie\\b|"                           \
    "abwesenheit\\b|abwesend|nicht im (?:büro|hause?)|urlaub\\b|"                                                           \
    "afwezig(?:heid)?\\b|niet (?:op|aanwezig op) kantoor|vakantie\\b|"                                                      \
    "absence(?: du bureau)?\\b|absent(?:e)?(?: du bureau)?\\b|en congés?\\b|hors du bureau|"                                \
    "fuera de (?:la )?oficina|ausen(?:te|cia)\\b|de vacaciones|ausência|ausente|fora do escritório|de férias|"              \
    "fuori (?:sede|ufficio)|assen(?:te|za)\\b|in ferie|nieobecn\\p{L}{0,6}|poza biurem|urlop\\b)"

#define WORDS                                                                                                               \
    "out of (?:the |my )?office|(?:on|for|from) (?:my |a |our |annual |summer |parental |maternity |paternity |" \
    "sick )?(?:vacation|holidays?|leave)\\b|away (?:from|until|till|on)|" \
    "automat(?:ic|ically|ed) (?:reply|response|generated|message|e-?mail)|limited (?:\\S{1,12} )?access|(?:not|" \
    "un)(?:able to)? (?:be )?(?:check|respond|reply|available)|" \
    "(?:will|shall) (?:be (?:back|away|out|returning|travel\\p{L}{0,5})|return|reply|respond)|(?:back|" \
    "return(?:ing)?) (?:in|to|at|on) |on my return|intermittent(?:ly)? |" \
    "(?:på|har|tar|avvikler) (?:\\S{1,12} )?ferie|fraværende|ikke (?:til stede|på (?:kontoret|jobb)|tilgjengelig)|" \
    "tilbake|begrenset (?:tilgang|mulighet)|utenfor kontoret|permisjon|automatisk svar|" \
    "semester|inte (?:på (?:kontoret|plats)|tillgänglig|anträffbar)|tillbaka|föräldraledig|frånvarande|åter (?:på|den|igen|i tjänst)|är ledig|" \
    "automatiskt|" \
    "holder ferie|ikke at træffe|tilbage|barsel|"                                                                           \
    "nicht (?:im (?:büro|haus)|erreichbar|im hause|am platz)|abwesend|urlaub|wieder (?:da|erreichbar|im|zurück|für)|" \
    "zurück|elternzeit|automatisch|" \
    "afwezig|vakantie|niet (?:aanwezig|op kantoor|bereikbaar)|weer (?:aanwezig|bereikbaar|terug)|terug op|met verlof|"      \
    "absente?\\b|en congés?|de retour|actuellement (?:absent|indisponible|en)|indisponible|"                                \
    "fuera de (?:la )?oficina|ausente|vacaciones|regres|volver|de baja|"                                                    \
    "fuori (?:sede|ufficio)|assente|in ferie|rientr|sarò (?:di ritorno|disponibile)|"                                       \
    "nieobecn|na urlopie|poza biurem|urlop|wracam|wrócę|powr[oó]t|"                                                         \
    "férias|regress|fora do escritório|ausência|retorn|voltarei|estarei"

/* What a program says of itself. A person who asks whether something is an automatic answer, or tells of one, does not say so. */
#define SELF                                                                                                               \
    "this is an? (?:auto|automatic|automated|auto-?generated|automatically generated)[ -](?:reply|response|answer|message|e-?mail|notification)\\b|"  \
    "this (?:e-?mail|message|reply|response) (?:is|was|has been) (?:an )?(?:sent |generated |created )?automatically(?: generated| sent| created)?|"  \
    "auto(?:matically)?[ -]generated (?:reply|response|message|e-?mail)|"                                                  \
    "dette er (?:et|en|eit|ein) (?:automatisk|autogenerert|automatisert|automatisk generert|autogenereret) (?:svar|melding|e-post|autosvar|besked|mail)|"  \
    "dette er (?:et|eit) autosvar|denne (?:meldingen|e-posten|mailen|besked|mail) er (?:sendt automatisk|automatisk (?:generert|genereret|sendt))|"  \
    "detta är ett (?:automatiskt|automatgenererat|automatiskt genererat) (?:svar|meddelande|mejl|mail)|detta (?:meddelande|mejl|mail) (?:är automatiskt genererat|skicka\\w+ automatiskt)|"  \
    "dies ist eine automatisch\\w{0,2}(?: generierte| erzeugte| erstellte| versendete)? (?:antwort|nachricht|e-?mail|mail|abwesenheits\\w+|mitteilung)|"  \
    "diese (?:e-?mail|nachricht|antwort|mail) (?:wurde|wird|ist) automatisch (?:generiert|erstellt|erzeugt|versendet|verschickt|erzeugt worden)|"  \
    "dit is een automatisch(?:e| gegenereerd| gegenereerde| verzonden)? (?:antwoord|bericht|e-?mail|afwezigheidsbericht)|dit bericht (?:is|wordt) automatisch|"  \
    "(?:ceci est|c.est|il s.agit d.une?) ?(?:une? )?(?:réponse|message|e-?mail|courriel) (?:automatique|généré automatiquement|envoyé automatiquement)|ce (?:message|courriel|mail) (?:est|a été) (?:généré|envoyé) automatiquement|"  \
    "est[ae] es un[a]? (?:respuesta|mensaje|correo)(?: electrónico)? (?:automátic[oa]|generad[oa] automáticamente)|"        \
    "quest[ao] è un[a']? ?(?:risposta|messaggio|e-?mail)(?: generat[oa])? automatic(?:a|o|amente)|"                         \
    "(?:to jest|jest to|to) (?:automatyczna|automatycznie (?:wygenerowana|wysłana)) (?:odpowiedź|wiadomość)|wiadomość (?:ta )?(?:została )?(?:wygenerowana|wysłana) automatycznie|"  \
    "(?:esta|isto|este) é uma? (?:resposta|mensagem|e-?mail)(?: gerad[oa])? (?:automátic[oa]|automaticamente)"

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.explicit = compile(EXPLICIT);
        compiled.loose = compile(LOOSE);
        compiled.words = compile(WORDS);
        compiled.self = compile("(?<!\\p{L})(?:" SELF ")");
        compiled.automatic = word_gate_new("auto genera gener wygener généré"); /* one of which is in each of these */
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean is_denial(const char *value)
{
    return *value == '\0' || g_ascii_strcasecmp(value, "no") == 0 || g_ascii_strcasecmp(value, "false") == 0 ||
           g_ascii_strcasecmp(value, "none") == 0 || g_str_equal(value, "0");
}

/* Headers whose presence says it, unless they deny it. */
static char *by_presence(const MailParts *parts)
{
    static const char *const names[] = {
        "X-Autoreply",        "X-Auto-Reply",      "X-Autorespond",   "X-Autoresponder",     "X-Auto-Respond",        "X-Autoresponse",
        "X-Autoreply-From",   "X-Auto-Reply-From", "X-Mail-Autoreply", "X-Vacation",          "X-Autogenerated",       "X-Oof",
        "X-AutoReply-Loop",   "X-Facebook-Notify-Autoreply", "X-ZohoMail-AutoReply", "X-Gm-Autoreply", "X-Cron-Env"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!mail_parts_has_header(parts, names[i]))
            continue;
        g_autofree char *value = mail_parts_header(parts, names[i]);
        if (!is_denial(value))
            return g_strdup_printf("%s: %.60s", names[i], value);
    }
    return NULL;
}

/* Headers of which some values say it. */
static char *by_value(const MailParts *parts)
{
    static const struct {
        const char *name, *value; /* the begin of it */
    } forms[] = {
        {"Precedence", "auto_reply"},      {"Precedence", "auto-reply"},    {"X-Precedence", "auto_reply"}, {"X-Precedence", "auto-reply"},
        {"Precedence", "autoreply"},       {"X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"},
        {"X-Mailer", "vacation"},          {"X-Mailer", "autoresponder"},   {"X-Mailer", "LotusNotes Out"}, {"X-FC-MachineGenerated", "true"},
        {"X-POST-MessageClass", "9; Autoresponder"},                        {"Delivered-To", "autoresponder"},
        {"X-MimeOLE", "Produced By Microsoft Vacation"},                    {"Content-Class", "urn:content-classes:oof"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *value = mail_parts_header(parts, forms[i].name);
        if (g_ascii_strncasecmp(value, forms[i].value, strlen(forms[i].value)) == 0)
            return g_strdup_printf("%s: %.60s", forms[i].name, value);
    }
    return NULL;
}

/* Marks of a program that prove nothing alone. */
static gboolean has_weak_mark(const MailParts *parts)
{
    return mail_parts_has_header(parts, "X-Auto-Response-Suppress") ||
           mail_parts_has_header(parts, "X-MS-Exchange-Inbox-Rules-Loop");
}

/* Without a header that says it. "Ferie" or "Re: Automatic reply: …" is a person's subject as well: then a program's
 * envelope must be there. */
static char *by_words(const MailParts *parts, const InboundMessage *message)
{
    gboolean is_explicit = g_regex_match(patterns()->explicit, message->subject, 0, NULL);
    if (!is_explicit && !g_regex_match(patterns()->loose, message->subject, 0, NULL))
        return NULL;
    g_autofree char *path = mail_parts_header(parts, "Return-Path");
    gboolean is_marked = has_weak_mark(parts);
    if (g_str_has_prefix(path, "<>") || (is_explicit && is_marked))
        return g_strdup("the subject's form and headers of an automatic answer");
    g_autofree char *note = g_utf8_make_valid(message->full_text, (gssize)MIN(strlen(message->full_text), (gsize)NOTE_LOOKED_AT));
    if ((is_explicit || is_marked) && g_regex_match(patterns()->words, note, 0, NULL))
        return g_strdup("the subject's form and the words of an automatic answer");
    return NULL;
}

/* By what the new text says of itself, in its first lines. Caller frees. */
static char *by_self(const InboundMessage *message)
{
    if (!word_gate_is_open(patterns()->automatic, message->text))
        return NULL;
    g_autofree char *note = g_utf8_make_valid(message->text, (gssize)MIN(strlen(message->text), (gsize)SELF_LOOKED_AT));
    return g_regex_match(patterns()->self, note, 0, NULL) ? g_strdup(AUTOREPLY_SAYS_SO) : NULL;
}

char *autoreply_evidence(const MailParts *parts, const InboundMessage *message)
{
    g_autofree char *submitted = mail_parts_header(parts, "Auto-Submitted");
    char *evidence;

    if (*submitted != '\0' && g_ascii_strncasecmp(submitted, "no", 2) != 0)
        return g_strdup_printf("Auto-Submitted: %.60s", submitted);
    evidence = by_value(parts);
    if (evidence == NULL)
        evidence = by_presence(parts);
    if (evidence == NULL)
        evidence = by_words(parts, message);
    return evidence != NULL ? evidence : by_self(message);
}
