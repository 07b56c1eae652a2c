/*
 * Composing: every message is read by Python's strict parser (strict_parse.py) and says there what it was given; no
 * value leaves its header; the same input gives the same bytes.
 */
#include "strict.h"

/* What the message is, as text that can be searched. Caller frees. */
static char *compose_text(const ComposeInput *input)
{
    ComposedMessage message = {0};
    g_autoptr(GError) error = NULL;
    if (!mail_compose(input, &message, &error))
        fail_msg("%s", error->message);
    char *text = g_strndup(g_bytes_get_data(message.bytes, NULL), g_bytes_get_size(message.bytes));
    composed_message_clear(&message);
    return text;
}

static const char *const USUAL_HEADERS = "From To Subject Date Message-ID Content-Language MIME-Version Content-Type";

static void test_names_and_subjects(void **state)
{
    (void)state;
    g_autofree char *word = g_strnfill(10000, 'w');
    g_autofree char *line = g_strnfill(1000, 'x');
    for (gsize i = 7; i < 1000; i += 8)
        line[i] = ' ';
    line[999] = 'x';
    GString *chinese = g_string_new(NULL);
    for (int i = 0; i < 300; i++)
        g_string_append(chinese, i % 50 == 49 ? "\xf0\x9f\x8e\x89" : "李");
    const struct {
        const char *text, *want; /* want: NULL for the text itself */
    } values[] = {
        {"Anna Berg", NULL},
        {"", NULL},
        {"Kåre Ås", NULL},
        {"Blåbærsyltetøy og rømmegrøt på Østlandet hver søndag i året så lenge vi orker", NULL},
        {"李小龙", NULL},
        {"\xf0\x9f\x8e\x89 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", NULL},
        {"Berg, Anna", NULL},
        {"Anna \"Ann\" Berg", NULL},
        {"back\\slash", NULL},
        {"<anna@evil.example>", NULL},
        {"a@b", NULL},
        {"anna@evil.example, bo", NULL},
        {"Team: anna;", NULL},
        {"(comment) x", NULL},
        {"=?utf-8?q?x?=", NULL},
        {"a =?x", NULL},
        {"Dr. Anna B. Berg", NULL},
        {"'quoted'", NULL},
        {"a\r\nBcc: evil@evil.example", "a Bcc: evil@evil.example"},
        {"a\r\n\r\nbody", "a body"},
        {"\n\x01 a \x7f\t b\x1b[31m ", "a b [31m"},
        {"\xe2\x80\xaeright\xe2\x80\xac to left", NULL},
        {"a\xe2\x80\xa8"
         "b",
         "a b"},
        {"broken \xff utf-8", "broken \xef\xbf\xbd utf-8"},
        {"nonbreaking\xc2\xa0space", "nonbreaking space"},
        {"Ends in åå_", NULL},
        {"under_score = equals? _a_", NULL},
        {"Å", NULL},
        {"a very long name in plain ASCII that goes on and on beyond any line there is, and has a comma", NULL},
        {line, NULL},
        {word, NULL},
        {chinese->str, NULL},
    };
    Cases cases = {.lines = g_string_new(NULL), .headers = USUAL_HEADERS};
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        const char *want = values[i].want ? values[i].want : values[i].text;
        const RenderedTemplate rendered = {
            .subject = (char *)values[i].text, .text = (char *)"Hi\n", .html = i % 2 ? (char *)"<p>Hi</p>" : NULL};
        ComposeInput input = plain_input(&rendered);
        input.from_name = input.to_name = values[i].text;
        add_case(&cases, &input, want, want, want);
    }
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
    g_string_free(chinese, TRUE);
}

