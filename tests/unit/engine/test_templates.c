/*
 * engine/templates: the folder is taken whole or not at all; each fault is told once, with file and line; the variant of a
 * language is the nearest that there is.
 */
#include "rig.h"

static TemplateSet *load(const Rig *rig, GPtrArray **ret_faults)
{
    return templates_load(rig->core->config, ret_faults, NULL);
}

/* The only fault, without the folder in front of it. */
static void assert_only_fault(const Rig *rig, const char *want)
{
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(TemplateSet) set = load(rig, &faults);
    assert_null(set);
    assert_int_equal(faults->len, 1);
    const char *fault = faults->pdata[0];
    assert_true(g_str_has_prefix(fault, rig->folder));
    assert_string_equal(fault + strlen(rig->folder) + 1, want);
}

static void test_nearest_language(void **state)
{
    static const struct {
        const char *asked, *got;
    } rows[] = {{"nb", "nb"}, {"NB", "nb"}, {"nb-NO", "nb"}, {"nb-NO-x", "nb"}, {"nn", ""}, {"en", ""}, {"", ""}, {"n", ""}};
    Rig *rig = *state;
    rig_write(rig, "templates/one.nb.md", "Subject: En\n\nHei\n");
    rig_write(rig, "templates/_sign.md", "Regards");
    rig_write(rig, "templates/_sign.nb.md", "Hilsen");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *language = NULL;
        assert_non_null(templates_find(set, "one", rows[i].asked, &language));
        assert_string_equal(language, rows[i].got);
        assert_string_equal(templates_partial(set, "sign", TEMPLATE_MARKDOWN, rows[i].asked), *rows[i].got ? "Hilsen" : "Regards");
    }
    assert_null(templates_find(set, "nosuch", "nb", NULL));
    assert_null(templates_partial(set, "sign", TEMPLATE_TEXT, "nb")); /* a partial is used by its own kind only */
}

static void test_other_files_are_left_alone(void **state)
{
    Rig *rig = *state;
    rig_write(rig, "templates/one.md~", "no template");
    rig_write(rig, "templates/.one.md.swp", "no template");
    rig_write(rig, "templates/README", "no template");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
}

/* A rule's template that has a fault is not said to be missing as well. */
static void test_a_fault_is_told_once(void **state)
{
    Rig *rig = *state;
    rig_write(rig, "templates/one.md", "Subject: One\n\n{{#company}}\n");
    assert_only_fault(rig, "templates/one.md:3: \"company\" is opened here and never closed; write {{/company}} where it ends");
}

static void test_missing_partial_is_told_with_its_line(void **state)
{
    Rig *rig = *state;
    rig_write(rig, "templates/one.md", "Subject: One\n\nHello\n\n{{> sign}}\n");
    rig_write(rig, "templates/_sign.txt", "of another kind");
    assert_only_fault(rig, "templates/one.md:5: {{> sign}} needs a file _sign.md, which is not there");
}

static void test_missing_template_is_told_with_the_steps_line(void **state)
{
    Rig *rig = *state;
    g_autofree char *folder = g_strdup_printf("%s/templates", rig->folder);
    g_autofree char *path = g_strdup_printf("%s/three.md", folder);
    assert_int_equal(g_remove(path), 0);
    /* where rig.h writes the steps of its third rule */
    g_autofree char *want = g_strdup_printf("n.conf:14: rule \"referral\": template \"three\" is not in %s; write it as three.md", folder);
    assert_only_fault(rig, want);
}

static void test_two_files_of_one_name_and_language(void **state)
{
    Rig *rig = *state;
    rig_write(rig, "templates/one.txt", "Subject: One\n\nText\n");
    assert_only_fault(rig, "templates/one.txt: there is another template of this name and language; keep one of the two");
}

static void test_all_faults_at_once(void **state)
{
    Rig *rig = *state;
    g_autoptr(GPtrArray) faults = NULL;
    rig_write(rig, "templates/one.md", "Hello\n");
    rig_write(rig, "templates/two.md", "Subject:\n\nHello\n");
    rig_write(rig, "templates/three.md", "Subject: \xe5\n\nHello\n");
    g_autoptr(TemplateSet) set = load(rig, &faults);
    assert_null(set);
    assert_int_equal(faults->len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(test_nearest_language),
        with_rig(test_other_files_are_left_alone),
        with_rig(test_a_fault_is_told_once),
        with_rig(test_missing_partial_is_told_with_its_line),
        with_rig(test_missing_template_is_told_with_the_steps_line),
        with_rig(test_two_files_of_one_name_and_language),
        with_rig(test_all_faults_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
