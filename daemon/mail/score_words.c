/*
 * Taking an answer apart for mail/score.c: what looks like a number but is a date, a time, a price or a telephone is marked first,
 * then words, numbers (as digits or words of English, bokmål and nynorsk) and the ends of clauses are told apart.
 *
 * Pure; any thread. One pass a pattern over at most SCORE_MAX_TEXT octets; patterns repeat only within bounds.
 */
#include "score_words.h"

#include <string.h>

#include "mail/score.h"
#include "mail/word_gate.h"

enum { LARGE = 1000, OTHER_MARK = 0x01, MAX_TOKENS = 4000 };

/* What is no score though it has digits. The last three say which numbers are asked for. */
#define MONTH                                                                                                               \
    "(?:jan(?:uar|uary)?|feb(?:ruar|ruary)?|mars?|march|apr(?:il)?|mai|may|juni?|june|juli?|july|aug(?:ust)?|"             \
    "sept?(?:ember)?|o[kc]t(?:ober)?|nov(?:ember)?|de[sc](?:ember)?)\\b"
static const char *const other_numbers[] = {
    "\\b(?:https?://|www\\.)\\S{1,500}",
    "[^\\s@<>]{1,64}@[^\\s@<>]{1,250}",
    "<3+",
    "(?<!\\d)\\d{4}-\\d\\d?-\\d\\d?(?!\\d)",
    "(?<!\\d)\\d{1,2}[./-]\\d{1,2}[./-](?:\\d{4}|\\d\\d)(?!\\d)",
    "(?<!\\d)\\d{1,2}(?:st|nd|rd|th|\\.)?\\s?(?:of )?" MONTH "(?:\\s\\d{4})?",
    "\\b" MONTH "\\s\\d{1,2}(?:st|nd|rd|th)?\\b(?!\\s?(?:/|out|av))",
    "\\b(?:kl|klokka|klokken|at|before|after|by|until|around|før|etter)\\.?\\s\\d{1,2}[:.]\\d\\d",
    "(?<!\\d)\\d{1,2}:\\d\\d(?!\\d)",
    "\\b(?:kl|klokka|klokken)\\.?\\s?\\d{1,2}\\b",
    "(?<!\\d)\\d{1,2}\\s?(?:am|pm|a\\.m\\.|p\\.m\\.|o'clock)(?!\\w)",
    "[$€£]\\s?\\d[\\d.,]{0,15}(?:\\s?[km]\\b)?",
    "\\b(?:kr|usd|eur|gbp)\\.?\\s?\\d[\\d., ]{0,15}",
    "\\d[\\d., ]{0,15}(?:kr|kroner|usd|eur|gbp|dollars?|euros?|pounds?|,-|:-)(?!\\w)",
    "(?<!\\w)\\d{1,3}(?:[.,]\\d{1,2})?\\s?(?:%|percent|per cent|prosent)",
    "\\+\\d{1,3}[ .-]{0,2}\\(0\\)[\\d .-]{5,16}",
    "\\+?\\(?\\d{2,}\\)?(?:[ .()/-]{0,2}\\d{2,}){2,7}",
    "(?<![\\w/])\\d{3,}(?:[ -]\\d{3,})+",
    "(?<!\\w)\\d{5,}",
    "\\b\\d{1,2}(?:st|nd|rd|th)\\b",
    "\\b(?:den|the)\\s\\d{1,2}\\.(?=\\s|$)",
    "\\b(?:no|nr|num|pkt|art|str|room|rom|unit|page|side|week|uke|veke)\\.?\\s\\d{1,4}\\b",
    "\\b(?:from |fra |frå |of |mellom |between |på |scale |skala ){0,2}[01]\\s?(?:-|to|til|and|og)\\s?10\\b(?!\\s?/)",
    "\\b(?:on|på)\\s(?:a|en|ein)\\s(?:scale|skala)\\s(?:of|from|to|til|av|fra|frå)\\s(?:10|ten|ti)\\b",
    "\\b(?:zero|null|one|en|ein)\\s(?:to|til)\\s(?:ten|ti)\\b",
};

typedef struct {
    const char *words; /* " … " */
    int value;
    gboolean is_ambiguous, is_grade;
} NumberWord;

