/*
 * A text is cut into its clauses. One of them at least must be a wish to be left alone, as a whole; each of the others must be a word of
 * courtesy, a refusal, or, behind the wish, a name. So neither "stop by on Friday" nor "stop! the price is wrong" is one.
 *
 * Pure; any thread.
 */
#include "mail/stop_words.h"

#include <string.h>

enum { MAX_CHARS = 200, MAX_CLAUSES = 14 };

/* ---- what they wish, a language a group; each the whole of a clause but for courtesy around it ------------------------- */

#define ENGLISH_ME "(?:me|us|(?:my|our|this) (?:e-?mail )?(?:address|addresses|name|details|data|contact|e-?mail)(?: address)?)"
#define ENGLISH_LIST                                                                                                                 \
    "(?: (?:from|off|of|out of) (?:(?:your|the|this|these|all|any|that|future|further|e-?mail|mail|mailing|contact|marketing|sales|distribution|spam) ){1,4}" \
    "(?:lists?|mailings?|newsletters?|data ?base|e-?mails?|mails?|system|records|contacts|crm|messages|communications?|subscriptions?|campaigns?|sequence))"
#define ENGLISH_AGAIN "(?: (?:again|any ?more|any longer|ever again|in (?:the )?future|from now on|at all))?"
#define ENGLISH_MAILS "(?:e-?mails?|mails?|messages?|newsletters?|mailings?|spam|communications?)"

static const char *const english[] = {
    "stop(?: it| this| that| these(?: " ENGLISH_MAILS ")?| spam| now)?(?: please)?",
    "(?:(?:i|we) (?:want|would like|wish|need) to |(?:i|we)'d like to )?unsubscribe(?: " ENGLISH_ME ")?" ENGLISH_LIST "?",
    "(?:(?:i|we) (?:want|would like|wish) to |(?:i|we)'d like to )?(?:be )?(?:removed|unsubscribed|taken off|opt(?: " ENGLISH_ME ")?[ -]?out)" ENGLISH_LIST "?",
    "(?:remove|delete|erase|drop|strike|scrub) " ENGLISH_ME "(?: (?:please|immediately|now|permanently))?" ENGLISH_LIST "?",
    "take " ENGLISH_ME " (?:off|out)(?: of)?(?: (?:of )?(?:your|the|this|all|that|these) ?(?:[\\w-]{1,15} ){0,2}(?:lists?|mailings?|newsletters?|database|e-?mails?))?",
    "no more (?:of (?:these|this|your) ?)?" ENGLISH_MAILS "?(?: (?:to me|to us|from you))?",
    "(?=.*\\b(?:receiv(?:e|ing)|get(?:ting)?|hear|contacted|mailed|" ENGLISH_MAILS ")\\b)(?:i |we )?(?:do not|don't|dont|no longer|never|did not|didn't) (?:want|wish|need|like|agree|consent|ask)(?: to)? ?(?:receive|receiving|get|getting|hear|be contacted|be mailed|be e-?mailed|see)?"
    "(?: (?:any|more|further|these|such|your|from|of|future|this|by))*(?: " ENGLISH_MAILS ")?(?: (?:from|by) (?:you|your company|this list|this sender))?(?: you)?" ENGLISH_AGAIN,
    "(?:do not|don't|dont|never|no longer|stop|quit|cease)(?: to)? (?:e-?mail|contact|write|mail|message|bother|spam|disturb)(?:ing)?(?: to)? (?:me|us|this address)" ENGLISH_AGAIN,
    "(?:stop|quit|cease|do not|don't|dont) send(?:ing)? (?:(?:me|us|these|any|more|your|such|this|further) ){0,4}(?:" ENGLISH_MAILS "|this|these|stuff|anything)" ENGLISH_AGAIN "(?: to (?:me|us|this address))?",
    "leave (?:me|us) alone",
};

