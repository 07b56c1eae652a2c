/*
 * The words by which people recommend, introduce, warn of, or decline to name others, in English and Norwegian (bokmål, nynorsk and what
 * is often written of the dialects). Pure; any thread.
 */
#include "introduced_cue.h"

#include <string.h>

enum { SENTENCE_LOOKED_AT = 1000, ANSWER_LOOKED_AT = 4000, BEFORE_LOOKED_AT = 60 };

#define RECOMMENDS                                                                                                          \
    "\\b(?:ask|have a (?:word|chat)|a (?:word|bell|shout) (?:with|to)|prat med|ta en prat|slå på tråden|talk(?:ing)? (?:to|with)|talked (?:to|with|about)|sp[eo]a?k(?:en)? (?:to|with)|chat (?:to|with)|contact(?:ed)?|try|call|ring|reach|get in touch|get hold of|" \
    "write (?:to )?(?:him|her|them|\\p{Lu})|drop \\S+ a (?:line|mail|note)|how about|what about|(?:would |may |might )?suggest\\w*|recommend\\w*|refer|introduc\\w+|may i present|meet|" \
    "put \\S+ .{0,40}(?:on (?:your|the) list|in touch)|comes? to mind|interested|interest in|would (?:love|like|need|want|be (?:a|worth|keen|good|perfect|happy))|could (?:use|do with|need)|needs?|needed|looking for|in the market|" \
    "ask(?:ed|s|ing) (?:me|us|about|for|who|if|what)|mention(?:ed|ing)?|say hi|tell (?:him|her|them)|worth a|good (?:fit|candidate|lead|person)|right person|friends?|neighbou?r|brother|sister|cousin|uncle|aunt|" \
    "acquaintance|former|old colleague|in-law|mate|pal|buddy|your (?:man|woman|guy)|might (?:need|want|like|have|be)|may (?:need|want|be)|expecting|complain\\w*|as promised|here you go|here(?:'s| is| are)|"          \
    "fed up|tired of|hates|unhappy (?:with|about)|could be|should (?:ask|talk|speak|call|try|contact|meet|reach)|happy to (?:talk|hear)|expects? (?:your|a) call|struggl\\w+|people i (?:know|think)|they know you|knows? you|"                                     \
    "spør|spørre|spørr|snakk(?:e|et|a)?|snakk(?:e)? med|prat(?:e|a)?|prøv(?:e)?|kontakt(?:e|es|a)?|ring(?:e)?|hør(?:e)? med|skriv(?:e)? til (?:henne|ham|han|dem)|(?:hva|ka|kva) med|foreslår?|anbefal\\w*|"       \
    "tilrå(?:r)?|møt(?:e)?|hils(?:e)?|presentere?|introdusere?|sett .{1,60} på (?:lista|listen)|kommer på|kom på|kjem på|aktuell\\w*|interessert|interesse for|trenger|treng|trengte|ser etter|leter etter|på jakt|lurt(?:e)? på|"     \
    "spurt(?:e)?|spør (?:meg|om)|nevn(?:e|te|er|t)?|si at|verdt (?:en|et)|venn(?:en|er|inn[ae]|ene)?|vener|kompis(?:en)?|kamerat(?:en)?|nabo(?:en)?|bror(?:en)?|søster(?:en)?|svoger(?:en)?|svigerinn\\w+|svig\\w+|fetter(?:en)?|"       \
    "kusin[ea]|onkel|tante|bekjent\\w*|tidligere kolleg\\w*|kunne (?:nok|vært|trenge|være|tenke|ha)|kan (?:jo|nok|være|kanskje)|vil gjerne|vil høre|når (?:henne|ham|han|dem|ho|ho på)|her er|som lovet|som lova|er mannen|er dama|"    \
    "har bruk for|bruk for|pusser opp|klager|sliter|kjenner|kjenn til|passer bra|midt i blinken|tips(?:e)? om|burde (?:snakke|spørre|ringe|kontakte|prate)|bør (?:snakke|spørre|ringe|kontakte|prate)|treffes på)\\b"

#define INTRODUCES                                                                                                          \
    "\\b(?:meet|introduc\\w+|cop(?:ied|ying|y)(?: in)?|cc'?(?:d|ed|ing)?|loop(?:ing|ed)?(?: \\S+){0,2} in|looping|adding|added|this is|in copy|on copy|in touch|connect(?:ing)? you|over to you|" \
    "møt|hils på|dette er|det er her|presenter\\w*|introduser\\w*|kopi(?:er|erer|ert)?|legger (?:til|med)|la til|lagt til|i kontakt|over til dere|på cc|på tråden)\\b"

