/*
 * Farewells. A phrase tells which kind it is; an address counts that stands near it and is nobody's who is known; the name stands
 * before the address, or behind words such as "contact".
 *
 *   new address   a phrase such as "my new address is", or a mail system's "551 … please try", and an address right behind it
 *   successor     a phrase such as "no longer works here", and another address
 *   left          such a phrase alone
 *
 * Pure; any thread.
 */
#include "mail/departure.h"

#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/word_gate.h"

enum {
    NEW_ADDRESS_WITHIN = 160, /* octets between the phrase and the address */
    SUCCESSOR_BEFORE = 400,   /* octets before the phrase in which a successor may be named */
    MAX_ADDRESSES = 20
};

#define NEITHER_OF_THINGS                                                                                                   \
    "(?!\\s{1,3}(?:you|an?|it|some|for|on|early|out|behind|off|over|your|my|this|that|those|these|him|her|them|to|at|in|no)\\b)"  \
    "(?!\\s{1,3}the (?!company|organi[sz]ation|firm|business|team|group|agency|university|school|bank))"

#define LEFT                                                                                                                \
    "(?<!we )no longer (?:with|at|(?:an? )?employe[de]\\p{L}{0,2}|part of|in the employ|(?:be )?working (?:at|for|here|with)|" \
    "works? (?:at|for|here|with)|(?:be )?available at this address)|"                                                      \
    "(?:has|have|\\p{L}{1,12}['’](?:ve|s)) (?:now |recently |since |already |sadly ){0,2}left\\b" NEITHER_OF_THINGS "|"                      \
    "leaving (?:the company|the organi[sz]ation|the firm|us)\\b|ceased (?:working|to work)|"           \
    "(?:does not|doesn't|do not|don't) work (?:here|at|for) .{0,40}?(?:any ?more|any longer)|"                             \
    "(?:my|his|her|their) last (?:working )?day (?:at|with|was|is)|has retired\\b|have retired\\b|retired from "            \
    "|har (?:nå |nylig |dessverre )?sluttet\\b(?! (?:å|at)\\b)|(?:jobber|arbeider) (?:ikke lenger|ikke lengre|ikke her lenger)|"  \
    "ikke (?:lenger|lengre) (?:ansatt|i (?:selskapet|firmaet)|tilgjengelig på denne)|siste arbeidsdag|gått av med pensjon|" \
    "har (?:nu )?slutat\\b(?! att\\b)|(?:jobbar|arbetar) inte (?:längre|kvar)|inte längre (?:anställd|kvar)|sista arbetsdag|" \
    "(?:er|har) (?:nu )?(?:stoppet|fratrådt|opsagt)\\b|(?:arbejder|er) ikke længere (?:hos|i|ansat|her|på)|sidste arbejdsdag|" \
    "nicht (?:mehr|länger) (?:(?:im|in unserem|für unser|bei|für|in der|in diesem) |(?:\\S{1,20} ){0,3}(?:tätig|beschäftigt|angestellt))|" \
    "arbeite(?:t)? (?:\\S{1,20} ){0,2}nicht mehr|ausgeschieden|(?:hat|habe|haben) (?:\\S{1,25} ){0,4}(?:unternehmen|firma|haus) verlassen|" \
    "niet (?:langer|meer) (?:werkzaam|in dienst|bij)|werk(?:t|zaam)? (?:\\S{1,20} ){0,2}niet (?:meer|langer)|uit dienst|laatste werkdag|" \
    "(?:heeft|heb) (?:\\S{1,25} ){0,4}(?:bedrijf|organisatie) verlaten|"                                                   \
    "ne (?:travaille|fai[st]) plus|(?:n'est|ne suis|n’est) plus (?:\\S{1,15} ){0,2}(?:chez|au sein|dans|en poste|salarié|employé|collaborat)|" \
    "(?:a|ai) (?:\\S{1,12} )?quitté (?:la|l'|l’|notre|le|ses|mes|son|mon)|ya no (?:trabaj[ao]|labor[ao]|form[ao] parte|est(?:á|oy) en)|"       \
    "(?:ha|he) dejado (?:la empresa|la compañía|de trabajar|nuestra)|"                                                     \
    "non (?:lavor[ao]|fa(?:ccio)?|è|sono|collabor[ao]) più (?:\\S{1,15} ){0,2}(?:in|per|con|presso|parte|qui|nell|a|da|alle dipendenze|dipendente)|" \
    "(?:ha|ho) lasciato (?:l'azienda|l’azienda|la società|la nostra)|"                                                     \
    "(?:już )?nie pracuj[ęe](?: już)?|nie jest(?:em)? już (?:pracowni|zatrudnion|częścią)|zakończył(?:a|am|em)? (?:pracę|współpracę)|" \
    "(?:odsz(?:edł|edłem|edła|łam)|odeszł(?:a|am)) z|"                                                                     \
    "(?:já )?não (?:trabalh[ao]|colabor[ao]|faz(?:e[mr])?|faço) (?:mais|parte d[ea]sta)|já não (?:trabalh[ao]|faz|faço|est(?:á|ou))|"          \
    "(?:deixou|deixei|saiu d|saí d)(?: de)? ?(?:a empresa|a companhia|esta empresa|trabalhar|a organização)"

