/*
 * Contacts read, listed, paused, forgotten; their aliases and companies. How one is added or changed is contact_save.c.
 * No state of its own; runs in the thread of its Store.
 */
#include "store/contacts.h"

#include <string.h>

#include "store/contact_edit.h"
#include "store/erased.h"
#include "store/internal.h"
#include "store/marks.h"

#define CONTACT_COLUMNS                                                                                                     \
    "c.id, c.email, c.first_name, c.last_name, k.name, k.time_zone, coalesce(k.attributes, '{}'), c.stage, "                \
    "c.stage_since_ms,"                                                                                                     \
    " c.customer_since_ms, c.time_zone, c.language, c.owner, c.source, c.attributes, c.score, c.paused_until_ms, "          \
    "c.last_contacted_ms,"                                                                                                  \
    " c.created_ms, c.hold_until_ms, c.hold_reason, c.last_reply_ms, c.last_talk_ms, c.reconsider_ms, " CONTACT_IS_REFERRED       \
    ", c.score_ms, c.score_count, c.pause_reason, c.asked_ms, c.asked_rule, c.asked_round,"                                 \
    " coalesce((SELECT min(f.accepted_ms) FROM referral f WHERE f.contact_id = c.id AND f.accepted_ms > 0), 0)"
enum { CONTACT_N_COLUMNS = 32 };
#define CONTACT_SELECT "SELECT " CONTACT_COLUMNS " FROM contact c LEFT JOIN company k ON k.id = c.company_id "
#define CONTACT_MARKED_SELECT                                                                                               \
    "SELECT " CONTACT_COLUMNS                                                                                               \
    ", m.id FROM mark m JOIN contact c ON c.id = m.contact_id LEFT JOIN company k ON k.id = c.company_id "

Contact *contact_ref(const Contact *contact)
{
    Contact *shared = (Contact *)contact;
    g_atomic_int_inc(&shared->others);
    return shared;
}

