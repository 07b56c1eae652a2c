/*
 * The words behind mail/people_names.c: tables, and the form in which names are kept and compared. Pure; any thread.
 */
#include "name_words.h"

#include <string.h>

#include "base/text.h"
#include "mail/introduced.h"

static const char *const first_names =
    "aage aaron abdul abel abigail adam adrian agnes ahmed aisha aksel alan albert alex alexander alexandra alf alfred ali alice alicia "
    "alison amalie amanda amelia amina amir amy anders andre andrea andreas andrew andy angela anita anja ann anna anne annette "
    "anthony anton antonio are arild arne arnfinn arnt arthur arvid asbjørn ashley aslak asta astrid atle audun aurora axel "
    "barbara barry beate ben benedicte benjamin bente berit bernard bernt bert betsy beth betty bill birger birgit birgitte bjarne "
    "bjørg bjørn bjørnar bo bob bodil brage brandon brenda brian brit britt bruce bård børge camilla carina carl carlos carmen "
    "carol caroline catherine cathrine cecilie charles charlie charlotte chen cheryl chloe chris christian christina christine "
    "christopher claire clara colin connie craig cynthia dag dagfinn dagny daisy dan daniel daniela danny dave david dawn deborah "
    "debbie dennis derek diana diane dina donald donna doris dorothy douglas duncan dylan eddie edith edward edvard egil eileen "
    "einar eirik eivind elaine eleanor elena elias elin eline elisabeth elise elizabeth ella ellen ellie ellinor elsa else emil "
    "emilie emily emma endre eric erica erik erika erlend erling ernest espen esther eva eve evelyn even eyvind fatima felix filip "
    "finn fiona florence fran frances francis frank fred frederick fredrik frida frode gareth gary geir geoff george georg gerald gerd "
    "gina gisle gjermund glenn gloria gordon grace graham greg gregory gret grete grethe gro gry gudrun gunhild gunn gunnar gunvor gustav "
    "guy halvard halvor hanna hannah hanne hans harald harold harriet harry hassan hazel heather hedda heidi helen helena helene helga "
    "helge henning henriette henrik henry herman hilary hilda hilde howard hugh hugo håkon håvard ian ida idar inga inge ingeborg "
    "inger ingrid ingunn ingvild irene iris isaac isabel isabella isak ivan ivar iver jack jackie jacob jacqueline jake jakob james jamie jan "
    "jane janet janice jan-erik janne jarl jarle jason jean jeanette jeff jeffrey jen jenna jennifer jenny jens jeremy jerry jesper jessica jo "
    "jessie jill jim jimmy joachim joakim joan joanna joanne jodie joe joel johan johanna johannes john johnny jon jonas jonathan jonny jordan "
    "jorunn jose josef joseph josh joshua joyce juan judith judy julia julian julie juliet june justin jørgen jørn kai kaja kamilla "
    "karen kari karianne karin karina karl karoline kate katherine kathleen kathrine kathryn katie katrine kay keith kelly ken kenneth kenny "
    "kerry kevin kieran kim kirsten kirsti kjartan kjell kjersti kjetil knut konrad kristian kristin kristina kristine kristoffer kurt kyle "
    "kåre lars larry lasse laura lauren laurence lawrence lea leah leif len lena lene leo leon leslie lewis liam lill lillian lily linda lindsay "
    "linn linnea lisa lisbeth lise liv liz lorraine lotte louis louise lucas lucy luis luke lynn mads magne magnhild magnus malcolm malin "
    "marco marcus mari maria marianne marie marion marit marius marta martha martin martine marte mary mark markus mathias mathilde "
    "matt matthew maureen max megan melanie melissa merete mette mia michael michelle miguel mikael mike mikkel miranda mohamed mohammed "
    "mona monica monika morten muhammad måns nadia nancy natalie natasha neil nicholas nick nicola nicolai nicole nigel nikolai nils nina noah nora "
    "norman odd oddbjørn oddvar odin ola olav ole oliver olivia olga omar oscar oskar otto owen patricia patrick paul paula pauline peder "
    "peggy penny per pernille peter petra petter phil philip philippa phoebe pål rachel ragnar ragnhild raj ralph randi rasmus ray raymond "
    "rebecca reidar reidun renate rhys ricardo richard rick rita rob robert roberta robin rodney roger roland rolf ron ronald ronny rosa rose "
    "rosie ross roy rune runar ruth ryan sally sam samantha samuel sander sandra sanna sara sarah scott sean sebastian selma shane shannon sharon "
    "shaun sheila shirley sigbjørn signe sigrid sigrun sigurd silje simen simon sindre siri siv sofia sofie solveig sondre sonja sophia sophie "
    "stacey stan stanley stein steinar stella stephanie stephen steve steven stian stig stine stuart sue susan susanna susanne suzanne svein "
    "sverre sylvia synne synnøve tanja tanya tara tarjei ted teresa terje terry thea theodor theresa thomas thor thorbjørn tim timothy tina tobias "
    "todd tom tomas tommy tone toni tony tor torbjørn tore torgeir torhild toril torill torgrim torkel torleif tormod torstein torunn tove tracy "
    "trevor trine trond trude trudi trygve turid tyler ulf ulrik unni vanessa vegard vera vetle veronica vibeke vicky victor victoria vidar "
    "viggo viktor vilde viljar vincent virginia vivian walter wayne wenche wendy wes william willy yasmin yngve yusuf yvonne zoe åge åse åshild "
    "åsmund øistein ørjan øystein øyvind øivind ";

