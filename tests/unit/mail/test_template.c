/*
 * Templates: headers and their faults, defaults, Markdown to both parts, and that no value acts as Markdown, HTML or
 * header. Every template that is installed renders, for a contact of whom all is known and for one of whom only the
 * address is.
 */
#include <json-glib/json-glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "mail/template.h"

static const char *no_partial(const char *name, TemplateKind kind, gpointer data)
{
    (void)name, (void)kind;
    return data;
}

static gboolean render(const char *text, TemplateKind kind, JsonObject *context, RenderedTemplate *ret_rendered,
                       GError **error)
{
    const TemplateSources sources = {.partial = no_partial, .data = (gpointer) "partial of {{name}}\r\n"};
    g_autoptr(MailTemplate) parsed = mail_template_parse(text, kind, error);
    return parsed && mail_template_render(parsed, context, &sources, ret_rendered, error);
}

/* Renders body with {"x": value, "name": "Anna"}. */
static RenderedTemplate render_value(const char *body, TemplateKind kind, const char *value)
{
    RenderedTemplate rendered = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) context = json_object_new();
    g_autofree char *text = g_strdup_printf("Subject: s\n\n%s", body);
    json_object_set_string_member(context, "x", value);
    json_object_set_string_member(context, "name", "Anna");
    if (!render(text, kind, context, &rendered, &error))
        fail_msg("%s", error->message);
    return rendered;
}

static void test_headers(void **state)
{
    (void)state;
    const char *texts[] = {
        "Subject: Hello {{name}}\nDefault: city = Oslo\n\nBody in {{city}}\n",
        "\xEF\xBB\xBFSubject: Hello {{name}}\r\nDefault: city = Oslo\r\n\r\nBody in {{city}}\r\n",
        "Subject: Hello\n  {{name}}\nDefault:\n city = Oslo\n \t\nBody in {{city}}\n",
        "default: city=Oslo\nSUBJECT:Hello {{name}}\n\nBody in {{city}}\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(JsonObject) context = json_parse_object("{\"name\":\"Anna\"}", NULL);
        g_autoptr(GError) error = NULL;
        RenderedTemplate rendered = {0};
        if (!render(texts[i], TEMPLATE_TEXT, context, &rendered, &error))
            fail_msg("%s", error->message);
        assert_string_equal(rendered.subject, "Hello Anna");
        assert_string_equal(rendered.text, "Body in Oslo\n");
        assert_null(rendered.html);
        rendered_template_clear(&rendered);
    }
}

