/*
 * The canary. Runs on the loop; its message leaves by a pool of its own.
 *
 *   resting --every, or asked--> under way --found by the intake--> passed, or failed (junk, dmarc=fail)
 *                                          --timeout, while the mailbox is read--> failed; found later, it counts as found
 *                                          --refused for good--> failed      --not sent--> resting, tried again
 */
#include "engine/canary.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "engine/auth_results.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "smtp/pool.h"
#include "store/accounts.h"
#include "store/canary.h"

enum {
    FIRST_MS = 5 * 1000,
    BLIND_MS = 10 * 1000,       /* until it is looked again whether the mailbox is read */
    PAUSED_MS = 60 * 1000,
    AGAIN_MS = 15 * 60 * 1000,  /* after one that could not be sent */
    LOOK_MS = 60 * 60 * 1000,   /* at the latest: the machine may have slept */
    GRACE_MS = 1000
};

struct Canary {
    EngineCore *core;
    Config *config; /* the one that account belongs to */
    const Account *account;
    CanaryCallbacks callbacks;
    SmtpPool *pool; /* NULL before the first */
    guint source;
    gint64 not_before_ms;
    gint64 began_ms; /* what was begun before that was of an earlier run */
};

/* What a worker composes. */
typedef struct {
    Canary *canary;
    char *message_id;
    gint64 date_ms;
} Job;

static void schedule(Canary *canary, gint64 delay_ms);

/* ---- ending ---------------------------------------------------------------------------------------------------------- */

static gboolean end(EngineCore *core, const char *account, gboolean failed, const char *reason, const char *results, GError **error)
{
    log_event(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, failed ? "canary-failed" : "canary-passed", LOG_TEXT("account", account),
              LOG_TEXT("reason", reason), LOG_TEXT("results", *results ? results : NULL));
    return store_canary_end(core->store, account, clock_system_now_ms(), failed, reason, results, error);
}

static void tell_fault(const Canary *canary, const GError *error)
{
    log_event(LOG_LEVEL_ERROR, "store-fault", LOG_TEXT("account", canary->account->name), LOG_TEXT("reason", error->message));
}

/* ---- finding --------------------------------------------------------------------------------------------------------- */

static gboolean is_junk(const char *folder)
{
    static const char *const words[] = {"junk", "spam", "bulk", "søppel", "skräp", "uønsket"};
    g_autofree char *folded = g_utf8_casefold(folder, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(folded, words[i]))
            return TRUE;
    return FALSE;
}

gboolean canary_take(EngineCore *core, const Account *account, const ImapRecord *record, gboolean *ret_taken, GError **error)
{
    g_auto(CanaryRecord) canary = {0};
    *ret_taken = FALSE;
    if (!*record->message->message_id || g_ascii_strcasecmp(record->message->from, account->from_address) != 0)
        return TRUE;
    if (!store_canary_get(core->store, account->name, &canary, error))
        return FALSE;
    if (!g_str_equal(canary.message_id, record->message->message_id))
        return TRUE;
    *ret_taken = TRUE;
    if (record->is_sent) /* a copy of what was sent proves nothing */
        return TRUE;
    g_auto(AuthResults) results = auth_results_parse(record->message->authentication_results);
    g_autofree char *text = auth_results_text(&results);
    gboolean junk = is_junk(record->folder), refused = g_str_equal(results.dmarc, "fail");
    gint64 took_s = MAX(0, clock_system_now_ms() - canary.sent_ms) / 1000;
    g_autofree char *reason = g_strdup_printf("found in %s after %" G_GINT64_FORMAT " s%s", record->folder, took_s,
                                              refused ? ", with dmarc=fail; nurture doctor tells what the domain publishes" : "");
    return end(core, account->name, junk || refused, reason, text, error);
}

/* ---- sending --------------------------------------------------------------------------------------------------------- */

static gboolean on_compose(gpointer data, ComposedMessage *ret_message, GError **error)
{
    const Job *job = data;
    const Account *account = job->canary->account;
    const Organisation *organisation = &job->canary->config->organisation;
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    const RenderedTemplate rendered = {
        .subject = (char *)"Does our mail arrive?",
        .text = (char *)"nurtured sends this to the account itself from time to time, to see whether its mail arrives. It can be deleted.\n",
    };
    const ComposeInput input = {
        .rendered = &rendered,
        .from_name = account->from_name,
        .from_address = account->from_address,
        .to_name = account->from_name,
        .to_address = account->from_address,
        .reply_to = "",
        .message_id = job->message_id,
        .in_reply_to = "",
        .references = "",
        .date_ms = job->date_ms,
        .date_zone = zone,
        .organisation = organisation->name,
        .postal_address = organisation->postal_address,
        .language = "",
        .auto_submitted = TRUE,
    };
    return mail_compose(&input, ret_message, error);
}

