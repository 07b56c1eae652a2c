/*
 * What all parts of the engine share: what is in force, and what follows from it for all contacts alike.
 */
#pragma once

#include <glib.h>

#include "base/clock.h"
#include "config/config.h"
#include "engine/templates.h"
#include "plan/calendar.h"
#include "store/contacts.h"
#include "store/store.h"

typedef struct {
    Config *config;
    TemplateSet *templates;
    Calendar *calendar;        /* the holidays of everybody else */
    GHashTable *calendars;     /* char* value of Sending.holidays_by, folded -> Calendar* */
    gboolean wants_attributes; /* a rule, step or holiday looks at attributes: else nobody's need be parsed */
    gboolean steps_want_attributes, steps_want_tags; /* the same for those who are in a rule: what no longer depends on its when and unless */
    gboolean wants_contacts;   /* a rule asks for not_contacted: a message that was sent may change who is in it */
    gboolean wants_referrals;  /* a rule counts from what became of those whom somebody introduced */
    char **company_rules;      /* NULL-terminated names of the rules of scope "company"; they belong to config */
    gboolean in_bulk;          /* very many are decided on: what becomes of each is logged for debugging, and how many it was for people */
    gboolean sent_work;        /* an outcome left a copy to be filed or a message to be searched for: engine/sent.h is to look */
    gboolean notices;          /* one was queued: engine/post.h is to look */
    Store *store; /* not owned */
    Clock *clock; /* not owned */
    GTimeZone *default_zone; /* for contacts without one; loaded with the configuration, so that it is there whatever becomes of the machine */
    GHashTable *zones; /* char* -> GTimeZone*, each loaded once */
    guint adopted;            /* strangers who became prospects since adopted_since_ms (engine/stranger.h) */
    gint64 adopted_since_ms;
    char *store_fault; /* why the store refused the last write; NULL: it took it */
} EngineCore;

/* Takes references; templates may be NULL where nothing is composed. NULL and PLAN_ERROR_HOLIDAYS where a holiday file is bad. */
EngineCore *core_new(Config *config, TemplateSet *templates, Store *store, Clock *clock, GError **error);
void core_free(EngineCore *core);

/* Puts another configuration in force, or, on error, leaves the old one. */
gboolean core_replace(EngineCore *core, Config *config, TemplateSet *templates, GError **error);

/* The contact's zone, else the company's, else the default. Belongs to core. */
GTimeZone *core_zone(EngineCore *core, const Contact *contact);

/* The holidays of those whose attribute has this value (NULL: none is given). Belongs to core. */
const Calendar *core_calendar(EngineCore *core, const char *value);

/* What became of the last write of the scheduler, a courier or an intake: error NULL where the store took it. For the status. */
void core_note_store(EngineCore *core, const GError *error);
