/*
 * What is in force: configuration, templates, calendars and zones. Lives on the loop.
 */
#include "engine/core.h"

#include "base/log.h"
#include "base/timestamp.h"

/* ---- what follows from a configuration -------------------------------------------------------------------------------- */

static void free_calendar(gpointer calendar)
{
    calendar_free(calendar);
}

/* Value -> Calendar; NULL on error. */
static GHashTable *load_calendars(const Config *config, GError **error)
{
    g_autoptr(GHashTable) calendars = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_calendar);
    for (HolidaysOf **of = config->sending.holidays_of; *of; of++) {
        Calendar *calendar = calendar_load((*of)->files, error);
        if (!calendar)
            return NULL;
        g_hash_table_insert(calendars, g_utf8_casefold((*of)->value, -1), calendar);
    }
    return g_steal_pointer(&calendars);
}

static gboolean has_kind(Condition *const *conditions, ConditionKind kind)
{
    for (; *conditions; conditions++)
        if ((*conditions)->kind == kind)
            return TRUE;
    return FALSE;
}

static gboolean steps_want_attributes(Step *const *steps)
{
    for (; *steps; steps++)
        if ((*steps)->date == STEP_DATE_ATTRIBUTE || has_kind((*steps)->conditions, CONDITION_ATTRIBUTE))
            return TRUE;
    return FALSE;
}

static gboolean steps_want_tags(Step *const *steps)
{
    for (; *steps; steps++)
        if (has_kind((*steps)->conditions, CONDITION_TAG))
            return TRUE;
    return FALSE;
}

static void look_at_steps(EngineCore *core)
{
    core->steps_want_attributes = *core->config->sending.holidays_of != NULL;
    core->steps_want_tags = FALSE;
    for (Rule **rule = core->config->rules; *rule; rule++) {
        core->steps_want_attributes |= steps_want_attributes((*rule)->steps);
        core->steps_want_tags |= steps_want_tags((*rule)->steps);
    }
}

static void look_at_rules(EngineCore *core)
{
    GPtrArray *names = g_ptr_array_new();
    look_at_steps(core);
    core->wants_attributes = core->steps_want_attributes;
    core->wants_contacts = FALSE;
    core->wants_referrals = FALSE;
    for (Rule **each = core->config->rules; *each; each++) {
        const Rule *rule = *each;
        core->wants_attributes |= has_kind(rule->when, CONDITION_ATTRIBUTE) || has_kind(rule->unless, CONDITION_ATTRIBUTE);
        core->wants_contacts |= has_kind(rule->when, CONDITION_NOT_CONTACTED) || has_kind(rule->unless, CONDITION_NOT_CONTACTED);
        core->wants_referrals |= rule->anchor == ANCHOR_THANKS || rule->anchor == ANCHOR_REWARD;
        if (rule->scope_company)
            g_ptr_array_add(names, rule->name);
    }
    g_ptr_array_add(names, NULL);
    g_free(core->company_rules);
    core->company_rules = (char **)g_ptr_array_free(names, FALSE);
}

/* ---- life ------------------------------------------------------------------------------------------------------------- */

gboolean core_replace(EngineCore *core, Config *config, TemplateSet *templates, GError **error)
{
    g_autoptr(Calendar) calendar = calendar_load(config->sending.holiday_files, error);
    g_autoptr(GHashTable) calendars = calendar ? load_calendars(config, error) : NULL;
    g_autoptr(GTimeZone) zone = calendars ? timestamp_zone(config->sending.time_zone, error) : NULL;
    if (!zone)
        return FALSE;
    g_clear_pointer(&core->default_zone, g_time_zone_unref);
    core->default_zone = g_steal_pointer(&zone);
    g_clear_pointer(&core->calendar, calendar_free);
    g_clear_pointer(&core->calendars, g_hash_table_unref);
    templates_unref(core->templates);
    g_clear_pointer(&core->config, config_unref);
    core->config = config_ref(config);
    core->templates = templates ? templates_ref(templates) : NULL;
    core->calendar = g_steal_pointer(&calendar);
    core->calendars = g_steal_pointer(&calendars);
    look_at_rules(core);
    return TRUE;
}

EngineCore *core_new(Config *config, TemplateSet *templates, Store *store, Clock *clock, GError **error)
{
    EngineCore *core = g_new0(EngineCore, 1);
    core->store = store;
    core->clock = clock;
    core->zones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_time_zone_unref);
    if (core_replace(core, config, templates, error))
        return core;
    core_free(core);
    return NULL;
}

void core_free(EngineCore *core)
{
    if (!core)
        return;
    g_hash_table_unref(core->zones);
    g_clear_pointer(&core->default_zone, g_time_zone_unref);
    g_clear_pointer(&core->calendar, calendar_free);
    g_clear_pointer(&core->calendars, g_hash_table_unref);
    templates_unref(core->templates);
    g_clear_pointer(&core->config, config_unref);
    g_free(core->company_rules);
    g_free(core->store_fault);
    g_free(core);
}

/* ---- look-ups --------------------------------------------------------------------------------------------------------- */

/* NULL for a name that the zone database does not know, or that cannot be read now: names are checked when they are stored. */
static GTimeZone *zone_named(EngineCore *core, const char *name)
{
    g_autoptr(GError) error = NULL;
    GTimeZone *zone = g_hash_table_lookup(core->zones, name);
    if (zone || !*name)
        return zone;
    zone = timestamp_zone(name, &error);
    if (zone)
        g_hash_table_insert(core->zones, g_strdup(name), zone);
    else
        log_event(LOG_LEVEL_WARNING, "zone-unknown", LOG_TEXT("time_zone", name), LOG_TEXT("reason", error->message));
    return zone;
}

GTimeZone *core_zone(EngineCore *core, const Contact *contact)
{
    GTimeZone *zone = zone_named(core, contact->time_zone);
    if (!zone)
        zone = zone_named(core, contact->company_time_zone);
    return zone ? zone : core->default_zone;
}

const Calendar *core_calendar(EngineCore *core, const char *value)
{
    if (!value || g_hash_table_size(core->calendars) == 0)
        return core->calendar;
    g_autofree char *key = g_utf8_casefold(value, -1);
    const Calendar *calendar = g_hash_table_lookup(core->calendars, key);
    return calendar ? calendar : core->calendar;
}

void core_note_store(EngineCore *core, const GError *error)
{
    if (!core->store_fault && !error)
        return;
    g_free(core->store_fault);
    core->store_fault = error ? g_strdup(error->message) : NULL;
}