/* None of these phrases is without one of these words. */
#define LEFT_WORDS                                                                                                          \
    "longer left leaving ceased any last retired sluttet lenger lengre siste gått slutat längre kvar sista stoppet fratrådt opsagt længere sidste "  \
    "mehr länger ausgeschieden verlassen langer meer dienst laatste verlaten plus quitt ya_ dejado più lasciato nie_ zako odsz odesz não deix sai saí"

#define NEW_ADDRESS                                                                                                         \
    "new (?:e-?mail(?: address)?|address|contact (?:e-?mail|address))|e-?mail(?: address)? (?:has |is )?(?:changed|been changed|changing|moved)|"  \
    "(?:has|have) (?:changed|moved) (?:my |his |her |their )?(?:e-?mail|address|to a new)|address has changed|"           \
    "(?:can |may )?(?:now|henceforth|from now on) (?:be )?(?:reach\\p{L}{0,2}|contact\\p{L}{0,2}) (?:me )?(?:at|on|by)|reach me (?:now )?at|" \
    "update your (?:records|address book|contacts)|"                                                                        \
    "(?:ny|nye|nytt) (?:e-?post|mail|epost|mejl|e-?mail)\\p{L}{0,10}|ny adress\\p{L}{0,2}|(?:byttet|skiftet|endret|bytt|ändrat|ændret) (?:til ny |till ny |min )?(?:e-?post|mail|mejl|epost|e-?mail|adress)\\p{L}{0,10}|" \
    "neue[nr]? (?:e-?mail|mail)[- ]?(?:adresse)?|neue adresse|(?:e-?mail|mail)-?adresse (?:hat sich geändert|lautet|ist jetzt)|"              \
    "nieuwe? (?:e-?mail|mail|adres)\\p{L}{0,6}(?:[- ]?adres)?|"                                                           \
    "nouvelle adresse|nouvel(?:le)? (?:e-?mail|mail|courriel)|chang(?:é|ement) d['’]adresse|adresse (?:e-?mail )?a changé|"  \
    "nuev[ao] (?:direcci[óo]n|correo|e-?mail|mail)|"                                                                        \
    "nuov[ao] (?:indirizzo|e-?mail|mail|casella)|"                                                                          \
    "now(?:y|ego|ym) (?:adres\\p{L}{0,3}|e-?mail|mail)|zmian[aęy] adresu|"                                                \
    "nov[oa] (?:endere[çc]o|e-?mail|mail|correio|morada)|"                                                                  \
    "\\b551\\b.{0,80}|user (?:not local|has moved)[;,]?|recipient has moved"

#define CONTACT                                                                                                             \
    "(?:(?:please |pls )?(?:contact|ask|write to|reach out to|get in touch with|turn to|e-?mail|forward (?:this|your \\p{L}{1,12}) to|(?:direct|address|send) (?:\\p{L}{1,12} ){0,4}to|replaced by|taken over by)|"  \
    "(?:vennligst )?(?:ta )?kontakt(?:e|a|en|ér)?|spør|send (?:til|mail til)|henvend deg til|spørg|fråga|vänd dig till|skriv til(?:l)?|" \
    "(?:wenden sie sich (?:bitte )?an|kontaktieren sie(?: bitte)?|wende dich (?:bitte )?an|ansprechpartner(?:in)? ist|fragen sie)|" \
    "(?:neem|neemt u) (?:\\S{1,12} ){0,2}contact op met|(?:u kunt|gelieve) (?:\\S{1,12} ){0,3}(?:wenden tot|contacteren)|vraag|" \
    "(?:veuillez )?(?:contacter|contactez|adresse[rz](?: vous)?(?: à)?|vous adresser à|écrire à)|"                        \
    "(?:póngase en contacto con|contacte (?:con|a)?|contactar (?:con|a)?|diríjase a|escriba a|pregunte a)|"               \
    "(?:contattare|contatti|si rivolga a|rivolgersi a|scrivere a|chiedere a)|"                                              \
    "(?:(?:proszę )?(?:o )?kontakt(?:owa(?:ć|c))?(?: się)?(?: z)?|proszę pisać do|zapytaj)|"                                 \
    "(?:contact[ae]r?(?: com)?|entr(?:e|ar) em contacto? com|fal(?:e|ar) com|escrev(?:a|er) (?:a|para)|pergunte a))"