void contact_free(Contact *contact)
{
    if (contact == NULL || g_atomic_int_add(&contact->others, -1) > 0)
        return;
    g_free(contact->email);
    g_free(contact->first_name);
    g_free(contact->last_name);
    g_free(contact->company);
    g_free(contact->company_time_zone);
    g_free(contact->company_attributes);
    g_free(contact->stage);
    g_free(contact->time_zone);
    g_free(contact->language);
    g_free(contact->owner);
    g_free(contact->source);
    g_free(contact->hold_reason);
    g_free(contact->pause_reason);
    g_free(contact->asked_rule);
    g_strfreev(contact->tags);
    g_free(contact->attributes);
    g_free(contact);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* The first column of every row, as a NULL-terminated list. */
static char **read_strings(DbStatement *rows, GError **error)
{
    if (rows == NULL)
        return NULL;
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    DbStep step;
    while ((step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(strings, g_strdup(db_text(rows, 0)));
    if (step == DB_FAILED)
        return NULL;
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_steal(strings, NULL);
}

static char **read_tags(Store *store, gint64 id, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT name FROM tag WHERE contact_id = $1 ORDER BY name_key", error, DB_INT(id));
    return read_strings(rows, error);
}

/* All but the tags. */
static Contact *untagged_contact_of(DbStatement *row)
{
    Contact *contact = g_new0(Contact, 1);
    contact->id = db_int(row, 0);
    contact->email = g_strdup(db_text(row, 1));
    contact->first_name = g_strdup(db_text(row, 2));
    contact->last_name = g_strdup(db_text(row, 3));
    contact->company = g_strdup(db_text(row, 4));
    contact->company_time_zone = g_strdup(db_text(row, 5));
    contact->company_attributes = g_strdup(db_text(row, 6));
    contact->stage = g_strdup(db_text(row, 7));
    contact->stage_since_ms = db_int(row, 8);
    contact->customer_since_ms = db_int(row, 9);
    contact->time_zone = g_strdup(db_text(row, 10));
    contact->language = g_strdup(db_text(row, 11));
    contact->owner = g_strdup(db_text(row, 12));
    contact->source = g_strdup(db_text(row, 13));
    contact->attributes = g_strdup(db_text(row, 14));
    contact->has_score = !db_is_null(row, 15);
    contact->score = db_real(row, 15);
    contact->paused_until_ms = db_int(row, 16);
    contact->last_contacted_ms = db_int(row, 17);
    contact->created_ms = db_int(row, 18);
    contact->hold_until_ms = db_int(row, 19);
    contact->hold_reason = g_strdup(db_text(row, 20));
    contact->last_reply_ms = db_int(row, 21);
    contact->last_talk_ms = db_int(row, 22);
    contact->reconsider_ms = db_int(row, 23);
    contact->referred = db_int(row, 24) != 0;
    contact->score_ms = db_int(row, 25);
    contact->score_count = (guint)db_int(row, 26);
    contact->pause_reason = g_strdup(db_text(row, 27));
    contact->asked_ms = db_int(row, 28);
    contact->asked_rule = g_strdup(db_text(row, 29));
    contact->asked_round = (guint)db_int(row, 30);
    contact->referred_ms = db_int(row, 31);
    return contact;
}

static Contact *contact_of(Store *store, DbStatement *row, GError **error)
{
    char **tags = read_tags(store, db_int(row, 0), error);
    if (tags == NULL)
        return NULL;
    Contact *contact = untagged_contact_of(row);
    contact->tags = tags;
    return contact;
}

static gboolean read_one(Store *store, DbStatement *rows, Contact **ret_contact, GError **error)
{
    DbStep step = rows != NULL ? db_step(rows, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    Contact *contact = step == DB_ROW ? contact_of(store, rows, error) : NULL;
    if (step == DB_ROW && contact == NULL)
        return FALSE;
    *ret_contact = contact;
    return TRUE;
}

gboolean store_contact_find(Store *store, const char *email, Contact **ret_contact, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, CONTACT_SELECT "WHERE c.id = " CONTACT_ID_BY_ADDRESS, error, DB_TEXT(email));
    return read_one(store, rows, ret_contact, error);
}

gboolean store_contact_get(Store *store, gint64 id, Contact **ret_contact, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, CONTACT_SELECT "WHERE c.id = $1", error, DB_INT(id));
    return read_one(store, rows, ret_contact, error);
}

gboolean store_contact_get_untagged(Store *store, gint64 id, Contact **ret_contact, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, CONTACT_SELECT "WHERE c.id = $1", error, DB_INT(id));
    DbStep step = rows != NULL ? db_step(rows, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_contact = step == DB_ROW ? untagged_contact_of(rows) : NULL;
    if (*ret_contact != NULL)
        (*ret_contact)->tags = g_new0(char *, 1);
    return TRUE;
}

/* ---- many at once ----------------------------------------------------------------------------------------------------- */

/* Both lists are in the order of the marks. */
static gboolean read_marked_tags(Store *store, GPtrArray *contacts, gint64 last_mark, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 "SELECT t.contact_id, t.name FROM mark m JOIN tag t ON t.contact_id = m.contact_id"
                 " WHERE m.id > 0 AND m.id <= $1 ORDER BY m.id, t.name_key",
                 error, DB_INT(last_mark));
    DbStep step = rows != NULL ? db_step(rows, error) : DB_FAILED;
    for (guint i = 0; i < contacts->len && step != DB_FAILED; i++) {
        Contact *contact = contacts->pdata[i];
        g_autoptr(GPtrArray) tags = g_ptr_array_new();
        for (; step == DB_ROW && db_int(rows, 0) == contact->id; step = db_step(rows, error))
            g_ptr_array_add(tags, g_strdup(db_text(rows, 1)));
        g_ptr_array_add(tags, NULL);
        contact->tags = (char **)g_ptr_array_steal(tags, NULL);
    }
    return step != DB_FAILED;
}

gboolean store_contacts_marked(Store *store, guint limit, GPtrArray **ret_contacts, gint64 *ret_last_mark, GError **error)
{
    g_autoptr(GPtrArray) contacts = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);
    g_autoptr(DbStatement) rows =
        db_query(store->db, CONTACT_MARKED_SELECT "WHERE m.id > 0 ORDER BY m.id LIMIT $1", error, DB_INT(limit));
    gint64 last_mark = 0;
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) {
        g_ptr_array_add(contacts, untagged_contact_of(rows));
        last_mark = db_int(rows, CONTACT_N_COLUMNS);
    }
    if (step == DB_FAILED || !read_marked_tags(store, contacts, last_mark, error))
        return FALSE;
    *ret_contacts = g_steal_pointer(&contacts);
    *ret_last_mark = last_mark;
    return TRUE;
}