#define SCANDINAVIAN_MAILS                                                                                                           \
    "(?:(?:slike|slika|disse|deres|dine|slik|sånne|sådana|era|dessa|fler(?:a)?|flere|fleire|mer|mere) )*(?:e-?post(?:er|ar)?|e-?mails?|mail(?:er|s|en|ar)?|mejl(?:en)?|meldinger|meldingar|meddelelser|meddelanden|beskeder|"   \
    "henvendelser|henvendingar|nyhetsbrev|nyhedsbreve?|reklame?|utskick|spam)(?: (?:fra|från) (?:dere|deg|dykk|er|dig|jer))?"
#define SCANDINAVIAN_LIST                                                                                                            \
    "(?: (?:fra|av|från|ur|af|ut av) (?:(?:e-?post|mail|denne|den|deres|din|dine|listen|listene|lista|er|era|alle|alla|jeres|dette|nyhets|sende|mailing|e-?mail) ?){0,3}"       \
    "-?(?:list(?:e|en|a|ene|er|or|an)|e-?post-?list(?:e|en|a|ene)|mail(?:ing)?-?list(?:e|en|a|an)|sendelist[ea]n?|nyhetsbrev(?:et)?|nyhedsbrev(?:et)?|register(?:et)?|databasen?|system(?:et)?|utskick(?:et|en)?|kartotek(?:et)?)?(?: (?:deres|din|jeres|er))?)"
#define SCANDINAVIAN_ME "(?:meg|oss|mig|os|adressen min|min (?:e-?post|mail)?-?adress[ea]?|(?:denne|den här|denna) adress(?:en)?)"

static const char *const scandinavian[] = {
    "stopp?(?: (?:nå|nu|det her|detta))?",
    "(?:(?:jeg|vi|eg|jag) (?:vil|ønsker|vill|önskar|ønskjer)(?: å| at| att)? )?(?:avmelde?|afmelde?|framelde?|avregistrera?|avregistrere?|avprenumerera|avanmäla?)(?: (?:meg|oss|mig|os))?" SCANDINAVIAN_LIST "?",
    "(?:avmelding|afmelding|framelding|avregistrering|avanmälan)" SCANDINAVIAN_LIST "?",
    "meld(?:e)? (?:meg|oss|mig|os) (?:av|fra|ut)(?:" SCANDINAVIAN_LIST "| (?:denne |den )?(?:e-?post|mail)?-?list[ea]n?| nyhetsbrev(?:et)?)?",
    "avslutt(?: abonnement\\w{0,4})?",
    "(?:(?:kan|kunne|kunde|vil) (?:du|dere|dykk|ni|i) )?(?:fjerne?|slette?|slet|strykn?e?|stryk|ta(?: bort)?|tag|radera) " SCANDINAVIAN_ME "(?: bort)?" SCANDINAVIAN_LIST,
    "(?:slett|slet|radera|fjern) (?:meg|mig|oss|os)",
    "(?:(?:jeg|vi|eg|jag) )?(?:ønsker|vil|vill|ønskjer|önskar)(?: (?:ikke|ikkje|inte|ingen|inga|lenger|lengre|længere|längre|mer|mere))+(?: (?:å|at|att))?(?: (?:motta|modtage|få|ha|have|mottaga|ta emot|høre|bli kontaktet|blive kontaktet))?"
    " " SCANDINAVIAN_MAILS,
    "(?:(?:jeg|vi|eg|jag) )?(?:ønsker|vil|vill)(?: (?:ikke|inte|ikkje))(?: (?:lenger|længere|längre|mer))? (?:å |at |att )?(?:bli |blive )?(?:kontaktet|kontaktes|kontaktad|kontaktas|høre mer fra dere)(?: (?:av|af) (?:dere|jer|er))?(?: (?:igjen|igen|mer))?",
    "(?:ingen|inga|ikke|ikkje|inte) (?:flere|fleire|fler|mere?|send(?:e)? (?:(?:til )?(?:meg|oss|mig|os) )?(?:flere|fleire|mere?)|skriv(?:e)? (?:til (?:meg|oss|mig|os) )?(?:flere|mere?)) ?" SCANDINAVIAN_MAILS,
    "(?:ikke|ikkje|inte) (?:send|skriv|skicka|kontakt|mail|maila)(?:a|e)?(?: til)?(?: (?:meg|oss|mig|os))?(?: (?:mer|mere|flere|fler|igjen|igen)| " SCANDINAVIAN_MAILS ")?",
    "(?:(?:kan|kunne|kunde|vil) (?:du|dere|dykk|ni|i) )?(?:slutte?|stoppe?|sluta|stopp|stoppa)(?: (?:å|at|att|med å|med at|med att))? (?:sende?|skicka|maile?a?|kontakte?a?|skrive?(?: til)?|skriva(?: till)?)(?: (?:til )?(?:meg|oss|mig|os))?(?: " SCANDINAVIAN_MAILS ")?",
};

