/*
 * For the tests of what goes wrong on the way: a folder with a configuration, templates and a store of its own, a clock that stands
 * still until it is set, and short words for what scheduler, courier and intake do on the loop. Unlike rig.h, it goes through the real
 * claim, with a window that is always open.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "engine/claim.h"
#include "engine/core.h"
#include "engine/step.h"
#include "engine/effects.h"
#include "engine/outcome.h"
#include "mail/token.h"
#include "store/history.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/suppressions.h"

#define NOW G_GINT64_CONSTANT(1795600000000) /* a Tuesday in November 2026 */
#define MINUTE G_GINT64_CONSTANT(60000)
#define DAY G_GINT64_CONSTANT(86400000)

#define assert_done(call)                                                                                                   \
    do {                                                                                                                    \
        gboolean done_ = (call);                                                                                            \
        if (!done_)                                                                                                         \
            fail_msg("%s: %s", #call, error != NULL ? error->message : "no error set");                                     \
        assert_null(error);                                                                                                 \
    } while (0)

#define RULE_CHASE                                                                                                          \
    "{ name = \"chase\"; anchor = \"stage\"; when = { stage = \"pitching\"; };"                                             \
    "  steps = ( { after = \"1 day\"; template = \"one\"; }, { after = \"2 days\"; template = \"two\"; },"                  \
    "            { after = \"2 days\"; template = \"three\"; } ); }"
#define RULE_OTHER                                                                                                          \
    "{ name = \"other\"; anchor = \"customer\"; when = { customer = true; };"                                               \
    "  steps = ( { age = \"1 day\"; template = \"one\"; } ); }"
#define ACCOUNT(name)                                                                                                       \
    "{ name = \"" name "\"; from = \"" name "@example.com\"; one_way = true;"                                               \
    "  smtp = { url = \"smtp://127.0.0.1:1\"; tls = \"none\"; }; }"
#define ACCOUNT_RESEND(name)                                                                                                \
    "{ name = \"" name "\"; from = \"" name "@example.com\"; one_way = true; on_uncertain = \"resend\";"                    \
    "  smtp = { url = \"smtp://127.0.0.1:1\"; tls = \"none\"; }; }"

typedef struct {
    char *folder, *config_path;
    Config *config;
    TemplateSet *templates;
    Store *store;
    Clock *clock;
    EngineCore *core;
} Rig;

static inline void rig_write(const Rig *rig, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(rig->folder, name, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Reads a configuration with these accounts and rules, and puts it in force as a reload does. */
static inline void rig_configure(Rig *rig, const char *accounts, const char *rules)
{
    GError *error = NULL;
    g_autofree char *text = g_strdup_printf(
        "store = { url = \"sqlite://%s/n.db\"; };\ntemplates = \"%s\";\nruntime = \"%s\";\n"
        "organisation = { name = \"Berg\"; postal_address = \"Storgata 1, Oslo\"; domains = [ \"example.com\" ]; };\n"
        "pipeline = { stages = [ \"research\", \"pitching\", \"follow-up\" ]; customer_stage = \"follow-up\"; };\n"
        "sending = { time_zone = \"UTC\"; window = { days = \"mon-sun\"; from = \"00:00\"; to = \"24:00\"; };"
        " max_late = \"7 days\"; };\naccounts = ( %s );\nrules = ( %s );\n",
        rig->folder, rig->folder, rig->folder, accounts, rules);
    rig_write(rig, "n.conf", text);
    g_clear_pointer(&rig->templates, templates_unref);
    g_clear_pointer(&rig->config, config_unref);
    rig->config = config_load(rig->config_path, NULL, &error);
    if (rig->config == NULL)
        fail_msg("%s", error->message);
    rig->templates = templates_load(rig->config, NULL, &error);
    if (rig->templates == NULL)
        fail_msg("%s", error->message);
    if (rig->core != NULL)
        assert_done(core_replace(rig->core, rig->config, rig->templates, &error));
}

static inline int rig_setup(void **state)
{
    GError *error = NULL;
    Rig *rig = g_new0(Rig, 1);
    rig->folder = g_dir_make_tmp("nurture-engine-XXXXXX", NULL);
    rig->config_path = g_build_filename(rig->folder, "n.conf", NULL);
    const char *names[] = {"one.txt", "two.txt", "three.txt"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        rig_write(rig, names[i], "Subject: Hello\n\nHello {{name}}{{^name}}there{{/name}}.\n");
    rig_configure(rig, ACCOUNT("anna") "," ACCOUNT("ben"), RULE_CHASE "," RULE_OTHER);
    rig->clock = clock_new_manual(NOW);
    rig->store = store_open(rig->config->store_url, STORE_OPEN_CREATE, &error);
    if (rig->store == NULL)
        fail_msg("%s", error->message);
    rig->core = core_new(rig->config, rig->templates, rig->store, rig->clock, &error);
    *state = rig;
    return rig->core == NULL;
}

static inline int rig_teardown(void **state)
{
    Rig *rig = *state;
    core_free(rig->core);
    store_close(rig->store);
    clock_free(rig->clock);
    templates_unref(rig->templates);
    config_unref(rig->config);
    GDir *dir = g_dir_open(rig->folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(rig->folder, name, NULL);
        g_remove(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(rig->folder);
    g_free(rig->folder);
    g_free(rig->config_path);
    g_free(rig);
    return 0;
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

/* ---- people ---------------------------------------------------------------------------------------------------------- */

static inline gint64 rig_save(Rig *rig, const ContactEdit *edit)
{
    GError *error = NULL;
    gint64 id = 0;
    ContactSaveResult result;
    assert_done(store_contact_save(rig->store, edit, "follow-up", "research", clock_now_ms(rig->clock), &result, &id, &error));
    return id;
}

/* Somebody for whom step one is due since `due_for_ms`. */
static inline gint64 rig_pitched(Rig *rig, const char *email, gint64 due_for_ms)
{
    return rig_save(rig, &(ContactEdit){.email = email, .stage = "pitching", .stage_since_ms = NOW - DAY - due_for_ms});
}

/* ---- what runs on the loop ------------------------------------------------------------------------------------------- */

static inline void rig_decide(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    DecideSummary summary = {0};
    assert_done(decide_contact(rig->core, contact, &summary, &error));
}

static inline Enrolment *rig_enrolment(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) all = NULL;
    assert_done(store_enrolments_of(rig->store, contact, &all, &error));
    assert_int_equal(all->len, 1);
    Enrolment *enrolment = NULL;
    assert_done(store_enrolment_get(rig->store, ((Enrolment *)all->pdata[0])->id, &enrolment, &error));
    return enrolment;
}

/* The scheduler's look at what is due. */
static inline void rig_queue_due(Rig *rig)
{
    GError *error = NULL;
    DecideSummary summary = {0};
    g_autoptr(GPtrArray) due = NULL;
    assert_done(store_enrolments_due(rig->store, clock_now_ms(rig->clock), 100, &due, &error));
    for (guint i = 0; i < due->len; i++)
        assert_done(step_decide(rig->core, due->pdata[i], &summary, &error));
}

/* The newest message of the contact; fails where there is none. Caller frees. */
static inline OutboxMessage *rig_message(Rig *rig, gint64 contact)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) all = NULL;
    OutboxMessage *message = NULL;
    assert_done(store_outbox_of(rig->store, contact, &all, &error));
    assert_true(all->len > 0);
    assert_done(store_outbox_get(rig->store, ((OutboxMessage *)all->pdata[all->len - 1])->id, &message, &error));
    return message;
}

static inline void assert_message(Rig *rig, gint64 contact, const char *step, OutboxState state)
{
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    assert_string_equal(message->step, step);
    assert_string_equal(outbox_state_name(message->state), outbox_state_name(state));
}

/* One look of the account's courier; how many letters it took. */
static inline guint rig_claim(Rig *rig, const char *account_name)
{
    GError *error = NULL;
    const ClaimAccount account = {.account = config_account(rig->config, account_name), .paused = ""};
    g_autoptr(GPtrArray) due = NULL;
    guint n = 0;
    assert_done(store_outbox_due(rig->store, account_name, clock_now_ms(rig->clock), 100, &due, &error));
    for (guint i = 0; i < due->len; i++) {
        ClaimResult claim;
        assert_done(claim_message(rig->core, &account, due->pdata[i], &claim, &error));
        n += claim.letter != NULL;
        letter_free(claim.letter);
    }
    return n;
}

static inline void rig_outcome(Rig *rig, gint64 contact, DeliveryClass class)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    const DeliveryResult result = {.class = class, .enhanced = (char *)"", .text = (char *)"told by the test"};
    assert_done(outcome_commit(rig->core, message->id, config_account(rig->config, message->account), &result, NULL,
                               clock_now_ms(rig->clock), &error));
}

/* ---- what arrives ---------------------------------------------------------------------------------------------------- */

static inline void take_text(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static inline InboundMessage *rig_inbound(InboundClass class, const char *from)
{
    InboundMessage *message = inbound_message_new();
    message->class = class;
    take_text(&message->from, from);
    take_text(&message->text, "words");
    return message;
}

/* Its effects, in a transaction as the intake's; whether it was filed. */
static inline gboolean rig_arrive(Rig *rig, const InboundMessage *message)
{
    GError *error = NULL;
    gboolean filed = FALSE;
    const Arrival arrival = {.account = rig->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    g_autoptr(StoreTransaction) transaction = store_begin(rig->store, &error);
    assert_non_null(transaction);
    assert_done(effects_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(g_steal_pointer(&transaction), &error));
    return filed;
}

static inline gboolean rig_is_suppressed(Rig *rig, const char *address)
{
    GError *error = NULL;
    gboolean suppressed = FALSE;
    assert_done(store_suppression_check(rig->store, address, &suppressed, NULL, &error));
    return suppressed;
}