static void test_faults(void **state)
{
    (void)state;
    const struct {
        const char *text, *line, *says;
    } cases[] = {
        {"", "line 1: ", "Subject: "},
        {"\n\nBody", "line 1: ", "Subject: "},
        {"Hi {{name}},\n\nBody", "line 1: ", "Subject: "},
        {"Subject: x\nSubjet: y\n\nBody", "line 2: ", "did you mean \"Subject\""},
        {"Subject: x\nFrom: y\n\nBody", "line 2: ", "\"From\""},
        {"Subject: x\nSubject: y\n\nBody", "line 2: ", "leave one"},
        {"Subject:\n\nBody", "line 1: ", "empty"},
        {"Subject: x", "line 1: ", "no text"},
        {"Subject: x\n", "line 2: ", "no text"},
        {"Subject: x\n\n \n", "line 3: ", "no text"},
        {"Subject: x\nDefault: y\n\nBody", "line 2: ", "Default: first_name = there"},
        {"Subject: x\nDefault: y =\n\nBody", "line 2: ", "{{#y}}"},
        {"Subject: x\nDefault: a b = c\n\nBody", "line 2: ", "Default: first_name = there"},
        {"Subject: x\nDefault: a = {{b}}\n\nBody", "line 2: ", "plain text"},
        {"Subject: x\nDefault: a = b\nDefault: a = c\n\nBody", "line 3: ", "already"},
        {"Default: a = b\nSubject: {{a\n\nBody", "line 2: ", "not closed"},
        {"Subject: x\n\nBody\n{{#a}}\n", "line 4: ", "never closed"},
        {"Subject: x\n\nBody\n{{first name}}\n", "line 4: ", "write first_name"},
        {"Subject: x\n\nBody\n\xE5s\n", "line 4: ", "UTF-8"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MailTemplate) parsed = mail_template_parse(cases[i].text, TEMPLATE_MARKDOWN, &error);
        assert_null(parsed);
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE));
        if (!g_str_has_prefix(error->message, cases[i].line) || !strstr(error->message, cases[i].says))
            fail_msg("[%s]: %s", cases[i].text, error->message);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    const char *text = "Subject: {{first_name}}\nDefault: first_name = there\nDefault: company = your company\n"
                       "Default: company.city = town\n\n{{company}}, {{company.city}}{{#nick}} {{nick}}{{/nick}}";
    const struct {
        const char *json, *subject, *text;
    } cases[] = {
        {"{}", "there", "your company, town"},
        {"{\"first_name\":\"\",\"company\":\"\"}", "there", "your company, town"},
        {"{\"first_name\":null,\"company\":null,\"nick\":\"\"}", "there", "your company, town"},
        {"{\"first_name\":\"Anna\",\"company\":{\"\":\"\",\"city\":\"Bergen\"}}", "Anna", "your company, Bergen"},
        {"{\"first_name\":\"Anna\",\"company\":{\"\":\"Berg\",\"city\":\"\"},\"nick\":\"A\"}", "Anna", "Berg, town A"},
        {"{\"first_name\":7,\"company\":\"Berg\"}", "7", "Berg, town"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) context = json_parse_object(cases[i].json, NULL);
        g_autoptr(GError) error = NULL;
        RenderedTemplate rendered = {0};
        if (!render(text, TEMPLATE_TEXT, context, &rendered, &error))
            fail_msg("%s", error->message);
        assert_string_equal(rendered.subject, cases[i].subject);
        assert_string_equal(rendered.text, cases[i].text);
        rendered_template_clear(&rendered);
    }
}

static void test_holes_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *names;
    } cases[] = {
        {"Subject: {{nick}}\n\nBody", "\"nick\""},       {"Subject: x\n\nHi {{company.nick}}", "\"company.nick\""},
        {"Subject: x\n\nHi {{{nick}}}", "\"nick\""},     {"Subject: {{#nick}}x{{/nick}}\n\nBody", "subject"},
        {"Subject: x\n\n{{#nick}}x{{/nick}}\n", "text"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) context = json_parse_object("{\"company\":{\"\":\"Berg\"}}", NULL);
        g_autoptr(GError) error = NULL;
        RenderedTemplate rendered = {0};
        assert_false(render(cases[i].text, TEMPLATE_MARKDOWN, context, &rendered, &error));
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_MISSING));
        assert_non_null(strstr(error->message, cases[i].names));
        assert_null(rendered.subject);
    }
}