static void test_bodies(void **state)
{
    (void)state;
    g_autofree char *word = g_strnfill(10000, 'w');
    GString *long_line = g_string_new(NULL);
    GString *chinese = g_string_new(NULL);
    GString *binary = g_string_new(NULL);
    for (int i = 0; i < 1000; i++) {
        g_string_append(long_line, i % 10 == 9 ? "ø " : ".");
        g_string_append(chinese, i % 100 == 99 ? "。\n" : "词");
    }
    for (int i = 1; i < 128; i++)
        g_string_append_c(binary, i == '\r' ? '\n' : (char)i);
    const char *bodies[] = {
        "Hi",
        "Hi there\n\nAll well?",
        ".\n..\n.a\n\nFrom here on\nFrom there\n>From",
        "trailing  \n\ttab\t\n  leading",
        "a=b =3D =\n==",
        "--=_0\n--\n-- \n---",
        "--=_90eb2c0a7c6c2d10d9b2b2e0\nx",
        word,
        long_line->str,
        chinese->str,
        binary->str,
        "Blåbær \xf0\x9f\x8e\x89",
        "x\n\n\n\ny",
        "12345678901234567890123456789012345678901234567890123456789012345678901234. dots",
        "123456789012345678901234567890123456789012345678901234567890123456789012345\nFrom",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaFrom here and a longer line",
        "123456789012345678901234567890123456789012345678901234567890123456789012345  \nx",
        "ø\r\nø\rø",
    };
    Cases cases = {.lines = g_string_new(NULL), .headers = USUAL_HEADERS};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++)
        for (int with_html = 0; with_html < 2; with_html++) {
            g_autofree char *html = g_strdelimit(g_strdup(bodies[i]), "\r", '\n');
            g_strchomp(html);
            const RenderedTemplate rendered = {
                .subject = (char *)"x", .text = (char *)bodies[i], .html = with_html && i != 17 ? html : NULL};
            ComposeInput input = plain_input(&rendered);
            add_case(&cases, &input, "Anna Berg", "", "x");
        }
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
    g_string_free(long_line, TRUE);
    g_string_free(chinese, TRUE);
    g_string_free(binary, TRUE);
}

/* Every length around the places where lines are broken. */
static void test_every_length(void **state)
{
    (void)state;
    Cases cases = {.lines = g_string_new(NULL), .headers = USUAL_HEADERS};
    for (gsize length = 1; length < 240; length++) {
        g_autofree char *ascii = g_strnfill(length, 'a');
        GString *words = g_string_new(NULL);
        while (words->len < length)
            g_string_append(words, words->len % 3 ? "ø" : "w");
        for (gsize i = 5; i + 1 < length; i += 7 + length % 5)
            ascii[i] = ' ';
        const RenderedTemplate rendered = {.subject = ascii, .text = words->str, .html = words->str};
        ComposeInput input = plain_input(&rendered);
        input.to_name = ascii;
        input.from_name = words->str;
        add_case(&cases, &input, words->str, ascii, ascii);
        g_string_free(words, TRUE);
    }
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
}

/* ---- headers ------------------------------------------------------------------------------------------------------ */

static void test_all_headers(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"Takk", .text = (char *)"Hei\n", .html = (char *)"<p>Hei</p>"};
    g_autoptr(GTimeZone) oslo = g_time_zone_new_identifier("Europe/Oslo");
    ComposeInput input = plain_input(&rendered);
    input.to_name = "Kåre Ås";
    input.reply_to = "sales@example.com";
    input.in_reply_to = "first@example.no";
    input.references = "root@example.com first@example.no";
    input.date_zone = oslo;
    input.language = "nb";
    input.unsubscribe_mailto = "anna@example.com?subject=unsubscribe%20u-1-abcdefghijklmnopqrst";
    input.auto_submitted = TRUE;
    g_autofree char *text = compose_text(&input);
    const char *wants[] = {
        "From: Anna Berg <anna@example.com>\r\n",
        "To: =?utf-8?b?S8OlcmUgw4Vz?= <kare@example.no>\r\n",
        "Reply-To: Anna Berg <sales@example.com>\r\n",
        "Subject: Takk\r\n",
        "Date: Tue, 24 Nov 2026 09:15:00 +0100\r\n",
        "Message-ID: <abc123@example.com>\r\n",
        "In-Reply-To: <first@example.no>\r\n",
        "References: <root@example.com> <first@example.no>\r\n",
        "Content-Language: nb\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "MIME-Version: 1.0\r\n",
        "List-Unsubscribe:\r\n <mailto:anna@example.com?subject=unsubscribe%20u-1-abcdefghijklmnopqrst>\r\n",
        "<html lang=3D\"nb\">",
        "Svar =C2=ABstopp=C2=BB om du heller vil slippe",
        "Berg &amp; Sons<br>",
        "\r\n----\r\nBerg & Sons\r\nStorgata 1, 0155 Oslo\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wants); i++)
        if (!strstr(text, wants[i]))
            fail_msg("there is no [%s] in %s", wants[i], text);
    Cases cases = {.lines = g_string_new(NULL),
                   .headers = "From To Reply-To Subject Date Message-ID In-Reply-To References List-Unsubscribe "
                              "Auto-Submitted Content-Language "
                              "MIME-Version Content-Type"};
    add_case(&cases, &input, "Anna Berg", "Kåre Ås", "Takk");
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
}

