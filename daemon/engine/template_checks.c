/*
 * What must be right between templates, the files that they name, and the configuration. Faults are noted one by one, so that all are
 * told at once.
 */
#include <string.h>

#include "base/text.h"
#include "engine/template_set.h"
#include "mail/compose.h"

/* What a check needs. */
typedef struct {
    TemplateSet *set;
    GHashTable *faulty;
    const Config *config;
    GPtrArray *faults;
} Check;

static void add_fault(const Check *check, char *fault)
{
    g_ptr_array_add(check->faults, fault);
}

/* ---- partials -------------------------------------------------------------------------------------------------------- */

/* The line of the file's first tag that calls for the partial; 1 where a template has changed the delimiters. */
static guint line_of_partial(const char *path, const char *name)
{
    g_autofree char *text = NULL;
    g_autofree char *escaped = g_regex_escape_string(name, -1);
    g_autofree char *pattern = g_strdup_printf("\\{\\{\\s*[<>]\\s*%s\\s*\\}\\}", escaped);
    g_autoptr(GRegex) tag = g_regex_new(pattern, 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    gint start = 0;
    guint line = 1;
    if (!tag || !g_file_get_contents(path, &text, NULL, NULL) || !g_regex_match(tag, text, 0, &match) ||
        !g_match_info_fetch_pos(match, 0, &start, NULL))
        return line;
    for (gint i = 0; i < start; i++)
        line += text[i] == '\n';
    return line;
}

static char **partials_of(const TemplateEntry *entry)
{
    return entry->message ? mail_template_partials(entry->message) : mustache_partials(entry->parsed);
}

/* Each partial must be there in the template's own kind, and without a language, so that every language has one. */
static void check_partials(const Check *check, const TemplateEntry *entry)
{
    g_auto(GStrv) names = partials_of(entry);
    for (char **name = names; *name; name++) {
        g_autofree char *key = template_set_partial_key(*name, entry->kind, "");
        if (!g_hash_table_contains(check->set->partials, key))
            add_fault(check, g_strdup_printf("%s:%u: {{> %s}} needs a file _%s, which is not there", entry->path,
                                             line_of_partial(entry->path, *name), *name, key));
    }
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static const GPtrArray *images_of(const TemplateEntry *entry)
{
    return entry->message ? mail_template_images(entry->message) : entry->images;
}

static void read_files(const Check *check, const TemplateEntry *entry, const GPtrArray *named, EnclosureUse use)
{
    for (guint i = 0; named && i < named->len; i++) {
        const TemplateFile *file = named->pdata[i];
        g_autofree char *fault = enclosures_read(check->set->files, file->path, use);
        if (fault)
            add_fault(check, g_strdup_printf("%s:%u: the file \"%s\": %s", entry->path, file->line, file->path, fault));
    }
}

static void check_files(const Check *check, const TemplateEntry *entry)
{
    if (entry->message)
        read_files(check, entry, mail_template_attachments(entry->message), ENCLOSURE_ATTACHMENT);
    read_files(check, entry, images_of(entry), ENCLOSURE_IMAGE);
}

/* What one message may carry, under counting. */
typedef struct {
    const TemplateSet *set;
    GHashTable *seen; /* TemplateEntry* and MailFile* that were counted */
    gsize bytes;
} Load;

static void add_files(Load *load, const GPtrArray *named, EnclosureUse use)
{
    for (guint i = 0; named && i < named->len; i++) {
        const MailFile *file = enclosures_find(load->set->files, ((const TemplateFile *)named->pdata[i])->path, use);
        if (file && g_hash_table_add(load->seen, (gpointer)file))
            load->bytes += file->size;
    }
}

/* With all partials, in the message's language. */
static void add_entry(Load *load, const TemplateEntry *entry, const char *language)
{
    if (!entry || !g_hash_table_add(load->seen, (gpointer)entry))
        return;
    if (entry->message)
        add_files(load, mail_template_attachments(entry->message), ENCLOSURE_ATTACHMENT);
    add_files(load, images_of(entry), ENCLOSURE_IMAGE);
    g_auto(GStrv) names = partials_of(entry);
    for (char **name = names; *name; name++)
        add_entry(load, template_set_partial(load->set, *name, entry->kind, language), language);
}

gsize template_set_load(const TemplateSet *set, const TemplateEntry *message, const char *signature)
{
    Load load = {.set = set, .seen = g_hash_table_new(NULL, NULL)};
    add_entry(&load, message, message->language);
    if (*signature)
        add_entry(&load, template_set_signature(set, signature, message->kind, message->language), message->language);
    g_hash_table_unref(load.seen);
    return load.bytes;
}

/* All files of one message together, with the largest of the signatures. */
static void check_load(const Check *check, const TemplateEntry *entry)
{
    gsize most = 0;
    for (Account **account = check->config->accounts; *account; account++)
        most = MAX(most, template_set_load(check->set, entry, (*account)->signature));
    if ((gint64)most > check->config->sending.max_attachment)
        add_fault(check,
                  g_strdup_printf(
                      "%s: its files are %.1f MB together, above %.1f MB; leave one out, put a link in its place, or raise "
                      "sending.max_attachment",
                      entry->path, (double)most / 1e6, (double)check->config->sending.max_attachment / 1e6));
}

/* ---- what the configuration names ------------------------------------------------------------------------------------ */

/* The table's names, for a suggestion; belongs to the table. */
static const char *nearest_key(GHashTable *table, const char *name)
{
    g_autofree const char **keys = (const char **)g_hash_table_get_keys_as_array(table, NULL);
    return text_nearest(name, keys);
}

static void check_template_of(const Check *check, const Rule *rule, const Step *step, const char *name)
{
    if (g_hash_table_contains(check->set->messages, name) || g_hash_table_contains(check->faulty, name))
        return;
    const char *nearest = nearest_key(check->set->messages, name);
    add_fault(check, g_strdup_printf("%s: rule \"%s\": template \"%s\" is not in %s; %s%s%s", step->source, rule->name, name,
                                     check->config->templates_dir, nearest ? "did you mean \"" : "write it as ",
                                     nearest ? nearest : name, nearest ? "\"?" : ".md"));
}

/* Where a step tries variants, its own name may be no template. */
static void check_rules(const Check *check)
{
    for (Rule **rule = check->config->rules; *rule; rule++)
        for (Step **step = (*rule)->steps; *step; step++) {
            for (Variant **variant = (*step)->variants; *variant; variant++)
                check_template_of(check, *rule, *step, (*variant)->template_name);
            if (!(*step)->variants[0])
                check_template_of(check, *rule, *step, (*step)->template_name);
        }
}

static void check_signature(const Check *check, const Account *account)
{
    const char *name = account->signature;
    g_autofree char *file_name = g_strconcat("_", name, NULL);
    if (*name && !template_set_signature(check->set, name, TEMPLATE_MARKDOWN, "") &&
        !g_hash_table_contains(check->faulty, file_name))
        add_fault(check, g_strdup_printf("%s: account \"%s\": signature \"%s\" needs a file %s.md in %s, which is not there",
                                         account->source, account->name, name, file_name, check->config->templates_dir));
}

/* A message from the account to itself, which shows whether its names and addresses can stand in headers. */
static void check_addresses(const Check *check, const Account *account)
{
    RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"x"};
    ComposedMessage message = {0};
    g_autoptr(GError) error = NULL;
    const ComposeInput input = {.rendered = &rendered,
                                .from_name = account->from_name,
                                .from_address = account->from_address,
                                .to_name = account->from_name,
                                .to_address = account->from_address,
                                .reply_to_name = account->reply_to_name,
                                .reply_to = account->reply_to,
                                .message_id = "trial@invalid",
                                .in_reply_to = "",
                                .references = "",
                                .organisation = check->config->organisation.name,
                                .postal_address = check->config->organisation.postal_address,
                                .language = ""};
    if (mail_compose(&input, &message, &error))
        composed_message_clear(&message);
    else
        add_fault(check, g_strdup_printf("%s: account \"%s\": %s", account->source, account->name, error->message));
}

static void check_accounts(const Check *check)
{
    for (Account **account = check->config->accounts; *account; account++) {
        check_signature(check, *account);
        check_addresses(check, *account);
    }
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const TemplateEntry *const *)a)->path, (*(const TemplateEntry *const *)b)->path);
}

static void add_values(GHashTable *table, GPtrArray *values)
{
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, table);
    while (g_hash_table_iter_next(&iterator, NULL, &value))
        g_ptr_array_add(values, value);
}

/* By path, so that faults come in the same order each time. */
static GPtrArray *all_entries(const TemplateSet *set)
{
    GPtrArray *entries = g_ptr_array_new();
    add_values(set->messages, entries);
    add_values(set->partials, entries);
    g_ptr_array_sort(entries, compare_paths);
    return entries;
}

void template_set_check(TemplateSet *set, GHashTable *faulty, const Config *config, GPtrArray *faults)
{
    const Check check = {.set = set, .faulty = faulty, .config = config, .faults = faults};
    g_autoptr(GPtrArray) entries = all_entries(set);
    for (guint i = 0; i < entries->len; i++) {
        check_partials(&check, entries->pdata[i]);
        check_files(&check, entries->pdata[i]);
    }
    for (guint i = 0; i < entries->len; i++)
        if (((const TemplateEntry *)entries->pdata[i])->message)
            check_load(&check, entries->pdata[i]);
    check_rules(&check);
    check_accounts(&check);
}
