/*
 * What goes along with a template: files that it attaches and images that it shows, by paths that never leave its folder; the sender's
 * name and the signature.
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

#define TEXT_BODY "\n\nBody"

static void test_attachments(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(MailTemplate) parsed = mail_template_parse(
        "Subject: x\nAttach: offer.pdf\nattach:  price lists/2027 (new).xlsx \nAttach: offer.pdf" TEXT_BODY, TEMPLATE_TEXT,
        &error);
    assert_non_null(parsed);
    const GPtrArray *files = mail_template_attachments(parsed);
    assert_int_equal(files->len, 2);
    assert_string_equal(((TemplateFile *)files->pdata[0])->path, "offer.pdf");
    assert_int_equal(((TemplateFile *)files->pdata[0])->line, 2);
    assert_string_equal(((TemplateFile *)files->pdata[1])->path, "price lists/2027 (new).xlsx");
    assert_int_equal(((TemplateFile *)files->pdata[1])->line, 3);
    assert_int_equal(mail_template_images(parsed)->len, 0);
}

static void test_no_way_out_of_the_folder(void **state)
{
    (void)state;
    const char *paths[] = {"/etc/passwd",
                           "../x",
                           "a/../../x",
                           "a/..",
                           "./a",
                           ".hidden",
                           "a/.ssh/x",
                           "a//b",
                           "a/",
                           "a\\b",
                           "..\\x",
                           "a\x01"
                           "b",
                           "{{name}}.pdf",
                           "offers/{{company}}.pdf"};
    g_autofree char *longest = g_strnfill(201, 'a');
    for (gsize i = 0; i <= G_N_ELEMENTS(paths); i++) {
        const char *path = i < G_N_ELEMENTS(paths) ? paths[i] : longest;
        const struct {
            char *text;
            const char *line;
        } ways[] = {{g_strdup_printf("Subject: x\nAttach: %s" TEXT_BODY, path), "line 2: "},
                    {g_strdup_printf("Subject: x\n\nHi\n![logo](<%s>)\n", path), "line 4: "}};
        for (gsize w = 0; w < G_N_ELEMENTS(ways); w++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(MailTemplate) parsed = mail_template_parse(ways[w].text, TEMPLATE_MARKDOWN, &error);
            if (parsed)
                fail_msg("taken: %s", ways[w].text);
            assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE));
            if (!g_str_has_prefix(error->message, ways[w].line))
                fail_msg("%s: %s", ways[w].text, error->message);
            g_free(ways[w].text);
        }
    }
}

static void test_faults_of_header_lines(void **state)
{
    (void)state;
    const struct {
        const char *text, *line, *says;
    } rows[] = {
        {"Subject: x\nAttach:" TEXT_BODY, "line 2: ", "Attach: offer.pdf"},
        {"Subject: x\nAttachment: a.pdf" TEXT_BODY, "line 2: ", "is no header"},
        {"Subject: x\nFrom-Name:" TEXT_BODY, "line 2: ", "leave the line out"},
        {"Subject: x\nFrom-Name: a\nFrom-Name: b" TEXT_BODY, "line 3: ", "already"},
        {"Subject: x\nFrom-Name: {{a" TEXT_BODY, "line 2: ", "not closed"},
        {"Subject: x\nFromName: a" TEXT_BODY, "line 2: ", "did you mean \"From-Name\"?"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MailTemplate) parsed = mail_template_parse(rows[i].text, TEMPLATE_MARKDOWN, &error);
        assert_null(parsed);
        if (!g_str_has_prefix(error->message, rows[i].line) || !strstr(error->message, rows[i].says))
            fail_msg("[%s]: %s", rows[i].text, error->message);
    }
}

static void test_the_number_of_files_is_bounded(void **state)
{
    (void)state;
    GString *text = g_string_new("Subject: x\n");
    for (guint i = 0; i < 51; i++) {
        g_autofree char *whole = g_strconcat(text->str, TEXT_BODY, NULL);
        g_autoptr(MailTemplate) parsed = mail_template_parse(whole, TEMPLATE_TEXT, NULL);
        assert_non_null(parsed);
        g_string_append_printf(text, "Attach: %u.pdf\n", i);
    }
    g_string_append(text, TEXT_BODY);
    g_autoptr(GError) error = NULL;
    g_autoptr(MailTemplate) parsed = mail_template_parse(text->str, TEMPLATE_TEXT, &error);
    assert_null(parsed);
    assert_true(g_str_has_prefix(error->message, "line 52: "));
    g_string_free(text, TRUE);
}

/* ---- images ------------------------------------------------------------------------------------------------------- */

