/*
 * The set of templates of a folder.
 *
 * Owns the parsed templates and the texts of the partials, in two hash tables keyed by "name" or "name.language" (lower
 * case). Built once, never changed afterwards, so that the workers' threads read it without a lock.
 */
#include "engine/template_set.h"

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { TEMPLATE_MAX_BYTES = 1024 * 1024 };

/* What a file's name says. */
typedef struct {
    char *name, *language;
    TemplateKind kind;
    gboolean is_partial;
} FileName;

G_DEFINE_QUARK(nurture-engine-error, engine_error)

static void entry_free(gpointer data)
{
    TemplateEntry *entry = data;
    g_free(entry->path);
    g_free(entry->language);
    mail_template_free(entry->message);
    g_free(entry->text);
    mustache_free(entry->parsed);
    g_clear_pointer(&entry->images, g_ptr_array_unref);
    g_free(entry);
}

static void file_name_clear(FileName *file)
{
    g_clear_pointer(&file->name, g_free);
    g_clear_pointer(&file->language, g_free);
}

/* "_signature.nb.md" -> a Markdown partial "signature" in "nb". FALSE for files that are no templates. */
static gboolean file_name_parse(const char *base_name, FileName *ret_file)
{
    FileName file = {0};
    gsize length = strlen(base_name);
    if (base_name[0] == '.' || base_name[length - 1] == '~')
        return FALSE;
    if (g_str_has_suffix(base_name, ".md"))
        file.kind = TEMPLATE_MARKDOWN;
    else if (g_str_has_suffix(base_name, ".txt"))
        file.kind = TEMPLATE_TEXT;
    else
        return FALSE;
    file.is_partial = base_name[0] == '_';
    g_autofree char *stem = g_strndup(base_name, (gsize)(strrchr(base_name, '.') - base_name));
    const char *start = stem + (file.is_partial ? 1 : 0);
    const char *dot = strrchr(start, '.');
    file.language = dot ? g_ascii_strdown(dot + 1, -1) : g_strdup("");
    file.name = dot ? g_strndup(start, (gsize)(dot - start)) : g_strdup(start);
    *ret_file = file;
    return TRUE;
}

static char *message_key(const char *name, const char *language)
{
    return *language ? g_strdup_printf("%s.%s", name, language) : g_strdup(name);
}

char *template_set_partial_key(const char *name, TemplateKind kind, const char *language)
{
    const char *ending = kind == TEMPLATE_MARKDOWN ? "md" : "txt";
    return *language ? g_strdup_printf("%s.%s:%s", name, ending, language) : g_strdup_printf("%s.%s", name, ending);
}

/* "file:line: what" from an error that begins with "line N: ". */
static void add_fault(GPtrArray *faults, const char *path, const char *message)
{
    const char *colon = g_str_has_prefix(message, "line ") ? strchr(message, ':') : NULL;
    if (!colon) {
        g_ptr_array_add(faults, g_strdup_printf("%s: %s", path, message));
        return;
    }
    g_autofree char *line = g_strndup(message + 5, (gsize)(colon - message - 5));
    g_ptr_array_add(faults, g_strdup_printf("%s:%s:%s", path, line, colon + 1));
}

/* Before it is opened: a FIFO would keep the loop waiting, and a large file would be read as a whole. */
static const char *file_fault(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return NULL; /* reading says why */
    if (!S_ISREG(status.st_mode))
        return "is not a file; take it out of the folder of templates";
    return status.st_size > TEMPLATE_MAX_BYTES ? "larger than 1 MiB; write a shorter template" : NULL;
}

static gboolean read_text(const char *path, char **ret_text, GPtrArray *faults)
{
    g_autoptr(GError) error = NULL;
    const char *fault = file_fault(path);
    if (fault) {
        add_fault(faults, path, fault);
        return FALSE;
    }
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, &error)) {
        g_ptr_array_add(faults, g_strdup(error->message));
        return FALSE;
    }
    if (!g_utf8_validate(text, (gssize)length, NULL)) {
        add_fault(faults, path, "not UTF-8 text; save it with the encoding UTF-8");
        return FALSE;
    }
    *ret_text = g_steal_pointer(&text);
    return TRUE;
}

static void add_to_table(GHashTable *table, char *key, TemplateEntry *entry, const char *path, GPtrArray *faults)
{
    if (!g_hash_table_contains(table, key)) {
        g_hash_table_insert(table, key, entry);
        return;
    }
    add_fault(faults, path, "there is another template of this name and language; keep one of the two");
    g_free(key);
    entry_free(entry);
}

/* Takes the text. An entry with a fault is incomplete. */
static TemplateEntry *entry_new(const FileName *file, const char *path, char **text, GError **error)
{
    TemplateEntry *entry = g_new0(TemplateEntry, 1);
    entry->path = g_strdup(path);
    entry->language = g_strdup(file->language);
    entry->kind = file->kind;
    if (!file->is_partial) {
        entry->message = mail_template_parse(*text, file->kind, error);
        return entry;
    }
    entry->parsed = mustache_parse(*text, error);
    if (entry->parsed && file->kind == TEMPLATE_MARKDOWN)
        entry->images = template_images_of(*text, 1, error);
    entry->text = g_steal_pointer(text);
    return entry;
}

