/*
 * What is in force: configuration, templates and calendar, and contacts as plan/ sees them. Lives on the loop.
 */
#include "engine/core.h"

#include "base/json.h"
#include "base/timestamp.h"

EngineCore *core_new(Config *config, TemplateSet *templates, Store *store, Clock *clock, GError **error)
{
    g_autoptr(Calendar) calendar = calendar_load(config->sending.holiday_files, error);
    if (!calendar)
        return NULL;
    EngineCore *core = g_new0(EngineCore, 1);
    core->config = config_ref(config);
    core->templates = templates ? templates_ref(templates) : NULL;
    core->calendar = g_steal_pointer(&calendar);
    core->store = store;
    core->clock = clock;
    core->zones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_time_zone_unref);
    return core;
}

void core_free(EngineCore *core)
{
    if (!core)
        return;
    g_hash_table_unref(core->zones);
    calendar_unref(core->calendar);
    templates_unref(core->templates);
    config_unref(core->config);
    g_free(core);
}

gboolean core_replace(EngineCore *core, Config *config, TemplateSet *templates, GError **error)
{
    Calendar *calendar = calendar_load(config->sending.holiday_files, error);
    if (!calendar)
        return FALSE;
    calendar_unref(core->calendar);
    templates_unref(core->templates);
    config_unref(core->config);
    core->config = config_ref(config);
    core->templates = templates_ref(templates);
    core->calendar = calendar;
    return TRUE;
}

/* NULL for a name that the zone database does not know. */
static GTimeZone *zone_named(EngineCore *core, const char *name)
{
    GTimeZone *zone = g_hash_table_lookup(core->zones, name);
    if (zone || !*name)
        return zone;
    zone = timestamp_zone(name, NULL);
    if (zone)
        g_hash_table_insert(core->zones, g_strdup(name), zone);
    return zone;
}

GTimeZone *core_zone(EngineCore *core, const Contact *contact)
{
    GTimeZone *zone = zone_named(core, contact->time_zone);
    if (!zone)
        zone = zone_named(core, contact->company_time_zone);
    if (!zone)
        zone = zone_named(core, core->config->sending.time_zone); /* checked when the configuration was read */
    g_assert(zone);
    return zone;
}

void core_facts_init(EngineCore *core, const Contact *contact, PlanFacts *facts)
{
    JsonObject *attributes = json_parse_object(contact->attributes, NULL);
    *facts = (PlanFacts){
        .stage = contact->stage,
        .owner = contact->owner,
        .company = contact->company,
        .language = contact->language,
        .source = contact->source,
        .stage_since_ms = contact->stage_since_ms,
        .customer_since_ms = contact->customer_since_ms,
        .tags = (const char *const *)contact->tags,
        .attributes = attributes ? attributes : json_object_new(),
        .has_score = contact->has_score,
        .score = contact->score,
        .zone = core_zone(core, contact),
    };
}

void core_facts_clear(PlanFacts *facts)
{
    g_clear_pointer(&facts->attributes, json_object_unref);
}

void core_gate_facts(EngineCore *core, const Contact *contact, gboolean enrolled, const char *suppressed, gint64 planned_ms,
                     GateFacts *ret_facts)
{
    const Sending *sending = &core->config->sending;
    *ret_facts = (GateFacts){
        .now_ms = clock_now_ms(core->clock),
        .planned_ms = planned_ms,
        .window = &sending->window,
        .calendar = core->calendar,
        .zone = core_zone(core, contact),
        .min_gap = sending->min_gap,
        .max_late = sending->max_late,
        .enrolled = enrolled,
        .suppressed = suppressed,
        .paused_until_ms = contact->paused_until_ms,
        .last_contacted_ms = contact->last_contacted_ms,
        .account_paused = "",
        .account_missing = config_account_for_owner(core->config, contact->owner) ? "" : contact->owner,
    };
}