static gboolean note_result(Canary *canary, const DeliveryResult *result, GError **error)
{
    if (result->class == DELIVERY_SENT || result->class == DELIVERY_UNCERTAIN)
        return TRUE; /* to be found */
    if (result->class == DELIVERY_FAILED) {
        g_autofree char *reason = g_strdup_printf("refused: %d %s", result->code, result->text);
        return end(canary->core, canary->account->name, TRUE, reason, "", error);
    }
    log_event(LOG_LEVEL_WARNING, "canary-not-sent", LOG_TEXT("account", canary->account->name), LOG_TEXT("reason", result->text));
    canary->not_before_ms = clock_monotonic_ms() + AGAIN_MS;
    return store_canary_withdraw(canary->core->store, canary->account->name, error);
}

static void on_done(gpointer data, const DeliveryResult *result, const ComposedMessage *composed, gpointer unused)
{
    Job *job = data;
    Canary *canary = job->canary;
    g_autoptr(GError) error = NULL;
    (void)composed;
    (void)unused;
    if (!note_result(canary, result, &error))
        tell_fault(canary, error);
    if (result->class == DELIVERY_FAILED)
        canary->callbacks.on_changed(canary->callbacks.data);
    g_free(job->message_id);
    g_free(job);
}

static char *on_get_token(gint64 *ret_until_ms, gpointer data, GError **error)
{
    const Canary *canary = data;
    return tokens_get(canary->callbacks.tokens, canary->account->smtp.server.oauth, ret_until_ms, error);
}

gboolean canary_send(Canary *canary, GError **error)
{
    const Account *account = canary->account;
    g_auto(CanaryRecord) record = {0};
    const gint64 now_ms = clock_system_now_ms();
    if (!store_canary_get(canary->core->store, account->name, &record, error))
        return FALSE;
    if (canary_record_is_under_way(&record))
        return TRUE;
    g_autofree char *message_id = mail_new_message_id(address_domain(account->from_address), now_ms);
    if (!store_canary_begin(canary->core->store, account->name, message_id, now_ms, error))
        return FALSE;
    if (!canary->pool) {
        const SmtpCallbacks callbacks = {.compose = on_compose, .done = on_done, .get_token = on_get_token, .data = canary};
        canary->pool = smtp_pool_new(account, NULL, &callbacks);
    }
    const SmtpEnvelope envelope = {.sender = account->from_address, .recipient = account->from_address};
    Job *job = g_new0(Job, 1);
    *job = (Job){.canary = canary, .message_id = g_steal_pointer(&message_id), .date_ms = now_ms};
    log_event(LOG_LEVEL_INFO, "canary-sent", LOG_TEXT("account", account->name), LOG_TEXT("message_id", job->message_id));
    smtp_pool_submit(canary->pool, job, &envelope);
    schedule(canary, account->canary.timeout_ms);
    return TRUE;
}

/* ---- when ------------------------------------------------------------------------------------------------------------ */

/* Until something is due: giving up the one under way, or sending the next. */
static gint64 due_in_ms(const Canary *canary, const CanaryRecord *record)
{
    const CanarySettings *settings = &canary->account->canary;
    const gint64 now_ms = clock_system_now_ms(), again_ms = canary->not_before_ms - clock_monotonic_ms();
    if (canary_record_is_under_way(record))
        return record->sent_ms + settings->timeout_ms - now_ms;
    if (*record->message_id == '\0') /* there was none, or the last one was not sent */
        return again_ms;
    return MAX(record->sent_ms + settings->every_ms - now_ms, again_ms);
}

static gboolean give_up(Canary *canary, GError **error)
{
    g_autofree char *reason = g_strdup_printf("not found within %" G_GINT64_FORMAT " s: look into the folder for junk",
                                              canary->account->canary.timeout_ms / 1000);
    if (!end(canary->core, canary->account->name, TRUE, reason, "", error))
        return FALSE;
    canary->callbacks.on_changed(canary->callbacks.data);
    return TRUE;
}

/* An earlier run began with it, and may have been killed before it left: that it is not there says nothing, and another goes. */
static gboolean forget(Canary *canary, gint64 *ret_delay_ms, GError **error)
{
    log_event(LOG_LEVEL_INFO, "canary-forgotten", LOG_TEXT("account", canary->account->name),
              LOG_TEXT("reason", "begun before nurtured was started again, and not found"));
    *ret_delay_ms = AGAIN_MS;
    return store_canary_withdraw(canary->core->store, canary->account->name, error);
}

