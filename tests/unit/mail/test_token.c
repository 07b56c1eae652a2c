/*
 * Tokens: found in what comes back, and believed only where we signed them, for what we signed them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/token.h"

static void test_signed_tokens_are_believed(void **state)
{
    (void)state;
    const gint64 ids[] = {1, 17, 4294967296, G_MAXINT64};
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        gint64 contact_id = 0;
        g_autofree char *token = mail_token_new("secret", TOKEN_UNSUBSCRIBE, ids[i]);
        g_autofree char *again = mail_token_new("secret", TOKEN_UNSUBSCRIBE, ids[i]);
        g_autofree char *upper = g_ascii_strup(token, -1);
        g_autofree char *form = g_strdup_printf("^u-%" G_GINT64_FORMAT "-[a-z2-7]{20}$", ids[i]);
        assert_string_equal(token, again);
        assert_true(g_regex_match_simple(form, token, 0, 0));
        assert_true(mail_token_check("secret", TOKEN_UNSUBSCRIBE, token, &contact_id));
        assert_int_equal(contact_id, ids[i]);
        assert_true(mail_token_check("secret", TOKEN_UNSUBSCRIBE, upper, &contact_id)); /* some programs change the case of addresses */
    }
}

static void test_others_are_not(void **state)
{
    (void)state;
    g_autofree char *token = mail_token_new("secret", TOKEN_UNSUBSCRIBE, 17);
    g_autofree char *of_other_secret = mail_token_new("other", TOKEN_UNSUBSCRIBE, 17);
    g_autofree char *other_contact = g_strconcat("u-18-", token + 5, NULL);
    g_autofree char *leading_zero = g_strconcat("u-017-", token + 5, NULL);
    g_autofree char *longer = g_strconcat(token, "a", NULL);
    g_autofree char *shorter = g_strndup(token, strlen(token) - 1);
    g_autofree char *beyond = g_strconcat("u-9999999999999999999-", token + 5, NULL);
    const char *tokens[] = {of_other_secret,
                            other_contact,
                            leading_zero,
                            longer,
                            shorter,
                            beyond,
                            "",
                            "u",
                            "u-",
                            "u-17",
                            "u-17-",
                            "u--1-aaaaaaaaaaaaaaaaaaaa",
                            "u-17-aaaaaaaaaaaaaaaaaaaa",
                            "x-17-aaaaaaaaaaaaaaaaaaaa",
                            "u-0-aaaaaaaaaaaaaaaaaaaa"};
    for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
        gint64 contact_id = -7;
        assert_false(mail_token_check("secret", TOKEN_UNSUBSCRIBE, tokens[i], &contact_id));
        assert_int_equal(contact_id, -7);
    }
    for (gsize i = 0; i < strlen(token); i++) { /* every character counts */
        gint64 contact_id = 0;
        g_autofree char *changed = g_strdup(token);
        changed[i] = changed[i] == 'b' ? 'c' : 'b';
        assert_false(mail_token_check("secret", TOKEN_UNSUBSCRIBE, changed, &contact_id));
    }
}

static void test_found_in_text(void **state)
{
    (void)state;
    g_autofree char *token = mail_token_new("secret", TOKEN_UNSUBSCRIBE, 17);
    const char *around[] = {
        "%s",      "unsubscribe %s", "Re: unsubscribe <%s>", "anna+%s@example.com", "æ%s.", "x-1 u-1 u-17 u-17-abc %s",
        "(%s)\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(around); i++) {
        g_auto(GStrv) parts = g_strsplit(around[i], "%s", 2);
        g_autofree char *text = g_strconcat(parts[0], token, parts[1], NULL);
        g_autofree char *upper = g_ascii_strup(text, -1);
        g_autofree char *found = mail_token_find(TOKEN_UNSUBSCRIBE, text);
        g_autofree char *in_upper = mail_token_find(TOKEN_UNSUBSCRIBE, upper);
        assert_string_equal(found, token);
        assert_string_equal(in_upper, token);
    }
    const char *none[] = {"",
                          "u-",
                          "menu-17-abcdefghijklmnopqrst",
                          "u-17-abcdefghijklmnopqrs",
                          "u-17-abcdefghijklmnopqrstu",
                          "u-17-abcdefghijklmnopqr1t",
                          "u-17-abcdefghij klmnopqrst",
                          "u-x-abcdefghijklmnopqrst",
                          "u-12345678901234567890-abcdefghijklmnopqrst"};
    for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
        assert_null(mail_token_find(TOKEN_UNSUBSCRIBE, none[i]));
    g_autofree char *hostile = g_strnfill(2000000, 'u');
    for (gsize i = 1; i < 2000000; i += 2)
        hostile[i] = '-';
    assert_null(mail_token_find(TOKEN_UNSUBSCRIBE, hostile));
}

static void test_a_token_of_one_kind_is_none_of_another(void **state)
{
    (void)state;
    gint64 id = -7;
    g_autofree char *unsubscribe = mail_token_new("secret", TOKEN_UNSUBSCRIBE, 17);
    g_autofree char *answer = mail_token_new("secret", TOKEN_ANSWER, 17);
    g_autofree char *renamed = g_strdup(unsubscribe);
    renamed[0] = 'm';
    assert_true(mail_token_check("secret", TOKEN_ANSWER, answer, &id));
    assert_int_equal(id, 17);
    assert_false(mail_token_check("secret", TOKEN_UNSUBSCRIBE, answer, &id));
    assert_false(mail_token_check("secret", TOKEN_ANSWER, renamed, &id));
    assert_null(mail_token_find(TOKEN_ANSWER, unsubscribe));
}

static void test_the_reply_address_bears_the_token(void **state)
{
    (void)state;
    g_autofree char *token = mail_token_new("secret", TOKEN_ANSWER, 17);
    g_autofree char *address = mail_token_address("anna@example.com", token);
    g_autofree char *want = g_strconcat("anna+", token, "@example.com", NULL);
    g_autofree char *found = mail_token_find(TOKEN_ANSWER, address);
    assert_string_equal(address, want);
    assert_string_equal(found, token);
    assert_null(mail_token_address("a.name.of.more.than.forty.characters.in.all@example.com", token)); /* beyond RFC 5321's 64 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_tokens_are_believed),
        cmocka_unit_test(test_others_are_not),
        cmocka_unit_test(test_a_token_of_one_kind_is_none_of_another),
        cmocka_unit_test(test_the_reply_address_bears_the_token),
        cmocka_unit_test(test_found_in_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
