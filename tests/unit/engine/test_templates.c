/*
 * engine/templates: the folder is taken whole or not at all; each fault is told once, with file and line; the variant of a
 * language is the nearest that there is.
 */
#include "rig.h"

#include <sys/stat.h>
#include <unistd.h>

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

/* None is waited for, and none is read that is too large. */
static void test_what_is_no_text(void **state)
{
    Rig *rig = *state;
    g_autofree char *fifo = g_build_filename(rig->folder, "templates/fifo.md", NULL);
    g_autofree char *folder = g_build_filename(rig->folder, "templates/folder.md", NULL);
    g_autofree char *large = g_build_filename(rig->folder, "templates/large.md", NULL);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_only_fault(rig, "templates/fifo.md: is not a file; take it out of the folder of templates");
    assert_int_equal(unlink(fifo) + g_mkdir(folder, 0700), 0);
    assert_only_fault(rig, "templates/folder.md: is not a file; take it out of the folder of templates");
    rig_write(rig, "templates/large.md", "Subject: Large\n\n");
    assert_int_equal(rmdir(folder) + truncate(large, (off_t)1 << 40), 0);
    assert_only_fault(rig, "templates/large.md: larger than 1 MiB; write a shorter template");
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

/* ---- what goes along -------------------------------------------------------------------------------------------------- */

#define PNG "\x89PNG\r\n\x1A\n"

static void write_bytes(const Rig *rig, const char *name, gsize size)
{
    g_autofree char *path = g_build_filename(rig->folder, name, NULL);
    g_autofree char *bytes = g_malloc(size + sizeof(PNG));
    memset(bytes, 'x', size + sizeof(PNG));
    memcpy(bytes, PNG, sizeof(PNG) - 1);
    assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

/* The configuration with this in place of that. */
static void change_configuration(Rig *rig, const char *that, const char *this)
{
    g_autofree char *file = g_build_filename(rig->folder, "n.conf", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) faults = NULL;
    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    GString *changed = g_string_new(text);
    assert_int_equal(g_string_replace(changed, that, this, 1), 1);
    rig_write(rig, "n.conf", changed->str);
    g_string_free(changed, TRUE);
    g_autoptr(Config) config = config_load(file, &faults, NULL);
    if (!config)
        fail_msg("%s", (char *)faults->pdata[0]);
    config_unref(rig->core->config);
    rig->core->config = g_steal_pointer(&config);
}

static void test_files_are_read_with_the_templates(void **state)
{
    Rig *rig = *state;
    rig_write(rig, "templates/one.md", "Subject: One\nAttach: sub/offer.pdf\nAttach: logo.png\n\n![logo](logo.png) {{> sign}}\n");
    rig_write(rig, "templates/_sign.md", "![mark](mark.png)");
    g_autofree char *sub = g_build_filename(rig->folder, "templates/sub", NULL);
    assert_int_equal(g_mkdir(sub, 0700), 0);
    rig_write(rig, "templates/sub/offer.pdf", "%PDF-1.7\n");
    write_bytes(rig, "templates/logo.png", 100);
    write_bytes(rig, "templates/mark.png", 200);
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
    rig_write(rig, "templates/sub/offer.pdf", "changed since");
    g_autoptr(GPtrArray) files = templates_attachments(set, templates_find(set, "one", "", NULL));
    assert_int_equal(files->len, 2);
    const MailFile *offer = files->pdata[0];
    assert_string_equal(offer->name, "offer.pdf");
    assert_string_equal(offer->type, "application/pdf");
    assert_int_equal(offer->size, strlen("%PDF-1.7\n"));
    assert_string_equal(((const MailFile *)files->pdata[1])->type, "image/png");
    assert_int_equal(templates_image(set, "mark.png")->size, 200);
    assert_string_equal(templates_image(set, "logo.png")->type, "image/png");
    assert_null(templates_image(set, "sub/offer.pdf")); /* attached, but nowhere shown */
    assert_null(templates_attachments(set, templates_find(set, "two", "", NULL)));
}

static void test_faults_of_files(void **state)
{
    const struct {
        const char *header, *body, *want; /* behind "templates/one.md:" */
    } rows[] = {
        {"Attach: nosuch.pdf\n", "", "2: the file \"nosuch.pdf\": No such file or directory; put the file into "},
        {"\tfolded\nAttach: sub\n", "", "3: the file \"sub\": is not a file"},
        {"Attach: fifo\n", "", "2: the file \"fifo\": is not a file"},
        {"Attach: out.pdf\n", "", "2: the file \"out.pdf\": is a link to a place outside of "},
        {"Attach: outside/n.conf\n", "", "2: the file \"outside/n.conf\": is a link to a place outside of "},
        {"Attach: empty.pdf\n", "", "2: the file \"empty.pdf\": is empty"},
        {"Attach: large.pdf\n", "", "2: the file \"large.pdf\": is larger than 5.0 MB"},
        {"Attach: half-1.pdf\nAttach: half-2.pdf\n", "", " its files are 6.0 MB together, above 5.0 MB"},
        {"Attach: half-1.pdf\n", "\n{{> inner}}\n", " its files are 6.0 MB together, above 5.0 MB"},
        {"", "\n\n![x](one.md)\n", "5: the file \"one.md\": is not an image that mail programs show"},
        {"Attach: ../n.conf\n", "", "2: the file \"../n.conf\" does not lie in the folder of templates"},
        {"Attach: /etc/passwd\n", "", "2: the file \"/etc/passwd\" does not lie"},
    };
    Rig *rig = *state;
    g_autofree char *fifo = g_build_filename(rig->folder, "templates/fifo", NULL);
    g_autofree char *sub = g_build_filename(rig->folder, "templates/sub", NULL);
    g_autofree char *out = g_build_filename(rig->folder, "templates/out.pdf", NULL);
    g_autofree char *outside = g_build_filename(rig->folder, "templates/outside", NULL);
    assert_int_equal(mkfifo(fifo, 0600) + g_mkdir(sub, 0700) + symlink("../n.conf", out) + symlink("..", outside), 0);
    rig_write(rig, "templates/empty.pdf", "");
    write_bytes(rig, "templates/large.pdf", 5000001);
    write_bytes(rig, "templates/half-1.pdf", 3000000);
    write_bytes(rig, "templates/half-2.pdf", 3000000);
    rig_write(rig, "templates/_inner.md", "{{> innermost}}");
    rig_write(rig, "templates/_innermost.md", "![x](half-2.pdf) {{> inner}}");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf("Subject: One\n%s\nHello%s", rows[i].header, rows[i].body);
        g_autoptr(GPtrArray) faults = NULL;
        rig_write(rig, "templates/one.md", text);
        g_autoptr(TemplateSet) set = load(rig, &faults);
        assert_null(set);
        g_autofree char *want = g_strdup_printf("%s/templates/one.md:%s", rig->folder, rows[i].want);
        if (faults->len != 1 || !g_str_has_prefix(faults->pdata[0], want))
            fail_msg("%u faults: %s, for %s", faults->len, (char *)faults->pdata[0], want);
    }
    assert_int_equal(unlink(outside), 0); /* lest the folder be cleared through it */
}

/* A link inside of the folder is as good as the file: so are folders mounted by a cluster's manager. */
static void test_a_link_within_the_folder(void **state)
{
    Rig *rig = *state;
    g_autofree char *link = g_build_filename(rig->folder, "templates/offer.pdf", NULL);
    rig_write(rig, "templates/offer-2027.pdf", "%PDF-1.7\n");
    assert_int_equal(symlink("offer-2027.pdf", link), 0);
    rig_write(rig, "templates/one.md", "Subject: One\nAttach: offer.pdf\n\nHello\n");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
}

static void test_max_attachment_is_the_configurations(void **state)
{
    Rig *rig = *state;
    write_bytes(rig, "templates/offer.pdf", 5000001);
    rig_write(rig, "templates/one.md", "Subject: One\nAttach: offer.pdf\n\nHello\n");
    change_configuration(rig, "sending = {", "sending = { max_attachment = \"6 MB\";");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
}

static void test_signatures(void **state)
{
    Rig *rig = *state;
    TemplateKind kind = TEMPLATE_TEXT;
    change_configuration(rig, "name = \"anna\";", "name = \"anna\"; signature = \"anna\";");
    g_autofree char *want = g_strdup_printf("n.conf:6: account \"anna\": signature \"anna\" needs a file _anna.md in %s/templates, which is not there",
                                            rig->folder);
    rig_write(rig, "templates/_anna.nb.md", "Hilsen");
    assert_only_fault(rig, want); /* a language alone is not enough */
    rig_write(rig, "templates/_anna.md", "Regards");
    rig_write(rig, "templates/_plain.txt", "Regards");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set);
    const Mustache *english = templates_signature(set, "anna", TEMPLATE_MARKDOWN, "en", &kind);
    assert_non_null(english);
    assert_int_equal(kind, TEMPLATE_MARKDOWN);
    assert_ptr_not_equal(templates_signature(set, "anna", TEMPLATE_MARKDOWN, "nb-NO", &kind), english);
    assert_ptr_equal(templates_signature(set, "anna", TEMPLATE_TEXT, "", &kind), english); /* of the other kind, for want of one */
    assert_int_equal(kind, TEMPLATE_MARKDOWN);
    assert_non_null(templates_signature(set, "plain", TEMPLATE_MARKDOWN, "", &kind));
    assert_int_equal(kind, TEMPLATE_TEXT);
    assert_null(templates_signature(set, "", TEMPLATE_TEXT, "", &kind));
}

