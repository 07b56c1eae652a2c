/*
 * mail/html_text: what a person would see of an HTML mail, and which of it the mail program marked as older or as a signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/html_text.h"
#include "mail/read.h"
#include "mail/reply_text.h"

static const struct {
    const char *html, *want;
} texts[] = {
    {"<p>One</p><p>Two</p>", "One\n\nTwo\n"},
    {"One<br>Two<br><br>Three", "One\nTwo\n\nThree\n"},
    {"<div>One</div><div>Two</div><div><br></div><div>Three</div>", "One\nTwo\n\nThree\n"},
    {"  a \n b&nbsp; c ", "a b c\n"},
    {"bl&aring;b&#230;r &lt;3 &amp; &euro;", "blåbær <3 & €\n"},
    {"<ul><li>a</li><li>b</li></ul>", "- a\n- b\n"},
    {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"},
    {"<html><head><title>t</title><style>p{}</style></head><body>x<script>y</script></body></html>", "x\n"},
    {"<div>x</div><div style=\"display: none\">hidden</div><div>y</div>", "x\ny\n"},
    {"<pre>a\n  b\n</pre>", "a\nb\n"},
    {"<div>a</div><blockquote>b<blockquote>c</blockquote></blockquote><div>d</div>", "a\n> b\n>> c\nd\n"},
    {"<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>", "a\n\nb\n"},
    {"<a href=\"https://x.example\">link</a> &zwnj;&shy;text", "link text\n"},
    {"", ""},
    {"not <b>closed <i>at all", "not closed at all\n"},
    {"<!DOCTYPE html [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><p>&x;</p>", "]>\n\n&x;\n"},
};

static void test_texts(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        gboolean cut = FALSE;
        g_autofree char *got = html_to_text(texts[i].html, strlen(texts[i].html), READ_MAX_TEXT, &cut);
        if (!g_str_equal(got, texts[i].want))
            print_error("%s\ngave \"%s\"\nnot  \"%s\"\n", texts[i].html, got, texts[i].want);
        assert_string_equal(got, texts[i].want);
        assert_false(cut);
    }
}

#define OLD "<div>Hi Kari, shall we?</div>"

static const struct {
    const char *program, *html;
} replies[] = {
    {"Gmail", "<div dir=ltr>Yes.</div><br><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Tue Anna wrote:<br></div><blockquote class=\"gmail_quote\">" OLD "</blockquote></div>"},
    {"Gmail, a language that is not known", "<div>Yes.</div><div class=gmail_quote><div class=gmail_attr>Teisip Anna kirjutas:</div><blockquote>" OLD "</blockquote></div>"},
    {"Apple", "<div>Yes.</div><div><br><blockquote type=cite><div>On 24 Nov 2026, at 09:00, Anna &lt;a@b.example&gt; wrote:</div>" OLD "</blockquote></div>"},
    {"Thunderbird", "<p>Yes.</p><div class=\"moz-cite-prefix\">Anna ytrade:</div><blockquote type=cite>" OLD "</blockquote>"},
    {"Outlook", "<p class=MsoNormal>Yes.</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>Saatja:</b> Anna</p></div></div>" OLD},
    {"Outlook on the web", "<div>Yes.</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>Saatja:</b> Anna</div>" OLD},
    {"Outlook on a telephone", "<div>Yes.</div><div id=\"ms-outlook-mobile-signature\">Hangi Outlook</div><div id=\"mail-editor-reference-message-container\">" OLD "</div>"},
    {"Yahoo", "<div>Yes.</div><div id=ydp1 class=\"ydp yahoo_quoted\"><div>Anna kirjutas:</div>" OLD "</div>"},
    {"Proton", "<div>Yes.</div><div class=\"protonmail_signature_block\">Proton</div><div class=\"protonmail_quote\">Anna kirjutas:" OLD "</div>"},
    {"a signature that is marked", "<div>Yes.</div><div class=\"gmail_signature\">Kari Nordmann<br>Nordmann AS</div>"},
};

static void test_marks_of_programs(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(replies); i++) {
        gboolean cut = FALSE;
        g_autofree char *text = html_to_text(replies[i].html, strlen(replies[i].html), READ_MAX_TEXT, &cut);
        g_autofree char *got = reply_text_extract(text);
        if (!g_str_equal(got, "Yes."))
            print_error("%s: \"%s\" of \"%s\"\n", replies[i].program, got, text);
        assert_string_equal(got, "Yes.");
    }
}

/* A plain text in a language that nobody knows, without ">": the HTML beside it tells where the older message begins. */
static void test_html_beside_a_plain_text(void **state)
{
    (void)state;
    const char *text = "From: kari@kunde.example\nIn-Reply-To: <abc@example.com>\nContent-Type: multipart/alternative; boundary=b\n\n"
                       "--b\nContent-Type: text/plain; charset=utf-8\n\nJah, sobib.\n\nSaatja: Anna Berg\nTeema: Hi\n\nHi Kari, shall we?\n"
                       "--b\nContent-Type: text/html; charset=utf-8\n\n<div>Jah, sobib.</div><div id=\"divRplyFwdMsg\"><b>Saatja:</b> Anna Berg"
                       "<br><b>Teema:</b> Hi</div><div>Hi Kari, shall we?</div>\n--b--\n";
    g_autoptr(InboundMessage) message = mail_read(text, strlen(text), G_GINT64_CONSTANT(1795514400000));
    assert_string_equal(message->text, "Jah, sobib.");
    assert_non_null(strstr(message->full_text, "shall we?"));
}

static void test_a_charset_in_the_html_alone(void **state)
{
    (void)state;
    const char *text = "From: kari@kunde.example\nContent-Type: text/html\n\n<html><head><meta http-equiv=Content-Type content=\"text/html; "
                       "charset=iso-8859-2\"></head><body>za\xbf\xf3\xb3\xe6</body></html>\n";
    g_autoptr(InboundMessage) message = mail_read(text, strlen(text), G_GINT64_CONSTANT(1795514400000));
    assert_string_equal(message->text, "zażółć");
}

static void test_limits(void **state)
{
    (void)state;
    gboolean cut = FALSE;
    g_autofree char *bounded = html_to_text("<p>abcdefghij</p>", 17, 5, &cut);
    assert_string_equal(bounded, "abcde\n");
    assert_true(cut);
    g_autoptr(GString) deep = g_string_new(NULL);
    for (guint i = 0; i < 5000; i++)
        g_string_append(deep, "<blockquote>x");
    cut = FALSE;
    g_autofree char *text = html_to_text(deep->str, deep->len, READ_MAX_TEXT, &cut);
    assert_true(cut && *text != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_marks_of_programs),
        cmocka_unit_test(test_html_beside_a_plain_text),
        cmocka_unit_test(test_a_charset_in_the_html_alone),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
