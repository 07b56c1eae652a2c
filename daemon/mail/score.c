/*
 * The score in an answer. Each number is judged by the words of its own clause:
 *
 *   of ten      "9/10", "ni av ti"                      a score by its form
 *   on the left  a clause's begin, a word of giving ("I'd say", "karakter"), an article or an adjective ("a solid"), perhaps
 *               with words that say little between; anything else ("after", "we are") makes it a number of something
 *   on the right the clause's end, or a word that goes on after a score ("because", "fra meg"); a noun makes it an amount
 *
 * Words of hedging, of bounds, of negation and of conditions, met on the way, turn a score into an unclear one. Then all that was
 * found must agree.
 *
 * Pure; any thread.
 */
#include "mail/score.h"

#include <string.h>

#include "base/text.h"
#include "name_words.h"
#include "score_words.h"

enum { REACH = 8, MAX_SCORE = 10, FIRST_GOOD = 7, LAST_BAD = 6 };

/* ---- words ------------------------------------------------------------------------------------------------------------- */

/* Says nothing about what the number counts: looked past on the way to the left. */
#define PASSED                                                                                                              \
    " a an the en ein et ei it you dere dykk deg dem dei dokker them us oss this det den dette that your our meg me my min mitt "   \
    "mine vår so så sa then da well vel nok jo just bare kun only still fortsatt fremdeles framleis very really definitely "       \
    "absolutely clearly certainly surely easily probably sannsynligvis truleg trolig definitivt absolutt soleklart soleklar klar "  \
    "klart helt heilt sikkert sikker solid strong sterk svak weak good god bra big stor full fulle perfect perfekt rein ren pure "  \
    "clear clean honest ærlig healthy decent fin flat even honestly ærlig company firma product i i'd i'll id jeg eg æ think guess "   \
    "tror trur synes syns synest believe reckon suppose would will vil ville do gladly gjerne hele whole whopping massive "        \
    "overall alt altså like som på of med with for to til to that at today nå no now right here her hereby yes yeah yep ja jepp "       \
    "sure absolutt svært ganske pretty fairly comfortable comfortably easy lett new company's service servicen team teamet "       \
    "guys folkens om on vært vore been have ha no doubt without a uten utan ingen tvil hel enda personally personlig colleague kollegaen kollega wife husband kona mannen boss sjefen partner end ends up opp must må have can kan be "

/* Gives a score. */
#define GIVING                                                                                                              \
    " say says said saying give gives gave giving rate rates rated rating ratings score scores scored scoring scorer scorar rank grade " \
    "graded mark marks answer answers vote voting go going choose pick award si sier seier seie sei gir gi gje gjev gjer "       \
    "gjev gav gitt svar svaret svarer svarar karakter karakteren karakterer scoren skår skåren rangerer rangerar vurderer "     \
    "vurderar tallet talet stemmer velger vel lander landar sette setter set settes anbefaler deler får fortjener deserve deserves deserved get gets tildeler blir "   \
    "vert agreed enige einige landed landet landa settled settle went gikk gjekk land lands havner havna hamnar endte ender "

/* May join a score to what it is the score of: only where nobody of flesh and blood stands before it ("we are 8"). */
#define JOINING " is er it's its that's thats was var are be become bli ble call make feels føles den's du'r "
#define SOMEBODY " we vi me they de dei he she han hun ho you du dere dykk i jeg eg who som kids barn "

/* Goes on behind a score. */
#define GOING_ON                                                                                                            \
    " because since as but and for from fra frå ifra herfra herifrå fordi siden sidan men og here i it's its thanks thank takk tusen "  \
    "dessverre diverre unfortunately sadly honestly please points point poeng pts though at right now nå no overall alt stort without "  \
    "uten utan hilsen helsing mvh regards cheers on på would would've so så due pga grunnet if hvis dersom viss when når maybe "          \
    "kanskje eller or guess tror trur love hope sorry i'd i'll id stars star stjerner stjerne beklager simply easily definitely "        \
    "absolutely absolutt totally mulige moglege mate haha lol xx x xd ish today then altså liksom vil jeg eg helt heilt really all any "  \
    "again igjen sier seier says anbefaler klart soleklart clearly every very vel da ass ja probably sannsynligvis to til by med with "   \
    "selvfølgelig selvsagt sjølvsagt naturligvis naturlegvis obviously denne this anyway uansett minus pluss plus enkelt dear kjære "     \
    "mostly almost although selv ikke not never only bare always alltid hi hei "