/* What a person has paused does not write to itself either, unless asked. */
static gboolean send_unless_paused(Canary *canary, gint64 *ret_delay_ms, GError **error)
{
    g_autofree char *all = NULL;
    g_autofree char *own = NULL;
    if (!store_account_pause_get(canary->core->store, "", &all, error) ||
        !store_account_pause_get(canary->core->store, canary->account->name, &own, error))
        return FALSE;
    if (!*all && !*own)
        return canary_send(canary, error);
    *ret_delay_ms = PAUSED_MS;
    return TRUE;
}

/* Does what is due; *ret_delay_ms: when to look again, 0: not by time. */
static gboolean look(Canary *canary, gint64 *ret_delay_ms, GError **error)
{
    g_auto(CanaryRecord) record = {0};
    if (!store_canary_get(canary->core->store, canary->account->name, &record, error))
        return FALSE;
    gboolean under_way = canary_record_is_under_way(&record);
    gint64 left_ms = due_in_ms(canary, &record);
    *ret_delay_ms = MAX(left_ms, 0);
    if (!under_way && !canary->account->canary.wanted)
        *ret_delay_ms = 0;
    else if (left_ms <= 0 && canary->callbacks.is_blind(canary->account, canary->callbacks.data))
        *ret_delay_ms = BLIND_MS;
    else if (left_ms <= 0) {
        *ret_delay_ms = canary->account->canary.every_ms;
        if (under_way && record.sent_ms < canary->began_ms)
            return forget(canary, ret_delay_ms, error);
        return under_way ? give_up(canary, error) : send_unless_paused(canary, ret_delay_ms, error);
    }
    return TRUE;
}

static gboolean on_look(gpointer data)
{
    Canary *canary = data;
    g_autoptr(GError) error = NULL;
    gint64 delay_ms = BLIND_MS;
    canary->source = 0;
    if (!look(canary, &delay_ms, &error))
        tell_fault(canary, error);
    if (delay_ms > 0 && !canary->source) /* canary_send() has set its own */
        schedule(canary, delay_ms);
    return G_SOURCE_REMOVE;
}

static void schedule(Canary *canary, gint64 delay_ms)
{
    g_clear_handle_id(&canary->source, g_source_remove);
    canary->source = g_timeout_add((guint)MIN(delay_ms, LOOK_MS), on_look, canary);
}

Canary *canary_new(EngineCore *core, const Account *account, const CanaryCallbacks *callbacks)
{
    Canary *canary = g_new0(Canary, 1);
    canary->core = core;
    canary->config = config_ref(core->config);
    canary->account = account;
    canary->callbacks = *callbacks;
    canary->began_ms = clock_system_now_ms();
    schedule(canary, FIRST_MS);
    return canary;
}

void canary_free(Canary *canary)
{
    if (canary->pool)
        smtp_pool_free(canary->pool, GRACE_MS);
    g_clear_handle_id(&canary->source, g_source_remove);
    config_unref(canary->config);
    g_free(canary);
}

const char *canary_account(const Canary *canary)
{
    return canary->account->name;
}

/* ---- what it says ---------------------------------------------------------------------------------------------------- */

gboolean canary_hold(Store *store, const Account *account, char **ret_reason, GError **error)
{
    g_auto(CanaryRecord) record = {0};
    *ret_reason = NULL;
    if (!account->canary.wanted)
        return TRUE;
    if (!store_canary_get(store, account->name, &record, error))
        return FALSE;
    if (record.failed)
        *ret_reason = g_steal_pointer(&record.reason);
    return TRUE;
}

void canary_add_status(Store *store, const Account *account, JsonObject *status)
{
    g_auto(CanaryRecord) record = {0};
    if (!store_canary_get(store, account->name, &record, NULL) || !record.sent_ms)
        return;
    gboolean under_way = canary_record_is_under_way(&record);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "state",
                                  under_way ? "under way" : !record.ended_ms ? "not sent" : record.failed ? "failed" : "passed");
    json_object_set_string_member(object, "reason", record.reason);
    json_object_set_string_member(object, "results", record.results);
    json_object_set_string_member(object, "message_id", record.message_id);
    json_add_time(object, "sent", record.sent_ms);
    json_add_time(object, "ended", record.ended_ms);
    json_object_set_object_member(status, "canary", object);
}