#define GERMAN_MAILS "(?:(?:weiteren?|solchen?|ihren?|mehr) ){0,2}(?:e-?mails?|mails?|nachrichten|newsletter|werbung|zusendungen|angebote|werbemails?)"
#define GERMAN_LIST "(?: (?:aus|von) (?:(?:ihrem|ihrer|dem|der|diesem|dieser|eurem|eurer|allen|ihren) ){1,2}(?:e-?mail-?|mail-?)?(?:verteilern?|verteilerlisten?|listen?|newsletter|datenbank|system|mailinglisten?))"

static const char *const german_dutch[] = {
    "(?:abmelden|abbestellen|austragen|abmeldung|abbestellung|newsletter (?:abbestellen|abmelden))",
    "(?:melden|tragen|streichen|nehmen|löschen|entfernen) sie (?:mich|uns|meine (?:e-?mail-?)?(?:adresse|daten)|meinen namen|diese adresse)(?: bitte)?" GERMAN_LIST "?(?: (?:aus|ab|heraus|raus))?",
    "(?:meld|trag|streich|nimm|lösch|entfern)(?:e|t)? (?:mich|uns)(?: bitte)?" GERMAN_LIST "?(?: (?:aus|ab|heraus|raus))?",
    "(?:ich|wir) (?:möchten?|wollen|will|wünschen?)(?: bitte| künftig| in zukunft)?(?: von ihnen)?(?: keine " GERMAN_MAILS "(?: mehr| von ihnen){0,2}(?: (?:erhalten|bekommen|haben))?| nicht (?:mehr|länger) (?:von ihnen )?(?:kontaktiert|angeschrieben|angemailt) werden)",
    "keine " GERMAN_MAILS "(?: mehr)?(?: (?:an mich|an uns|von ihnen|schicken|senden))?",
    "(?:nicht|nie) (?:mehr|wieder) (?:anschreiben|kontaktieren|schreiben|mailen)",
    "(?:schreiben|kontaktieren|mailen) sie (?:mir|mich|uns) nicht (?:mehr|wieder)",
    "(?:schicken|senden) sie (?:mir|uns) keine " GERMAN_MAILS "(?: mehr)?",
    "(?:ik (?:wil|wens|zou)|wij willen)?(?: ?(?:me|mij|ons))?(?: graag)? ?(?:uitschrijven|afmelden|uitgeschreven worden)(?: (?:van|uit|voor) (?:deze|de|uw|jullie) (?:mailing)?(?:lijst|nieuwsbrief))?",
    "(?:schrijf|meld) (?:me|mij|ons) (?:uit|af)(?: (?:van|uit|voor) (?:deze|de|uw|jullie) (?:mailing)?(?:lijst|nieuwsbrief))?",
    "(?:verwijder|haal|schrap) (?:me|mij|ons|mijn (?:e-?mail)?-?adres|mijn gegevens|dit adres)(?: (?:van|uit) (?:deze|de|uw|jullie) (?:mailing)?-?(?:lijst|bestand|database|mailinglijst|adressenbestand))?",
    "(?:ik (?:wil|wens) |wij willen )?(?:geen|niet langer) (?:(?:verdere|deze|uw|jullie) )?(?:e-?mails?|mails?|berichten|nieuwsbrieven|mailtjes)(?: (?:meer|van u|van jullie))*(?: (?:ontvangen|krijgen))?",
    "stop (?:met|het) (?:mailen|sturen|versturen|schrijven)(?: van (?:e-?mails?|mails?))?",
};

