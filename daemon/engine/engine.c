/*
 * The engine: wires scheduler, couriers and intakes on one loop, and puts configurations into force.
 *
 * Owns all three and the core that they share. A reload replaces couriers and intakes; an old courier is retired and lives until
 * what it has under way has come to its outcome, so that a reload never makes a message uncertain.
 */
#include "engine/engine.h"

#include "base/json.h"
#include "base/log.h"
#include "engine/canary.h"
#include "engine/core.h"
#include "engine/digest.h"
#include "engine/courier.h"
#include "engine/intake.h"
#include "engine/outcome.h"
#include "engine/post.h"
#include "engine/retention.h"
#include "engine/scheduler.h"
#include "engine/sent.h"
#include "engine/tokens.h"
#include "engine/unreadable.h"
#include "store/accounts.h"
#include "store/enrolments.h"
#include "store/marks.h"
#include "store/notices.h"
#include "store/outbox.h"

struct Engine {
    EngineCore *core;
    char *program;
    Tokens *tokens;
    Scheduler *scheduler;
    RetentionWork *retention;
    GPtrArray *couriers; /* Courier* */
    GPtrArray *retired;  /* Courier* */
    GPtrArray *intakes;  /* Intake* */
    GPtrArray *canaries; /* Canary* */
    GPtrArray *posts;    /* Post* */
    GPtrArray *digests;  /* Digest* */
    guint reap_source;
};

/* ---- what the parts tell each other ---------------------------------------------------------------------------------- */

static void wake_couriers(gpointer data)
{
    Engine *engine = data;
    for (guint i = 0; i < engine->couriers->len; i++)
        courier_wake(engine->couriers->pdata[i]);
}

static void recheck(Engine *engine)
{
    for (guint i = 0; i < engine->couriers->len; i++)
        courier_recheck(engine->couriers->pdata[i]);
    for (guint i = 0; i < engine->retired->len; i++)
        courier_recheck(engine->retired->pdata[i]);
}

/* The scheduler decided: rows may be due, and others may not leave any more. */
static void on_queued(gpointer data)
{
    recheck(data);
    wake_couriers(data);
}

static gboolean on_reap(gpointer data)
{
    Engine *engine = data;
    engine->reap_source = 0;
    for (guint i = engine->retired->len; i > 0; i--) {
        Courier *courier = engine->retired->pdata[i - 1];
        if (courier_is_idle(courier)) {
            g_ptr_array_remove_index_fast(engine->retired, i - 1);
            courier_free(courier, 0);
        }
    }
    return G_SOURCE_REMOVE;
}

static void wake_sent(Engine *engine)
{
    for (guint i = 0; engine->core->sent_work && i < engine->intakes->len; i++)
        intake_wake_sent(engine->intakes->pdata[i]);
    engine->core->sent_work = FALSE;
}

static void wake_posts(gpointer data)
{
    Engine *engine = data;
    for (guint i = 0; i < engine->posts->len; i++)
        post_wake(engine->posts->pdata[i]);
    engine->core->notices = FALSE;
}

static void on_decided(gpointer data)
{
    Engine *engine = data;
    scheduler_wake(engine->scheduler);
    wake_sent(engine);
    if (engine->retired->len > 0 && !engine->reap_source)
        engine->reap_source = g_idle_add(on_reap, engine);
}

static void on_filed(gpointer data)
{
    Engine *engine = data;
    recheck(engine);
    scheduler_wake(engine->scheduler);
    wake_couriers(engine);
    wake_sent(engine);
    if (engine->core->notices)
        wake_posts(engine);
}

static Intake *intake_of(const Engine *engine, const Account *account)
{
    for (guint i = 0; i < engine->intakes->len; i++)
        if (g_str_equal(intake_account(engine->intakes->pdata[i]), account->name))
            return engine->intakes->pdata[i];
    return NULL;
}

static gboolean is_blind(const Account *account, gpointer data)
{
    const Intake *intake = account->has_imap ? intake_of(data, account) : NULL;
    return account->has_imap && (!intake || intake_is_blind(intake));
}

