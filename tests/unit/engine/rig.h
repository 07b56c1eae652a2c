/*
 * What the tests of engine/ share: a folder with a configuration, templates and a store, a clock that stands still until a
 * test moves it, and words for what a day in the daemon's life consists of.
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

#include "base/timestamp.h"
#include "engine/core.h"
#include "engine/step.h"
#include "engine/outcome.h"
#include "store/contacts.h"
#include "store/history.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/suppressions.h"

#define SECOND G_GINT64_CONSTANT(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

#define assert_done(call)                                                                                                   \
    do {                                                                                                                    \
        GError *error = NULL;                                                                                               \
        gboolean done_ = (call);                                                                                            \
        if (!done_)                                                                                                         \
            fail_msg("%s: %s", #call, error != NULL ? error->message : "no error set");                                     \
    } while (0)

/* The rules of most tests; a test that wants others gives its own to rig_configure(). */
#define RULES                                                                                                               \
    "{ name = \"after-pitch\"; anchor = \"stage\"; when = { stage = \"pitching\"; };\n"                                     \
    "  steps = ( { after = \"3 days\"; template = \"one\"; }, { after = \"5 days\"; template = \"two\"; same_thread = true; } ); },\n" \
    "{ name = \"aftercare\"; anchor = \"customer\"; when = { customer = true; };\n"                                         \
    "  steps = ( { age = \"7 days\"; template = \"one\"; }, { age = \"90 days\"; template = \"two\"; } ); },\n"             \
    "{ name = \"referral\"; anchor = \"customer\"; when = { customer = true; tag = \"happy\"; };\n"                         \
    "  steps = ( { age = \"45 days\"; template = \"three\"; } ); repeat_every = \"6 months\"; }\n"

typedef struct {
    char *folder;
    Store *store;
    Clock *clock;
    EngineCore *core;
    DecideSummary summary; /* of everything decided so far */
} Rig;

static inline gint64 at(const char *text)
{
    gint64 ms = 0;
    g_autoptr(GTimeZone) oslo = timestamp_zone("Europe/Oslo", NULL);
    if (!timestamp_parse(text, oslo, &ms, NULL))
        fail_msg("not a time: %s", text);
    return ms;
}

static inline void rig_write(const Rig *rig, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(rig->folder, name, NULL);
    if (!g_file_set_contents(path, text, -1, NULL))
        fail_msg("cannot write %s", path);
}

static inline Config *rig_config(const Rig *rig, const char *rules, const char *limits)
{
    g_autoptr(GPtrArray) faults = NULL;
    g_autofree char *text = g_strdup_printf(
        "store = { url = \"sqlite:///nowhere/n.db\"; }; templates = \"templates\";\n"
        "organisation = { name = \"Berg\"; postal_address = \"Storgata 1\"; domains = [ \"example.com\" ]; };\n"
        "pipeline = { stages = [ \"research\", \"pitching\", \"negotiating\", \"follow-up\" ]; customer_stage = \"follow-up\"; };\n"
        "sending = { time_zone = \"Europe/Oslo\"; window = { days = \"mon-fri\"; from = \"09:00\"; to = \"16:30\"; };\n"
        "  min_gap = \"2 days\"; max_late = \"7 days\"; blind_after = \"15 minutes\"; };\n"
        "accounts = ( { name = \"anna\"; from = \"Anna <anna@example.com>\"; one_way = true; limits = { %s };\n"
        "    smtp = { url = \"smtp://127.0.0.1:9\"; tls = \"none\"; }; },\n"
        "  { name = \"bo\"; from = \"bo@example.com\"; one_way = true; smtp = { url = \"smtp://127.0.0.1:9\"; tls = \"none\"; }; } );\n"
        "rules = ( %s );\n",
        limits, rules);
    g_autofree char *file = g_build_filename(rig->folder, "n.conf", NULL);
    rig_write(rig, "n.conf", text);
    Config *config = config_load(file, &faults, NULL);
    if (!config)
        fail_msg("%s", (char *)faults->pdata[0]);
    return config;
}

