/*
 * What all parts of the engine share: what is in force, and the facts of one contact in the form that plan/ wants.
 */
#pragma once

#include <glib.h>

#include "base/clock.h"
#include "config/config.h"
#include "engine/templates.h"
#include "plan/calendar.h"
#include "plan/conditions.h"
#include "plan/gates.h"
#include "store/contacts.h"
#include "store/enrolments.h"
#include "store/store.h"

typedef struct {
    Config *config;
    TemplateSet *templates;
    Calendar *calendar;
    Store *store; /* not owned */
    Clock *clock; /* not owned */
    GHashTable *zones; /* char* -> GTimeZone*, each loaded once */
} EngineCore;

/* Takes references; templates may be NULL where nothing is composed. NULL and PLAN_ERROR_HOLIDAYS where a holiday file is bad. */
EngineCore *core_new(Config *config, TemplateSet *templates, Store *store, Clock *clock, GError **error);
void core_free(EngineCore *core);

/* Puts another configuration in force, or, on error, leaves the old one. */
gboolean core_replace(EngineCore *core, Config *config, TemplateSet *templates, GError **error);

/* The contact's zone, else the company's, else the default. Belongs to core. */
GTimeZone *core_zone(EngineCore *core, const Contact *contact);

/* facts points into contact; free what it owns with core_facts_clear(). */
void core_facts_init(EngineCore *core, const Contact *contact, PlanFacts *facts);
void core_facts_clear(PlanFacts *facts);

/* Fills in what the contact, rule and clock give: the courier adds what its account gives. suppressed must outlive facts. */
void core_gate_facts(EngineCore *core, const Contact *contact, gboolean enrolled, const char *suppressed, gint64 planned_ms,
                     GateFacts *ret_facts);
