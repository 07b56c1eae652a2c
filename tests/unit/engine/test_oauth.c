/* Protects what is believed of a token server's answer, and that nothing we sent it stands in the words told on, whatever it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/oauth.h"

static HttpAnswer answered(int status, const char *body)
{
    return (HttpAnswer){
        .status = status, .fault = "", .body = body, .form = "grant_type=refresh_token&refresh_token=rt%2F1-secret"};
}

static void test_verdicts(void **state)
{
    static const struct {
        int status;
        const char *body;
        OAuthVerdict want;
        const char *words;
    } cases[] = {
        {200, "{\"access_token\":\"a.b-c\",\"token_type\":\"Bearer\",\"expires_in\":3599}", OAUTH_GRANTED, ""},
        {200, "{\"access_token\":\"a\"}", OAUTH_GRANTED, ""},
        {200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}", OAUTH_LATER, "no bearer token"},
        {200, "{\"access_token\":\"a b\"}", OAUTH_LATER, "no bearer token"},
        {200, "{\"access_token\":\"a\\u0001auth=x\"}", OAUTH_LATER, "no bearer token"},
        {200, "{\"access_token\":\"a\\r\\nRCPT\"}", OAUTH_LATER, "no bearer token"},
        {200, "{\"access_token\":7}", OAUTH_LATER, "no bearer token"},
        {200, "{\"access_token\":\"a\",\"refresh_token\":\"\"}", OAUTH_LATER, "no bearer token"},
        {200, "[]", OAUTH_LATER, "HTTP 200 without saying why"},
        {200, "", OAUTH_LATER, ""},
        {200, "{\"error\":\"authorization_pending\"}", OAUTH_PENDING, "authorization_pending"},
        {400, "{\"error\":\"slow_down\"}", OAUTH_SLOW_DOWN, "slow_down"},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}", OAUTH_WITHDRAWN, "invalid_grant: gone"},
        {400, "{\"error\":\"interaction_required\"}", OAUTH_WITHDRAWN, "interaction_required"},
        {401, "{\"error\":\"invalid_client\"}", OAUTH_REFUSED, "invalid_client"},
        {400, "{\"error\":\"new\\nline\\u001b[31m\"}", OAUTH_REFUSED, "new\\nline"},
        {400, "{\"error\":{\"code\":7}}", OAUTH_LATER, "HTTP 400"},
        {400, "<html>", OAUTH_LATER, "HTTP 400"},
        {429, "{\"error\":\"invalid_grant\"}", OAUTH_LATER, "HTTP 429"},
        {503, "{\"error\":\"invalid_grant\"}", OAUTH_LATER, "HTTP 503"},
        {302, "", OAUTH_LATER, "HTTP 302"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const HttpAnswer http = answered(cases[i].status, cases[i].body);
        OAuthAnswer answer = {0};
        oauth_read_answer(&http, &answer);
        if (answer.verdict != cases[i].want || !strstr(answer.words, cases[i].words))
            fail_msg("case %zu: %d %s", i, answer.verdict, answer.words);
        assert_true((answer.access_token != NULL) == (cases[i].want == OAUTH_GRANTED));
        assert_null(strpbrk(answer.words, "\r\n\033"));
        oauth_answer_clear(&answer);
    }
}

static void test_lifetimes_are_bounded(void **state)
{
    static const struct {
        const char *text;
        gint64 want;
    } cases[] = {{"3599", 3599}, {"\"3599\"", 3599}, {"-1", 5},    {"0", 5}, {"9223372036854775807", 315360000},
                 {"null", 3600}, {"[]", 3600},       {"1e9", 3600}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf("{\"access_token\":\"a\",\"expires_in\":%s}", cases[i].text);
        const HttpAnswer http = answered(200, body);
        OAuthAnswer answer = {0};
        oauth_read_answer(&http, &answer);
        if (answer.verdict != OAUTH_GRANTED || answer.lifetime_s != cases[i].want)
            fail_msg("case %zu: %" G_GINT64_FORMAT, i, answer.lifetime_s);
        oauth_answer_clear(&answer);
    }
}

static void test_waits_are_bounded(void **state)
{
    static const gint64 cases[][2] = {{-1, 0}, {0, 0}, {30, 30}, {G_MAXINT64, 24 * 3600}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        HttpAnswer http = answered(503, "");
        OAuthAnswer answer = {0};
        http.retry_after_s = cases[i][0];
        oauth_read_answer(&http, &answer);
        assert_int_equal(answer.verdict, OAUTH_LATER);
        assert_int_equal(answer.retry_after_s, cases[i][1]);
        oauth_answer_clear(&answer);
    }
}

static void test_a_token_of_any_length_fits_or_is_refused(void **state)
{
    (void)state;
    for (int length = TOKEN_OCTETS - 1; length <= TOKEN_OCTETS + 1; length++) {
        g_autofree char *token = g_strnfill((gsize)length, 'x');
        g_autofree char *body = g_strdup_printf("{\"access_token\":\"%s\"}", token);
        const HttpAnswer http = answered(200, body);
        OAuthAnswer answer = {0};
        oauth_read_answer(&http, &answer);
        assert_int_equal(answer.verdict, length <= TOKEN_OCTETS ? OAUTH_GRANTED : OAUTH_LATER);
        oauth_answer_clear(&answer);
    }
}

static void test_no_words_repeat_what_was_sent(void **state)
{
    static const char *const sent[] = {"rt/1-secret", "rt%2F1-secret", "cl!ent-secret", "cl%21ent-secret", "b64dXA6"};
    (void)state;
    g_autofree char *encoded = g_base64_encode((const guchar *)"id:cl%21ent-secret", strlen("id:cl%21ent-secret"));
    for (gsize i = 0; i <= G_N_ELEMENTS(sent); i++) {
        const char *told = i < G_N_ELEMENTS(sent) ? sent[i] : encoded;
        g_autofree char *body =
            g_strdup_printf("{\"error\":\"invalid_grant\",\"error_description\":\"I know no %s here\"}", told);
        HttpAnswer http = answered(400, body);
        http.form =
            "client_id=id&client_secret=cl%21ent-secret&grant_type=refresh_token&refresh_token=rt%2F1-secret&code=b64dXA6";
        http.basic = "id:cl%21ent-secret";
        OAuthAnswer answer = {0};
        oauth_read_answer(&http, &answer);
        assert_null(strstr(answer.words, told));
        assert_non_null(strstr(answer.words, "I know no … here"));
        oauth_answer_clear(&answer);
    }
}

static void test_device_codes(void **state)
{
    static const struct {
        const char *body, *words; /* words NULL: it is one */
    } cases[] = {
        {"{\"device_code\":\"d\",\"user_code\":\"AB-CD\",\"verification_uri\":\"https://l.example/"
         "d\",\"interval\":0,\"expires_in\":99999999}",
         NULL},
        {"{\"device_code\":\"d\",\"user_code\":\"AB\\u001b[2J\",\"verification_url\":\"https://l.example/d\"}", NULL},
        {"{\"device_code\":\"d\",\"user_code\":\"AB\",\"verification_uri\":\"javascript:1\"}", "no device code"},
        {"{\"device_code\":\"d\",\"user_code\":\"AB\",\"verification_uri\":\"https://l.example/\\u001b[2J\"}",
         "no device code"},
        {"{\"user_code\":\"AB\",\"verification_uri\":\"https://l.example/\"}", "no device code"},
        {"x", "no device code"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const HttpAnswer http = answered(200, cases[i].body);
        DeviceCode code = {0};
        g_autofree char *words = NULL;
        gboolean got = oauth_read_device_code(&http, &code, &words);
        assert_int_equal(got, cases[i].words == NULL);
        assert_true(got || strstr(words, cases[i].words));
        if (got) {
            assert_in_range(code.interval_s, 1, 300);
            assert_in_range(code.lifetime_s, 5, 24 * 3600);
            assert_null(strchr(code.user_code, '\033'));
            assert_string_equal(code.complete_url, "");
        }
        device_code_clear(&code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_lifetimes_are_bounded),
        cmocka_unit_test(test_waits_are_bounded),
        cmocka_unit_test(test_a_token_of_any_length_fits_or_is_refused),
        cmocka_unit_test(test_no_words_repeat_what_was_sent),
        cmocka_unit_test(test_device_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