#define MEETS                                                                                                               \
    "\\b(?:meet|introduc\\w+|this is|connect(?:ing)? you|in touch|møt|hils på|dette er|presenter\\w*|introduser\\w*|i kontakt)\\b"

#define FORBIDS                                                                                                             \
    "\\b(?:do(?:n't| not)|never|please not|rather not|not to) (?:\\w+ ){0,2}(?:contact|write|call|ring|e-?mail|use|bother|reach|approach)\\b|\\bleave (?:\\S+ ){0,2}(?:out|alone)\\b|"    \
    "\\b(?:has|have|he's|she's|is) (?:left|no longer|not (?:with|here|interested))\\b|\\bno longer (?:works?|with|at)\\b|\\b(?:retired|passed away|died)\\b|\\bnot interested\\b|"       \
    "\\b(?:ikke|ikkje|itj|aldri) (?:\\w+ ){0,1}(?:kontakt|bruk|skriv|ring|send|mas|spør|plag)\\w*\\b|\\b(?:har|er) slutta?e?t?\\b|\\bhar sluttet\\b|\\bjobber (?:ikke|ikkje)\\b|\\b(?:er )?ikk(?:e|je) interessert\\b|\\bgått av med pensjon\\b|\\ber død\\b"

#define OWN                                                                                                                 \
    "\\b(?:my|our|mine?|mitt?|mi|vår|vårt|våre) (?:new |private |personal |own |work |home |other |direct |current |business |nye? |private? |personlige? )?(?:e-?mail|e-?post|mail|address\\w*|adress\\w*|number|nummer\\w*|mobile?|mobil\\w*|" \
    "phone|telefon\\w*|cell|card|kort\\w*|visittkort\\w*|inbox|line|office)\\b|"                                                                                                                          \
    "\\b(?:e-?posten|mailen|adressen|nummeret|mobilen|kortet) (?:min|mitt|vår)\\b|\\b(?:reach|call|ring|contact|e-?mail|mail|phone|text|find|get) (?:me|us)\\b|\\bwrite (?:to )?(?:me|us)\\b|"             \
    "\\b(?:ring|kontakt|nå|når|send|skriv til|svar|treffer|ta kontakt med) (?:meg|mæ|oss)\\b|\\b(?:me|us|meg|oss) (?:on|at|på)\\b|\\b(?:mine is|min er|mitt er|mi er|is mine)\\b|\\bprivate address\\b|\\bprivate? (?:e-?post)?adress\\w*\\b"

#define OTHER_MATTER                                                                                                        \
    "\\b(?:invoic\\w+|faktura\\w*|accounts (?:department|team|payable)|accounting department|regnskapsavdeling\\w*|fra regnskap|payment|betal(?:ing|er|e)|(?:will|to|they) pay|forwarded (?:your|the|this|it)|" \
    "videresendt? (?:mailen|e-posten|den|dette|meldingen)|vidaresendt|support ticket|password|passord|unsubscribe|urgent|haster|ved behov|confidential\\w*|konfidensiell\\w*|in error|ved en feil|out of (?:the )?office|"  \
    "(?:my|our) (?:assistant|secretary|deputy|pa)|assistent\\w* (?:min|vår)|sekretær\\w* (?:min|vår)|vikar\\w*|instead of me|i stedet for meg|in my absence|i mitt fravær|for (?:any )?questions|for spørsmål|ved spørsmål|takes? over (?:from|for) me|overtar (?:for|etter) meg|tar over (?:for|etter) meg|my successor|etterfølger\\w*|"   \
    "my boss|our boss|sjefen|complaint|reklamasjon\\w*|warranty|garanti\\w*|delivery|levering\\w*|order|bestilling\\w*|ordre\\w*|newsletter|nyhetsbrev|contract|kontrakt\\w*|avtalen vår|warehouse|lager(?:et)?|goods|varene|truck|shipment|forsendelse\\w*|signs? off|godkjenner|approves?|(?:contact|kontakt\\w*) (?:at|for|in|på|for|hos) (?:our|vår\\w*|the|lageret)|police|politi\\w*|anmeld\\w*|serial|serienummer)\\b"

#define OURS                                                                                                                \
    "\\b(?:(?:from|at|left|leaving|of) your (?!list)|your (?:colleague|team|support|technician|man|people)|hos dere|hos dykk|fra dere|deres folk|(?:kolleg|medarbeider|tekniker|montør)\\w* (?:deres|din))\\b"