/* What may stand between such words and a name. */
#define COLLEAGUE                                                                                                           \
    "(?:\\s{1,3}(?:with|my|our|his|her|the|instead|til|med|min|mitt|vår|kollega|kollegaen|kollegan|meine[nrm]?|unsere[nrm]?|herrn?|frau|mijn|onze|collega|mon|ma|notre|" \
    "collègue|mi|nuestr[ao]|compañer[ao]|a|al|mio|mia|nostr[oa]|colleg[ao]|moj\\p{L}{1,3}|z|nasz\\p{L}{0,3}|o|meu|minha|nosso|nossa|colega|" \
    "(?:new |former )?colleague|kolleg\\p{L}{0,3}|koleg\\p{L}{1,3}|successor|replacement|etterfølger\\p{L}{0,2}|nachfolger\\p{L}{0,2}|mr\\.?|mrs\\.?|ms\\.?)\\b[,:]?){0,4}"

#define NAME_WORD "\\p{Lu}(?:[\\p{L}'’-]{1,30}|\\.)"
#define NAME "(?-i:" NAME_WORD "(?:[ ](?:(?:van|von|de|der|den|af|da|di|dos|la|le|ten|ter)[ ]){0,2}" NAME_WORD "){0,3})"

typedef struct {
    WordGate *left_words;
    GRegex *left, *new_address, *address, *name_before, *name_behind;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("departure: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.left_words = word_gate_new(LEFT_WORDS);
        compiled.left = compile("(?<!\\p{L})(?:" LEFT ")");
        compiled.new_address = compile("(?<!\\p{L})(?:" NEW_ADDRESS ")(?!\\p{L})");
        compiled.address = compile("[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,200}\\.[A-Za-z]{2,24}(?![A-Za-z0-9@])");
        compiled.name_before = compile("(" NAME ")(?:[ ]?[,:(<\\[]|[ ](?:at|på|unter|via|op|en|em|pod|przez|ved|i|on|by|per|mailto:|\\()|[ ]?-|\\s){1,4}"
                                       "(?:e-?mail|mail|adresse?n?|e-?post|the address|mailto)?[ :(<\\[]{0,4}$");
        compiled.name_behind = compile("(?<!\\p{L})" CONTACT COLLEAGUE "[,:]?\\s{1,3}(" NAME ")");
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* ---- addresses ------------------------------------------------------------------------------------------------------- */

typedef struct {
    int at, end;
    char *address; /* canonical */
} Found;

static void found_clear(gpointer data)
{
    g_free(((Found *)data)->address);
}

static gboolean is_known(const char *address, const char *const *others)
{
    for (; *others != NULL; others++)
        if (g_str_equal(*others, address))
            return TRUE;
    return FALSE;
}

/* Those of the note that are nobody's who is known, in their order. */
static GArray *find_addresses(const char *note, const char *const *others)
{
    GArray *all = g_array_new(FALSE, TRUE, sizeof(Found));
    g_autoptr(GMatchInfo) match = NULL;
    g_array_set_clear_func(all, found_clear);
    if (strchr(note, '@') == NULL)
        return all;
    g_regex_match(patterns()->address, note, 0, &match);
    for (int i = 0; i < MAX_ADDRESSES && g_match_info_matches(match); i++, g_match_info_next(match, NULL)) {
        Found found = {0};
        g_autofree char *raw = g_match_info_fetch(match, 0);
        found.address = address_canonical(raw, NULL);
        if (found.address != NULL && !is_known(found.address, others) && g_match_info_fetch_pos(match, 0, &found.at, &found.end))
            g_array_append_val(all, found);
        else
            g_free(found.address);
    }
    return all;
}

static const Found *first_between(const GArray *all, int from, int until)
{
    for (guint i = 0; i < all->len; i++) {
        const Found *found = &g_array_index(all, Found, i);
        if (found->at >= from && found->at <= until)
            return found;
    }
    return NULL;
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

/* Of the sentence around the place, one line. Caller frees. */
static char *sentence_at(const char *note, int from, int until)
{
    const char *start = note + from, *end = note + until;
    while (start > note && start[-1] != '\n' && !(strchr(".!?", start[-1]) && (start[0] == ' ')))
        start--;
    while (*end != '\0' && *end != '\n' && !(strchr(".!?", *end) && (end[1] == ' ' || end[1] == '\n' || end[1] == '\0')))
        end++;
    g_autofree char *raw = g_strndup(start, (gsize)(end - start));
    g_autofree char *valid = text_make_valid(raw, -1);
    g_autofree char *line = text_one_line(valid);
    return text_escape(line, DEPARTURE_MAX_EVIDENCE - 8);
}

/* The name that the regex's first group has in what is looked at; "" for none. Caller frees. */
static char *name_in(const GRegex *regex, const char *text)
{
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(regex, text, 0, &match))
        return g_strdup("");
    g_autofree char *name = g_match_info_fetch(match, 1);
    return text_escape(name, DEPARTURE_MAX_NAME - 8);
}

/* Whose address it is: the name behind "contact" and the like, else the one right before it in its line. */
static char *name_of(const char *note, const Found *found, int phrase_at)
{
    g_autofree char *head = g_strndup(note, (gsize)found->at);
    const char *line = strrchr(head, '\n');
    char *name = phrase_at < found->at ? name_in(patterns()->name_behind, head + phrase_at) : g_strdup("");
    if (*name != '\0')
        return name;
    g_free(name);
    return name_in(patterns()->name_before, line != NULL ? line + 1 : head);
}

/* ---- kinds ----------------------------------------------------------------------------------------------------------- */

static gboolean find_new_address(const char *note, const GArray *addresses, Departure *departure)
{
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0, end = 0;
    if (addresses->len == 0)
        return FALSE;
    g_regex_match(patterns()->new_address, note, 0, &match);
    for (int i = 0; i < MAX_ADDRESSES && g_match_info_matches(match); i++, g_match_info_next(match, NULL)) {
        g_match_info_fetch_pos(match, 0, &at, &end);
        const Found *found = first_between(addresses, at, end + NEW_ADDRESS_WITHIN);
        if (found == NULL)
            continue;
        departure->kind = DEPARTURE_NEW_ADDRESS;
        departure->address = g_strdup(found->address);
        departure->name = g_strdup("");
        departure->evidence = sentence_at(note, at, found->end);
        return TRUE;
    }
    return FALSE;
}

static gboolean find_left(const char *note, const GArray *addresses, Departure *departure)
{
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0, end = 0;
    if (!word_gate_is_open(patterns()->left_words, note))
        return FALSE;
    if (!g_regex_match(patterns()->left, note, 0, &match) || !g_match_info_fetch_pos(match, 0, &at, &end))
        return FALSE;
    const Found *found = first_between(addresses, at, DEPARTURE_LOOKED_AT);
    if (found == NULL)
        found = first_between(addresses, MAX(at - SUCCESSOR_BEFORE, 0), at);
    departure->kind = found != NULL ? DEPARTURE_SUCCESSOR : DEPARTURE_LEFT;
    departure->address = g_strdup(found != NULL ? found->address : "");
    departure->name = found != NULL ? name_of(note, found, at) : name_in(patterns()->name_behind, note + at);
    departure->evidence = sentence_at(note, at, end);
    return TRUE;
}

Departure departure_find(const char *text, const char *const *others)
{
    Departure departure = {.kind = DEPARTURE_NONE};
    g_autofree char *cut = strnlen(text, DEPARTURE_LOOKED_AT + 1) > DEPARTURE_LOOKED_AT ? g_utf8_make_valid(text, DEPARTURE_LOOKED_AT) : NULL;
    const char *note = cut != NULL ? cut : text;
    g_autoptr(GArray) addresses = find_addresses(note, others);
    if (!find_new_address(note, addresses, &departure) && !find_left(note, addresses, &departure)) {
        departure.address = g_strdup("");
        departure.name = g_strdup("");
        departure.evidence = g_strdup("");
    }
    return departure;
}