static void test_subject_stays_on_its_line(void **state)
{
    (void)state;
    g_autofree char *words = g_strnfill(10000, 'w');
    const struct {
        const char *value, *want;
    } cases[] = {
        {"a\r\nBcc: x@example.com", "a Bcc: x@example.com"},
        {" a\n\n\tb ", "a b"},
        {"a\x01\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xae"
         "b",
         "a b"},
        {"*a* <b> & \"c\" =?utf-8?q?d?=", "*a* <b> & \"c\" =?utf-8?q?d?="},
        {"\xf0\x9f\x8e\x89 李 Ås", "\xf0\x9f\x8e\x89 李 Ås"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {words, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) context = json_object_new();
        RenderedTemplate rendered = {0};
        json_object_set_string_member(context, "x", cases[i].value);
        assert_true(render("Subject: {{x}}\n\nBody", TEMPLATE_MARKDOWN, context, &rendered, NULL));
        if (cases[i].want)
            assert_string_equal(rendered.subject, cases[i].want);
        else
            assert_int_equal(g_utf8_strlen(rendered.subject, -1), 500);
        rendered_template_clear(&rendered);
    }
}

static void test_markdown(void **state)
{
    (void)state;
    const struct {
        const char *body, *text, *html;
    } cases[] = {
        {"one\ntwo\n\nthree", "one two\n\nthree\n", "<p>one\ntwo</p>\n<p>three</p>\n"},
        {"one  \ntwo\\\nthree", "one\ntwo\nthree\n", "<p>one<br>\ntwo<br>\nthree</p>\n"},
        {"*a* __b__ `c_d` ~~e~~", "a b c_d ~~e~~\n", "<p><em>a</em> <strong>b</strong> <code>c_d</code> ~~e~~</p>\n"},
        {"# Head\ntext", "Head\n\ntext\n", "<h1>Head</h1>\n<p>text</p>\n"},
        {"- a\n- b\n  - c\n\nd", "- a\n- b\n  - c\n\nd\n",
         "<ul>\n<li>a</li>\n<li>b<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n<p>d</p>\n"},
        {"- a\n\n- b", "- a\n\n- b\n", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"},
        {"3. a\n4. b", "3. a\n4. b\n", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"},
        {"> a\n>\n> b\n\nc", "> a\n>\n> b\n\nc\n", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>\n"},
        {"> - a\n> - b", "> - a\n> - b\n", "<blockquote>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n</blockquote>\n"},
        {"```\n a\n\n  b <\n```", " a\n\n  b <\n", "<pre><code> a\n\n  b &lt;\n</code></pre>\n"},
        {"a\n\n---\n\nb", "a\n\n----\n\nb\n", "<p>a</p>\n<hr>\n<p>b</p>\n"},
        {"    not code", "not code\n", "<p>not code</p>\n"},
        {"&amp; &eacute; &#8211; &#x1F389; &nonsense; &#0;", "& é – \xf0\x9f\x8e\x89 &nonsense; &#0;\n",
         "<p>&amp; é – \xf0\x9f\x8e\x89 &amp;nonsense; &amp;#0;</p>\n"},
        {"<b>x</b> <!-- y -->", "<b>x</b> <!-- y -->\n", "<p>&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;</p>\n"},
        {"<script>alert(1)</script>", "<script>alert(1)</script>\n", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"},
        {"[our *site*](https://example.com/a?b=1&c=2 \"t\")", "our site (https://example.com/a?b=1&c=2)\n",
         "<p><a href=\"https://example.com/a?b=1&amp;c=2\">our <em>site</em></a></p>\n"},
        {"[https://example.com](https://example.com)", "https://example.com\n",
         "<p><a href=\"https://example.com\">https://example.com</a></p>\n"},
        {"[](https://example.com)", "https://example.com\n", "<p><a href=\"https://example.com\"></a></p>\n"},
        {"<https://example.com/å> <anna@example.com>", "https://example.com/å anna@example.com\n",
         "<p><a href=\"https://example.com/%C3%A5\">https://example.com/å</a> <a "
         "href=\"mailto:anna@example.com\">anna@example.com</a></p>\n"},
        {"[us](www.example.com)", "us (http://www.example.com)\n", "<p><a href=\"http://www.example.com\">us</a></p>\n"},
        {"See https://example.com/a_b. (http://x.no/(y)) or anna.b@mail.example.com, a@b",
         "See https://example.com/a_b. (http://x.no/(y)) or anna.b@mail.example.com, a@b\n", NULL},
        {"(https://x.no/(y)), xhttps://y.no https:// a@b", "(https://x.no/(y)), xhttps://y.no https:// a@b\n",
         "<p>(<a href=\"https://x.no/(y)\">https://x.no/(y)</a>), xhttps://y.no https:// a@b</p>\n"},
        {"mail anna+x@example.com.", "mail anna+x@example.com.\n",
         "<p>mail <a href=\"mailto:anna+x@example.com\">anna+x@example.com</a>.</p>\n"},
        {"![a *b* \"c\"](https://example.com/i.png)", "a b \"c\"\n",
         "<p><img src=\"https://example.com/i.png\" alt=\"a b &quot;c&quot;\"></p>\n"},
        {"[x](javascript:alert(1)) [y](JaVaScRiPt:z) [z](data:text/html,x) [r](/a) <javascript:alert(1)>",
         "x y z r javascript:alert(1)\n", "<p>x y z r javascript:alert(1)</p>\n"},
        {"[x](java&#115;cript:y) [x](&#1;javascript:y) [x](java\\script:y) ![x](javascript:y)", "x x x x\n",
         "<p>x x x x</p>\n"},
        {"[x](https://a.no/\\\"onclick=y)", "x (https://a.no/%22onclick=y)\n",
         "<p><a href=\"https://a.no/%22onclick=y\">x</a></p>\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        RenderedTemplate rendered = render_value(cases[i].body, TEMPLATE_MARKDOWN, "");
        assert_string_equal(rendered.text, cases[i].text);
        if (cases[i].html)
            assert_string_equal(rendered.html, cases[i].html);
        rendered_template_clear(&rendered);
    }
}

/* The elements' names in their order: "p a /a /p ". Fails where a tag is not of the form that we write, or leads to what
 * is no web page, mailbox or telephone. */
static char *elements_of(const char *html)
{
    g_autoptr(GRegex) form =
        g_regex_new("^<(?:/?(?:p|a|h1|ul|li|blockquote|em|code|pre)|br|a href=\"(?:https?|mailto|tel):[^\"<>\\s]*\"|"
                    "img src=\"https:[^\"<>\\s]*\" alt=\"[^\"<>]*\")>",
                    0, 0, NULL);
    GString *names = g_string_new(NULL);
    for (const char *p = strchr(html, '<'); p; p = strchr(p + 1, '<')) {
        if (!g_regex_match(form, p, 0, NULL))
            fail_msg("no tag of ours: %s", p);
        g_string_append_len(names, p + 1, (gssize)strcspn(p + 1, " >"));
        g_string_append_c(names, ' ');
    }
    return g_string_free(names, FALSE);
}

/* Values that would be something in Markdown or HTML, in every place that a template can put them. */
static void test_values_do_not_act(void **state)
{
    (void)state;
    const char *values[] = {
        "*a*",
        "_a_",
        "**a**",
        "`a`",
        "# a",
        "- a",
        "1. a",
        "> a",
        "---",
        "===",
        "[a](https://evil.example)",
        "![a](https://evil.example/i.png)",
        "<b>a</b>",
        "<script>alert(1)</script>",
        "<!-- a",
        "&lt;b&gt;",
        "&#60;b&#62;",
        "\\*a\\*",
        "https://evil.example/",
        "www.evil.example",
        "evil@evil.example",
        "javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "    a",
        "```",
        "~~~",
        "| a | b |",
        "[a]: https://evil.example",
        "\"onmouseover=\"alert(1)",
        "'\">",
        "{{name}}",
        "{{{name}}}",
        "$x$",
        "a\\",
        "] (",
        ")(",
        "\xf3\xb0\x80\xbc-\xf3\xb0\x80\xbe",
        "<https://evil.example>",
        "Anna",
        "Berg & Sons",
        "Ås \xf0\x9f\x8e\x89 李",
    };
    const char *places[] = {"{{x}}",
                            "a {{x}} b",
                            "# {{x}}",
                            "- {{x}}\n- b",
                            "> {{x}}",
                            "*{{x}}*",
                            "[{{x}}](https://example.com)",
                            "[a](https://example.com/{{x}})",
                            "`{{x}}`",
                            "```\n{{x}}\n```",
                            "a\n{{x}}\nb",
                            "![{{x}}](https://example.com/i.png)",
                            "<{{x}}>",
                            "[a]({{x}})",
                            "https://example.com/{{x}}",
                            "{{x}}{{x}}",
                            "a\n\n{{x}}\n\nb"};
    for (gsize p = 0; p < G_N_ELEMENTS(places); p++) {
        gboolean is_target = strstr(places[p], "]({{x}})") != NULL; /* which a value may spoil: then there is no link */
        RenderedTemplate plain = render_value(places[p], TEMPLATE_MARKDOWN, "Xq7");
        g_autofree char *want = elements_of(plain.html);
        for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
            RenderedTemplate rendered = render_value(places[p], TEMPLATE_MARKDOWN, values[v]);
            g_autofree char *elements = elements_of(rendered.html);
            if (is_target ? !g_str_equal(elements, "p /p ") && !g_str_equal(elements, "p a /a /p ")
                          : !g_str_equal(elements, want))
                fail_msg("[%s] in [%s] acts: %s", values[v], places[p], rendered.html);
            rendered_template_clear(&rendered);
        }
        rendered_template_clear(&plain);
    }
}

/* What the reader sees is the value, to the character. */
static void test_values_show_as_they_are(void **state)
{
    (void)state;
    const char *values[] = {"*a* _b_ `c` <d> & \"e\" [f](g) # h \\ i",
                            "1. a",
                            "- a",
                            "kari@example.no",
                            "https://example.com/?a=b&c=d",
                            "Ås \xf0\x9f\x8e\x89 李",
                            "a  b",
                            "|~^$%{}!'"};
    const char *places[] = {"{{x}}", "a {{x}} b", "- {{x}}", "**{{x}}**", "`{{x}}`", "# {{x}}"};
    const char *wants[] = {"%s\n", "a %s b\n", "- %s\n", "%s\n", "%s\n", "%s\n"};
    for (gsize v = 0; v < G_N_ELEMENTS(values); v++)
        for (gsize p = 0; p < G_N_ELEMENTS(places); p++) {
            RenderedTemplate rendered = render_value(places[p], TEMPLATE_MARKDOWN, values[v]);
            g_auto(GStrv) around = g_strsplit(wants[p], "%s", 2);
            g_autofree char *want = g_strconcat(around[0], values[v], around[1], NULL);
            assert_string_equal(rendered.text, want);
            rendered_template_clear(&rendered);
        }
    RenderedTemplate lines = render_value("a {{x}} c", TEMPLATE_MARKDOWN, "1\r\n2\n\n3\x02");
    assert_string_equal(lines.text, "a 1\n2\n\n3 c\n");
    assert_string_equal(lines.html, "<p>a 1<br>\n2<br>\n<br>\n3 c</p>\n");
    rendered_template_clear(&lines);
    RenderedTemplate target =
        render_value("[us](https://example.com/{{x}}) <https://example.com/{{x}}> https://example.com/?q={{x}}.",
                     TEMPLATE_MARKDOWN, "a-b_c@d&e");
    assert_string_equal(
        target.text, "us (https://example.com/a-b_c@d&e) https://example.com/a-b_c@d&e https://example.com/?q=a-b_c@d&e.\n");
    assert_non_null(
        strstr(target.html, "<a href=\"https://example.com/?q=a-b_c@d&amp;e\">https://example.com/?q=a-b_c@d&amp;e</a>."));
    rendered_template_clear(&target);
    RenderedTemplate raw = render_value("{{{x}}}", TEMPLATE_MARKDOWN, "*a* <b>");
    assert_string_equal(raw.html, "<p><em>a</em> &lt;b&gt;</p>\n"); /* the author's wish: Markdown, but no HTML */
    rendered_template_clear(&raw);
    RenderedTemplate text = render_value("Hi {{x}}!\n{{> p}}", TEMPLATE_TEXT, "*a* <b>\r\nc\x01\x1b[31m");
    assert_string_equal(text.text, "Hi *a* <b>\nc[31m!\npartial of Anna\n");
    rendered_template_clear(&text);
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    GString *quotes = g_string_new(NULL);
    for (int i = 0; i < 200000; i++)
        g_string_append(quotes, ">");
    for (int i = 0; i < 50000; i++)
        g_string_append(quotes, " a\\\n");
    RenderedTemplate rendered = render_value(quotes->str, TEMPLATE_MARKDOWN, "");
    assert_true(strlen(rendered.text) < 50 * 50000);
    rendered_template_clear(&rendered);
    g_string_free(quotes, TRUE);
}

/* ---- the templates that are installed ----------------------------------------------------------------------------- */

#define NAMES                                                                                                               \
    "pitch-1", "pitch-2", "pitch-3", "welcome", "check-in", "check-in-2", "referral", "referral-reminder", "negotiation-1", \
        "connect-1", "connect-2", "referral-intro", "referral-thanks", "referral-reward", "score"

static char *read_file(const char *name, const char *ending)
{
    g_autofree char *path = g_strdup_printf("templates/%s%s", name, ending);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, &error))
        fail_msg("%s", error->message);
    return text;
}

static const char *installed_partial(const char *name, TemplateKind kind, gpointer data)
{
    (void)kind;
    return g_hash_table_lookup(data, name);
}

static const char *const FULL = "{\"first_name\":\"Kåre\",\"last_name\":\"Ås\",\"name\":\"Kåre "
                                "Ås\",\"email\":\"kare@example.no\",\"stage\":\"pitching\","
                                "\"company\":{\"\":\"Fjord AS\",\"name\":\"Fjord AS\"},";
static const char *const BARE =
    "{\"email\":\"kare@example.no\",\"name\":\"\",\"stage\":\"pitching\",\"company\":{\"\":\"\",\"name\":\"\"},";
static const char *const OURS =
    "\"owner\":{\"\":\"Anna Berg\",\"name\":\"Anna Berg\",\"email\":\"anna@example.com\",\"first_name\":\"Anna\"},"
    "\"organisation\":{\"\":\"Berg & Sons\",\"name\":\"Berg & Sons\",\"postal_address\":\"Storgata 1, 0155 Oslo\"}}";

static void check_installed(const char *name, const char *ending, gboolean is_full, GHashTable *partials)
{
    g_autofree char *json = g_strconcat(is_full ? FULL : BARE, OURS, NULL);
    g_autoptr(JsonObject) context = json_parse_object(json, NULL);
    g_autofree char *text = read_file(name, ending);
    g_autoptr(GError) error = NULL;
    RenderedTemplate rendered = {0};
    g_autoptr(MailTemplate) parsed = mail_template_parse(text, TEMPLATE_MARKDOWN, &error);
    const TemplateSources sources = {.partial = installed_partial, .data = partials};
    if (!parsed || !mail_template_render(parsed, context, &sources, &rendered, &error))
        fail_msg("%s%s: %s", name, ending, error->message);
    gboolean greets = strstr(rendered.text, "Kåre") != NULL;
    if (greets != is_full || !strstr(rendered.text, "Anna Berg") || !strstr(rendered.text, "Berg & Sons") ||
        strstr(rendered.text, "{{") || strstr(rendered.text, " ,") || strstr(rendered.text, "  ") ||
        strstr(rendered.text, " .") || !strstr(rendered.html, "Berg &amp; Sons"))
        fail_msg("%s%s (%s): %s", name, ending, is_full ? "full" : "bare", rendered.text);
    rendered_template_clear(&rendered);
}

static void test_installed_templates(void **state)
{
    (void)state;
    const char *names[] = {NAMES};
    const char *endings[] = {".md", ".nb.md"};
    if (!g_file_test("templates", G_FILE_TEST_IS_DIR)) {
        print_message("run from the top of the checkout, where templates/ is\n");
        skip();
    }
    for (gsize e = 0; e < G_N_ELEMENTS(endings); e++) {
        g_autoptr(GHashTable) partials = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
        g_hash_table_insert(partials, (gpointer) "signature", read_file("_signature", endings[e]));
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
            check_installed(names[i], endings[e], TRUE, partials);
            check_installed(names[i], endings[e], FALSE, partials);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_holes_are_refused),
        cmocka_unit_test(test_subject_stays_on_its_line),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_values_do_not_act),
        cmocka_unit_test(test_values_show_as_they_are),
        cmocka_unit_test(test_size_is_bounded),
        cmocka_unit_test(test_installed_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