static void on_token(const char *name, gpointer data)
{
    Engine *engine = data;
    for (guint i = 0; i < engine->intakes->len; i++)
        intake_token_changed(engine->intakes->pdata[i], name);
    wake_couriers(engine);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void start_accounts(Engine *engine)
{
    const CourierCallbacks courier = {.on_decided = on_decided, .on_reassigned = wake_couriers, .is_blind = is_blind, .tokens = engine->tokens, .data = engine};
    const IntakeCallbacks intake = {.on_filed = on_filed, .on_state = wake_couriers, .tokens = engine->tokens, .data = engine};
    const CanaryCallbacks canary = {.on_changed = wake_couriers, .is_blind = is_blind, .tokens = engine->tokens, .data = engine};
    tokens_configure(engine->tokens, engine->core->config);
    sent_drop_hopeless(engine->core, "");
    for (Account **account = engine->core->config->accounts; *account; account++) {
        g_ptr_array_add(engine->couriers, courier_new(engine->core, *account, &courier));
        g_ptr_array_add(engine->posts, post_new(engine->core, *account, engine->tokens));
        if ((*account)->notify == NOTIFY_DIGEST)
            g_ptr_array_add(engine->digests, digest_new(engine->core, *account, wake_posts, engine));
        if (!(*account)->has_imap)
            continue;
        g_ptr_array_add(engine->intakes, intake_new(engine->core, *account, engine->program, &intake));
        g_ptr_array_add(engine->canaries, canary_new(engine->core, *account, &canary));
    }
}

/* A configuration's rules as the store knows them: marks whom those that are new, changed or gone touch. */
static gboolean take_rules(Store *store, const Config *config, gint64 now_ms, guint64 *ret_marked, GError **error)
{
    guint64 by_rules = 0, by_accounts = 0;
    if (!store_marks_add_for_rules(store, config, now_ms, &by_rules, error) ||
        !store_marks_add_for_accounts(store, config, &by_accounts, error) || !store_outbox_touch(store, 0, now_ms, error))
        return FALSE;
    *ret_marked = by_rules + by_accounts;
    return TRUE;
}

/* Fails what a crash left under way, and marks whom new rules touch. */
static gboolean take_over(EngineCore *core, GError **error)
{
    guint uncertain = 0;
    guint64 marked = 0;
    g_autoptr(StoreTransaction) transaction = store_begin(core->store, error);
    if (!transaction || !outcome_recover(core, &uncertain, error) || !store_notice_recover(core->store, error) ||
        !take_rules(core->store, core->config, clock_now_ms(core->clock), &marked, error) || !store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    if (uncertain)
        log_event(LOG_LEVEL_WARNING, "uncertain", LOG_NUMBER("messages", uncertain),
                  LOG_TEXT("reason", "they were under way when nurtured last ended; see nurture queue"));
    if (marked)
        log_event(LOG_LEVEL_INFO, "rules-changed", LOG_NUMBER("contacts", marked));
    return TRUE;
}

Engine *engine_start(const EngineSetup *setup, GError **error)
{
    EngineCore *core = core_new(setup->config, setup->templates, setup->store, setup->clock, error);
    if (!core)
        return NULL;
    if (!take_over(core, error)) {
        core_free(core);
        return NULL;
    }
    Engine *engine = g_new0(Engine, 1);
    engine->core = core;
    engine->program = g_strdup(setup->program);
    engine->couriers = g_ptr_array_new();
    engine->retired = g_ptr_array_new();
    engine->intakes = g_ptr_array_new_with_free_func((GDestroyNotify)intake_free);
    engine->canaries = g_ptr_array_new_with_free_func((GDestroyNotify)canary_free);
    engine->posts = g_ptr_array_new_with_free_func((GDestroyNotify)post_free);
    engine->digests = g_ptr_array_new_with_free_func((GDestroyNotify)digest_free);
    engine->tokens = tokens_new(NULL, on_token, engine);
    engine->scheduler = scheduler_new(core, on_queued, engine);
    engine->retention = retention_new(core);
    start_accounts(engine);
    return engine;
}

static void retire_couriers(Engine *engine)
{
    for (guint i = 0; i < engine->couriers->len; i++) {
        courier_retire(engine->couriers->pdata[i]);
        g_ptr_array_add(engine->retired, engine->couriers->pdata[i]);
    }
    g_ptr_array_set_size(engine->couriers, 0);
    if (!engine->reap_source)
        engine->reap_source = g_idle_add(on_reap, engine);
}

gboolean engine_reload(Engine *engine, Config *config, TemplateSet *templates, guint64 *ret_contacts, GError **error)
{
    guint64 marked = 0;
    if (!g_str_equal(config->store_url, engine->core->config->store_url)) {
        g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL,
                            "the store cannot be changed while nurtured runs; restart it instead");
        return FALSE;
    }
    g_autoptr(StoreTransaction) transaction = store_begin(engine->core->store, error);
    if (!transaction || !take_rules(engine->core->store, config, clock_now_ms(engine->core->clock), &marked, error) ||
        !core_replace(engine->core, config, templates, error))
        return FALSE;
    if (!store_commit(g_steal_pointer(&transaction), error))
        g_prefix_error(error, "the new configuration is in force, but its changed rules could not be marked; reload again: ");
    retire_couriers(engine);
    g_ptr_array_set_size(engine->intakes, 0);
    g_ptr_array_set_size(engine->canaries, 0);
    g_ptr_array_set_size(engine->digests, 0);
    g_ptr_array_set_size(engine->posts, 0);
    start_accounts(engine);
    scheduler_wake(engine->scheduler);
    retention_wake(engine->retention);
    log_event(LOG_LEVEL_NOTICE, "reloaded", LOG_TEXT("file", config->file), LOG_NUMBER("contacts_touched", marked));
    *ret_contacts = marked;
    return !error || !*error;
}

void engine_knock(Engine *engine)
{
    recheck(engine); /* somebody who was forgotten leaves no mark to be decided */
    scheduler_wake(engine->scheduler);
    wake_couriers(engine);
}

void engine_take_tokens(Engine *engine)
{
    tokens_configure(engine->tokens, engine->core->config);
}

gboolean engine_pause(Engine *engine, const char *account, gboolean paused, GError **error)
{
    const Account *one = *account ? config_account(engine->core->config, account) : NULL;
    if (*account && !one) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "there is no account \"%s\"; nurture status lists them", account);
        return FALSE;
    }
    if (!store_account_pause_set(engine->core->store, one ? one->name : "", paused ? "paused by nurture pause" : "",
                                 clock_now_ms(engine->core->clock), error))
        return FALSE;
    log_event(LOG_LEVEL_NOTICE, paused ? "paused" : "resumed", LOG_TEXT("what", one ? "an account" : "all sending"),
              LOG_TEXT("account", one ? one->name : NULL));
    wake_couriers(engine);
    return TRUE;
}