#define UNSURE                                                                                                              \
    " almost nearly close near around about approximately roughly approx ca circa cirka omtrent rundt omkring nesten bortimot nærmere " \
    "nærare somewhere maybe perhaps kanskje kanhende muligens possibly snart sånn "
#define DENYING                                                                                                             \
    " not never don't dont won't wont wouldn't wouldnt can't cant cannot couldn't didn't doesn't isn't ikke ikkje ikkj itj itte "  \
    "aldri neppe hardly "
#define WHAT_IF " if unless hvis dersom viss om såfremt provided assuming once "
#define MODAL                                                                                                               \
    " would could might may should i'd we'd you'd it'd hadde kunne ville skulle had måtte kan can become get "
#define MIGHT_BE " could might kunne "
/* One conjunction parts what is denied from what is said. */
#define TURNING " but men rather heller however although selv instead derimot bare så so and og "

/* What "9 of 10" may count. */
#define COUNTED                                                                                                             \
    " times time people customers clients colleagues employees cases days weeks months years users of friends dentists doctors " \
    "companies products orders deliveries items calls tickets questions ganger gonger gong gang kunder kundar ansatte tilsette dager " \
    "dagar uker veker måneder år personer folk stykker stk saker bestillinger leveranser tilfeller spørsmål av nordmenn brukere " \
    "employees stores shops butikker kolleger kollegaer kollegaar venner vener "

typedef enum { BOUND_NONE, BOUND_LEAST, BOUND_MOST, BOUND_OPEN } Bound;

/* What stands before a number in its clause. */
typedef struct {
    gboolean starts;  /* nothing of weight */
    gboolean given;   /* a word of giving, or one that joins */
    gboolean joined;  /* only one that joins */
    gboolean unsure, denied;
    Bound bound;
} Before;

typedef struct {
    const ScoreWords *words;
    gboolean unclear; /* something was meant as a score, and is none or not one */
    gboolean clear;
    int value;
    gssize at; /* the token that told; -1: none */
} Search;

/* ---- moving about ------------------------------------------------------------------------------------------------------ */

static const ScoreToken *token_at(const Search *search, gssize i)
{
    return i >= 0 && i < (gssize)search->words->tokens->len ? &g_array_index(search->words->tokens, ScoreToken, i) : NULL;
}

/* Of one that is known to be there. */
static const ScoreToken *known_at(const Search *search, gssize i)
{
    return &g_array_index(search->words->tokens, ScoreToken, i);
}

static gboolean is_word_in(const Search *search, gssize i, const char *list)
{
    const ScoreToken *token = token_at(search, i);
    return token != NULL && (token->kind == SCORE_WORD || token->is_word) && score_word_in(token->text, list);
}

static gboolean is_break(const Search *search, gssize i, const char *which)
{
    const ScoreToken *token = token_at(search, i);
    return token != NULL && token->kind == SCORE_BREAK && (which == NULL || strchr(which, *token->text) != NULL);
}

static gboolean is_number(const Search *search, gssize i)
{
    const ScoreToken *token = token_at(search, i);
    return token != NULL && token->kind == SCORE_NUMBER;
}

/* Whether the clause goes on between i and the token behind it: an end, or a hyphen that joins ("8-seater"). */
static gboolean ends_clause(const Search *search, gssize i)
{
    const ScoreToken *token = token_at(search, i), *next = token_at(search, i + 1);
    if (token == NULL)
        return TRUE;
    if (token->kind != SCORE_BREAK)
        return FALSE;
    gboolean hyphen = strchr("-/'&", *token->text) != NULL && token->is_joined;
    return !hyphen || next == NULL || !next->is_joined || next->kind == SCORE_BREAK;
}

static void note(Search *search, gssize i, gboolean clear, int value)
{
    if (search->at < 0)
        search->at = i;
    if (!clear || value < 0 || value > MAX_SCORE || (search->clear && search->value != value))
        search->unclear = TRUE;
    else {
        search->clear = TRUE;
        search->value = value;
    }
}

/* Counts, as unclear, only where nothing else is said. */
static void note_weakly(Search *search, gssize i, gboolean *hypothetical)
{
    *hypothetical = TRUE;
    if (search->at < 0)
        search->at = i;
}

/* ---- what stands before ------------------------------------------------------------------------------------------------ */