static const NumberWord number_words[] = {
    {" zero null nil nada ", 0, FALSE, FALSE},
    {" one en ein ett eitt ei ", 1, TRUE, FALSE},
    {" two ", 2, FALSE, FALSE}, {" to ", 2, TRUE, FALSE},
    {" three tre ", 3, FALSE, FALSE},
    {" four ", 4, FALSE, FALSE}, {" fire ", 4, TRUE, FALSE},
    {" five fem ", 5, FALSE, FALSE},
    {" six seks ", 6, FALSE, FALSE},
    {" seven sju syv ", 7, FALSE, FALSE},
    {" eight eigth eigt åtte aatte otte ", 8, FALSE, FALSE},
    {" nine nien ni ", 9, FALSE, FALSE},
    {" ten ti ", 10, FALSE, FALSE},
    {" eleven elleve ", 11, FALSE, FALSE},
    {" twelve tolv ", 12, FALSE, FALSE},
    {" fifteen femten ", 15, FALSE, FALSE}, {" twenty tjue ", 20, FALSE, FALSE},
    {" hundred hundre thousand tusen million ", LARGE, FALSE, FALSE},
    {" nuller nullar ", 0, FALSE, TRUE}, {" ener einar ", 1, TRUE, TRUE}, {" toer toar ", 2, FALSE, TRUE}, {" treer trear ", 3, FALSE, TRUE},
    {" firer firar ", 4, FALSE, TRUE}, {" femmer femmar ", 5, FALSE, TRUE}, {" sekser seksar ", 6, FALSE, TRUE},
    {" sjuer sjuar syver syvar ", 7, FALSE, TRUE}, {" åtter åttar ", 8, FALSE, TRUE}, {" nier niar ", 9, FALSE, TRUE},
    {" tiar ", 10, FALSE, TRUE}, {" tier ", 10, TRUE, TRUE},
};

gboolean score_word_in(const char *word, const char *list)
{
    gsize length = strlen(word);
    for (const char *space = list; space != NULL; space = strchr(space + 1, ' '))
        if (strncmp(space + 1, word, length) == 0 && space[length + 1] == ' ')
            return TRUE;
    return FALSE;
}

/* ---- whether it is worth it --------------------------------------------------------------------------------------------- */

enum { SHORT_TEXT = 400 /* octets that are always looked at: "one or two" says something there */ };

/* Words of numbers and of other scales, but those that are mostly something else. */
#define TELLING_WORDS                                                                                                       \
    "zero_ null_ nil_ nada_ two_ three_ tre_ four_ five_ fem_ six_ seks_ seven_ sju_ syv_ eight_ eigth_ eigt_ åtte_ aatte_ otte_ nine_ nien_ ni_ "  \
    "ten_ ti_ eleven_ elleve_ twelve_ tolv_ fifteen_ femten_ twenty_ tjue_ hundred_ hundre_ toer_ toar_ treer_ trear_ firer_ firar_ "     \
    "femmer_ femmar_ sekser_ seksar_ sjuer_ sjuar_ syver_ syvar_ åtter_ åttar_ nier_ niar_ tiar_ tier_ ener_ einar_ full_ fullt_ top_ toppkarakter_ "    \
    "toppscore_ terningkast_"

/* Digits at p that stand for a number up to ten, and are no part of a date, a time or a longer number. */
static gboolean is_small_number(const char *text, const char *p)
{
    gsize length = strspn(p, "0123456789");
    if (length > 2 || (length == 2 && strncmp(p, "10", 2) != 0) || (p > text && strchr(".:/-+", p[-1]) != NULL))
        return FALSE;
    return strchr(".:", p[length]) == NULL || p[length] == '\0' || !g_ascii_isdigit(p[length + 1]);
}

static const WordGate *telling_words(void)
{
    static WordGate *gate;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        gate = word_gate_new(TELLING_WORDS);
        g_once_init_leave(&once, 1);
    }
    return gate;
}

gboolean score_words_possible(const char *text)
{
    if (strnlen(text, SHORT_TEXT + 1) <= SHORT_TEXT || strstr(text, "\xf0\x9f\x94\x9f" /* the keycap of ten */) != NULL)
        return TRUE;
    for (const char *p = strpbrk(text, "0123456789"); p != NULL; p = strpbrk(p + strspn(p, "0123456789"), "0123456789"))
        if (is_small_number(text, p))
            return TRUE;
    return word_gate_is_open(telling_words(), text);
}