#define FRENCH_LIST "(?: (?:de|des|du) (?:(?:votre|vos|la|cette|ces|toutes|le|ce) ?){0,2}(?:listes?(?: (?:de diffusion|d'envoi|de contacts?))?|mailings?|base(?: de données)?|newsletters?|fichiers?|envois))"
#define IBERIAN_MAILS "(?:(?:más|mais|sus|os seus|seus|estos|estes|esses|de sus|vossos) )*(?:correos?(?: electrónicos?)?|e-?mails?|mensajes|mensagens|publicidad|publicidade|newsletters?|boletines|comunicaciones|comunicações)"

static const char *const romance[] = {
    "(?:(?:merci de|veuillez|je (?:souhaite|voudrais|veux|désire)|nous souhaitons) )?(?:bien vouloir )?(?:(?:me|nous|m'|se) ?)?(?:désabonne[rz]|désinscri(?:re|vez|s)|desabonne[rz]|desinscri(?:re|vez|s))(?:[ -](?:moi|nous))?" FRENCH_LIST "?",
    "(?:désabonnement|désinscription|desabonnement|desinscription)" FRENCH_LIST "?",
    "(?:(?:merci de|veuillez|pouvez[- ]vous) )(?:bien vouloir )?(?:me|nous) (?:retirer|supprimer|enlever|rayer|effacer|ôter)" FRENCH_LIST "?",
    "(?:retirez|supprimez|enlevez|rayez|effacez|sortez)[- ](?:moi|nous)" FRENCH_LIST "?",
    "(?:je ne|nous ne) (?:souhait(?:e|ons)|veux|voulons|désir(?:e|ons)) (?:plus|pas) (?:recevoir|être contactée?s?|avoir)(?: (?:de|d'|des|vos|ces|ce|cette|votre|par|vous|plus) ?)*(?:e-?mails?|mails?|courriels?|messages?|newsletters?|publicités?|sollicitations?|offres|vous)?(?: de votre part)?",
    "ne (?:m'|me |nous )(?:envoyez|écrivez|contactez) plus(?: (?:de |d')?(?:e-?mails?|mails?|courriels?|messages?|rien))?",
    "(?:arrêtez|cessez) de (?:m'|me |nous )(?:envoyer|écrire|contacter)(?: (?:des|vos|ces|de) (?:e-?mails?|mails?|courriels?|messages?))?",
    "plus (?:de |d')(?:e-?mails?|mails?|courriels?|messages?)",
    "(?:(?:quiero|deseo|quisiera|solicito|quería|quero) )?(?:darme|darnos|darse|dar|d[ée]n?me|d[ée]n?nos)? ?(?:de )?baja(?: (?:de|en) (?:su|la|esta|vuestra) (?:lista|newsletter|base de datos)(?: de (?:correo|distribución|envíos))?)?",
    "(?:elim[ií]n[ea]n?|b[óo]rr[ea]n?|qu[íi]t[ea]n?|s[áa]qu[ea]n?|ret[íi]r[ea]n?)(?:me|nos|r me)(?: (?:de|del) (?:su|la|esta|vuestra|sus) (?:lista|base|bases|newsletter)s?(?: de (?:correo|datos|distribución|envíos|contactos))?)?",
    "no (?:quiero|deseo|queremos) (?:recibir|que me (?:envíen|escriban|contacten))(?: " IBERIAN_MAILS ")?(?: (?:suyos|de ustedes))?",
    "no me (?:env[íi]en?|escriban?|contacten?|manden?)(?: más)?(?: " IBERIAN_MAILS ")?",
    "no más " IBERIAN_MAILS,
    "(?:cancelar|anular)(?: (?:a )?(?:minha )?(?:inscri[çc][ãa]o|subscri[çc][ãa]o|assinatura|suscripci[óo]n)| (?:la|mi) (?:suscripci[óo]n|inscripci[óo]n))?",
    "(?:remov[ae]m?|retirem?|exclu[ia]a?m?|apaguem?|tirem?|eliminem?)[- ](?:me|nos|o meu (?:e-?mail|endereço|contacto))(?: (?:da|de|do|das|dos)(?: (?:sua|vossa|esta|vossas|suas|sua))? ?(?:lista|listas|base|newsletter|mailing)(?: de (?:e-?mails?|dados|contactos|contatos|distribuição|envio))?)?",
    "(?:descadastrar|descadastrem?|descadastre-me|desinscrever|desinscreva-me)",
    "não (?:quero|desejo|pretendo|queremos)(?: mais)? (?:receber|ser contactad[oa]|ser contatad[oa])(?: (?:mais|nada))?(?: " IBERIAN_MAILS ")?(?: (?:vossos|vosso|seus|de vocês))?",
    "não (?:me )?(?:envie|enviem|mande|mandem|escreva|escrevam|contacte|contactem)(?: mais)?(?: " IBERIAN_MAILS ")?",
    "(?:cancell(?:ami|atemi|armi|arci|ateci)|rimuov(?:imi|etemi|ermi)|elimin(?:ami|atemi|armi)|tog(?:limi|lietemi|liermi)|(?:cancella|rimuov|elimin)(?:a|i|ate|ete|are|ere) (?:il mio indirizzo|la mia e-?mail|i miei dati))"
    "(?: (?:da|dal|dalla|dalle|dai)(?: (?:vostra|tua|sua|questa|vostre|vostro))? ?(?:lista|liste|mailing ?list|newsletter|database|elenco))?",
    "(?:disiscriv(?:imi|etemi|ere|ermi|iti)|disiscrizione|disiscrivi|annulla(?:re)? (?:l'?)?iscrizione)(?: (?:da|dal|dalla)(?: (?:vostra|questa))? ?(?:lista|newsletter|mailing ?list))?",
    "non (?:voglio|desidero|intendo|vogliamo)(?: più)? (?:ricevere|essere contattat[oaie])(?: più)?(?: (?:le|altre|queste|vostre|delle|alcuna|vostra))*(?: (?:e-?mail|mail|messaggi|comunicazioni|newsletter|pubblicità))?(?: da voi)?",
    "non (?:scrivetemi|mandatemi|contattatemi|inviatemi|scrivermi|mandarmi|contattarmi|inviarmi)(?: più)?(?: (?:e-?mail|mail|messaggi))?",
    "basta(?: (?:e-?mail|mail|messaggi|spam))?",
};

