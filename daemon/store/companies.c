/*
 * Companies: made by their first contact, or when something is said of them. No state of its own; runs in the thread of its Store.
 */
#include "store/companies.h"

#include "store/contact_edit.h"
#include "store/internal.h"

#define COMPANY_SELECT                                                                                                      \
    "SELECT k.id, k.name, k.time_zone, k.attributes, (SELECT count(*) FROM contact c WHERE c.company_id = k.id)"            \
    " FROM company k "

void company_free(Company *company)
{
    if (company == NULL)
        return;
    g_free(company->name);
    g_free(company->time_zone);
    g_free(company->attributes);
    g_free(company);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static Company *company_of(DbStatement *row)
{
    Company *company = g_new0(Company, 1);
    company->id = db_int(row, 0);
    company->name = g_strdup(db_text(row, 1));
    company->time_zone = g_strdup(db_text(row, 2));
    company->attributes = g_strdup(db_text(row, 3));
    company->n_contacts = (guint64)db_int(row, 4);
    return company;
}

gboolean store_company_find(Store *store, const char *name, Company **ret_company, GError **error)
{
    g_autofree char *key = store_key(name);
    g_autoptr(DbStatement) row = db_query(store->db, COMPANY_SELECT "WHERE k.name_key = $1", error, DB_TEXT(key));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_company = step == DB_ROW ? company_of(row) : NULL;
    return TRUE;
}

gboolean store_company_each(Store *store, gboolean (*func)(const Company *company, gpointer data), gpointer data,
                            GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, COMPANY_SELECT "ORDER BY k.name_key", error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(Company) company = company_of(rows);
        go_on = func(company, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

gboolean company_id_for(Store *store, const char *name, gint64 *ret_id, GError **error)
{
    gboolean found = FALSE;
    g_autofree char *key = store_key(name);
    if (!db_run_int(store->db, "SELECT id FROM company WHERE name_key = $1", &found, ret_id, error, DB_TEXT(key)))
        return FALSE;
    return found || db_insert(store->db, "INSERT INTO company (name, name_key) VALUES ($1, $2)", NULL, ret_id, error,
                              DB_TEXT(name), DB_TEXT(key));
}

static gboolean update_company(Store *store, gint64 id, const char *time_zone, GHashTable *attributes, gboolean *ret_changed,
                               GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT time_zone, attributes FROM company WHERE id = $1", error, DB_INT(id));
    if (row == NULL || db_step(row, error) != DB_ROW)
        return FALSE;
    g_autofree char *merged = NULL;
    if (!attributes_merge(db_text(row, 1), attributes, &merged, error))
        return FALSE;
    *ret_changed = merged != NULL || (time_zone != NULL && g_strcmp0(time_zone, db_text(row, 0)) != 0);
    return !*ret_changed || db_run(store->db, "UPDATE company SET time_zone = $2, attributes = $3 WHERE id = $1", error,
                                   DB_INT(id), DB_TEXT(time_zone != NULL ? time_zone : db_text(row, 0)),
                                   DB_TEXT(merged != NULL ? merged : db_text(row, 1)));
}

gboolean store_company_save(Store *store, const char *name, const char *time_zone, GHashTable *attributes,
                            gboolean *ret_changed, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gint64 id = 0;
    gboolean changed = FALSE;
    if (!store_write_begin(store, &write, error) || !company_id_for(store, name, &id, error) ||
        !update_company(store, id, time_zone, attributes, &changed, error))
        return FALSE;
    if (changed &&
        !db_run(
            store->db,
            "INSERT INTO mark (contact_id) SELECT id FROM contact WHERE company_id = $1 ON CONFLICT (contact_id) DO NOTHING",
            error, DB_INT(id)))
        return FALSE;
    if (!store_write_end(&write, error))
        return FALSE;
    if (ret_changed != NULL)
        *ret_changed = changed;
    return TRUE;
}
