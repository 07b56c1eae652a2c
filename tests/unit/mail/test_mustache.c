/*
 * Mustache: the specification's own tests (read from $NURTURE_DATA or ../shared/data, skipped by name where they are
 * missing), and what the specification leaves open: missing values, names that print, limits, errors.
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
        const MustacheOptions options = {
            .escape = mustache_escape_html,
            .partial = partial_from,
            .data = json_object_has_member(test, "partials") ? json_object_get_object_member(test, "partials") : NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(Mustache) mustache = mustache_parse(json_object_get_string_member(test, "template"), &error);
        g_autofree char *result =
            mustache ? mustache_render(mustache, json_object_get_member(test, "data"), &options, &error) : NULL;
        const char *want = json_object_get_string_member(test, "expected");
        if (!result || !g_str_equal(result, want)) {
            print_error("%s: %s: want [%s], got [%s] %s\n", path, json_object_get_string_member(test, "name"), want,
                        result ? result : "-", error ? error->message : "");
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

static void append_value(const char *value, GString *out)
{
    g_string_append(out, value);
}

static char *render(const char *text, const char *json, gboolean strict, GError **error)
{
    g_autoptr(JsonObject) context = json_parse_object(json, NULL);
    g_autoptr(Mustache) mustache = mustache_parse(text, error);
    const MustacheOptions options = {
        .escape = mustache_escape_html, .partial = partial_from, .data = context, .missing_is_error = strict};
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
        {"{{a}} {{b}} {{c}} {{d}}", "{\"a\":0.1,\"b\":1e300,\"c\":0.30000000000000004,\"d\":3.0}",
         "0.1 1e+300 0.30000000000000004 3"},
        {"{{a}} {{b}}", "{\"a\":-9223372036854775808,\"b\":0}", "-9223372036854775808 0"},
        {"{{#z}}zero{{/z}}{{^f}}false{{/f}}{{^l}}empty{{/l}}{{^n}}null{{/n}}", "{\"z\":0,\"f\":false,\"l\":[],\"n\":null}",
         "zerofalseemptynull"},
        {"{{a.b.c}}{{#a}}{{b.c}}{{x}}{{/a}}{{a.x}}|", "{\"a\":{\"b\":{\"c\":1}},\"x\":2}", "112|"},
        {"{{#a}}{{x}}{{/a}}", "{\"a\":{\"x\":null},\"x\":2}", ""},
        {"{{o}}{{l}}{{f}}", "{\"o\":{\"a\":1},\"l\":[1],\"f\":false}", "false"},
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
    GString *deep = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "{{#a}}\n");
    g_autofree char *long_name = g_strdup_printf("{{%0*d}}", 300, 1);
    const struct {
        const char *text, *line, *says; /* what to write instead */
    } cases[] = {
        {"a\n{{#open}}\nb", "line 2: ", "write {{/open}}"},
        {"{{/close}}", "line 1: ", "take it out"},
        {"a\nb\n{{#a}}{{/b}}", "line 3: ", "write {{/a}}"},
        {"{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}", "line 3: ", "\"b\" of line 2"},
        {"x\n{{name", "line 2: ", "write }} behind"},
        {"x {{name} and {{other}}", "line 1: ", "not closed"},
        {"{{{name}} x", "line 1: ", "write }}} behind"},
        {"\n{{}}", "line 2: ", "write {{first_name}}"},
        {"\n{{ # }}x{{/}}", "line 2: ", "no name"},
        {"{{first name}}", "line 1: ", "write first_name"},
        {"{{#a b}}{{/a b}}", "line 1: ", "write a_b"},
        {"{{company..name}}", "line 1: ", "company.name"},
        {"{{.name}}", "line 1: ", "company.name"},
        {"{{ {name} }}", "line 1: ", "{{{name}}}"},
        {"{{=a=}}", "line 1: ", "{{=<% %>=}}"},
        {"{{=<% % >=}}", "line 1: ", "{{=<% %>=}}"},
        {"{{=<%=}}", "line 1: ", "{{=<% %>=}}"},
        {"{{! a\nb }}\n{{/x}}", "line 3: ", "take it out"},
        {"{{<p}}\n{{$b}}\n{{/p}}", "line 3: ", "write {{/b}}"},
        {long_name, "line 1: ", "too long"},
        {deep->str, "line 101: ", "write fewer"},
        {"{{\xff\xfe x}}", "line 1: ", "write"},
        {"{{=\xff \xfe=}}\xff"
         "a\xfe\xff/b\xfe",
         "line 1: ", "take it out"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Mustache) mustache = mustache_parse(cases[i].text, &error);
        assert_null(mustache);
        assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE));
        if (!g_str_has_prefix(error->message, cases[i].line) || !strstr(error->message, cases[i].says))
            fail_msg("%.60s: %s", cases[i].text, error->message);
    }
    g_string_free(deep, TRUE);
}