/* ---- the text looked at ------------------------------------------------------------------------------------------------ */

static void append_plain(GString *out, gunichar c)
{
    switch (c) {
    case 0x2010: case 0x2011: case 0x2012: case 0x2013: case 0x2014: case 0x2212:
        g_string_append_c(out, '-');
        break;
    case 0x2018: case 0x2019: case 0x00b4: case 0x60:
        g_string_append_c(out, '\'');
        break;
    case 0x20e3: case 0xfe0f: case 0x200b: case 0xad: /* the frame of a keycap, and what is not seen */
        break;
    case 0x1f51f:
        g_string_append(out, "10");
        break;
    default:
        if (c == '\n')
            g_string_append_c(out, '\n');
        else if (g_unichar_isspace(c) || g_unichar_iscntrl(c))
            g_string_append_c(out, ' ');
        else
            g_string_append_unichar(out, g_unichar_tolower(c));
    }
}

/* Caller frees. */
static char *plain_text(const char *text)
{
    GString *out = g_string_new(NULL);
    g_autofree char *normal = g_utf8_normalize(text, (gssize)MIN(strlen(text), (gsize)SCORE_MAX_TEXT * 2), G_NORMALIZE_NFC);

    for (const char *p = normal != NULL ? normal : ""; *p != '\0' && out->len < SCORE_MAX_TEXT; p = g_utf8_next_char(p))
        append_plain(out, g_utf8_get_char(p));
    return g_string_free(out, FALSE);
}

/* ---- numbers of other things ------------------------------------------------------------------------------------------- */

static GRegex *const *patterns(void)
{
    static GRegex *compiled[G_N_ELEMENTS(other_numbers)];
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        for (guint i = 0; i < G_N_ELEMENTS(other_numbers); i++) {
            g_autoptr(GError) error = NULL;
            compiled[i] = g_regex_new(other_numbers[i], G_REGEX_OPTIMIZE, 0, &error);
            if (compiled[i] == NULL)
                g_error("score_words: %s", error->message);
        }
        g_once_init_leave(&once, 1);
    }
    return compiled;
}

/* A copy of the text in which they are marks. Caller frees. */
static char *mark_other_numbers(const char *text)
{
    char *marked = g_strdup(text);
    for (guint i = 0; i < G_N_ELEMENTS(other_numbers); i++) {
        g_autofree char *before = g_strdup(marked);
        g_autoptr(GMatchInfo) match = NULL;
        g_regex_match(patterns()[i], before, 0, &match);
        for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
            int start = 0, end = 0;
            g_match_info_fetch_pos(match, 0, &start, &end);
            memset(marked + start, OTHER_MARK, (gsize)(end - start));
        }
    }
    return marked;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------ */

/* The octets of a word at p: letters, with apostrophes inside. */
static gsize word_length(const char *p)
{
    const char *end = p;
    while (*end != '\0') {
        gunichar c = g_utf8_get_char(end);
        if (!g_unichar_isalpha(c) && !(c == '\'' && end > p && g_unichar_isalpha(g_utf8_get_char(end + 1))))
            break;
        end = g_utf8_next_char(end);
    }
    return (gsize)(end - p);
}

/* Each word of number_words -> its row: texts have very many words, and few of them are numbers. */
static GHashTable *number_rows(void)
{
    static GHashTable *rows;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint i = 0; i < G_N_ELEMENTS(number_words); i++) {
            g_auto(GStrv) words = g_strsplit(number_words[i].words, " ", -1);
            for (char **word = words; *word != NULL; word++)
                if (**word != '\0' && !g_hash_table_contains(rows, *word))
                    g_hash_table_insert(rows, g_strdup(*word), GUINT_TO_POINTER(i + 1));
        }
        g_once_init_leave(&once, 1);
    }
    return rows;
}

static void set_number_word(ScoreToken *token)
{
    char *ending = strchr(token->text, '\'');
    if (ending != NULL && score_word_in(ending + 1, " er ar ")) { /* "ni'ar" */
        *ending = '\0';
        token->is_grade = TRUE;
    }
    guint row = GPOINTER_TO_UINT(g_hash_table_lookup(number_rows(), token->text));
    if (row == 0)
        return;
    token->kind = SCORE_NUMBER;
    token->value = number_words[row - 1].value;
    token->is_ambiguous = number_words[row - 1].is_ambiguous;
    token->is_grade |= number_words[row - 1].is_grade;
    token->is_word = TRUE;
}