static const char *const common_words =
    "a about after again all also although always am an and another any anybody anyone anything are as ask at aunt back be because been "
    "before begin best better both brother business but by call can cannot card cards cc ceo cheers chief cousin colleague company contact "
    "could customer dad daughter day days dear did director do does don't dr email e-mail emails even every everybody everyone everything few "
    "find first for forgot forward forwarded found friend friends from fwd get give go good got great had has have he he's head hello help her "
    "here here's hey hi him his hope how husband i i'd i'll i'm i've if in info is it it's its jeg just keep kind know last later let "
    "like list little look lot love ltd mail mails manager many may maybe me meet might miss mob mobile mom more morning most mother mr mrs ms much mum must my name "
    "neighbour neighbor names new next nice no nobody none not nothing now number of office ok okay old on once one only operations or other our out over owner "
    "partner people per perhaps person phone please plus president prof professor ps put quick quote re reach really regards reply right said sales say says see "
    "send sent she she's should sincerely sir sister so some somebody someone something son soon sorry speak still such sure surely talk tel telephone "
    "tell thank thanks that that's the their them then there there's these they they're thing think this those though to today tomorrow too try two uncle "
    "under up us use very want was way we we'll we're we've well were what what's when where which while who whom why wife will wish with would write yes "
    "yesterday yet you you'll you're your yours both attached see introducing introduce looping meeting mentioned following unfortunately anyway actually "
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december "
    "christmas easter english norwegian norway oslo london bergen trondheim stavanger sweden england europe "
    "absolutt akkurat aldri alle allerede alt altså andre anbefaler av bare begge begge beklager beste bestemor bestefar bil bra bror burde både bør da daglig dag dattera datteren de "
    "deg dem den denne der dere deres det dette din disse dr du dersom dessverre e-post eg eier eieren ei ein eit eller en enn enda epost er et eter etter far faren fant ferie fikk firma firmaet flere flott "
    "for foreslår forresten fra fru frå frue få får føler før ga gir gjerne glemte god gode gå ha hadde hai han ham hans har havn hei hej heisann hennes her herr hilsen hils "
    "hjelp ho henne hos hun ho seg hva hvem hver hvis hvor hvordan hør i ikke ikkje igjen imot ingen ingenting inn innehaver ja jente jo kamerat kan kanskje kjenner kjære klart klem kollega kollegaen kollegaer kom kommer kompis "
    "kompisen kona kone kontakt kontakte kontoret kopi kopierer kunde kunne la lag legger leder leverandør liker lille lista liste litt lykke lurer lørdag man mange mandag mannen mannen med meg mellom men mens mener mer "
    "mest mi min mine mitt mobil mor moren mulig må måtte møt møte naboen nabo navn nei neste nevnte ni nok noen noko nokon nr nummer ny nye nå når og også om on onkel onsdag opp oss over på prøv ring rundt sa sammen satt sett "
    "sender sendt selv selvsagt si sier siden sin sine sist sjef sjefen sjekk skal skriv skulle slik slutt snakk snakke snakka som son sønnen spør spørre står svar svarer svigerfar svigermor svoger svogeren søster søsteren søndag ta tak takk takker tante "
    "telefon tenker ti til tilbake tilrår tirsdag tlf to torsdag treng trenger tror trur u under unna ut uten vanlig var ved veldig vel vennlig venn venninna venninne vennen venner vet vi vil ville vår våre være vært "
    "viser være åtte ønsker øverst fredag lørdag januar februar mars mai juni juli oktober desember jul påske norge sverige danmark norsk engelsk internett vedlagt visittkort enig "
    "kontaktinfo adresse adressen mailen daglig leder direktør styreleder vaktmester tipp tips skriver bruker kansje muligens forslag ";