/* What Markdown takes for an image that is a file. */
static void test_which_images_are_files(void **state)
{
    (void)state;
    const struct {
        const char *markdown, *want;
    } rows[] = {
        {"![logo](logo.png)", "logo.png"},
        {"![a](a.png) ![b](img/b.jpg \"title\")\n\n![a](a.png)", "a.png img/b.jpg"},
        {"![logo][l]\n\n[l]: logo.png\n", "logo.png"},
        {"[![logo](logo.png)](https://example.com)", "logo.png"},
        {"![logo](https://example.com/logo.png) ![x](http://example.com/x.png)", ""},
        {"![x](cid:abc) ![y](data:image/png;base64,AAAA) ![z](file:///etc/passwd) ![m](mailto:a@example.com)", ""},
        {"`![x](code.png)`\n\n```\n![x](code.png)\n```\n", ""},
        {"\\![x](no.png) [x](link.pdf)", ""},
        {"![x]({{{photo_url}}}) ![x]({{&photo_url}})", ""},
        {"![x](www.example.com/x.png) ![x](#top) ![x]()", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) files = template_images_of(rows[i].markdown, 1, &error);
        GString *found = g_string_new(NULL);
        for (guint f = 0; files && f < files->len; f++)
            g_string_append_printf(found, "%s%s", f ? " " : "", ((TemplateFile *)files->pdata[f])->path);
        if (!files || !g_str_equal(found->str, rows[i].want))
            fail_msg("%s: [%s] %s", rows[i].markdown, found->str, error ? error->message : "");
        g_string_free(found, TRUE);
    }
}

typedef struct {
    MailFile *logo, *copy;
    const char *partial_text;
} World;

static const char *partial(const char *name, TemplateKind kind, gpointer data)
{
    (void)kind;
    return g_str_equal(name, "p") ? ((World *)data)->partial_text : NULL;
}

static const MailFile *image(const char *path, gpointer data)
{
    World *world = data;
    return g_str_equal(path, "logo.png") ? world->logo : g_str_equal(path, "copy.png") ? world->copy : NULL;
}

static gboolean render(World *world, const char *text, TemplateKind kind, const char *signature, TemplateKind signature_kind,
                       RenderedTemplate *ret_rendered, GError **error)
{
    g_autoptr(MailTemplate) parsed = mail_template_parse(text, kind, error);
    g_autoptr(Mustache) mustache = signature ? mustache_parse(signature, NULL) : NULL;
    g_autoptr(JsonObject) context =
        json_parse_object("{\"x\":\"![v](logo.png)\",\"path\":\"logo.png\",\"name\":\"Anna & <Co>\"}", NULL);
    const TemplateSources sources = {
        .partial = partial, .image = image, .data = world, .signature = mustache, .signature_kind = signature_kind};
    return parsed && mail_template_render(parsed, context, &sources, ret_rendered, error);
}

static void test_images_are_referred_to(void **state)
{
    (void)state;
    g_autoptr(MailFile) logo = mail_file_new("logo.png", "image/png", (const guchar *)"1", 1);
    g_autoptr(MailFile) copy = mail_file_new("copy.png", "image/png", (const guchar *)"1", 1);
    World world = {.logo = logo, .copy = copy, .partial_text = "![in a partial](logo.png)"};
    g_autofree char *tag = g_strdup_printf("<img src=\"cid:%s\" alt=\"our &lt;logo&gt;\">", logo->content_id);
    const struct {
        const char *body;
        guint images;
        const char *html, *text;
    } rows[] = {
        {"Hi\n\n![our <logo>](logo.png)\n", 1, tag, "our <logo>"},
        {"![a](logo.png) ![b](copy.png) ![c](logo.png)", 1, "cid:", "a b c"}, /* the same content goes along once */
        {"{{> p}}", 1, "alt=\"in a partial\"", "in a partial"},
        {"{{#path}}![yes](logo.png){{/path}}{{^path}}![no](copy.png){{/path}}", 1, "alt=\"yes\"", "yes"},
        {"{{^path}}![no](copy.png){{/path}}text", 0, "text", "text"}, /* what is not shown does not go along */
        {"{{x}}", 0, "![v](logo.png)", "![v](logo.png)"},             /* a value is no image */
        {"{{{x}}}", 1, "alt=\"v\"", "v"},
        {"![w](https://example.com/{{path}})", 0, "src=\"https://example.com/logo.png\"", "w"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("Subject: s\n\n", rows[i].body, NULL);
        g_autoptr(GError) error = NULL;
        RenderedTemplate rendered = {0};
        if (!render(&world, text, TEMPLATE_MARKDOWN, NULL, TEMPLATE_TEXT, &rendered, &error))
            fail_msg("%s: %s", rows[i].body, error->message);
        if ((rendered.images ? rendered.images->len : 0) != rows[i].images || !strstr(rendered.html, rows[i].html) ||
            !strstr(rendered.text, rows[i].text))
            fail_msg("%s: %s / %s", rows[i].body, rendered.html, rendered.text);
        rendered_template_clear(&rendered);
    }
    RenderedTemplate rendered = {0};
    g_autoptr(GError) error = NULL;
    assert_false(render(&world, "Subject: s\n\n![x](other.png)", TEMPLATE_MARKDOWN, NULL, TEMPLATE_TEXT, &rendered, &error));
    assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_MISSING));
    assert_non_null(strstr(error->message, "\"other.png\""));
    assert_null(rendered.html);
}