#define POLISH_LIST "(?: (?:z|ze) (?:(?:waszej|tej|państwa|listy|bazy|swojej|wszystkich) ){0,2}(?:listy|list|bazy(?: danych)?|newslettera|subskrypcji|mailingowej|mailingu|bazy)(?: (?:mailingowej|adresowej|danych|wysyłkowej|dystrybucyjnej))?)"

static const char *const polish[] = {
    "(?:mnie )?(?:o )?(?:wypisz(?:cie)?|wypisać|wypisanie)(?: (?:mnie|nas))?" POLISH_LIST "?",
    "(?:mnie )?(?:o )?(?:usuńcie|usuń|usunąć|usunięcie|skreślić|skreślenie|wykreślić)(?: (?:mnie|nas|mój adres|mojego adresu|moje dane|moich danych))" POLISH_LIST "?",
    "(?:rezygnuję|rezygnacja)(?: z (?:subskrypcji|newslettera|otrzymywania (?:wiadomości|maili|e-?maili)))?",
    "nie (?:chcę|chcemy|życzę sobie|życzymy sobie)(?: już)?(?: (?:otrzymywać|dostawać|otrzymywania))(?: (?:więcej|już|od|państwa|was|takich|tych|waszych|kolejnych))*(?: (?:wiadomości|maili|e-?maili|mailingu|ofert|newslettera|reklam))?(?: od (?:was|państwa))?",
    "nie (?:wysyłać|wysyłajcie|pisać|piszcie|kontaktować się|przysyłać|przysyłajcie)(?: (?:do mnie|mi|więcej|już|ze mną))*(?: (?:wiadomości|maili|e-?maili|ofert))?",
};