static void test_dates(void **state)
{
    (void)state;
    const struct {
        gint64 at_ms;
        const char *zone, *want;
    } cases[] = {
        {1795508100250, "UTC", "Date: Tue, 24 Nov 2026 08:15:00 +0000\r\n"},
        {1795508100250, "America/St_Johns", "Date: Tue, 24 Nov 2026 04:45:00 -0330\r\n"},
        {1795508100250, "Asia/Kathmandu", "Date: Tue, 24 Nov 2026 14:00:00 +0545\r\n"},
        {1782864000000, "Europe/Oslo", "Date: Wed, 1 Jul 2026 02:00:00 +0200\r\n"},
        {1798761599000, "America/Los_Angeles", "Date: Thu, 31 Dec 2026 15:59:59 -0800\r\n"},
    };
    const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"y"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(cases[i].zone);
        ComposeInput input = plain_input(&rendered);
        input.date_ms = cases[i].at_ms;
        input.date_zone = zone;
        g_autofree char *text = compose_text(&input);
        if (!strstr(text, cases[i].want))
            fail_msg("no [%s] in %s", cases[i].want, text);
    }
}

/* Ids of a remote: what could leave the header is left out, and of many the first and the last ones are kept. */
static void test_references(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"y"};
    GString *many = g_string_new("root@example.com");
    for (int i = 1; i < 100; i++)
        g_string_append_printf(many, " id-%d@mail.example.com", i);
    ComposeInput input = plain_input(&rendered);
    input.references = many->str;
    input.in_reply_to = "id-99@mail.example.com";
    g_autofree char *text = compose_text(&input);
    assert_non_null(strstr(text, "References: <root@example.com> <id-81@mail.example.com>"));
    assert_non_null(strstr(text, "<id-99@mail.example.com>\r\n"));
    assert_null(strstr(text, "<id-80@"));
    g_string_free(many, TRUE);

    g_autofree char *huge = g_strdup_printf("%0*d@x", 2000, 7);
    g_autofree char *bad = g_strdup_printf("ok@x a>b@x a\r\nBcc:@x nothing <c@x> d\x01@x \xc3\xa5@x %s", huge);
    input.references = bad;
    input.in_reply_to = "a@x>\r\nBcc: <evil@x";
    g_autofree char *safe = compose_text(&input);
    assert_non_null(strstr(safe, "References: <ok@x>\r\n"));
    assert_null(strstr(safe, "Bcc"));
    assert_null(strstr(safe, "In-Reply-To"));
    Cases cases = {.lines = g_string_new(NULL),
                   .headers = "From To Subject Date Message-ID References Content-Language MIME-Version Content-Type"};
    add_case(&cases, &input, "Anna Berg", "", "x");
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
}

static void test_refused(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"y"};
    const char *addresses[] = {"",
                               "a",
                               "a@b",
                               "a@example.com\r\nBcc: x@y.no",
                               "a@example.com, b@example.com",
                               "jørgen@example.no",
                               "a b@example.com"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++)
        for (int which = 0; which < 3; which++) {
            ComposeInput input = plain_input(&rendered);
            ComposedMessage message = {0};
            g_autoptr(GError) error = NULL;
            const char **field = which == 0 ? &input.to_address : which == 1 ? &input.from_address : &input.reply_to;
            if (which == 2 && !*addresses[i])
                continue;
            *field = addresses[i];
            assert_false(mail_compose(&input, &message, &error));
            assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_ADDRESS));
            assert_null(message.bytes);
        }
    ComposedMessage message = {0};
    g_autofree char *big = g_strnfill(9 * 1024 * 1024, 'a');
    const RenderedTemplate large = {.subject = (char *)"x", .text = big};
    const RenderedTemplate long_subject = {.subject = big, .text = (char *)"y"};
    ComposeInput inputs[] = {plain_input(&rendered), plain_input(&rendered), plain_input(&large),
                             plain_input(&long_subject)};
    const MailError codes[] = {MAIL_ERROR_ADDRESS, MAIL_ERROR_ADDRESS, MAIL_ERROR_LIMIT, MAIL_ERROR_LIMIT};
    inputs[0].message_id = "a@b>\r\nBcc: x";
    inputs[1].unsubscribe_mailto = "a@b.no>, <https://evil.example";
    for (gsize i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(mail_compose(&inputs[i], &message, &error));
        assert_true(g_error_matches(error, MAIL_ERROR, (gint)codes[i]));
        g_autoptr(GError) same = NULL;
        assert_false(mail_compose_words(&inputs[i], &message, &same));
        assert_string_equal(same->message, error->message);
    }
}

