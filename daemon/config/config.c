/*
 * The configuration as a whole: reading the file, its top-level groups, and look-ups. A Config is immutable once loaded and may
 * be used by any thread that holds a reference.
 */
#include "config/config.h"

#include <string.h>

#include "base/text.h"
#include "config/parts.h"

#define DEFAULT_STORE "sqlite:///var/lib/nurtured/nurture.db"
#define DEFAULT_STORE_FOLDER "/var/lib/nurtured/"
#define DEFAULT_RUNTIME "/run/nurtured"
#define DEFAULT_TEMPLATES "/etc/nurtured/templates"

/* The immutable part that callers see, and its count of references. */
typedef struct {
    Config config;
    gatomicrefcount references;
} CountedConfig;

typedef struct {
    config_setting_t *store, *organisation, *pipeline, *sending, *retention, *accounts, *rules;
    char *templates, *runtime;
} FileKeys;

G_DEFINE_QUARK(nurture-config-error, config_error)

/* ---- groups ---------------------------------------------------------------------------------------------------------- */

/* "sqlite:///absolute" as it is, "sqlite:relative" made absolute from the file's folder. */
static void parse_store_url(Reader *reader, config_setting_t *setting, gpointer field)
{
    const char *example = "\"" DEFAULT_STORE "\"";
    const char *url = reader_text(reader, setting, example);
    if (!url)
        return;
    if (!g_str_has_prefix(url, "sqlite:")) {
        g_autofree char *shown = text_escape(url, 80);
        reader_fault(reader, setting, "store.url: \"%s\" is no store that this program knows; write %s", shown, example);
        return;
    }
    const char *path = url + strlen("sqlite:");
    if (g_str_has_prefix(path, "//"))
        path += 2;
    g_autofree char *absolute = reader_path(reader, path);
    if (!*path || g_str_has_suffix(path, "/")) {
        reader_fault(reader, setting, "store.url names no file; write %s", example);
        return;
    }
    g_free(*(char **)field);
    *(char **)field = g_strconcat("sqlite://", absolute, NULL);
}

static void parse_store(Reader *reader, config_setting_t *setting, Config *config)
{
    static const Key keys[] = {
        KEY_PARSED("url", Config, store_url, parse_store_url, "\"" DEFAULT_STORE "\""),
        KEY_END,
    };
    reader_read_group(reader, setting, keys, config);
}

static void parse_organisation(Reader *reader, config_setting_t *setting, Organisation *organisation)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "name", Organisation, name, "name = \"Berg & Sons\""),
        KEY_NEEDED(KEY_TEXT, "postal_address", Organisation, postal_address,
                   "postal_address = \"Storgata 1, 0155 Oslo, Norway\" (it stands in the footer of every mail)"),
        KEY_ROW(KEY_TEXTS, "domains", Organisation, domains, "[ \"example.com\" ]"),
        KEY_END,
    };
    reader_read_group(reader, setting, keys, organisation);
    for (char **domain = organisation->domains; domain && *domain; domain++) {
        char *lower = g_utf8_strdown(*domain, -1);
        if (strchr(lower, '@') || strchr(lower, ' '))
            reader_fault(reader, setting, "domains: \"%s\" is no domain; write \"example.com\"", *domain);
        g_free(*domain);
        *domain = lower;
    }
}

const char *stage_parse(Reader *reader, const config_setting_t *setting, const char *stage)
{
    for (char **known = reader->config->pipeline.stages; known && *known; known++)
        if (g_ascii_strcasecmp(*known, stage) == 0)
            return *known;
    g_autofree char *shown = text_escape(stage, 60);
    g_autofree char *all = g_strjoinv("\", \"", reader->config->pipeline.stages);
    const char *nearest = text_nearest(stage, (const char *const *)reader->config->pipeline.stages);
    if (nearest)
        reader_fault(reader, setting, "\"%s\" is no stage of the pipeline; did you mean \"%s\"?", shown, nearest);
    else
        reader_fault(reader, setting, "\"%s\" is no stage of the pipeline; write one of \"%s\"", shown, all);
    return NULL;
}