static const char *const company_words =
    "as asa ans da enk sa ab aps oy ltd ltd. limited llc llp inc inc. plc gmbh ag kg bv nv srl spa sarl sas sl co corp corporation company group gruppen gruppa "
    "holding holdings partners associates brothers bros sons & logistics logistikk systems systemer solutions services consulting consult trading "
    "transport travel reiser engineering design studio bakery bakeri bakst brewery bryggeri brygg brewing bygg eiendom elektro energi finans "
    "forsikring gård hage hotel hotell import export industri industries kommune university universitet college school skole legekontor advokat "
    "advokatfirma regnskap restaurant kafe cafe bar shop butikk verksted motors auto bil rør rørlegger tak maskin mekaniske media marketing reklame software "
    "tech technologies data farm garden clinic klinikk hospital sykehus bank church club klubb klubben society council bakes flowers blomster foto photo "
    "imports tools plumbing roofing construction builders estates legal foundation institute agency bureau network labs ";

/* Lists above are words parted by single spaces. */
static gboolean is_listed(const char *list, const char *word)
{
    g_autofree char *lower = g_utf8_strdown(word, -1);
    gsize length = strlen(lower);
    if (length == 0 || strchr(lower, ' ') != NULL)
        return FALSE;
    for (const char *p = strstr(list, lower); p != NULL; p = strstr(p + 1, lower))
        if ((p == list || p[-1] == ' ') && p[length] == ' ')
            return TRUE;
    return FALSE;
}

gboolean name_is_first(const char *word)
{
    gsize length = strcspn(word, "-");
    g_autofree char *begin = g_strndup(word, length);
    return is_listed(first_names, word) || (word[length] != '\0' && is_listed(first_names, begin));
}

gboolean name_is_common_word(const char *word)
{
    return is_listed(common_words, word);
}

gboolean name_is_company_word(const char *word)
{
    return is_listed(company_words, word);
}

char *name_fold(const char *text)
{
    g_autofree char *apart = g_utf8_normalize(text, -1, G_NORMALIZE_NFKD);
    GString *out = g_string_new(NULL);
    for (const char *p = apart != NULL ? apart : ""; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_unichar_tolower(g_utf8_get_char(p));
        if (c == 0xf8)
            g_string_append_c(out, 'o');
        else if (c == 0xe6)
            g_string_append(out, "ae");
        else if (c == 0xdf)
            g_string_append(out, "ss");
        else if (g_unichar_isalnum(c))
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* ---- cleaning ---------------------------------------------------------------------------------------------------------- */

static gboolean is_shown(gunichar c)
{
    return !g_unichar_iscntrl(c) && g_unichar_type(c) != G_UNICODE_FORMAT && c != 0x2028 && c != 0x2029 && g_unichar_isdefined(c);
}

/* What can be seen of it, on one line. Caller frees. */
static char *seen(const char *text)
{
    g_autofree char *valid = text_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, is_shown(c) ? c : ' ');
    }
    g_autofree char *all = g_string_free(out, FALSE);
    return text_one_line(all);
}

/* "Nordmann, Kari" to "Kari Nordmann"; other commas end the name. Caller frees. */
static char *turned_round(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ",", 3);
    for (char **part = parts; *part != NULL; part++)
        g_strstrip(*part);
    if (parts[0] == NULL || parts[1] == NULL)
        return g_strdup(parts[0] != NULL ? parts[0] : "");
    gboolean names = parts[2] == NULL && *parts[1] != '\0' && strpbrk(parts[0], " ") == NULL && !name_is_company_word(parts[1]);
    return names ? g_strconcat(parts[1], " ", parts[0], NULL) : g_strdup(parts[0]);
}

static gboolean has_letter(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_isalpha(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

/* Without quotes, brackets and stops around it. Caller frees. */
static char *bare(const char *text)
{
    static const char *const around = " \"'<>()[]{}*_,;:.!?=|\\/~`";
    gsize start = strspn(text, around), end = strlen(text);
    while (end > start && strchr(around, text[end - 1]) != NULL)
        end--;
    return g_strndup(text + start, end - start);
}

char *name_clean(const char *text)
{
    g_autofree char *line = seen(text);
    g_autofree char *whole = bare(line);
    g_autofree char *turned = turned_round(whole);
    g_autofree char *name = bare(turned);
    gsize end = MIN(strlen(name), (gsize)INTRODUCED_MAX_NAME);
    while (end > 0 && ((guchar)name[end] & 0xc0) == 0x80)
        end--;
    char *kept = g_strndup(name, end);
    if (has_letter(kept) && strpbrk(kept, "@<>\"") == NULL && strstr(kept, "://") == NULL)
        return g_strchomp(kept);
    g_free(kept);
    return g_strdup("");
}