/* "at least", "not below", "more than": the word at i begins, from the right, a bound of the number at number. */
static Bound bound_at(const Search *search, gssize i, gssize number, gboolean denied)
{
    if (i < number - 2)
        return BOUND_NONE;
    if (is_word_in(search, i, " minst minimum min "))
        return BOUND_LEAST;
    if (is_word_in(search, i, " least "))
        return BOUND_LEAST;
    if (is_word_in(search, i, " most max maks maksimalt maksimum maximum høyst høgst "))
        return BOUND_MOST;
    gboolean than = is_word_in(search, i, " than enn ");
    gssize word = than ? i - 1 : i;
    if (is_word_in(search, word, " below under less lower fewer mindre lavere lågare dårligere worse "))
        return denied ? BOUND_LEAST : BOUND_OPEN;
    if (is_word_in(search, word, than ? " more higher better mer meir høyere høgare bedre " : " above over "))
        return denied ? BOUND_MOST : BOUND_OPEN;
    return BOUND_NONE;
}

static gboolean denied_before(const Search *search, gssize i)
{
    for (gssize n = i; n >= 0 && n > i - REACH && !ends_clause(search, n); n--) {
        if (is_word_in(search, n, TURNING))
            return FALSE;
        if (is_word_in(search, n, DENYING) || (n >= i - 2 && is_word_in(search, n, " no ") && !is_word_in(search, n + 1, " doubt question ")))
            return TRUE;
    }
    return FALSE;
}

/* "100 %", which stresses. */
static gboolean is_share(const Search *search, gssize i)
{
    const ScoreToken *token = token_at(search, i);
    return token != NULL && token->kind == SCORE_OTHER && search->words->text[token->end - 1] == '%';
}

/* By its ending; "a size 9" gives nothing. */
static gboolean is_adjective(const Search *search, gssize i)
{
    static const char *const endings[] = {"ing", "ende", "ande", "ful", "ous", "ic", "ive", "ant", "ent", "lig", "leg", "isk", "some", "ly", "ppy", "able", "less"};
    const ScoreToken *token = token_at(search, i);
    for (guint n = 0; token != NULL && token->kind == SCORE_WORD && n < G_N_ELEMENTS(endings); n++)
        if (g_str_has_suffix(token->text, endings[n]))
            return TRUE;
    return FALSE;
}

static void look_before(const Search *search, gssize i, Before *before)
{
    *before = (Before){.denied = denied_before(search, i - 1)};
    for (gssize n = i - 1; n >= i - REACH; n--) {
        if (ends_clause(search, n) || is_word_in(search, n, TURNING)) {
            before->starts = TRUE;
            return;
        }
        Bound bound = bound_at(search, n, i, before->denied);
        before->bound = bound != BOUND_NONE ? bound : before->bound;
        before->unsure |= is_word_in(search, n, UNSURE);
        if (is_word_in(search, n, GIVING)) {
            before->given = TRUE;
            return;
        }
        if (is_word_in(search, n, JOINING) || (is_word_in(search, n, " like ") && is_word_in(search, n - 1, " more "))) {
            before->joined = TRUE; /* "is 10 the best?" and "we are 10" give nothing */
            before->given = !is_word_in(search, n - 1, SOMEBODY) && !(is_word_in(search, n, " is er ") && ends_clause(search, n - 1));
            return;
        }
        if (is_adjective(search, n) && is_word_in(search, n - 1, " a an en ein et ")) {
            before->given = TRUE; /* "a resounding 10" */
            return;
        }
        gboolean looked_past = bound != BOUND_NONE || is_word_in(search, n, PASSED UNSURE DENYING MODAL) || is_share(search, n) ||
                               is_word_in(search, n, " more mer meir than enn less under at either ") || is_break(search, n, "\"'*_");
        if (!looked_past)
            return;
    }
}

/* ---- what stands behind ------------------------------------------------------------------------------------------------ */