static void check_stages(Reader *reader, const config_setting_t *setting, char **stages)
{
    if (!stages[0])
        reader_fault(reader, setting, "pipeline.stages is empty; write stages = [ \"prospecting\", … ];");
    for (guint i = 0; stages[i]; i++)
        for (guint j = 0; j < i; j++)
            if (g_ascii_strcasecmp(stages[i], stages[j]) == 0)
                reader_fault(reader, setting, "the stage \"%s\" stands twice in pipeline.stages; leave one out", stages[i]);
}

static char **usual_lost_stages(char **stages)
{
    static const char *const usual[] = {"lost", "closed-lost", "left"};
    GPtrArray *lost = g_ptr_array_new();
    for (; *stages; stages++)
        for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
            if (g_ascii_strcasecmp(*stages, usual[i]) == 0)
                g_ptr_array_add(lost, g_strdup(*stages));
    g_ptr_array_add(lost, NULL);
    return (char **)g_ptr_array_free(lost, FALSE);
}

static void check_lost_stages(Reader *reader, const config_setting_t *setting, const Pipeline *pipeline)
{
    for (char **lost = pipeline->lost_stages; *lost; lost++)
        if (stage_parse(reader, setting, *lost) && g_ascii_strcasecmp(*lost, pipeline->customer_stage) == 0)
            reader_fault(reader, setting, "lost_stages: \"%s\" is the stage of customers; write the stages of those who will not become one", *lost);
}

static void parse_pipeline(Reader *reader, config_setting_t *setting, Pipeline *pipeline)
{
    static const Key keys[] = {
        KEY_ROW(KEY_TEXTS, "stages", Pipeline, stages, "[ \"research\", \"prospecting\", … ]"),
        KEY_ROW(KEY_TEXT, "customer_stage", Pipeline, customer_stage, "\"follow-up\""),
        KEY_ROW(KEY_TEXTS, "lost_stages", Pipeline, lost_stages, "[ \"lost\" ]"),
        KEY_END,
    };
    static const char *const usual[] = {"research",   "prospecting", "connecting",  "qualifying", "pitching",
                                        "objections", "negotiating", "follow-up", NULL};
    pipeline->stages = g_strdupv((char **)usual);
    if (setting)
        reader_read_group(reader, setting, keys, pipeline);
    if (!pipeline->customer_stage)
        pipeline->customer_stage = g_strdup("follow-up");
    check_stages(reader, setting, pipeline->stages);
    const char *spelled = stage_parse(reader, setting, pipeline->customer_stage);
    if (spelled) {
        g_free(pipeline->customer_stage);
        pipeline->customer_stage = g_strdup(spelled);
    }
    if (!pipeline->lost_stages)
        pipeline->lost_stages = usual_lost_stages(pipeline->stages);
    check_lost_stages(reader, setting, pipeline);
}