#define WANTS                                                                                                               \
    "\\b(?:friends?|neighbou?r|brother|sister|cousin|uncle|aunt|acquaintance|in-law|mate|buddy|interest(?:ed)?|needs?|needed|looking for|would (?:love|like|want)|could (?:use|do with)|fed up|unhappy|complain\\w*|moan\\w*|struggl\\w+|"   \
    "asked me|recommend\\w*|suggest\\w*|venn\\w*|kompis\\w*|kamerat\\w*|nabo\\w*|bror\\w*|søster\\w*|svoger\\w*|fetter\\w*|kusin\\w*|onkel|tante|bekjent\\w*|interesser\\w*|treng\\w*|ser etter|leter etter|kunne trenge|lei (?:av )?|drittlei|"       \
    "klag\\w*|sliter|spurte meg|anbefal\\w*|foreslår|tilrår?|bruk for)\\b"

#define POINTS                                                                                                              \
    "\\b(?:ask|(?:word|catch up|coffee|lunch) with|give|talk(?:ed|ing)? (?:to|with|about)|sp[eo]a?k(?:en)? (?:to|with)|chat with|contact|try|call|ring|email|mail|reach|touch with|hold of|write to|how about|what about|suggest|recommend|introduce|meet|maybe|perhaps|"      \
    "possibly|consider|considered|thought of|think of|mention(?:ed)?(?: \\S+){0,3} to|is|named?|called|"                                                                                                                \
    "spør|spørre|snakk(?:e|et|a)? (?:med|te|ti)|prate? med|prøv(?:e)?|kontakte?|ring(?:e)?|med|skriv til|foreslår|anbefaler|anbefale|tilrår?|møte?|hils på|kanskje|muligens|for eksempel|f\\.eks\\.?|som heter|heter|er|tenker på)"      \
    "(?: (?:with|to|til|på|med|han|ho|hun|also|også|for|en|a|our|my|min|mr|mrs|ms|dr|the))?[\\s.:–-]{1,3}$"

#define REFUSED                                                                                                             \
    "\\b(?:(?:do(?:n't| not)|dont|can(?:'t|not| not)|cant|couldn't|didn't) (?:really |honestly |actually |currently )?(?:know|think of|recommend|have|name|come up with) (?:of )?(?:any|some|a (?:single )?(?:person|soul))\\w*|"              \
    "know(?:s)? (?:of )?(?:nobody|no one|no-one)|(?:nobody|no one|none|no-one) (?:that |who |whom )?(?:i can think|comes to mind|i know|springs)|no names|"                                                     \
    "(?:rather|prefer|like) not (?:to )?(?:\\w+ )?(?:give|hand|share|pass|name|mention|say|do|recommend|refer)?|(?:do(?:n't| not)|dont|won't|wont|will not|not (?:willing|comfortable|happy|going|able|allowed)|never|can't|cannot|can not|against)"                             \
    " (?:\\w+ ){0,4}?(?:give|giving|hand|handing|shar(?:e|ing)|pass|passing|disclos\\w+|recommend\\w* (?:any|people|others)|refer(?:ring)?|bother\\w*)\\b(?! (?:you|it) (?:a|an|\\d))|can(?:'t|not| not) help|not comfortable|(?:can(?:'t|not| not)|won't|wouldn't|will not|would not|do(?:n't| not)) (?:\\w+ ){0,5}?recommend|keep \\S+ (?:\\S+ ){0,4}?(?:apart|separate|private)|(?:is |it's )?not something (?:we|i)|do(?:n't| not) (?:\\w+ )?know (?:other|many|others|any)|stop asking|do(?:n't| not) ask|"                                      \
    "everyone i know already|not (?:my|our) (?:thing|style)|i(?:'d| would) rather not|no thank(?:s| you)|i.ll pass|"                                                                                       \
    "(?:kjenner|kjenn|kjenne|vet|veit|har|kan|kjem|kommer|finner) (?:\\w+ ){0,2}?(?:ingen|inga|(?:ikke|ikkje|itj|ittj?e?) (?:\\w+ ){0,2}?(?:noen|nokon|noken|nån|nåkken|nokre|ingen))|"                                  \
    "(?:vil|vill|ønsker|ønskjer|kan|får|liker|lika|har lyst) (?:\\w+ ){0,2}?(?:ikke|ikkje|itj|ittj?e?) (?:å )?(?:gi|gje|dele|oppgi|utlevere|ut med|nevne|sende) (?:fra|frå|bort|ut|videre|vidare|deg|dere|dykk|noe|navn|namn|adress\\w*|kontakt\\w*|andre|opp)|"   \
    "(?:vil|ønsker|ønskjer) (?:\\w+ ){0,1}?(?:ikke|ikkje) (?:å )?(?:oppgi|dele|utlevere)|(?:deler|gir|gjev|oppgir|utleverer) (?:\\w+ ){0,2}?(?:ikke|ikkje|aldri)|(?:ikke|ikkje|aldri) (?:anbefale noen|anbefale nokon|lov|komfortabel)|"            \
    "(?:kan|vil|ville) (?:\\w+ ){0,2}?(?:ikke|ikkje|itj) (?:\\w+ ){0,6}?anbefale|holder \\S+ (?:\\S+ ){0,3}?(?:adskilt|atskilt|privat|for seg)|(?:driver|gjør|gjer|holder) (?:vi |jeg |eg )?(?:ikke|ikkje) (?:på )?med|" \
    "(?:kjenner|kjenn) (?:\\w+ ){0,3}?(?:ikke|ikkje|itj) (?:andre|mange|flere)|ikk(?:e|je) (?:noen |nokon )?som (?:jeg|eg|æ|vi) (?:kommer|kjem|kan|vet|veit)|det (?:vil|ønsker|ønskjer|kan) (?:jeg|eg|vi) (?:\\w+ )?ikk(?:e|je)|slutt å (?:spørre|mase)|ikke (?:spør|mas)\\b|nei,? takk|helst (?:ikke|ikkje))"

