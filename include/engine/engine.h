/*
 * What ties the rooms: one Engine a daemon, on one GMainContext, alone owning the store's writing connection, the scheduler, the
 * courier and the intake.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/clock.h"
#include "config/config.h"
#include "engine/templates.h"
#include "store/store.h"

typedef struct Engine Engine;

typedef struct {
    Config *config;        /* a reference is taken */
    TemplateSet *templates; /* a reference is taken */
    Store *store;          /* must outlive the engine; claimed by store_claim_daemon() */
    Clock *clock;          /* must outlive the engine */
    const char *program;   /* path of the daemon's executable, for the watchers */
} EngineSetup;

/* Recovers what a crash left, marks what changed rules touch, starts scheduler, courier and watchers. Errors of store/ and plan/. */
Engine *engine_start(const EngineSetup *setup, GError **error);

/* Puts another configuration and its templates into force, whole or (on error) not at all. *ret_contacts: whom it touches; they are decided
 * anew soon, on the loop. */
gboolean engine_reload(Engine *engine, Config *config, TemplateSet *templates, guint64 *ret_contacts, GError **error);

/* Facts changed: decides soon, on the loop. */
void engine_knock(Engine *engine);

/* An account was authorized: reads the files of the tokens again. */
void engine_take_tokens(Engine *engine);

/* Sending of the account ("": of all at once) stops and goes on; kept over restarts. What paused the account itself (engine/breaker.h) ends with it,
 * too. ENGINE_ERROR_CONTROL for an account that is not there. */
gboolean engine_pause(Engine *engine, const char *account, gboolean paused, GError **error);

/* Sends a canary of the account, unless one is under way. ENGINE_ERROR_CONTROL for an account without mailbox, errors of store/. */
gboolean engine_send_canary(Engine *engine, const char *account, GError **error);

/* {"clock":…, "virtual":…, "paused":…, "contacts":…, "accounts":[{…}], "queue":{…}}; caller unrefs. */
JsonObject *engine_status(Engine *engine);

/* Lets what is under way end (at most grace_ms), stops everything and frees. Accepts NULL. */
void engine_stop(Engine *engine, gint64 grace_ms);