/* "8", or "8.5" and "8,5": a dot or comma between digits. */
static gsize take_digits(const char *p, ScoreToken *token)
{
    gsize whole = strspn(p, "0123456789"), all = whole;
    if ((p[whole] == '.' || p[whole] == ',') && g_ascii_isdigit(p[whole + 1])) {
        gsize more = strspn(p + whole + 1, "0123456789");
        all += 1 + more;
        token->is_fraction = strspn(p + whole + 1, "0") < more; /* 9.0 is a whole number */
    }
    token->kind = SCORE_NUMBER;
    token->value = whole > 3 ? LARGE : (int)g_ascii_strtoll(p, NULL, 10);
    return all;
}

/* The token at p, which is no space; its length in octets. */
static gsize take_token(const char *p, ScoreToken *token)
{
    gsize length = strspn(p, (char[]){OTHER_MARK, '\0'});
    token->kind = SCORE_OTHER;
    if (length > 0)
        return length;
    if (g_ascii_isdigit(*p))
        return take_digits(p, token);
    length = word_length(p);
    token->kind = length > 0 ? SCORE_WORD : SCORE_BREAK;
    return length > 0 ? length : (gsize)(g_utf8_next_char(p) - p);
}

static ScoreToken *last_token(GArray *tokens, guint back)
{
    return tokens->len > back ? &g_array_index(tokens, ScoreToken, tokens->len - 1 - back) : NULL;
}

static void drop_last(GArray *tokens)
{
    g_free(last_token(tokens, 0)->text);
    g_array_set_size(tokens, tokens->len - 1);
}

/* "9er", "9'er", "9-ar": the ending belongs to the number. */
static gboolean is_grade_ending(GArray *tokens, const ScoreToken *token)
{
    if (token->kind != SCORE_WORD || !token->is_joined)
        return FALSE;
    if (!score_word_in(token->text, " er ar er'n eren ern aren arn "))
        return FALSE;
    ScoreToken *number = last_token(tokens, 0);
    if (number != NULL && number->kind == SCORE_BREAK && number->is_joined && strchr("-'", *number->text) != NULL) {
        ScoreToken *before = last_token(tokens, 1);
        if (before == NULL || before->kind != SCORE_NUMBER)
            return FALSE;
        drop_last(tokens);
        number = last_token(tokens, 0);
    }
    return number != NULL && number->kind == SCORE_NUMBER && !number->is_word;
}

static void add_token(ScoreWords *words, ScoreToken *token)
{
    GArray *tokens = words->tokens;
    token->text = g_strndup(words->text + token->start, token->end - token->start);
    if (token->kind == SCORE_WORD)
        set_number_word(token);
    if (is_grade_ending(tokens, token)) {
        ScoreToken *number = &g_array_index(tokens, ScoreToken, tokens->len - 1);
        number->is_grade = TRUE;
        number->end = token->end;
        g_free(token->text);
        return;
    }
    words->words += token->kind != SCORE_BREAK ? 1 : 0;
    g_array_append_val(tokens, *token);
}

ScoreWords *score_words_new(const char *text)
{
    ScoreWords *words = g_new0(ScoreWords, 1);
    words->text = plain_text(text);
    words->tokens = g_array_new(FALSE, FALSE, sizeof(ScoreToken));
    g_autofree char *marked = mark_other_numbers(words->text);
    gboolean spaced = TRUE;

    for (const char *p = marked; *p != '\0' && words->tokens->len < MAX_TOKENS;) {
        if (*p == ' ') {
            spaced = TRUE;
            p++;
            continue;
        }
        ScoreToken token = {.is_joined = !spaced, .start = (gsize)(p - marked)};
        gsize length = take_token(p, &token);
        token.end = token.start + length;
        add_token(words, &token);
        spaced = *p == '\n';
        p += length;
    }
    return words;
}

void score_words_free(ScoreWords *words)
{
    if (words == NULL)
        return;
    for (guint i = 0; i < words->tokens->len; i++)
        g_free(g_array_index(words->tokens, ScoreToken, i).text);
    g_array_unref(words->tokens);
    g_free(words->text);
    g_free(words);
}