/* Whether what follows may follow a score. */
static gboolean is_free_behind(const Search *search, gssize i)
{
    const ScoreToken *token = token_at(search, i);
    if (token != NULL && token->kind == SCORE_OTHER) { /* "on a scale to ten" */
        g_autofree char *words = g_strndup(search->words->text + token->start, token->end - token->start);
        return strstr(words, "scale") != NULL || strstr(words, "skala") != NULL;
    }
    if (is_word_in(search, i, " is er ")) /* "9 is my answer" */
        return is_word_in(search, i + 1, " my mine our what the from mitt min vårt vår svaret det fra frå ") && !is_word_in(search, i + 2, " best one ");
    if (is_word_in(search, i, " of ") && is_word_in(search, i + 1, " course "))
        return TRUE;
    if (is_word_in(search, i, " point komma half halv ") || (is_number(search, i) && is_break(search, i + 1, "/"))) /* "nine point five", "8 1/2" */
        return TRUE;
    if (token != NULL && token->kind == SCORE_WORD && name_is_first(token->text) && ends_clause(search, i + 1))
        return TRUE; /* "10, Anna" without the comma */
    if (is_word_in(search, i, " av of ")) /* "10 av meg" */
        return is_word_in(search, i + 1, " meg mæ oss me us min ");
    return ends_clause(search, i) || is_break(search, i, "+\"'*_") || is_word_in(search, i, GOING_ON);
}

/* "8 or so", "8-ish", "8 or more", "8+"; *bound is changed. */
static gboolean is_unsure_behind(const Search *search, gssize i, Bound *bound)
{
    gssize n = is_break(search, i, "-") ? i + 1 : i;
    if (is_word_in(search, n, " or eller ") && is_word_in(search, n + 1, " more higher above better mer meir høyere høgare bedre over "))
        *bound = BOUND_LEAST;
    else if (is_word_in(search, n, " or eller ") && is_word_in(search, n + 1, " less lower below mindre lavere under dårligere "))
        *bound = BOUND_MOST;
    else if (is_break(search, i, "+"))
        *bound = BOUND_LEAST;
    else if (is_break(search, i, "-") && known_at(search, i)->is_joined && (token_at(search, i + 1) == NULL || is_break(search, i + 1, NULL)))
        return TRUE; /* the "8-" of schools */
    if (is_word_in(search, n, " or eller ") && is_word_in(search, n + 1, " so noe noko der thereabouts deromkring something "))
        return TRUE;
    return is_word_in(search, n, " ish maybe perhaps kanskje ") || (is_break(search, n, ",") && is_word_in(search, n + 1, " maybe perhaps kanskje ")) ||
           is_break(search, i, "?");
}

/* "could be a 10", "would give 10 if": said of another day. */
static gboolean is_conditional(const Search *search, gssize i)
{
    gboolean modal = FALSE;
    for (gssize n = i - 1; n >= 0 && n > i - REACH && !is_break(search, n, ".!?\n;"); n--) {
        if (is_word_in(search, n, TURNING))
            break;
        if (is_word_in(search, n, MIGHT_BE) || (is_word_in(search, n, " have vært vore been ") && is_word_in(search, n - 1, " would hadde ville i'd ")))
            return TRUE;
        modal |= is_word_in(search, n, MODAL);
    }
    for (gssize n = i + 1; n < i + 3 * REACH && !is_break(search, n, ".!?\n;") && token_at(search, n) != NULL; n++) {
        if (is_word_in(search, n, " but men "))
            return FALSE;
        if (is_word_in(search, n, WHAT_IF))
            return modal || n <= i + 2;
    }
    return FALSE;
}

/* ---- one number -------------------------------------------------------------------------------------------------------- */

/* "eight and a half", "åtte komma fem", "8 ½". */
static gboolean has_fraction_behind(const Search *search, gssize i)
{
    gssize n = i + (is_word_in(search, i, " and og ") ? 1 : 0);
    n += is_word_in(search, n, " a an en ein et ") ? 1 : 0;
    return is_word_in(search, n, " half halv halvt ") || is_break(search, i, "\xc2") || (is_word_in(search, i, " point komma ") && is_number(search, i + 1)) ||
           (is_number(search, i) && is_break(search, i + 1, "/"));
}

/* "-1"; a dash with a space before the number is a writer's. */
static gboolean is_negative(const Search *search, gssize i)
{
    return is_break(search, i - 1, "-") && known_at(search, i)->is_joined && (i < 2 || !known_at(search, i - 1)->is_joined);
}

static void note_bounded(Search *search, gssize i, Bound bound, int value)
{
    if (bound == BOUND_LEAST)
        note(search, i, value >= FIRST_GOOD, value);
    else if (bound == BOUND_MOST)
        note(search, i, value <= LAST_BAD, value);
    else
        note(search, i, bound == BOUND_NONE, value);
}