/* Lines and indentation, without the specification's files. */
static void test_lines(void **state)
{
    (void)state;
    const struct {
        const char *text, *partial, *want;
    } cases[] = {
        {"a\n  {{#t}}\nb\n  {{/t}}\nc", "", "a\nb\nc"},
        {"a\r\n{{#t}}\r\nb\r\n{{/t}}\r\nc", "", "a\r\nb\r\nc"},
        {"a {{#t}}b{{/t}} c\n", "", "a b c\n"},
        {"  {{! x }}  \na", "", "a"},
        {"a\n{{! x\ny }}\nb", "", "a\nb"},
        {"{{^t}}x{{/t}}{{^f}}y{{/f}}", "", "y"},
        {"{{=| |=}}|v|{{v}}|={{ }}=|{{v}}", "", "<1\n2>{{v}}<1\n2>"},
        {"a\n  {{> p}}\nb", "x\ny\n", "a\n  x\n  y\nb"},
        {"a\n  {{> p}}\nb", "{{v}}\n{{#t}}\n{{v}}\n{{/t}}\n\nz", "a\n  <1\n2>\n  <1\n2>\n  \n  zb"},
        {"a\n  {{> p}}\nb", "{{#t}}x{{/t}}\n{{^t}}\ny\n{{/t}}\n", "a\n  x\nb"},
        {"a {{> p}} b", "x\ny", "a x\ny b"},
        {"{{> none}}a", "", "a"},
        {"{{<p}}{{$b}}1\n2{{/b}}{{/p}}", "  - {{$b}}x{{/b}} -\n", "  - 1\n2 -\n"},
        {"{{<p}}\n  {{$b}}\n    1\n      2\n  {{/b}}\n{{/p}}\n", "> {{$a}}q{{/a}}\n {{$b}}\n   x\n {{/b}}\nz\n",
         "> q\n   1\n     2\nz\n"},
        {"{{<p}}ignored {{v}}{{$b}}{{v}}{{/b}}{{/p}}", "[{{$b}}{{/b}}]", "[<1\n2>]"},
        {"{{$b}}{{#t}}default{{/t}}{{/b}}", "", "default"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) context = json_parse_object("{\"t\":true,\"f\":false,\"v\":\"<1\\n2>\"}", NULL);
        g_autoptr(JsonObject) partials = json_object_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
        json_object_set_string_member(partials, "p", cases[i].partial);
        const MustacheOptions options = {.escape = append_value, .partial = partial_from, .data = partials};
        g_autoptr(Mustache) mustache = mustache_parse(cases[i].text, &error);
        g_autofree char *result = mustache ? mustache_render(mustache, root, &options, &error) : NULL;
        if (!result)
            fail_msg("%s: %s", cases[i].text, error->message);
        assert_string_equal(result, cases[i].want);
    }
}

static void test_defaults_stand_in(void **state)
{
    (void)state;
    g_autoptr(GHashTable) defaults = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)json_node_unref);
    g_hash_table_insert(defaults, (gpointer) "a", json_node_init_string(json_node_alloc(), "A"));
    g_hash_table_insert(defaults, (gpointer) "o.b", json_node_init_string(json_node_alloc(), "B"));
    g_hash_table_insert(defaults, (gpointer) "o", json_node_init_string(json_node_alloc(), "O"));
    const struct {
        const char *text, *json, *want;
    } cases[] = {
        {"{{a}} {{o.b}} {{o}}", "{}", "A B O"},
        {"{{a}} {{o.b}} {{o}}", "{\"a\":\"\",\"o\":{\"b\":null,\"\":\"\"}}", "A B O"},
        {"{{a}} {{o.b}} {{o}}", "{\"a\":\"x\",\"o\":{\"b\":0,\"\":\"y\"}}", "x 0 y"},
        {"{{#a}}[{{.}}]{{/a}}{{^a}}no{{/a}}", "{\"a\":null}", "[A]"},
        {"{{#o}}[{{c}}]{{/o}}", "{\"o\":{\"\":\"\",\"c\":\"C\"}}", "[C]"},
        {"{{#a}}[{{.}}]{{/a}}", "{\"a\":[1,2]}", "[1][2]"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) context = json_parse_object(cases[i].json, NULL);
        g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
        g_autoptr(Mustache) mustache = mustache_parse(cases[i].text, NULL);
        const MustacheOptions options = {.escape = append_value, .missing_is_error = TRUE, .defaults = defaults};
        g_autofree char *result = mustache_render(mustache, root, &options, NULL);
        assert_string_equal(result, cases[i].want);
    }
}

