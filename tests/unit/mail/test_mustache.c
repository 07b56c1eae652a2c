/*
 * Mustache: the specification's own tests (read from $NURTURE_DATA or ../shared/data, skipped by name where they are missing), and what the
 * specification leaves open: missing values, names that print, limits, errors.
 */
#include <json-glib/json-glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "mail/mustache.h"

static const char *partial_from(const char *name, gpointer data)
{
    JsonObject *partials = data;
    return partials && json_object_has_member(partials, name) ? json_object_get_string_member(partials, name) : NULL;
}

static guint run_file(const char *path)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    assert_true(json_parser_load_from_file(parser, path, NULL));
    JsonArray *tests = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "tests");
    guint failed = 0;
    for (guint i = 0; i < json_array_get_length(tests); i++) {
        JsonObject *test = json_array_get_object_element(tests, i);
        const MustacheOptions options = {.escape = mustache_escape_html, .partial = partial_from,
                                         .data = json_object_has_member(test, "partials") ? json_object_get_object_member(test, "partials") : NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(Mustache) mustache = mustache_parse(json_object_get_string_member(test, "template"), &error);
        g_autofree char *result = mustache ? mustache_render(mustache, json_object_get_member(test, "data"), &options, &error) : NULL;
        const char *want = json_object_get_string_member(test, "expected");
        if (!result || !g_str_equal(result, want)) {
            print_error("%s: %s: want [%s], got [%s] %s\n", path, json_object_get_string_member(test, "name"), want, result ? result : "-",
                        error ? error->message : "");
            failed++;
        }
    }
    return failed;
}

static void test_specification(void **state)
{
    (void)state;
    const char *files[] = {"comments", "delimiters", "interpolation", "inverted", "partials", "sections", "~inheritance"};
    const char *data = g_getenv("NURTURE_DATA");
    g_autofree char *folder = g_build_filename(data ? data : "../shared/data", "mustache-spec", NULL);
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        print_message("the Mustache specification's tests are not at %s\n", folder);
        skip();
    }
    guint failed = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strdup_printf("%s/%s.json", folder, files[i]);
        failed += run_file(path);
    }
    assert_int_equal(failed, 0);
}

static char *render(const char *text, const char *json, gboolean strict, GError **error)
{
    g_autoptr(JsonObject) context = json_parse_object(json, NULL);
    g_autoptr(Mustache) mustache = mustache_parse(text, error);
    const MustacheOptions options = {.escape = mustache_escape_html, .partial = partial_from, .data = context, .missing_is_error = strict};
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
    return mustache ? mustache_render(mustache, root, &options, error) : NULL;
}

static void test_values(void **state)
{
    (void)state;
    const struct {
        const char *text, *json, *want;
    } cases[] = {
        {"{{company}} {{company.city}}", "{\"company\":{\"\":\"Acme\",\"city\":\"Oslo\"}}", "Acme Oslo"},
        {"{{#company}}yes{{/company}}{{^company}}no{{/company}}", "{\"company\":{\"\":\"\"}}", "no"},
        {"{{#name}}x{{/name}}{{^name}}none{{/name}}", "{\"name\":\"\"}", "none"},
        {"{{n}} {{x}} {{b}}", "{\"n\":85,\"x\":1.21,\"b\":true}", "85 1.21 true"},
        {"{{x}}", "{\"x\":0.1}", "0.1"},
        {"{{#list}}{{.}},{{/list}}", "{\"list\":[1,2,3]}", "1,2,3,"},
        {"{{a}}{{{a}}}", "{\"a\":\"<&\\\">\"}", "&lt;&amp;&quot;&gt;<&\">"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *result = render(cases[i].text, cases[i].json, FALSE, NULL);
        assert_string_equal(result, cases[i].want);
    }
}

static void test_missing_is_named(void **state)
{
    (void)state;
    const char *texts[] = {"Hi {{first_name}}", "{{#company}}{{company.nick}}{{/company}}", "{{{first_name}}}"};
    const char *names[] = {"\"first_name\"", "\"company.nick\"", "\"first_name\""};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *result = render(texts[i], "{\"first_name\":\"\",\"company\":{\"\":\"Acme\"}}", TRUE, &error);
        assert_null(result);
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_MISSING));
        assert_non_null(strstr(error->message, names[i]));
    }
}

static void test_faults_name_their_line(void **state)
{
    (void)state;
    const struct {
        const char *text, *want;
    } cases[] = {
        {"a\n{{#open}}\nb", "line 2: "},      {"{{/close}}", "line 1: "},    {"a\nb\n{{#a}}{{/b}}", "line 3: "},
        {"x {{name", "line 1: "},             {"\n{{}}", "line 2: "},        {"{{=a=}}", "line 1: "},
        {"{{! a\nb }}\n{{/x}}", "line 3: "},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Mustache) mustache = mustache_parse(cases[i].text, &error);
        assert_null(mustache);
        assert_true(g_str_has_prefix(error->message, cases[i].want));
    }
}

static void test_limits(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autofree char *endless = render("{{> me}}", "{\"me\":\"x{{> me}}\"}", FALSE, &error);
    assert_null(endless);
    assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_LIMIT));
    g_clear_error(&error);

    GString *deep = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "{{#a}}");
    g_autoptr(Mustache) mustache = mustache_parse(deep->str, &error);
    g_string_free(deep, TRUE);
    assert_null(mustache);
    g_clear_error(&error);

    /* each level doubles: 2^40 copies if nothing bounded it */
    GString *bomb = g_string_new("{");
    for (int i = 0; i < 40; i++)
        g_string_append_printf(bomb, "\"p%d\":\"{{>p%d}}{{>p%d}}\",", i, i + 1, i + 1);
    g_string_append(bomb, "\"p40\":\"x\"}");
    g_autofree char *doubled = render("{{>p0}}", bomb->str, FALSE, &error);
    g_string_free(bomb, TRUE);
    assert_null(doubled);
}

static void test_partials_are_listed(void **state)
{
    (void)state;
    g_autoptr(Mustache) mustache = mustache_parse("{{> b}}{{#x}}{{> a}}{{/x}}{{< c}}{{/c}}{{> a}}", NULL);
    g_auto(GStrv) names = mustache_partials(mustache);
    g_autofree char *all = g_strjoinv(",", names);
    assert_string_equal(all, "a,b,c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specification),          cmocka_unit_test(test_values),  cmocka_unit_test(test_missing_is_named),
        cmocka_unit_test(test_faults_name_their_line), cmocka_unit_test(test_limits), cmocka_unit_test(test_partials_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