/* A number that is meant as a score: what its clause makes of it. last: the last token of it. */
static void judge(Search *search, gssize i, gssize last, const Before *before, gboolean *hypothetical)
{
    const ScoreToken *number = known_at(search, i);
    Bound bound = before->bound;
    gboolean unsure = is_unsure_behind(search, last + 1, &bound) || before->unsure || number->is_fraction || has_fraction_behind(search, last + 1) ||
                      is_negative(search, i);

    if (is_conditional(search, i) || (before->denied && bound == BOUND_NONE)) {
        note_weakly(search, i, hypothetical);
    } else if (unsure)
        note(search, i, FALSE, -1);
    else
        note_bounded(search, i, bound, number->value);
}

/* The number of tokens of "/ 10", "out of ten", "av ti" behind i; *ret_scale: the 10. 0: there is none. */
static guint scale_behind(const Search *search, gssize i, int *ret_scale)
{
    gssize n = i + 1;
    if (is_word_in(search, n, " out ut ") && is_word_in(search, n + 1, " of av "))
        n += 2;
    else if (is_break(search, n, "/") || is_word_in(search, n, " of av over på "))
        n++;
    else
        return 0;
    n += is_word_in(search, n, " a the totalt mulige ") ? 1 : 0;
    const ScoreToken *scale = token_at(search, n);
    if (scale == NULL || scale->kind != SCORE_NUMBER || (scale->is_ambiguous && !scale->is_grade))
        return 0;
    *ret_scale = scale->is_fraction ? -1 : scale->value;
    return (guint)(n - i);
}

static gboolean is_scale_other(int scale)
{
    return scale == 5 || scale == 6 || scale == 12 || scale == 20 || scale > 90;
}

/* "9/10", "4 out of 5", "7/8". TRUE: it was one, and *last is its end. */
static gboolean take_scale(Search *search, gssize i, gssize *last, gboolean *hypothetical)
{
    int scale = 0;
    guint length = scale_behind(search, i, &scale);
    Before before;

    if (length == 0)
        return FALSE;
    *last = i + (gssize)length;
    if (is_word_in(search, *last + 1, COUNTED) || is_word_in(search, i - 1, " on dated date den the since until by due order ordre "))
        return TRUE; /* an amount, or a date */
    look_before(search, i, &before);
    before.denied = before.denied && !is_break(search, i - 1, NULL);
    if (scale == MAX_SCORE)
        judge(search, i, *last, &before, hypothetical);
    else if ((is_scale_other(scale) || (before.starts && is_break(search, i + 1, "/"))) && is_free_behind(search, *last + 1))
        note(search, i, FALSE, -1);
    return TRUE;
}

/* "8-9", "7 or 8", "between 7 and 8". TRUE: it was one. */
static gboolean take_range(Search *search, gssize i, gssize *last)
{
    gssize n = i + 1;
    n += is_break(search, n, "-/") ? 1 : 0;
    gboolean joined = n > i + 1;
    if (!joined && is_word_in(search, n, " to til or eller og and "))
        n++;
    n += n > i + 1 && is_word_in(search, n, " a an en ein ") && is_number(search, n + 1) ? 1 : 0;
    if (n == i + 1 || !is_number(search, n) || known_at(search, n)->value > MAX_SCORE || (known_at(search, n)->is_ambiguous && !joined))
        return FALSE;
    Before before;
    look_before(search, i, &before);
    gboolean between = is_word_in(search, i - 1, " between mellom ") || is_word_in(search, i - 2, " between mellom ");
    int scale = 0;
    if (scale_behind(search, n, &scale) == 0 && !is_free_behind(search, n + 1))
        return *last = n, TRUE;
    *last = n;
    if (known_at(search, i)->value == known_at(search, n)->value) /* "10 - ten" */
        note(search, i, before.starts || before.given, known_at(search, n)->value);
    else if (before.starts || before.given || before.unsure || between)
        note(search, i, FALSE, -1);
    return TRUE;
}

/* "en ener", "soleklar tier": words that are names or something else without such company. */
static gboolean is_surely_grade(const Search *search, gssize i, const Before *before)
{
    const ScoreToken *number = known_at(search, i);
    if (!number->is_grade)
        return FALSE;
    if (number->value == MAX_SCORE)
        return before->given || before->starts;
    return is_word_in(search, i - 1, " en ein ei soleklar klar svak glatt ");
}

