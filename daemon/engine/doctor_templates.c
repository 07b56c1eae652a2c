/*
 * Templates, and what the law and the recipients' servers expect of each message.
 */
#include <string.h>

#include "engine/doctor_parts.h"
#include "engine/template_set.h"
#include "plan/calendar.h"

/* Many servers and phones are slow with more, or refuse it. */
enum { HEAVY_OCTETS = 1000 * 1000 };

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of templates, without language (char*, owned), sorted. */
static GPtrArray *names_of(const TemplateSet *set)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iterator;
    gpointer key, entry;
    g_hash_table_iter_init(&iterator, set->messages);
    while (g_hash_table_iter_next(&iterator, &key, &entry)) {
        gsize language = strlen(((const TemplateEntry *)entry)->language);
        g_autofree char *name = g_strndup(key, strlen(key) - (language ? language + 1 : 0));
        if (g_hash_table_contains(seen, name))
            continue;
        g_ptr_array_add(names, name);
        g_hash_table_add(seen, g_steal_pointer(&name));
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* ---- unused ---------------------------------------------------------------------------------------------------------- */

static gboolean step_uses(const Step *step, const char *name)
{
    for (Variant **variant = step->variants; *variant; variant++)
        if (g_str_equal((*variant)->template_name, name))
            return TRUE;
    return !step->variants[0] && g_str_equal(step->template_name, name);
}

static gboolean is_used(const Config *config, const char *name)
{
    for (Rule **rule = config->rules; *rule; rule++)
        for (Step **step = (*rule)->steps; *step; step++)
            if (step_uses(*step, name))
                return TRUE;
    return FALSE;
}

static void check_unused(const DoctorSetup *setup, const GPtrArray *names)
{
    g_autoptr(GString) unused = g_string_new(NULL);
    for (guint i = 0; i < names->len; i++)
        if (!is_used(setup->config, names->pdata[i]))
            g_string_append_printf(unused, "%s%s", unused->len ? ", " : "", (const char *)names->pdata[i]);
    if (unused->len)
        doctor_tell(setup, "", "templates", FINDING_WARN, "name them in steps of rules, or move them out of the folder",
                    "no rule uses %s", unused->str);
}

/* ---- weight ---------------------------------------------------------------------------------------------------------- */

static int compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const TemplateEntry *const *)a)->path, (*(const TemplateEntry *const *)b)->path);
}

static void check_weight(const DoctorSetup *setup, const TemplateSet *set)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, set->messages);
    while (g_hash_table_iter_next(&iterator, NULL, &value))
        g_ptr_array_add(entries, value);
    g_ptr_array_sort(entries, compare_paths);
    for (guint i = 0; i < entries->len; i++) {
        const TemplateEntry *entry = entries->pdata[i];
        gsize most = 0;
        for (Account **account = setup->config->accounts; *account; account++)
            most = MAX(most, template_set_load(set, entry, (*account)->signature));
        if (most <= HEAVY_OCTETS)
            continue;
        doctor_tell(setup, "", "templates", FINDING_WARN, "scale the images down, or put a link in the place of a file",
                    "%s: its images and files are %.1f MB together", entry->path, (double)most / 1e6);
    }
}

/* ---- what each message bears ---------------------------------------------------------------------------------------- */

static void check_law(const DoctorSetup *setup)
{
    const Config *config = setup->config;
    doctor_tell(setup, "", "postal address", FINDING_OK, "", "it stands in each footer: %s, %s", config->organisation.name,
                config->organisation.postal_address);
    for (Account **account = config->accounts; *account; account++) {
        if (setup->account && setup->account != *account)
            continue;
        const char *address = *(*account)->reply_to ? (*account)->reply_to : (*account)->from_address;
        if ((*account)->has_imap)
            doctor_tell(setup, (*account)->name, "unsubscribe", FINDING_OK, "", "each message names %s in List-Unsubscribe", address);
        else
            doctor_tell(setup, (*account)->name, "unsubscribe", FINDING_WARN,
                        "give the account imap = { … }, or see to it that they are suppressed by hand (nurture suppression add)",
                        "a request to %s is heard by nobody: the account is one_way", address);
    }
}

static void check_calendars(const DoctorSetup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Calendar) calendar = calendar_load(setup->config->sending.holiday_files, &error);
    if (!calendar)
        doctor_tell_faults(setup, "holidays", error->message);
}

void doctor_check_templates(const DoctorSetup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TemplateSet) set = templates_load(setup->config, NULL, &error);
    check_calendars(setup);
    if (!set) {
        doctor_tell_faults(setup, "templates", error->message);
    } else {
        g_autoptr(GPtrArray) names = names_of(set);
        doctor_tell(setup, "", "templates", FINDING_OK, "", "%u in %s; each message has a text part, made from the same words as its HTML",
                    names->len, setup->config->templates_dir);
        check_weight(setup, set);
        check_unused(setup, names);
    }
    check_law(setup);
}