/* A short answer that is nothing else. */
#define REFUSED_WHOLE                                                                                                       \
    "^\\W*(?:(?:hi|hei|hello|hallo|hey)\\b[^\\n.,!]{0,20}[\\s,.!]{1,4})?(?:(?:sorry|beklager|dessverre|unfortunately|diverre)[\\s,.!]{1,3})?(?:no|nope|nah|nobody|none|no one|no-one|not really|nei|nope|niks|ingen|ikke noen|nei ingen|ikke egentlig|naii?)\\b(?:[\\s,]{1,3}(?:at all|i det hele tatt|whatsoever|som helst))?[\\s,]{0,3}(?:er jeg redd|i'm afraid|i am afraid)?"    \
    "(?:[\\s,.!]{1,3}(?:sorry|thanks?|thank you|beklager|dessverre|diverre|takk|i'm afraid|really|egentlig|unfortunately|anna|comes to mind|that i know|that i can think of|det har jeg ikke|jeg gjør ikke det|\\p{Lu}\\p{Ll}+)){0,4}\\W*$"

#define LATER                                                                                                               \
    "\\b(?:(?:ask|try|check|come back|remind|write|contact|ping|call|mail|email)(?: (?:to|with|back to))?(?: me| us)?(?: (?:about )?(?:this|it))? (?:again|later|in (?:a |the |\\d+ |two |three |some )?(?:few |couple of )?(?:days?|weeks?|months?|year|spring|summer|autumn|fall|winter|january|february|march|april|may|june|july|"    \
    "august|september|october|november|december|new year)|after|next)|not (?:right |just )?now|not (?:yet|today|this (?:week|month|year))|let me (?:think|ask|check|have a think|get back|see|sleep)|need to (?:think|ask|check)|"                                                                              \
    "(?:i'll|i will|will|i shall|we'll|we will|gonna|going to) (?:\\w+ ){0,2}?(?:let you know|get back|think|come back|ask around|ask|have a think|check|send you (?:\\w+ ){0,4}?(?:names?|list|contacts?|few|more|someone|something)|keep (?:it|you|that) in mind|be in touch)|maybe (?:later|next)|another time|"                            \
    "too busy|when i(?:'m| am| get) back|get back to you|some other time|busy (?:right now|at the moment|this)|later (?:this|in the|on)|"                                                                            \
    "spør(?:re|r)?(?: meg| oss| mæ)?(?: gjerne)? (?:igjen|på nytt|om att|seinere|senere|seinare|etter|over|til|i (?:januar|februar|mars|april|mai|juni|juli|august|september|oktober|november|desember|neste|høst|vår|sommer))|ikk(?:e|je) (?:akkurat |rett )?(?:nå|no)\\b|ikke (?:enda|ennå|i dag|denne)|"                 \
    "la meg (?:få )?(?:tenke|spørre|sjekke|høre|se|sove)|lat meg|må (?:tenke|spørre|sjekke|høre)|(?:skal|kommer|kjem|vil|gir|sier|seier|lover|æ ska|eg skal) (?:\\w+ ){0,3}?(?:si fra|seie frå|si ifra|tilbake|attende|beskjed|tenke|høre (?:med|rundt)|sjekke|spørre|ta det opp|komme med)|"                     \
    "kanskje (?:senere|seinere|seinare|til (?:neste|våren|høsten|sommeren)|neste|på)|(?:sender|sende|gi|gir) (?:deg|dere|dykk) .{0,25}(?:når|seinere|senere|neste)|(?:talk|speak|more|snakkes|prates|skrives|høres) (?:\\w+ )?(?:next|neste|later|senere|seinere|soon|snart)|sender (?:deg|dere) (?:\\w+ ){0,4}?(?:navn|liste)\\w* (?:\\w+ )?(?:neste|senere|seinere|når|i)|en annen gang|ein annan gong|tar det (?:senere|seinere|etter)|etter (?:ferien|sommeren|jul|påske|nyttår|helga)|"                       \
    "kommer tilbake|kjem tilbake|for mye å gjøre|travelt|(?:try|ask|ping|catch|hit|prøv|spør|ring|hør|mas|mail|skriv)\\w*(?: \\S+){0,3} (?:in|i|after|etter|til) (?:januar[y]?|februar[y]?|mars|march|april|mai|may|juni|june|juli|july|august|september|o[kc]tober|november|de[sc]ember|spring|summer|autumn|fall|winter|våren|høsten|sommeren|vinteren|the new year|det nye året|nyåret)|give me (?:a|an|some|until|till|the|\\d+)\\b|gi meg (?:en|ei|noen|litt|til|\\d+)\\b|not (?:before|until|till)|ikk(?:e|je) før)"