/* A day at least: what is younger is still being answered, and a slip of the fingers must not empty the histories at once. */
static void parse_retention(Reader *reader, config_setting_t *setting, Retention *retention)
{
    static const Key keys[] = {
        KEY_ROW(KEY_DURATION, "bodies", Retention, bodies, "\"2 years\""),
        KEY_END,
    };
    const Duration *bodies = &retention->bodies;
    reader_read_group(reader, setting, keys, retention);
    gboolean is_long = bodies->months > 0 || bodies->days > 0 || bodies->ms >= (gint64)24 * 3600 * 1000;
    if (bodies->business_days > 0)
        reader_fault(reader, setting, "retention.bodies: business days are no length of time here; write \"90 days\" or \"2 years\"");
    else if (!duration_is_zero(bodies) && !is_long)
        reader_fault(reader, setting, "retention.bodies is shorter than a day; write \"90 days\" or \"2 years\", or leave it out to keep bodies");
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

/* The control socket stands in the runtime folder; beside the store where that is not the system's own. */
static void place_control_socket(Config *config, const char *runtime)
{
    const char *path = config->store_url + strlen("sqlite://");
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    gboolean is_system = g_str_has_prefix(path, DEFAULT_STORE_FOLDER);
    g_autofree char *socket = g_strconcat(name, ".sock", NULL);
    config->runtime_dir = g_strdup(runtime ? runtime : is_system ? DEFAULT_RUNTIME : folder);
    config->control_socket = g_build_filename(config->runtime_dir, socket, NULL);
}

/* Beside the store and not in the runtime folder: tokens must outlast a restart of the machine. */
static void place_tokens(Config *config)
{
    config->tokens_dir = g_strconcat(config->store_url + strlen("sqlite://"), ".tokens", NULL);
    config->unreadable_dir = g_strconcat(config->store_url + strlen("sqlite://"), ".unreadable", NULL);
}

static void read_root(Reader *reader, config_setting_t *root, Config *config)
{
    static const Key keys[] = {
        KEY_KEPT("store", FileKeys, store, "store = { url = \"" DEFAULT_STORE "\"; };"),
        KEY_ROW(KEY_PATH, "templates", FileKeys, templates, "\"" DEFAULT_TEMPLATES "\""),
        KEY_ROW(KEY_PATH, "runtime", FileKeys, runtime, "\"" DEFAULT_RUNTIME "\""),
        KEY_KEPT_NEEDED("organisation", FileKeys, organisation,
                          "organisation = { name = \"…\"; postal_address = \"…\"; };"),
        KEY_KEPT("pipeline", FileKeys, pipeline, "pipeline = { … };"),
        KEY_KEPT("sending", FileKeys, sending, "sending = { … };"),
        KEY_KEPT("retention", FileKeys, retention, "retention = { bodies = \"2 years\"; };"),
        KEY_KEPT_NEEDED("accounts", FileKeys, accounts, "accounts = ( { name = \"anna\"; … } );"),
        KEY_KEPT("rules", FileKeys, rules, "rules = ( … );"),
        KEY_END,
    };
    FileKeys found = {0};
    reader_read_group(reader, root, keys, &found);
    config->store_url = g_strdup(DEFAULT_STORE);
    if (found.store)
        parse_store(reader, found.store, config);
    config->templates_dir = found.templates ? found.templates : g_strdup(DEFAULT_TEMPLATES);
    place_control_socket(config, found.runtime);
    place_tokens(config);
    g_free(found.runtime);
    if (found.organisation)
        parse_organisation(reader, found.organisation, &config->organisation);
    if (!config->organisation.domains)
        config->organisation.domains = g_new0(char *, 1);
    if (found.retention)
        parse_retention(reader, found.retention, &config->retention);
    parse_pipeline(reader, found.pipeline, &config->pipeline);
    sending_parse(reader, found.sending, &config->sending);
    if (found.accounts)
        account_parse_list(reader, found.accounts, &config->accounts);
    if (found.rules)
        rule_parse_list(reader, found.rules, &config->rules);
    if (!config->rules)
        config->rules = g_new0(Rule *, 1);
}

/* What to do about libconfig's words, which say no more than where. */
static const char *syntax_hint(const config_t *parsed, const char *text)
{
    if (g_str_has_prefix(text, "\xEF\xBB\xBF"))
        return "save the file as UTF-8 without a byte order mark";
    if (strstr(config_error_text(parsed), "include"))
        return "@include names a file that can be read, relative to this one's folder";
    return "look for a missing quote, bracket or ; on this line or above";
}

static gboolean parse_file(Reader *reader, config_t *parsed, const char *file)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(file, &text, NULL, &error)) {
        g_ptr_array_add(reader->faults, g_strdup_printf("%s; name the file with -c, or set NURTURE_CONFIG", error->message));
        return FALSE;
    }
    config_set_include_dir(parsed, reader->folder);
    if (config_read_file(parsed, file))
        return TRUE;
    const char *name = config_error_file(parsed);
    g_autofree char *where = reader_path(reader, name ? name : file);
    g_ptr_array_add(reader->faults, g_strdup_printf("%s:%d: %s; %s", where, config_error_line(parsed), config_error_text(parsed),
                                                    syntax_hint(parsed, text)));
    return FALSE;
}

