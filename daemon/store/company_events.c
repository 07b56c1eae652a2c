/*
 * The newest events of each company: its row of company_event for a kind (or "tag:" and the tag) says whose the newest is, and which is the
 * newest of anybody else, so that everybody's question has its answer in one row. What is not known (company.events_known) is gathered from
 * the histories, once. No state of its own; runs in the thread of its Store.
 */
#include "store/company_events.h"

#include <string.h>

#define TAG_EVENT "tag:"

/* ---- keeping ---------------------------------------------------------------------------------------------------------- */

static gboolean note_as(Store *store, const char *event, gint64 id, GError **error)
{
    return db_run(store->db,
                  "INSERT INTO company_event (company_id, event, newest_id, contact_id, other_id)"
                  " SELECT k.company_id, $2, i.id, i.contact_id, 0 FROM interaction i JOIN contact k ON k.id = i.contact_id"
                  " JOIN company c ON c.id = k.company_id WHERE i.id = $1 AND c.events_known = 1 AND " IS_NEWS
                  " ON CONFLICT (company_id, event) DO UPDATE SET newest_id = excluded.newest_id, contact_id = excluded.contact_id,"
                  " other_id = CASE WHEN company_event.contact_id = excluded.contact_id THEN company_event.other_id"
                  " ELSE company_event.newest_id END",
                  error, DB_INT(id), DB_TEXT(event));
}

static gboolean note_tag(Store *store, const char *detail, gint64 id, GError **error)
{
    if (!g_str_has_prefix(detail, TAG_ADDED))
        return TRUE;
    g_autofree char *tag = store_key(detail + strlen(TAG_ADDED));
    g_autofree char *event = g_strconcat(TAG_EVENT, tag, NULL);
    return note_as(store, event, id, error);
}

gboolean company_events_note(Store *store, const Interaction *interaction, gint64 id, GError **error)
{
    if (interaction->kind == INTERACTION_SENT || interaction->kind == INTERACTION_SKIPPED) /* most of all, and never news */
        return TRUE;
    return note_as(store, interaction_kind_name(interaction->kind), id, error) &&
           (interaction->kind != INTERACTION_TAG || note_tag(store, interaction->detail, id, error));
}

gboolean company_events_forget(Store *store, gint64 company_id, GError **error)
{
    return company_id == 0 ||
           (db_run(store->db, "UPDATE company SET events_known = 0 WHERE id = $1 AND events_known = 1", error, DB_INT(company_id)) &&
            (db_changes(store->db) == 0 ||
             db_run(store->db, "DELETE FROM company_event WHERE company_id = $1", error, DB_INT(company_id))));
}

/* ---- gathering -------------------------------------------------------------------------------------------------------- */

static void free_interaction(gpointer data)
{
    Interaction *interaction = data;
    g_free((char *)interaction->detail);
    g_free(interaction);
}

/* All news of the company's people, oldest first: Interaction*. */
static GPtrArray *news_of(Store *store, gint64 company_id, GError **error)
{
    g_autoptr(GPtrArray) news = g_ptr_array_new_with_free_func(free_interaction);
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           "SELECT i.id, i.kind, i.detail FROM contact k CROSS JOIN interaction i"
                                           " WHERE k.company_id = $1 AND i.contact_id = k.id AND " IS_NEWS " ORDER BY i.id",
                                           error, DB_INT(company_id));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) {
        Interaction *interaction = g_new0(Interaction, 1);
        interaction->id = db_int(rows, 0);
        interaction_kind_parse(db_text(rows, 1), &interaction->kind);
        interaction->detail = g_strdup(db_text(rows, 2));
        g_ptr_array_add(news, interaction);
    }
    return step != DB_FAILED ? g_steal_pointer(&news) : NULL;
}

static gboolean gather(Store *store, gint64 company_id, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db, "UPDATE company SET events_known = 1 WHERE id = $1", error, DB_INT(company_id)))
        return FALSE;
    g_autoptr(GPtrArray) news = news_of(store, company_id, error);
    if (news == NULL)
        return FALSE;
    for (guint i = 0; i < news->len; i++) {
        const Interaction *interaction = news->pdata[i];
        if (!company_events_note(store, interaction, interaction->id, error))
            return FALSE;
    }
    return store_write_end(&write, error);
}

/* ---- asking ----------------------------------------------------------------------------------------------------------- */

/* *ret_id: the contact's company, whose events are known by now; 0: none. */
static gboolean company_of(Store *store, gint64 contact_id, gint64 *ret_id, GError **error)
{
    gint64 id = 0;
    gboolean known = FALSE;
    {
        g_autoptr(DbStatement) row = db_query(store->db,
                                              "SELECT c.id, c.events_known FROM contact k JOIN company c ON c.id = k.company_id WHERE k.id = $1",
                                              error, DB_INT(contact_id));
        DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
        if (step == DB_FAILED)
            return FALSE;
        id = step == DB_ROW ? db_int(row, 0) : 0;
        known = step == DB_ROW && db_int(row, 1) != 0;
    }
    if (id != 0 && !known && !gather(store, id, error))
        return FALSE;
    *ret_id = id;
    return TRUE;
}

/* SQL over company_event, for contact $2: the newest of the colleagues is behind $3. */
#define COLLEAGUES_IS_BEHIND "CASE WHEN contact_id = $2 THEN other_id ELSE newest_id END > $3"

gboolean store_history_colleagues_kinds_after(Store *store, gint64 contact_id, gint64 after_id, guint *ret_kinds, GError **error)
{
    gint64 company_id = 0;
    guint kinds = 0;
    InteractionKind kind;
    if (!company_of(store, contact_id, &company_id, error))
        return FALSE;
    g_autoptr(DbStatement) rows = db_query(store->db, "SELECT event FROM company_event WHERE company_id = $1 AND " COLLEAGUES_IS_BEHIND,
                                           error, DB_INT(company_id), DB_INT(contact_id), DB_INT(after_id));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        if (interaction_kind_parse(db_text(rows, 0), &kind)) /* a tag's own row is no kind */
            kinds |= 1U << kind;
    if (step == DB_FAILED)
        return FALSE;
    *ret_kinds = kinds;
    return TRUE;
}

gboolean store_history_colleagues_tagged_after(Store *store, gint64 contact_id, gint64 after_id, const char *const *tags, gboolean *ret_tagged,
                                               GError **error)
{
    gint64 company_id = 0;
    gboolean tagged = FALSE;
    if (!company_of(store, contact_id, &company_id, error))
        return FALSE;
    for (; !tagged && *tags != NULL; tags++) {
        g_autofree char *tag = store_key(*tags);
        g_autofree char *event = g_strconcat(TAG_EVENT, tag, NULL);
        if (!db_run_int(store->db, "SELECT 1 FROM company_event WHERE company_id = $1 AND event = $4 AND " COLLEAGUES_IS_BEHIND, &tagged, NULL,
                        error, DB_INT(company_id), DB_INT(contact_id), DB_INT(after_id), DB_TEXT(event)))
            return FALSE;
    }
    *ret_tagged = tagged;
    return TRUE;
}