/* ---- listing ---------------------------------------------------------------------------------------------------------- */

/* In C, since databases differ in which letters they can fold. */
static gboolean matches_search(const Contact *contact, const char *search_key)
{
    if (search_key[0] == '\0')
        return TRUE;
    g_autofree char *whole = g_strconcat(contact->email, "\n", contact->first_name, " ", contact->last_name, NULL);
    g_autofree char *key = store_key(whole);
    return strstr(key, search_key) != NULL;
}

gboolean store_contact_each(Store *store, const ContactFilter *filter,
                            gboolean (*func)(const Contact *contact, gpointer data), gpointer data, GError **error)
{
    static const ContactFilter all = {0};
    const ContactFilter *wanted = filter != NULL ? filter : &all;
    g_autofree char *stage = store_key(wanted->stage);
    g_autofree char *owner = store_key(wanted->owner);
    g_autofree char *tag = store_key(wanted->tag);
    g_autofree char *company = store_key(wanted->company);
    g_autofree char *search = store_key(wanted->search);
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 CONTACT_SELECT
                 "WHERE ($1 = '' OR c.stage_key = $1) AND ($2 = '' OR c.owner_key = $2) AND ($3 = '' OR k.name_key = $3)"
                 " AND ($4 = '' OR EXISTS (SELECT 1 FROM tag t WHERE t.contact_id = c.id AND t.name_key = $4))"
                 " AND ($5 = 0 OR c.customer_since_ms <> 0) ORDER BY c.email",
                 error, DB_TEXT(stage), DB_TEXT(owner), DB_TEXT(company), DB_TEXT(tag), DB_INT(wanted->customers_only));
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(Contact) contact = contact_of(store, rows, error);
        if (contact == NULL) {
            step = DB_FAILED;
            break;
        }
        go_on = !matches_search(contact, search) || func(contact, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}

gboolean store_contact_count(Store *store, guint64 *ret_count, GError **error)
{
    gint64 count = 0;
    if (!db_run_int(store->db, "SELECT count(*) FROM contact", NULL, &count, error))
        return FALSE;
    *ret_count = (guint64)count;
    return TRUE;
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

gboolean store_contact_pause(Store *store, gint64 id, gint64 until_ms, gint64 now_ms, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db, "UPDATE contact SET paused_until_ms = $2, pause_reason = '' WHERE id = $1"
                " AND (paused_until_ms <> $2 OR pause_reason <> '')",
                error, DB_INT(id), DB_INT(until_ms > now_ms ? until_ms : 0)))
        return FALSE;
    if (db_changes(store->db) > 0 && !store_mark(store, id, error))
        return FALSE;
    return store_write_end(&write, error);
}

gboolean store_contact_hold(Store *store, gint64 id, gint64 until_ms, const char *reason, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "UPDATE contact SET hold_until_ms = $2, hold_reason = $3 WHERE id = $1"
                " AND (hold_until_ms < $2 OR ($2 = 0 AND hold_until_ms <> 0))",
                error, DB_INT(id), DB_INT(until_ms), DB_TEXT(until_ms != 0 ? reason : "")))
        return FALSE;
    if (db_changes(store->db) > 0 && !store_mark(store, id, error))
        return FALSE;
    return store_write_end(&write, error);
}

/* One UPDATE of the contact, with its mark where it changed something. */
#define update_and_mark(store, id, sql, error, ...) update_and_mark_values((store), (id), (sql), DB_VALUES(__VA_ARGS__), (error))
static gboolean update_and_mark_values(Store *store, gint64 id, const char *sql, const DbValue *values, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) || !db_run_values(store->db, sql, values, error))
        return FALSE;
    if (db_changes(store->db) > 0 && !store_mark(store, id, error))
        return FALSE;
    return store_write_end(&write, error);
}

gboolean store_contact_score(Store *store, gint64 id, double score, gint64 at_ms, GError **error)
{
    return update_and_mark(store, id,
                           "UPDATE contact SET score = $2, score_ms = $3, score_count = score_count + 1"
                           " WHERE id = $1 AND score_ms <= $3", error,
                           DB_INT(id), DB_REAL(score), DB_INT(at_ms));
}