static void report(GPtrArray *faults, GPtrArray **ret_faults, GError **error)
{
    g_ptr_array_add(faults, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)faults->pdata);
    g_ptr_array_set_size(faults, (int)faults->len - 1);
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, all);
    if (ret_faults)
        *ret_faults = g_ptr_array_ref(faults);
}

Config *config_load(const char *file, GPtrArray **ret_faults, GError **error)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *absolute = g_canonicalize_filename(file, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    CountedConfig *counted = g_new0(CountedConfig, 1);
    Reader reader = {.faults = faults, .file = absolute, .folder = folder, .config = &counted->config};
    config_t parsed;
    g_atomic_ref_count_init(&counted->references);
    counted->config.file = g_strdup(absolute);
    config_init(&parsed);
    if (parse_file(&reader, &parsed, absolute)) {
        numbers_check(&reader, config_root_setting(&parsed));
        read_root(&reader, config_root_setting(&parsed), &counted->config);
        if (faults->len == 0)
            counted->config.sending.digest = digest_of_sending(&reader, &counted->config);
    }
    config_destroy(&parsed);
    if (faults->len == 0)
        return &counted->config;
    report(faults, ret_faults, error);
    config_unref(&counted->config);
    return NULL;
}

Config *config_ref(Config *config)
{
    g_atomic_ref_count_inc(&((CountedConfig *)config)->references);
    return config;
}

static void free_members(Config *config)
{
    for (Account **account = config->accounts; account && *account; account++)
        account_free(*account);
    for (Rule **rule = config->rules; rule && *rule; rule++)
        rule_free(*rule);
    g_free(config->accounts);
    g_free(config->rules);
    g_free(config->organisation.name);
    g_free(config->organisation.postal_address);
    g_strfreev(config->organisation.domains);
    g_strfreev(config->pipeline.stages);
    g_free(config->pipeline.customer_stage);
    g_strfreev(config->pipeline.lost_stages);
    sending_clear(&config->sending);
    g_free(config->file);
    g_free(config->store_url);
    g_free(config->tokens_dir);
    g_free(config->unreadable_dir);
    g_free(config->templates_dir);
    g_free(config->runtime_dir);
    g_free(config->control_socket);
}

void config_unref(Config *config)
{
    if (!config || !g_atomic_ref_count_dec(&((CountedConfig *)config)->references))
        return;
    free_members(config);
    g_free((CountedConfig *)config);
}

/* ---- look-ups -------------------------------------------------------------------------------------------------------- */

const Account *config_account(const Config *config, const char *name)
{
    for (Account **account = config->accounts; *account; account++)
        if (g_ascii_strcasecmp((*account)->name, name) == 0)
            return *account;
    return NULL;
}

const Account *config_account_for_owner(const Config *config, const char *owner)
{
    return owner && *owner ? config_account(config, owner) : config->accounts[0];
}

const Rule *config_rule(const Config *config, const char *name)
{
    for (Rule **rule = config->rules; *rule; rule++)
        if (g_str_equal((*rule)->name, name))
            return *rule;
    return NULL;
}

const Step *config_rule_step(const Rule *rule, const char *template_name)
{
    for (Step **step = rule->steps; *step; step++)
        if (g_str_equal((*step)->template_name, template_name))
            return *step;
    return NULL;
}

const Window *config_window(const Config *config, const Rule *rule, const Account *account)
{
    if (rule && rule->has_window)
        return &rule->window;
    return account && account->has_window ? &account->window : &config->sending.window;
}

gboolean config_stage_is_lost(const Config *config, const char *stage)
{
    for (char **lost = config->pipeline.lost_stages; *lost; lost++)
        if (g_ascii_strcasecmp(*lost, stage) == 0)
            return TRUE;
    return FALSE;
}

int config_stage_index(const Config *config, const char *stage)
{
    for (int i = 0; config->pipeline.stages[i]; i++)
        if (g_ascii_strcasecmp(config->pipeline.stages[i], stage) == 0)
            return i;
    return -1;
}