/* Puts these rules, and limits of anna's account, in force. */
static inline void rig_configure(Rig *rig, const char *rules, const char *limits)
{
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = rig_config(rig, rules, limits);
    g_autoptr(TemplateSet) templates = templates_load(config, &faults, NULL);
    if (!templates)
        fail_msg("%s", (char *)faults->pdata[0]);
    if (rig->core)
        assert_done(core_replace(rig->core, config, templates, &error));
    else
        rig->core = core_new(config, templates, rig->store, rig->clock, NULL);
    assert_non_null(rig->core);
}

static inline int rig_setup(void **state)
{
    Rig *rig = g_new0(Rig, 1);
    rig->folder = g_dir_make_tmp("nurture-engine-XXXXXX", NULL);
    g_autofree char *templates = g_build_filename(rig->folder, "templates", NULL);
    g_autofree char *url = g_strdup_printf("sqlite://%s/n.db", rig->folder);
    if (g_mkdir(templates, 0700) != 0)
        return 1;
    rig_write(rig, "templates/one.md", "Subject: One\n\nHello {{first_name|there}}\n");
    rig_write(rig, "templates/two.md", "Subject: Two\n\nAgain\n");
    rig_write(rig, "templates/three.md", "Subject: Three\n\nOnce more\n");
    rig->store = store_open(url, STORE_OPEN_CREATE, NULL);
    rig->clock = clock_new_manual(at("2026-03-02 10:00")); /* a Monday */
    rig_configure(rig, RULES, "");
    *state = rig;
    return rig->store == NULL;
}

static inline void rig_remove(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            rig_remove(path);
        else
            g_remove(path);
    }
    g_rmdir(folder);
}

static inline int rig_teardown(void **state)
{
    Rig *rig = *state;
    core_free(rig->core);
    store_close(rig->store);
    clock_free(rig->clock);
    rig_remove(rig->folder);
    g_free(rig->folder);
    g_free(rig);
    return 0;
}

#define with_rig(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

/* ---- facts ---- */

static inline gint64 rig_save(Rig *rig, const ContactEdit *edit)
{
    ContactSaveResult result;
    gint64 id = 0;
    assert_done(store_contact_save(rig->store, edit, "follow-up", "research", clock_now_ms(rig->clock), &result, &id, &error));
    return id;
}

/* Somebody who entered the stage at that time. */
static inline gint64 rig_add(Rig *rig, const char *email, const char *stage, const char *since)
{
    return rig_save(rig, &(ContactEdit){.email = email, .stage = stage, .stage_since_ms = at(since)});
}

static inline Contact *rig_contact(const Rig *rig, gint64 id)
{
    Contact *contact = NULL;
    assert_done(store_contact_get(rig->store, id, &contact, &error));
    assert_non_null(contact);
    return contact;
}

/* Something that happened, and its mark, as the commands write them. */
static inline void rig_happens(Rig *rig, gint64 id, InteractionKind kind)
{
    const Interaction interaction = {.contact_id = id, .at_ms = clock_now_ms(rig->clock), .kind = kind};
    assert_done(store_history_add(rig->store, &interaction, NULL, &error));
    assert_done(store_mark(rig->store, id, &error));
}

/* ---- what the daemon does ---- */

static inline void rig_decide(Rig *rig, gint64 id)
{
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_non_null(transaction);
    assert_done(decide_contact(rig->core, id, &rig->summary, &error));
    assert_done(store_commit(transaction, &error));
}

/* Decides every enrolment that is due. */
static inline void rig_step(Rig *rig)
{
    g_autoptr(GPtrArray) due = NULL;
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_non_null(transaction);
    assert_done(store_enrolments_due(rig->store, clock_now_ms(rig->clock), 100, &due, &error));
    for (guint i = 0; i < due->len; i++)
        assert_done(step_decide(rig->core, due->pdata[i], &rig->summary, &error));
    assert_done(store_commit(transaction, &error));
}

static inline void rig_step_at(Rig *rig, const char *time)
{
    clock_set(rig->clock, at(time));
    rig_step(rig);
}