static void test_addresses_that_no_message_can_bear(void **state)
{
    const struct {
        const char *account, *want;
    } rows[] = {
        {"from = \"Bø <bø@example.com>\"", "n.conf:6: account \"anna\": \"bø@example.com\" has letters before the @ that mail servers need an extension for "},
        {"reply_to = \"Salg <anna..berg@example.com>\"", "n.conf:6: account \"anna\": "},
        {"reply_to = \"anna@-example.com\"", "n.conf:6: account \"anna\": "},
    };
    Rig *rig = *state;
    g_autofree char *file = g_build_filename(rig->folder, "n.conf", NULL);
    g_autofree char *before = NULL;
    assert_true(g_file_get_contents(file, &before, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean is_from = g_str_has_prefix(rows[i].account, "from");
        g_autofree char *own = g_strconcat(is_from ? "" : "from = \"Anna <anna@example.com>\"; ", rows[i].account, NULL);
        g_autoptr(GPtrArray) faults = NULL;
        rig_write(rig, "n.conf", before);
        change_configuration(rig, "from = \"Anna <anna@example.com>\"", own);
        g_autoptr(TemplateSet) set = load(rig, &faults);
        if (set)
            fail_msg("taken: %s", rows[i].account);
        assert_int_equal(faults->len, 1);
        if (!g_str_has_prefix((char *)faults->pdata[0] + strlen(rig->folder) + 1, rows[i].want))
            fail_msg("%s", (char *)faults->pdata[0]);
    }
    rig_write(rig, "n.conf", before);
    change_configuration(rig, "from = \"Anna <anna@example.com>\"", "from = \"Åse <ase@blåbær.example>\"; reply_to = \"Salg, Oslo <salg@blåbær.example>\"");
    g_autoptr(TemplateSet) set = load(rig, NULL);
    assert_non_null(set); /* a domain of other letters has a form that all servers know */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(test_nearest_language),
        with_rig(test_other_files_are_left_alone),
        with_rig(test_what_is_no_text),
        with_rig(test_a_fault_is_told_once),
        with_rig(test_missing_partial_is_told_with_its_line),
        with_rig(test_missing_template_is_told_with_the_steps_line),
        with_rig(test_two_files_of_one_name_and_language),
        with_rig(test_all_faults_at_once),
        with_rig(test_files_are_read_with_the_templates),
        with_rig(test_faults_of_files),
        with_rig(test_a_link_within_the_folder),
        with_rig(test_max_attachment_is_the_configurations),
        with_rig(test_signatures),
        with_rig(test_addresses_that_no_message_can_bear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
