/*
 * mail/score: a number is taken for a score only where it is meant as one, and what could be read in two ways is unclear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/score.h"

enum { NONE = -2, UNCLEAR = -1 };

static const struct {
    const char *text;
    int want;
} cases[] = {
    /* a number alone, in digits, words and as a mark */
    {"9", 9}, {" 9. ", 9}, {"9!", 9}, {"**9**", 9}, {"\"9\"", 9}, {"9️⃣", 9}, {"🔟", 10}, {"nine", 9}, {"Åtte", 8}, {"TI!", 10},
    {"one", 1}, {"to", 2}, {"Fire", 4}, {"null", 0}, {"9er", 9}, {"en 9-er", 9}, {"ein sjuar", 7}, {"9.0", 9},
    /* of ten */
    {"9/10", 9}, {"9 / 10", 9}, {"9 out of 10", 9}, {"ni av ti", 9}, {"to av ti", 2}, {"one out of ten", 1}, {"10 av 10 mulige", 10},
    {"9 of 10 times it works", NONE}, {"we meet on 9/10", NONE}, {"7/8", UNCLEAR}, {"4/5", UNCLEAR}, {"95/100", UNCLEAR}, {"12/10!", UNCLEAR},
    /* given, on both sides of other words */
    {"I'd say 8.", 8}, {"My answer is 7, thanks", 7}, {"Score: 7", 7}, {"Karakter - 6", 6}, {"8 fra meg", 8}, {"10 because of Tom", 10},
    {"Vi gir dere 9", 9}, {"det blir en solid åtter", 8}, {"I think a 9", 9}, {"Tja. 7.", 7}, {"no doubt a 9", 9},
    /* bounds: told where it does not matter what they leave open, or the number is the cautious reading */
    {"not below 8", 8}, {"at least 9", 9}, {"minst 7", 7}, {"ikke under 8", 8}, {"8 or higher", 8}, {"9+", 9}, {"not above 6", 6},
    {"at least 5", UNCLEAR}, {"at most 8", UNCLEAR}, {"more than 8", UNCLEAR}, {"under 5", UNCLEAR}, {"not less than 6", UNCLEAR},
    /* never guessed */
    {"8-9", UNCLEAR}, {"8 – 9", UNCLEAR}, {"8 or 9", UNCLEAR}, {"mellom 7 og 8", UNCLEAR}, {"seven to eight", UNCLEAR}, {"8.5", UNCLEAR}, {"8,5", UNCLEAR},
    {"9?", UNCLEAR}, {"maybe 8", UNCLEAR}, {"8 or so", UNCLEAR}, {"8ish", UNCLEAR}, {"nesten 10", UNCLEAR}, {"11", UNCLEAR}, {"tolv", UNCLEAR},
    {"9 for the food, 4 for the service", UNCLEAR}, {"not a 10", UNCLEAR}, {"not a 10, an 8", 8}, {"10 if you were cheaper", UNCLEAR},
    {"could be 10", UNCLEAR}, {"I would give 10 if it were cheaper, so 7", 7}, {"full pott!", UNCLEAR}, {"terningkast 5", UNCLEAR}, {"5 stars", UNCLEAR},
    {"9- ", UNCLEAR}, {"-1", UNCLEAR}, {"eight and a half", UNCLEAR}, {"åtte komma fem", UNCLEAR}, {"8 1/2", UNCLEAR}, {"8½", UNCLEAR}, {"10 - ten!", 10},
    {"Full score, 10", 10}, {"Jeg ville gitt dere 8", 8}, {"10 Anna!", 10},
    /* numbers of other things */
    {"I bought 3 of them", NONE}, {"back in 2 weeks", NONE}, {"10 years with you", NONE}, {"call me on 99 88 77 66", NONE}, {"it costs 9 kr", NONE},
    {"at 9:30", NONE}, {"kl. 9", NONE}, {"on 14.03.2026", NONE}, {"1. mars", NONE}, {"the 5th", NONE}, {"100 % agree", NONE}, {"we are 8", NONE},
    {"vi er 8", NONE}, {"I <3 you", NONE}, {"1. price\n2. time", NONE}, {"room 5", NONE}, {"zero complaints", NONE}, {"null problem", NONE},
    {"on a scale from 0 to 10?", NONE}, {"is 10 the best?", NONE}, {"https://a.example/9", NONE}, {"9 seats", NONE}, {"", NONE}, {"Thanks!", NONE},
    {"Einar", NONE}, {"We have an 8-seater", NONE}, {"Tier 2 support", NONE},
    /* a list behind the score */
    {"6\n\n1. price\n2. time\n3. price", 6},
};

static void test_scores(void **state)
{
    (void)state;
    guint wrong = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ScoreRead read = mail_score_read(cases[i].text);
        int got = read.verdict == SCORE_CLEAR ? read.value : read.verdict == SCORE_UNCLEAR ? UNCLEAR : NONE;
        if (got != cases[i].want)
            print_error("\"%s\" is read as %d, not %d (%s)\n", cases[i].text, got, cases[i].want, read.evidence);
        assert_true(read.verdict == SCORE_CLEAR ? read.value >= 0 && read.value <= 10 : read.value == -1);
        assert_true((read.verdict == SCORE_NONE) == (*read.evidence == '\0'));
        wrong += got != cases[i].want;
        score_read_clear(&read);
    }
    assert_int_equal(wrong, 0);
}

static void test_evidence_is_one_bounded_line(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("I'd say 9\x1b[2J because");
    for (guint i = 0; i < 100; i++)
        g_string_append(text, " it works æøå");
    ScoreRead read = mail_score_read(text->str);
    assert_int_equal(read.value, 9);
    assert_true(strlen(read.evidence) <= SCORE_MAX_EVIDENCE && g_utf8_validate(read.evidence, -1, NULL));
    assert_null(strpbrk(read.evidence, "\r\n\x1b"));
    score_read_clear(&read);
}

/* Whatever the bytes of a text are made of, reading ends and says one of three things. */
static void test_any_text_is_read(void **state)
{
    (void)state;
    static const char *const pieces[] = {"9", "10", "/", " of ", "ti", " av ", "-", ".", ",", "\n", " or ", "%", "+", "'er", "é", "🔟", "99 88 77 66 ", " ", "(", "\xc2\xa0"};
    GRand *random = g_rand_new_with_seed(20261124);
    for (guint i = 0; i < 3000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int n = g_rand_int_range(random, 0, 40); n > 0; n--)
            g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        ScoreRead read = mail_score_read(text->str);
        assert_true(read.verdict <= SCORE_CLEAR && read.value >= -1 && read.value <= 10);
        assert_true(strlen(read.evidence) <= SCORE_MAX_EVIDENCE);
        score_read_clear(&read);
    }
    g_rand_free(random);
    g_autofree char *long_text = g_strnfill(4 * SCORE_MAX_TEXT, '1');
    ScoreRead read = mail_score_read(long_text);
    assert_int_equal(read.verdict, SCORE_NONE);
    score_read_clear(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_evidence_is_one_bounded_line),
        cmocka_unit_test(test_any_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