gboolean store_contact_pause_because(Store *store, gint64 id, const char *reason, GError **error)
{
    return update_and_mark(store, id,
                           "UPDATE contact SET paused_until_ms = $2, pause_reason = $3 WHERE id = $1"
                           " AND (paused_until_ms <> $2 OR pause_reason = '')",
                           error, DB_INT(id), DB_INT(G_MAXINT64), DB_TEXT(reason));
}

gboolean store_contact_asked(Store *store, gint64 id, const char *rule, guint round, gint64 now_ms, GError **error)
{
    return store_write_run(store,
                           "UPDATE contact SET asked_ms = $4, asked_rule = $2, asked_round = $3 WHERE id = $1"
                           " AND (asked_ms = 0 OR asked_rule <> $2 OR asked_round <> $3)",
                           error, DB_INT(id), DB_TEXT(rule), DB_INT(round), DB_INT(now_ms));
}

gboolean store_contact_set_reconsider(Store *store, gint64 id, gint64 at_ms, GError **error)
{
    return store_write_run(store, "UPDATE contact SET reconsider_ms = $2 WHERE id = $1 AND reconsider_ms <> $2", error,
                           DB_INT(id), DB_INT(at_ms));
}

/* ---- aliases ---------------------------------------------------------------------------------------------------------- */

gboolean store_contact_aliases(Store *store, gint64 id, char ***ret_addresses, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT address FROM alias WHERE contact_id = $1 ORDER BY address", error, DB_INT(id));
    char **addresses = read_strings(rows, error);
    if (addresses == NULL)
        return FALSE;
    *ret_addresses = addresses;
    return TRUE;
}

static gboolean insert_alias(Store *store, gint64 id, const char *address, GError **error)
{
    gboolean any = FALSE, given_back = FALSE;
    return db_run(store->db, "INSERT INTO alias (address, domain, contact_id) VALUES ($1, $2, $3)", error, DB_TEXT(address),
                  DB_TEXT(store_domain_of(address)), DB_INT(id)) &&
           store_mark(store, id, error) && erased_any(store, &any, error) &&
           (!any || erased_give_back(store, address, &given_back, error));
}

gboolean store_contact_alias_add(Store *store, gint64 id, const char *address, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gint64 holder = 0;
    if (!store_write_begin(store, &write, error) ||
        !db_run_int(store->db, "SELECT " CONTACT_ID_BY_ADDRESS, NULL, &holder, error, DB_TEXT(address)))
        return FALSE;
    if (holder != 0 && holder != id) {
        store_write_void(&write);
        g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS, "%s is another contact's address", address);
        return FALSE;
    }
    if (holder == 0 && !insert_alias(store, id, address, error))
        return FALSE;
    return store_write_end(&write, error);
}

gboolean store_contact_readdress(Store *store, gint64 id, const char *address, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autoptr(Contact) contact = NULL;
    gint64 holder = 0;
    if (!store_contact_get(store, id, &contact, error) ||
        !db_run_int(store->db, "SELECT " CONTACT_ID_BY_ADDRESS, NULL, &holder, error, DB_TEXT(address)))
        return FALSE;
    if (!contact || (holder != 0 && holder != id)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS, "%s is another contact's address", address);
        return FALSE;
    }
    if (g_str_equal(contact->email, address))
        return TRUE;
    /* as an alias first, which sees to what is known of the address already */
    if (!store_write_begin(store, &write, error) || !store_contact_alias_add(store, id, address, error) ||
        !db_run(store->db, "DELETE FROM alias WHERE address = $1", error, DB_TEXT(address)) ||
        !db_run(store->db, "UPDATE contact SET email = $2, domain = $3 WHERE id = $1", error, DB_INT(id), DB_TEXT(address),
                DB_TEXT(store_domain_of(address))) ||
        !insert_alias(store, id, contact->email, error) ||
        !db_run(store->db, "DELETE FROM suppression WHERE address = $1 AND reason = 'bounce'", error, DB_TEXT(contact->email)))
        return FALSE;
    return store_write_end(&write, error);
}

gboolean store_contact_alias_remove(Store *store, gint64 id, const char *address, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db, "DELETE FROM alias WHERE address = $1 AND contact_id = $2", error, DB_TEXT(address), DB_INT(id)))
        return FALSE;
    if (db_changes(store->db) > 0 && !store_mark(store, id, error))
        return FALSE;
    return store_write_end(&write, error);
}