static void test_same_bytes(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"Å", .text = (char *)"ø", .html = (char *)"<p>ø</p>"};
    ComposeInput input = plain_input(&rendered);
    g_autofree char *first = compose_text(&input);
    g_autofree char *second = compose_text(&input);
    assert_string_equal(first, second);
    input.message_id = "other@example.com";
    g_autofree char *other = compose_text(&input);
    assert_string_not_equal(strstr(first, "boundary="), strstr(other, "boundary="));
}

static void test_footer(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"Hi\n\n\n", .html = (char *)"<p>Hi</p>\n"};
    const struct {
        const char *language, *tag, *sentence;
    } cases[] = {
        {"en", "en", "Reply with \"stop\""}, {"", "en", "Reply with \"stop\""},
        {"de", "de", "Reply with \"stop\""}, {"nb", "nb", "Svar «stopp»"},
        {"nb-NO", "nb-NO", "Svar «stopp»"},  {"nn", "nn", "Svar «stopp»"},
        {"x\"><b>", "en", "Reply"},          {"nbx", "nbx", "Reply"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ComposeInput input = plain_input(&rendered);
        ComposedMessage message = {0};
        input.language = cases[i].language;
        input.unsubscribe_mailto = "anna@example.com";
        input.organisation = "<Berg> & Sons";
        input.postal_address = "Storgata 1\r\n0155 Oslo";
        assert_true(mail_compose(&input, &message, NULL));
        g_autofree char *tag = g_strdup_printf("\r\nContent-Language: %s\r\n", cases[i].tag);
        g_autofree char *raw = g_strndup(g_bytes_get_data(message.bytes, NULL), g_bytes_get_size(message.bytes));
        assert_non_null(strstr(raw, tag));
        assert_non_null(strstr(raw, "&lt;Berg&gt; &amp; Sons<br>"));
        assert_true(g_str_has_prefix(message.text, "Hi\n\n----\n<Berg> & Sons\nStorgata 1\n0155 Oslo\n"));
        assert_non_null(strstr(message.text, cases[i].sentence));
        composed_message_clear(&message);
    }
}

/* A rehearsal tells what would be sent. */
static void test_words_are_those_of_the_message(void **state)
{
    (void)state;
    const RenderedTemplate rendered = {.subject = (char *)"a\r\nb", .text = (char *)"Hi\n", .html = (char *)"<p>Hi</p>\n"};
    ComposeInput input = plain_input(&rendered);
    ComposedMessage message = {0}, words = {0};
    assert_true(mail_compose(&input, &message, NULL));
    assert_true(mail_compose_words(&input, &words, NULL));
    assert_null(words.bytes);
    assert_string_equal(words.subject, message.subject);
    assert_string_equal(words.text, message.text);
    composed_message_clear(&message);
    composed_message_clear(&words);
}

static void test_new_ids_differ(void **state)
{
    (void)state;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 1000; i++) {
        char *id = mail_new_message_id("example.com", 1);
        assert_true(g_str_has_suffix(id, "@example.com"));
        assert_true(strlen(id) > 30 && strlen(id) < 70);
        assert_true(g_hash_table_add(seen, id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_subjects),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_all_headers),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_footer),
        cmocka_unit_test(test_words_are_those_of_the_message),
        cmocka_unit_test(test_new_ids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