/* The newest round of the contact in the rule; NULL: never in it. */
static inline Enrolment *rig_enrolment(const Rig *rig, gint64 id, const char *rule)
{
    g_autoptr(GPtrArray) all = NULL;
    Enrolment *latest = NULL;
    assert_done(store_enrolments_of(rig->store, id, &all, &error));
    for (guint i = 0; i < all->len; i++) {
        const Enrolment *enrolment = all->pdata[i];
        if (!g_str_equal(enrolment->rule, rule))
            continue;
        g_clear_pointer(&latest, enrolment_free);
        assert_done(store_enrolment_get(rig->store, enrolment->id, &latest, &error));
    }
    return latest;
}

/* The contact's message of that rule and step, in any round (the first found); NULL: not decided. */
static inline OutboxMessage *rig_message(const Rig *rig, gint64 id, const char *rule, const char *step)
{
    g_autoptr(GPtrArray) all = NULL;
    OutboxMessage *found = NULL;
    assert_done(store_outbox_of(rig->store, id, &all, &error));
    for (guint i = 0; i < all->len && !found; i++) {
        const OutboxMessage *message = all->pdata[i];
        if (g_str_equal(message->rule, rule) && g_str_equal(message->step, step))
            assert_done(store_outbox_get(rig->store, message->id, &found, &error));
    }
    return found;
}

/* As the courier does with a row that the server takes: claims it under the Message-ID, then commits the outcome. */
static inline void rig_deliver(Rig *rig, gint64 outbox_id, const char *message_id, DeliveryClass class)
{
    gboolean claimed = FALSE;
    const DeliveryResult result = {.class = class, .enhanced = (char *)"", .text = (char *)"said the server"};
    assert_done(store_outbox_claim(rig->store, outbox_id, message_id, clock_now_ms(rig->clock), &claimed, &error));
    assert_true(claimed);
    assert_done(outcome_commit(rig->core, outbox_id, rig->core->config->accounts[0], &result, NULL, 0, &error));
}

static inline void rig_send(Rig *rig, gint64 id, const char *rule, const char *step, const char *message_id)
{
    g_autoptr(OutboxMessage) message = rig_message(rig, id, rule, step);
    assert_non_null(message);
    rig_deliver(rig, message->id, message_id, DELIVERY_SENT);
}

/* ---- what tests ask ---- */

static inline guint rig_kinds(const Rig *rig, gint64 id)
{
    guint kinds = 0;
    assert_done(store_history_kinds_after(rig->store, id, 0, &kinds, NULL, &error));
    return kinds;
}

static inline gboolean rig_has(const Rig *rig, gint64 id, InteractionKind kind)
{
    return (rig_kinds(rig, id) & (1u << kind)) != 0;
}

/* "active", "done", or why it ended. Belongs to the enrolment. */
static inline const char *rig_state(const Enrolment *enrolment)
{
    if (!enrolment)
        return "never in it";
    switch (enrolment->state) {
    case ENROLMENT_ACTIVE:
        return "active";
    case ENROLMENT_DONE:
        return "done";
    case ENROLMENT_ENDED:
        return enrolment->end_reason;
    }
    return "";
}

#define assert_enrolment(rig, id, rule, want)                                                                               \
    do {                                                                                                                    \
        g_autoptr(Enrolment) enrolment_ = rig_enrolment((rig), (id), (rule));                                               \
        assert_string_equal(rig_state(enrolment_), (want));                                                                 \
    } while (0)

/* The state of the step's row; "undecided" where there is none. */
#define assert_message(rig, id, rule, step, want)                                                                           \
    do {                                                                                                                    \
        g_autoptr(OutboxMessage) message_ = rig_message((rig), (id), (rule), (step));                                       \
        assert_string_equal(message_ ? outbox_state_name(message_->state) : "undecided", (want));                           \
    } while (0)

/* The next step's time, as the wall in Oslo shows it. */
#define assert_due(rig, id, rule, want)                                                                                     \
    do {                                                                                                                    \
        g_autoptr(Enrolment) enrolment_ = rig_enrolment((rig), (id), (rule));                                               \
        g_autoptr(GTimeZone) oslo_ = timestamp_zone("Europe/Oslo", NULL);                                                   \
        assert_non_null(enrolment_);                                                                                        \
        g_autofree char *due_ = timestamp_format_local(enrolment_->due_ms, oslo_);                                          \
        assert_string_equal(due_, (want));                                                                                  \
    } while (0)