/* ---- around it --------------------------------------------------------------------------------------------------------- */

#define COURTESY                                                                                                                     \
    "(?:please|pls|kindly|just|vennligst|venligst|v[æa]r s[åa] snill?|vær så vennlig|gjerne|takk|tack|tak|snälla|bitte|danke|graag|alstublieft|aub|a\\.u\\.b\\.?|alsjeblieft|s'il (?:vous|te) pla[îi]t|svp|stp|merci|por favor|" \
    "gracias|obrigad[oa]|per favore|per cortesia|grazie|prosz[ęe]|dziękuję|thanks?(?: you)?(?: (?:in advance|very much))?|thx|på forhånd takk|"   \
    "could you|can you|would you|will you|i ask you to|kan du|kan dere|können sie|könnten sie|kunt u)"

#define REFUSAL                                                                                                                      \
    "(?:no|nei|nej|nein|nee|non|nie|não)|(?:i am|we are|i'm|we're|jeg er|vi er|jag är|ich bin|ik ben|je suis|nous ne sommes)? ?(?:not|ikke|inte|nicht|niet|pas) (?:interested|interessert|interesseret|intresserad|interessiert|" \
    "geïnteresseerd|intéressée?s?)(?: (?:in|av|i|an|in) .{1,30})?|(?:kein|geen) interesse|no (?:me |nos )?interesa|non (?:sono|siamo) interessat[oi]|nie jestem zainteresowan[ya]|não (?:estou|tenho) interess(?:ad[oa]|e)|"    \
    "no thank(?:s| you)|nei takk|nej tack|nej tak|nein danke|nee bedankt|non merci|no gracias|no grazie|nie dziękuję|não obrigad[oa]"

#define GREETING                                                                                                                     \
    "(?:hi|hello|hey|dear|good (?:morning|day|afternoon)|hei|heisann|hallo|hej|kjære|kära|kære|guten (?:tag|morgen)|sehr geehrte[rs]?|beste|geachte|bonjour|madame|monsieur|hola|buenos d[íi]as|estimad[oa]s?|buongiorno|salve|"      \
    "ciao|gentile|egregi|dzień dobry|witam|cześć|szanown[iya]|olá|bom dia|boa tarde|prezad[oa]s?|caro|cara)\\b.{0,40}"
#define CLOSING                                                                                                                      \
    "(?:(?:with |my )?(?:best|kind|warm)?(?: ?(?:kind|best))? ?(?:regards|wishes)|best|cheers|(?:med )?(?:vennlig |beste |venlig |bästa |vänlig )?(?:hilsen|hälsning(?:ar)?)|mvh|vh|"          \
    "(?:mit )?(?:freundlichen |besten |viele |beste )?gr(?:ü|u)(?:ß|ss)en?|mfg|vg|lg|(?:met )?(?:vriendelijke )?groet(?:en)?|mvg|cordialement|salutations|saludos|un saludo|atentamente|(?:cordiali |distinti )?saluti|"         \
    "pozdrawiam|z poważaniem|cumprimentos|atenciosamente)\\b.{0,40}"