static void load_file(TemplateSet *set, const char *folder, const char *base_name, GPtrArray *faults)
{
    FileName file;
    if (!file_name_parse(base_name, &file))
        return;
    g_autofree char *path = g_build_filename(folder, base_name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!read_text(path, &text, faults)) {
        file_name_clear(&file);
        return;
    }
    TemplateEntry *entry = entry_new(&file, path, &text, &error);
    if (error) {
        add_fault(faults, path, error->message);
        entry_free(entry);
    } else if (file.is_partial) {
        add_to_table(set->partials, template_set_partial_key(file.name, file.kind, file.language), entry, path, faults);
    } else {
        add_to_table(set->messages, message_key(file.name, file.language), entry, path, faults);
    }
    file_name_clear(&file);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "pitch-1.nb.md" -> "pitch-1" */
static char *template_name_of(const char *base_name)
{
    return g_strndup(base_name, strcspn(base_name, "."));
}

static void load_folder(TemplateSet *set, const char *folder, GHashTable *faulty, GPtrArray *faults)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    if (!dir) {
        g_ptr_array_add(faults, g_strdup_printf("%s; make the folder, or set \"templates\" to the one that you use",
                                                error->message));
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        guint before = faults->len;
        load_file(set, folder, names->pdata[i], faults);
        if (faults->len > before)
            g_hash_table_add(faulty, template_name_of(names->pdata[i]));
    }
}

TemplateSet *templates_load(const Config *config, GPtrArray **ret_faults, GError **error)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(TemplateSet) set = g_new0(TemplateSet, 1);
    g_autoptr(GHashTable) faulty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_atomic_ref_count_init(&set->references);
    set->messages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    set->partials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    set->files = enclosures_new(config->templates_dir, config->sending.max_attachment);
    load_folder(set, config->templates_dir, faulty, faults);
    template_set_check(set, faulty, config, faults);
    if (faults->len == 0)
        return g_steal_pointer(&set);
    g_ptr_array_add(faults, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)faults->pdata);
    g_ptr_array_set_size(faults, (int)faults->len - 1);
    g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_TEMPLATES, all);
    if (ret_faults)
        *ret_faults = g_steal_pointer(&faults);
    return NULL;
}

TemplateSet *templates_ref(TemplateSet *set)
{
    g_atomic_ref_count_inc(&set->references);
    return set;
}

void templates_unref(TemplateSet *set)
{
    if (!set || !g_atomic_ref_count_dec(&set->references))
        return;
    g_hash_table_unref(set->messages);
    g_hash_table_unref(set->partials);
    enclosures_free(set->files);
    g_free(set);
}

/* Tries "nb-no", then "nb", then "" through look(). */
static const TemplateEntry *find_by_language(GHashTable *table, const char *language,
                                             char *(*key_of)(const char *language, gpointer data), gpointer data)
{
    g_autofree char *wanted = g_ascii_strdown(language ? language : "", -1);
    for (;;) {
        g_autofree char *key = key_of(wanted, data);
        const TemplateEntry *entry = g_hash_table_lookup(table, key);
        if (entry || !*wanted)
            return entry;
        char *dash = strrchr(wanted, '-');
        *(dash ? dash : wanted) = '\0';
    }
}

static char *message_key_of(const char *language, gpointer data)
{
    return message_key(data, language);
}

const MailTemplate *templates_find(const TemplateSet *set, const char *name, const char *language, const char **ret_language)
{
    const TemplateEntry *entry = find_by_language(set->messages, language, message_key_of, (gpointer)name);
    if (!entry)
        return NULL;
    if (ret_language)
        *ret_language = entry->language;
    return entry->message;
}

typedef struct {
    const char *name;
    TemplateKind kind;
} PartialWanted;

static char *partial_key_of(const char *language, gpointer data)
{
    const PartialWanted *wanted = data;
    return template_set_partial_key(wanted->name, wanted->kind, language);
}

const TemplateEntry *template_set_partial(const TemplateSet *set, const char *name, TemplateKind kind, const char *language)
{
    PartialWanted wanted = {name, kind};
    return find_by_language(set->partials, language, partial_key_of, &wanted);
}

const char *templates_partial(const TemplateSet *set, const char *name, TemplateKind kind, const char *language)
{
    const TemplateEntry *entry = template_set_partial(set, name, kind, language);
    return entry ? entry->text : NULL;
}

const TemplateEntry *template_set_signature(const TemplateSet *set, const char *name, TemplateKind kind, const char *language)
{
    const TemplateEntry *entry = template_set_partial(set, name, kind, language);
    return entry ? entry : template_set_partial(set, name, kind == TEMPLATE_MARKDOWN ? TEMPLATE_TEXT : TEMPLATE_MARKDOWN, language);
}

const Mustache *templates_signature(const TemplateSet *set, const char *name, TemplateKind kind, const char *language,
                                    TemplateKind *ret_kind)
{
    const TemplateEntry *entry = *name ? template_set_signature(set, name, kind, language) : NULL;
    if (!entry)
        return NULL;
    *ret_kind = entry->kind;
    return entry->parsed;
}

const MailFile *templates_image(const TemplateSet *set, const char *path)
{
    return enclosures_find(set->files, path, ENCLOSURE_IMAGE);
}

GPtrArray *templates_attachments(const TemplateSet *set, const MailTemplate *mail_template)
{
    const GPtrArray *named = mail_template_attachments(mail_template);
    GPtrArray *files = named->len ? g_ptr_array_new() : NULL;
    for (guint i = 0; i < named->len; i++)
        g_ptr_array_add(files, (gpointer)enclosures_find(set->files, ((const TemplateFile *)named->pdata[i])->path, ENCLOSURE_ATTACHMENT));
    return files;
}
