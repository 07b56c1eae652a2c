/*
 * What the tests of store/ share: a folder and a store of its own for each test, and people, enrolments and messages to fill
 * it with.
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
#include <unistd.h>

#include "store/companies.h"
#include "store/contacts.h"
#include "store/enrolments.h"
#include "store/history.h"
#include "store/internal.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/store.h"
#include "store/suppressions.h"

#define NOW G_GINT64_CONSTANT(1760000000000)
#define DAY G_GINT64_CONSTANT(86400000)
#define CUSTOMER_STAGE "follow-up"

#define assert_done(call)                                                                                                   \
    do {                                                                                                                    \
        gboolean done_ = (call);                                                                                            \
        if (!done_)                                                                                                         \
            fail_msg("%s: %s", #call, error != NULL ? error->message : "no error set");                                     \
        assert_null(error);                                                                                                 \
    } while (0)

#define assert_refused(call, code_)                                                                                         \
    do {                                                                                                                    \
        assert_false(call);                                                                                                 \
        assert_non_null(error);                                                                                             \
        if (!g_error_matches(error, STORE_ERROR, (code_)))                                                                  \
            fail_msg("%s: code %d: %s", #call, error->code, error->message);                                                \
        g_clear_error(&error);                                                                                              \
    } while (0)

typedef struct {
    char *folder, *path, *url;
    Store *store;
} Fixture;

static inline int fixture_setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("nurture-store-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "n.db", NULL);
    fixture->url = g_strconcat("sqlite://", fixture->path, NULL);
    fixture->store = store_open(fixture->url, STORE_OPEN_CREATE, NULL);
    *state = fixture;
    return fixture->store == NULL;
}

static inline int fixture_teardown(void **state)
{
    Fixture *fixture = *state;
    store_close(fixture->store);
    GDir *dir = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_remove(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->url);
    g_free(fixture);
    return 0;
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

static inline Store *store_of(void **state)
{
    return ((Fixture *)*state)->store;
}

static inline gint64 number_of(Store *store, const char *sql)
{
    GError *error = NULL;
    gint64 number = 0;
    g_autoptr(DbStatement) row = db_query_once(store->db, sql, DB_VALUES(), &error);
    if (row == NULL || db_step(row, &error) != DB_ROW)
        fail_msg("%s: %s", sql, error != NULL ? error->message : "no row");
    number = db_int(row, 0);
    return number;
}

static inline void run(Store *store, const char *sql)
{
    GError *error = NULL;
    if (!store->db->driver->script(store->db, sql, &error))
        fail_msg("%s: %s", sql, error->message);
}

static inline gint64 save_edit(Store *store, const ContactEdit *edit, ContactSaveResult want)
{
    GError *error = NULL;
    gint64 id = 0;
    ContactSaveResult result = CONTACT_UNCHANGED;
    assert_done(store_contact_save(store, edit, CUSTOMER_STAGE, "research", NOW, &result, &id, &error));
    assert_int_equal(result, want);
    return id;
}

static inline gint64 add_contact(Store *store, const char *email)
{
    return save_edit(store, &(ContactEdit){.email = email}, CONTACT_CREATED);
}

static inline gint64 add_enrolment(Store *store, gint64 contact_id, const char *rule, gint64 due_ms)
{
    GError *error = NULL;
    Enrolment enrolment = {.contact_id = contact_id,
                           .rule = (char *)rule,
                           .round = 1,
                           .state = ENROLMENT_ACTIVE,
                           .next_step = (char *)"one",
                           .due_ms = due_ms,
                           .enrolled_ms = NOW};
    assert_done(store_enrolment_add(store, &enrolment, &error));
    assert_true(enrolment.id > 0);
    return enrolment.id;
}

static inline gint64 add_message(Store *store, gint64 contact_id, gint64 enrolment_id, const char *step, gint64 due_ms)
{
    GError *error = NULL;
    OutboxMessage message = {.contact_id = contact_id,
                             .enrolment_id = enrolment_id,
                             .account = (char *)"anna",
                             .rule = (char *)"rule",
                             .step = (char *)step,
                             .round = 1,
                             .state = OUTBOX_QUEUED,
                             .planned_ms = due_ms,
                             .due_ms = due_ms,
                             .created_ms = NOW};
    assert_done(store_outbox_add(store, &message, &error));
    assert_true(message.id > 0);
    return message.id;
}

/* One contact, enrolled, with one message due at NOW. */
static inline gint64 add_due_message(Store *store, const char *email)
{
    gint64 contact = add_contact(store, email);
    return add_message(store, contact, add_enrolment(store, contact, "rule", NOW), "one", NOW);
}

static inline gboolean claim_at(Store *store, gint64 id, gint64 now_ms)
{
    GError *error = NULL;
    gboolean claimed = FALSE;
    g_autofree char *message_id = g_strdup_printf("M%d.x@Example.com", (int)id);
    assert_done(store_outbox_claim(store, id, message_id, now_ms, &claimed, &error));
    return claimed;
}

static inline OutboxState state_now(Store *store, gint64 id)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    assert_non_null(message);
    return message->state;
}

static inline gint64 last_contacted(Store *store, gint64 contact_id)
{
    GError *error = NULL;
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_get(store, contact_id, &contact, &error));
    assert_non_null(contact);
    return contact->last_contacted_ms;
}