typedef struct {
    GRegex *wish, *aside, *name;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("stop_words: %s", error->message);
    return regex;
}

static void add_group(GString *all, const char *const *wishes, gsize n)
{
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(all, "%s%s", all->len > 0 ? "|" : "", wishes[i]);
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        g_autoptr(GString) all = g_string_new(NULL);
        add_group(all, english, G_N_ELEMENTS(english));
        add_group(all, scandinavian, G_N_ELEMENTS(scandinavian));
        add_group(all, german_dutch, G_N_ELEMENTS(german_dutch));
        add_group(all, romance, G_N_ELEMENTS(romance));
        add_group(all, polish, G_N_ELEMENTS(polish));
        g_autofree char *wish = g_strdup_printf("^(?:%s )?(?:" COURTESY " ){0,3}(?:%s)(?: " COURTESY "){0,2}(?: (?:immediately|asap|now|sofort|umgehend|omgående|straks|immédiatement))?$",
                                                "(?:hi|hello|hei|hej|hallo|bonjour|hola|ciao|olá)", all->str);
        compiled.wish = compile(wish);
        compiled.aside = compile("^(?:(?:" COURTESY " ?){1,3}|" REFUSAL "|" GREETING "|" CLOSING ")$");
        compiled.name = compile("^(?-i:\\p{Lu}[\\p{L}.'-]{0,20}(?:\\s\\p{Lu}[\\p{L}.'-]{0,20}){0,3})$");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *clause)
{
    return g_regex_match(regex, clause, 0, NULL);
}

/* Whether a clause ends at this character: at marks that end one, but neither within a word or number nor before a suffix. */
static gboolean ends_clause(const char *c)
{
    if (strchr("\n!?;:,", *c) != NULL)
        return TRUE;
    return *c == '.' && (c[1] == '\0' || g_ascii_isspace(c[1]) || c[1] == '.' || c[1] == '!');
}

/* The clauses of the text, each with single spaces, plain apostrophes and no quotes around it; NULL: too many. */
static GPtrArray *clauses_of(const char *text)
{
    g_autoptr(GPtrArray) clauses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) clause = g_string_new(NULL);
    for (const char *p = text;; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (*p != '\0' && !ends_clause(p)) {
            gboolean space = g_unichar_isspace(c);
            if (c == 0x2019 || c == 0x60 || c == 0xb4)
                c = '\'';
            if (strchr("\"*_", (int)(c < 0x80 ? c : 'x')) == NULL && (!space || (clause->len > 0 && clause->str[clause->len - 1] != ' ')))
                g_string_append_unichar(clause, space ? ' ' : c);
            continue;
        }
        g_autofree char *done = g_strstrip(g_strdup(clause->str));
        g_string_truncate(clause, 0);
        if (*done != '\0')
            g_ptr_array_add(clauses, g_steal_pointer(&done));
        if (clauses->len > MAX_CLAUSES)
            return NULL;
        if (*p == '\0')
            return g_steal_pointer(&clauses);
    }
}

gboolean stop_words_ask(const char *text)
{
    if (strnlen(text, MAX_CHARS * 4 + 1) > MAX_CHARS * 4 || g_utf8_strlen(text, -1) > MAX_CHARS)
        return FALSE;
    g_autoptr(GPtrArray) clauses = clauses_of(text);
    gboolean asked = FALSE;
    for (guint i = 0; clauses != NULL && i < clauses->len; i++) {
        const char *clause = clauses->pdata[i];
        if (matches(patterns()->wish, clause))
            asked = TRUE;
        else if (!matches(patterns()->aside, clause) && !(asked && matches(patterns()->name, clause)))
            return FALSE;
    }
    return asked;
}