/* A number that stands for itself, or behind words of giving. */
static void take_number(Search *search, gssize i, gboolean *hypothetical)
{
    const ScoreToken *number = known_at(search, i);
    gboolean alone = search->words->words == 1;
    Before before;

    if (number->value <= MAX_SCORE && is_word_in(search, i + 1, " stars star stjerner stjerne "))
        return note(search, i, FALSE, -1);
    if (!(number->is_grade && !number->is_ambiguous) && !is_free_behind(search, i + 1))
        return;
    look_before(search, i, &before);
    gboolean meant = before.starts || before.given || (before.bound != BOUND_NONE && before.denied);
    if (before.joined && !before.given)
        return;
    if (number->is_grade && !number->is_ambiguous)
        meant = TRUE;
    if (number->is_ambiguous && (!alone || number->is_grade) && !is_surely_grade(search, i, &before))
        return;
    if (number->value > MAX_SCORE && !alone && !before.given && !number->is_grade && search->words->words > 4)
        return;
    if (meant)
        judge(search, i, i, &before, hypothetical);
}

/* ---- lists ------------------------------------------------------------------------------------------------------------- */

/* "1. price", "2) delivery": the number at i, at a line's begin or behind a sentence, counts an item. */
static gboolean is_item(const Search *search, gssize i, int value)
{
    const ScoreToken *number = known_at(search, i);
    return number->kind == SCORE_NUMBER && !number->is_word && number->value == value && is_break(search, i + 1, ".):") &&
           token_at(search, i + 2) != NULL && !is_break(search, i + 2, "\n") && (i == 0 || is_break(search, i - 1, NULL));
}

/* Items are told by their succession, from 1 on: the last token of the list's numbers, -1 where there is no list. Those are marked. */
static void mark_items(const Search *search)
{
    int wanted = 1;
    gssize first = -1;
    for (gssize i = 0; i < (gssize)search->words->tokens->len; i++) {
        if (!is_item(search, i, wanted))
            continue;
        if (wanted == 2)
            g_array_index(search->words->tokens, ScoreToken, first).kind = SCORE_OTHER;
        if (wanted == 1)
            first = i;
        else
            g_array_index(search->words->tokens, ScoreToken, i).kind = SCORE_OTHER;
        wanted++;
    }
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

/* "full pott", "top marks", "terningkast 6": a score, but none that is a number of ours. */
static gboolean is_other_scale(const Search *search, gssize i)
{
    return (is_word_in(search, i, " full fullt ") && is_word_in(search, i + 1, " pott score marks hus ")) ||
           (is_word_in(search, i, " top ") && is_word_in(search, i + 1, " marks score ")) ||
           is_word_in(search, i, " toppkarakter toppscore terningkast ");
}

/* One line without controls, cut between characters. Caller frees. */
static char *evidence_of(const Search *search)
{
    if (search->at < 0)
        return g_strdup("");
    gssize from = search->at, to = search->at;
    while (from > 0 && !is_break(search, from - 1, ".!?\n;"))
        from--;
    while (token_at(search, to + 1) != NULL && !is_break(search, to + 1, ".!?\n;"))
        to++;
    gsize start = known_at(search, from)->start, end = known_at(search, to)->end;
    g_autofree char *words = g_strndup(search->words->text + start, end - start);
    g_autofree char *line = text_one_line(words);
    return text_escape(line, SCORE_MAX_EVIDENCE - (gsize)strlen("…"));
}

ScoreRead mail_score_read(const char *new_text)
{
    if (!score_words_possible(new_text))
        return (ScoreRead){.verdict = SCORE_NONE, .value = -1, .evidence = g_strdup("")};
    g_autoptr(ScoreWords) words = score_words_new(new_text);
    Search search = {.words = words, .at = -1};
    gboolean hypothetical = FALSE;

    mark_items(&search);
    for (gssize i = 0; i < (gssize)words->tokens->len; i++) {
        gssize last = i;
        if (is_other_scale(&search, i))
            note_weakly(&search, i++, &hypothetical);
        else if (!is_number(&search, i))
            continue;
        else if (take_scale(&search, i, &last, &hypothetical) || take_range(&search, i, &last))
            i = last;
        else
            take_number(&search, i, &hypothetical);
    }
    ScoreRead read = {.verdict = SCORE_NONE, .value = -1, .evidence = evidence_of(&search)};
    if (search.clear && !search.unclear)
        read = (ScoreRead){.verdict = SCORE_CLEAR, .value = search.value, .evidence = read.evidence};
    else if (search.clear || search.unclear || hypothetical)
        read.verdict = SCORE_UNCLEAR;
    return read;
}

void score_read_clear(ScoreRead *score)
{
    g_clear_pointer(&score->evidence, g_free);
}