/* A template may be wrong, and a partial call itself: each ends with an error, and soon. */
static void test_limits(void **state)
{
    (void)state;
    GString *doubling = g_string_new("{");
    for (int i = 0; i < 40; i++) /* each level doubles: 2^40 copies if nothing bounded it */
        g_string_append_printf(doubling, "\"p%d\":\"{{>p%d}}{{>p%d}}\",", i, i + 1, i + 1);
    g_string_append(doubling, "\"p40\":\"x\"}");
    GString *silent = g_string_new("{");
    for (int i = 0; i < 40; i++) /* the same without any output */
        g_string_append_printf(silent, "\"p%d\":\"{{>p%d}}{{>p%d}}\",", i, i + 1, i + 1);
    g_string_append(silent, "\"p40\":\"\"}");
    GString *loops = g_string_new("{\"l\":[0");
    for (int i = 0; i < 999; i++)
        g_string_append(loops, ",0");
    g_string_append(loops, "]}");
    GString *large = g_string_new("{\"x\":\"");
    for (int i = 0; i < 1000000; i++)
        g_string_append_c(large, 'x');
    g_string_append(large, "\",\"l\":[1,2,3,4,5,6,7,8,9]}");
    const struct {
        const char *text, *json;
    } cases[] = {
        {"{{> me}}", "{\"me\":\"x{{> me}}\"}"},
        {"{{> me}}", "{\"me\":\"{{#me}}{{#me}}{{#me}}{{> me}}{{/me}}{{/me}}{{/me}}\"}"},
        {"{{< me}}{{/me}}", "{\"me\":\"{{< me}}{{$a}}{{$a}}{{/a}}{{/a}}{{/me}}\"}"},
        {"{{<p}}{{$a}}{{$a}}{{/a}}{{/a}}{{/p}}", "{\"p\":\"{{$a}}{{/a}}\"}"},
        {"{{> me}}", "{\"me\":\"x\\n  {{> me}}\\n  {{> me}}\\n\"}"},
        {"{{> p0}}", doubling->str},
        {"{{> p0}}", silent->str},
        {"{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}", loops->str},
        {"{{#l}}{{x}}{{/l}}", large->str},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        g_autofree char *result = render(cases[i].text, cases[i].json, FALSE, &error);
        assert_null(result);
        if (!g_error_matches(error, MAIL_ERROR, MAIL_ERROR_LIMIT))
            fail_msg("case %zu: %s", i, error->message);
        assert_true(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
    }
    g_string_free(doubling, TRUE);
    g_string_free(silent, TRUE);
    g_string_free(loops, TRUE);
    g_string_free(large, TRUE);
}

/* Parsing takes time in proportion to the text, whatever it is made of: a quadratic parser would need minutes for these. */
static void test_parsing_is_linear(void **state)
{
    (void)state;
    const char *units[] = {"\n",
                           "x",
                           " ",
                           "{{a}}",
                           "{{a}} ",
                           "{{#a}}{{/a}}\n",
                           "{ ",
                           "}} ",
                           "{{> p}}",
                           "  {{> p}}\n",
                           "{{!c}}\n",
                           "{{$b}}\n  x\n{{/b}}\n",
                           "{{<p}}{{$b}}x{{/b}}{{/p}} ",
                           "{{=| |=}}|={{ }}=|"};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        GString *text = g_string_new(NULL);
        while (text->len < 1000000)
            g_string_append(text, units[i]);
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        g_autoptr(Mustache) mustache = mustache_parse(text->str, &error);
        g_string_free(text, TRUE);
        assert_non_null(mustache);
        assert_true(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
    }
}

static void test_faults_of_partials(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autofree char *result = render("{{> p}}", "{\"p\":\"a\\n{{#open}}\"}", FALSE, &error);
    assert_null(result);
    assert_true(g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE));
    assert_string_equal(error->message,
                        "partial \"p\": line 2: \"open\" is opened here and never closed; write {{/open}} where it ends");
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
        cmocka_unit_test(test_specification),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_missing_is_named),
        cmocka_unit_test(test_faults_name_their_line),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_defaults_stand_in),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parsing_is_linear),
        cmocka_unit_test(test_faults_of_partials),
        cmocka_unit_test(test_partials_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