/* With a refusal: one for now. */
#define FOR_NOW "\\b(?:at the moment|right now|just now|yet|currently|off the top of my head|akkurat nå|nå for tiden|for tiden|for øyeblikket|i øyeblikket|enda|ennå|i farten|no i farta|sånn på stående fot)\\b"

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (regex == NULL)
        g_error("introduced_cue: %s", error->message);
    return regex;
}

typedef struct {
    GRegex *cues[8], *points, *refused, *refused_whole, *later, *for_now;
} Patterns;

static const guint cue_of[] = {CUE_RECOMMENDS, CUE_INTRODUCES, CUE_FORBIDS, CUE_OWN, CUE_OTHER_MATTER, CUE_MEETS, CUE_OURS, CUE_WANTS};

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        static const char *const sources[] = {RECOMMENDS, INTRODUCES, FORBIDS, OWN, OTHER_MATTER, MEETS, OURS, WANTS};
        for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
            compiled.cues[i] = compile(sources[i]);
        compiled.points = compile(POINTS);
        compiled.refused = compile(REFUSED);
        compiled.refused_whole = compile(REFUSED_WHOLE);
        compiled.later = compile(LATER);
        compiled.for_now = compile(FOR_NOW);
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

/* The begin of text, with one kind of apostrophe. Caller frees. */
static char *plain(const char *text, gsize max)
{
    g_autofree char *begin = g_strndup(text, max);
    g_autofree char *valid = g_utf8_make_valid(begin, -1);
    g_auto(GStrv) parts = g_strsplit(valid, "\xe2\x80\x99", -1);
    return g_strjoinv("'", parts);
}

guint introduced_cues(const char *sentence)
{
    g_autofree char *text = plain(sentence, SENTENCE_LOOKED_AT);
    guint cues = 0;
    for (guint i = 0; i < G_N_ELEMENTS(cue_of); i++)
        if (g_regex_match(patterns()->cues[i], text, 0, NULL))
            cues |= cue_of[i];
    return cues;
}

gboolean introduced_is_pointed_at(const char *before)
{
    gsize length = strlen(before);
    g_autofree char *text = plain(before + (length > BEFORE_LOOKED_AT ? length - BEFORE_LOOKED_AT : 0), BEFORE_LOOKED_AT);
    return g_regex_match(patterns()->points, text, 0, NULL);
}

ReferralAnswer introduced_answer(const char *text)
{
    g_autofree char *begin = plain(text, ANSWER_LOOKED_AT);
    if (g_regex_match(patterns()->refused_whole, begin, 0, NULL))
        return REFERRAL_REFUSED;
    if (g_regex_match(patterns()->later, begin, 0, NULL))
        return REFERRAL_LATER;
    if (!g_regex_match(patterns()->refused, begin, 0, NULL))
        return REFERRAL_OPEN;
    return g_regex_match(patterns()->for_now, begin, 0, NULL) ? REFERRAL_LATER : REFERRAL_REFUSED;
}