/* ---- names and signatures ------------------------------------------------------------------------------------------ */

static void test_sender_name(void **state)
{
    (void)state;
    World world = {0};
    g_autoptr(GError) error = NULL;
    RenderedTemplate rendered = {0};
    assert_true(
        render(&world, "Subject: s\nFrom-Name: {{name}}\n\nx", TEMPLATE_MARKDOWN, NULL, TEMPLATE_TEXT, &rendered, &error));
    assert_string_equal(rendered.from_name, "Anna & <Co>");
    rendered_template_clear(&rendered);
    assert_true(render(&world, "Subject: s\n\nx", TEMPLATE_TEXT, NULL, TEMPLATE_TEXT, &rendered, &error));
    assert_null(rendered.from_name);
    rendered_template_clear(&rendered);
    assert_false(
        render(&world, "Subject: s\nFrom-Name: {{nobody}}\n\nx", TEMPLATE_TEXT, NULL, TEMPLATE_TEXT, &rendered, &error));
    assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_MISSING));
}

static void test_signatures(void **state)
{
    (void)state;
    World world = {.partial_text = "**p**"};
    const struct {
        TemplateKind kind, signature_kind;
        const char *signature, *text, *html; /* html NULL: none */
    } rows[] = {
        {TEMPLATE_MARKDOWN, TEMPLATE_MARKDOWN, "*{{name}}*", "Body\n\nAnna & <Co>\n",
         "<p>Body</p>\n<p><em>Anna &amp; &lt;Co&gt;</em></p>\n"},
        {TEMPLATE_TEXT, TEMPLATE_TEXT, "{{name}}\nOslo\n", "Body\n\nAnna & <Co>\nOslo\n", NULL},
        {TEMPLATE_TEXT, TEMPLATE_MARKDOWN, "*{{name}}* {{> p}}\n", "Body\n\nAnna & <Co> p\n",
         NULL}, /* its text, and Markdown partials */
        {TEMPLATE_MARKDOWN, TEMPLATE_TEXT, "*{{name}}*\nOslo", "Body\n\n*Anna & <Co>*\nOslo",
         "<p>Body</p>\n<p>*Anna &amp; &lt;Co&gt;*<br>\nOslo</p>\n"},
        {TEMPLATE_MARKDOWN, TEMPLATE_MARKDOWN, "{{#nobody}}x{{/nobody}}\n", "Body\n", "<p>Body</p>\n"}, /* empty: left out */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        RenderedTemplate rendered = {0};
        if (!render(&world, "Subject: s\n\nBody\n", rows[i].kind, rows[i].signature, rows[i].signature_kind, &rendered,
                    &error))
            fail_msg("%s", error->message);
        assert_string_equal(rendered.text, rows[i].text);
        assert_string_equal(rendered.html ? rendered.html : "none", rows[i].html ? rows[i].html : "none");
        rendered_template_clear(&rendered);
    }
    /* an open fence in the body does not swallow it */
    RenderedTemplate rendered = {0};
    assert_true(render(&world, "Subject: s\n\n```\ncode", TEMPLATE_MARKDOWN, "*sig*", TEMPLATE_MARKDOWN, &rendered, NULL));
    assert_non_null(strstr(rendered.html, "<em>sig</em>"));
    rendered_template_clear(&rendered);
    g_autoptr(GError) error = NULL;
    assert_false(render(&world, "Subject: s\n\nBody\n", TEMPLATE_TEXT, "{{nobody}}", TEMPLATE_TEXT, &rendered, &error));
    assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_MISSING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_no_way_out_of_the_folder),
        cmocka_unit_test(test_faults_of_header_lines),
        cmocka_unit_test(test_the_number_of_files_is_bounded),
        cmocka_unit_test(test_which_images_are_files),
        cmocka_unit_test(test_images_are_referred_to),
        cmocka_unit_test(test_sender_name),
        cmocka_unit_test(test_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