gboolean engine_send_canary(Engine *engine, const char *account, GError **error)
{
    for (guint i = 0; i < engine->canaries->len; i++)
        if (g_str_equal(canary_account(engine->canaries->pdata[i]), account))
            return canary_send(engine->canaries->pdata[i], error);
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "there is no account \"%s\" with a mailbox to find a message in", account);
    return FALSE;
}

void engine_stop(Engine *engine, gint64 grace_ms)
{
    if (!engine)
        return;
    /* one grace for all: while the first is waited for, the others' connections go on */
    const gint64 until_ms = clock_monotonic_ms() + grace_ms;
    g_ptr_array_free(engine->canaries, TRUE);
    g_ptr_array_free(engine->digests, TRUE);
    g_ptr_array_free(engine->posts, TRUE);
    g_ptr_array_free(engine->intakes, TRUE);
    engine->intakes = g_ptr_array_new();
    retire_couriers(engine);
    for (guint i = 0; i < engine->retired->len; i++) {
        gint64 left_ms = until_ms - clock_monotonic_ms();
        for (guint j = i; left_ms <= 0 && j < engine->retired->len; j++)
            courier_cut(engine->retired->pdata[j]); /* the grace is over for all of them */
        courier_free(engine->retired->pdata[i], MAX(0, left_ms));
    }
    g_clear_handle_id(&engine->reap_source, g_source_remove);
    retention_free(engine->retention);
    scheduler_free(engine->scheduler);
    g_ptr_array_free(engine->couriers, TRUE);
    g_ptr_array_free(engine->retired, TRUE);
    g_ptr_array_free(engine->intakes, TRUE);
    tokens_free(engine->tokens); /* after the couriers' threads, which ask it */
    g_free(engine->program);
    core_free(engine->core);
    g_free(engine);
}

/* ---- status ---------------------------------------------------------------------------------------------------------- */

static JsonObject *counts_status(Engine *engine, const char *account)
{
    guint64 counts[OUTBOX_SKIPPED + 1] = {0};
    JsonObject *status = json_object_new();
    if (!store_outbox_counts(engine->core->store, account, counts, NULL))
        return status;
    for (int state = OUTBOX_QUEUED; state <= OUTBOX_SKIPPED; state++)
        if (counts[state])
            json_object_set_int_member(status, outbox_state_name((OutboxState)state), (gint64)counts[state]);
    return status;
}

static void add_account(Engine *engine, const Courier *courier, JsonArray *accounts)
{
    JsonObject *status = json_object_new();
    const Account *account = config_account(engine->core->config, courier_account(courier));
    const Intake *intake = account ? intake_of(engine, account) : NULL;
    json_object_set_string_member(status, "account", courier_account(courier));
    courier_add_status(courier, status);
    if (intake)
        intake_add_status(intake, status);
    if (account)
        canary_add_status(engine->core->store, account, status);
    json_object_set_object_member(status, "queue", counts_status(engine, courier_account(courier)));
    json_array_add_object_element(accounts, status);
}

JsonObject *engine_status(Engine *engine)
{
    g_autofree char *paused = NULL;
    guint64 contacts = 0, active = 0;
    JsonObject *status = json_object_new();
    JsonArray *accounts = json_array_new();
    json_add_time(status, "clock", clock_now_ms(engine->core->clock));
    json_object_set_boolean_member(status, "virtual", clock_is_virtual(engine->core->clock));
    json_object_set_string_member(status, "config", engine->core->config->file);
    if (store_account_pause_get(engine->core->store, "", &paused, NULL))
        json_object_set_boolean_member(status, "paused", *paused != '\0');
    if (store_contact_count(engine->core->store, &contacts, NULL))
        json_object_set_int_member(status, "contacts", (gint64)contacts);
    if (store_enrolments_count_active(engine->core->store, &active, NULL))
        json_object_set_int_member(status, "enrolments", (gint64)active);
    json_object_set_object_member(status, "queue", counts_status(engine, NULL));
    json_object_set_int_member(status, "unreadable", unreadable_count(engine->core->config));
    json_object_set_string_member(status, "store", engine->core->store_fault ? engine->core->store_fault : "ready");
    for (guint i = 0; i < engine->couriers->len; i++)
        add_account(engine, engine->couriers->pdata[i], accounts);
    json_object_set_array_member(status, "accounts", accounts);
    retention_add_status(engine->retention, status);
    return status;
}
