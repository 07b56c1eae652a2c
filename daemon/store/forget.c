/*
 * Erasing a person: their own rows go with the contact's, and their addresses are put out in what is other people's. No state of its own; runs in the
 * thread of its Store.
 *
 * SQLite overwrites what is deleted (secure_delete); what its log still holds of it goes by store_erase_traces().
 */
#include <string.h>

#include "store/company_events.h"
#include "store/contacts.h"
#include "store/erased.h"
#include "store/internal.h"

/* ---- in other people's texts ------------------------------------------------------------------------------------------ */

enum { TEXTS_MAX = 4 };

/* Texts of others in which an address may stand. */
typedef struct {
    const char *find;   /* $1: the contact, $2: the address, lower case; gives id and the texts */
    const char *change; /* $1: id, then the texts */
    guint n_texts;
} Mention;

static const Mention mentions[] = {
    {"SELECT id, subject, text, full_text, detail FROM interaction WHERE contact_id <> $1 AND (instr(lower(subject), $2) > 0"
     " OR instr(lower(text), $2) > 0 OR instr(lower(full_text), $2) > 0 OR instr(lower(detail), $2) > 0)",
     "UPDATE interaction SET subject = $2, text = $3, full_text = $4, detail = $5 WHERE id = $1", 4},
    {"SELECT id, text FROM task WHERE contact_id <> $1 AND instr(lower(text), $2) > 0", "UPDATE task SET text = $2 WHERE id = $1", 1},
    {"SELECT id, evidence, reason, basis FROM referral WHERE referrer_id <> $1 AND (instr(lower(evidence), $2) > 0"
     " OR instr(lower(reason), $2) > 0 OR instr(lower(basis), $2) > 0)",
     "UPDATE referral SET evidence = $2, reason = $3, basis = $4 WHERE id = $1", 3},
    {"SELECT id, evidence FROM proposal WHERE contact_id <> $1 AND instr(lower(evidence), $2) > 0",
     "UPDATE proposal SET evidence = $2 WHERE id = $1", 1},
};

/* One row with what stands in it now. */
typedef struct {
    gint64 id;
    char *texts[TEXTS_MAX];
} Mentioning;

static void mentioning_free(gpointer data)
{
    Mentioning *row = data;
    for (guint i = 0; i < TEXTS_MAX; i++)
        g_free(row->texts[i]);
    g_free(row);
}

static gboolean is_of_address(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL) || (guchar)c >= 0x80;
}

/* Whether what stands at start, so long, is a whole address: "anna@b.no" is none in "johanna@b.no" or "anna@b.nord.no", but is one before a full
 * stop. */
static gboolean is_whole(const char *text, const char *start, gsize length)
{
    const char *end = start + length;
    gboolean goes_on = is_of_address(*end) || (*end == '.' && g_ascii_isalnum(end[1]));
    gboolean began = start > text && (is_of_address(start[-1]) || (start[-1] == '.' && start - 1 > text && g_ascii_isalnum(start[-2])));
    return !goes_on && !began;
}

/* NULL where the address does not stand in it. Caller frees. */
static char *without_address(const char *text, const char *address)
{
    const gsize length = strlen(address);
    GString *kept = g_string_new(NULL);
    gboolean found = FALSE;
    for (const char *p = text; *p != '\0';)
        if (g_ascii_strncasecmp(p, address, length) == 0 && is_whole(text, p, length)) {
            g_string_append(kept, CONTACT_ERASED);
            p += length;
            found = TRUE;
        } else {
            g_string_append_c(kept, *p++);
        }
    char *result = g_string_free(kept, FALSE);
    if (!found)
        g_clear_pointer(&result, g_free);
    return result;
}

static GPtrArray *find_mentions(Store *store, const Mention *mention, gint64 contact_id, const char *address, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(mentioning_free);
    g_autofree char *key = g_ascii_strdown(address, -1);
    g_autoptr(DbStatement) rows = db_query(store->db, mention->find, error, DB_INT(contact_id), DB_TEXT(key));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) {
        Mentioning *row = g_new0(Mentioning, 1);
        gboolean any = FALSE;
        row->id = db_int(rows, 0);
        for (guint i = 0; i < mention->n_texts; i++) {
            const char *text = db_text(rows, (int)i + 1);
            row->texts[i] = without_address(text, address);
            any |= row->texts[i] != NULL;
            if (row->texts[i] == NULL)
                row->texts[i] = g_strdup(text);
        }
        if (any)
            g_ptr_array_add(found, row);
        else
            mentioning_free(row);
    }
    return step != DB_FAILED ? g_steal_pointer(&found) : NULL;
}

static gboolean change_mention(Store *store, const Mention *mention, const Mentioning *row, GError **error)
{
    DbValue values[TEXTS_MAX + 2] = {DB_INT(row->id)};
    for (guint i = 0; i < mention->n_texts; i++)
        values[i + 1] = DB_TEXT(row->texts[i]);
    values[mention->n_texts + 1] = (DbValue){.type = DB_VALUE_END};
    return db_run_values(store->db, mention->change, values, error);
}

static gboolean put_out(Store *store, gint64 contact_id, const char *address, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(mentions); i++) {
        g_autoptr(GPtrArray) rows = find_mentions(store, &mentions[i], contact_id, address, error);
        for (guint j = 0; rows != NULL && j < rows->len; j++)
            if (!change_mention(store, &mentions[i], g_ptr_array_index(rows, j), error))
                return FALSE;
        if (rows == NULL)
            return FALSE;
    }
    return TRUE;
}

static gboolean put_out_all(Store *store, gint64 id, GError **error)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT address FROM contact_address WHERE contact_id = $1", error, DB_INT(id));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(addresses, g_strdup(db_text(rows, 0)));
    if (step == DB_FAILED)
        return FALSE;
    for (guint i = 0; i < addresses->len; i++)
        if (!put_out(store, id, g_ptr_array_index(addresses, i), error))
            return FALSE;
    return TRUE;
}

/* What told their owner of them: the subject has their name, the text their words. One that is still on its way tells no more than this. */
static gboolean put_out_notices(Store *store, gint64 id, GError **error)
{
    return db_run(store->db,
                  "UPDATE notice SET subject = $2, text = $2 WHERE EXISTS (SELECT 1 FROM contact_address a WHERE a.contact_id = $1"
                  " AND (instr(lower(notice.text), lower(a.address)) > 0 OR instr(lower(notice.subject), lower(a.address)) > 0))"
                  " OR EXISTS (SELECT 1 FROM contact c WHERE c.id = $1 AND trim(c.first_name || ' ' || c.last_name) <> ''"
                  "     AND instr(notice.subject, trim(c.first_name || ' ' || c.last_name)) > 0)",
                  error, DB_INT(id), DB_TEXT(CONTACT_ERASED));
}

/* ---- the person ------------------------------------------------------------------------------------------------------- */

gboolean store_contact_forget(Store *store, gint64 id, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gint64 company = 0;
    return store_write_begin(store, &write, error) &&
           db_run_int(store->db, "SELECT coalesce(company_id, 0) FROM contact WHERE id = $1", NULL, &company, error,
                      DB_INT(id)) &&
           put_out_all(store, id, error) && erased_take(store, id, error) &&
           /* what others told of them goes too; all the rest follows the contact's row */
           db_run(store->db,
                  "DELETE FROM referral WHERE contact_id = $1 OR (address <> '' AND"
                  " address IN (SELECT address FROM contact_address WHERE contact_id = $1))",
                  error, DB_INT(id)) &&
           put_out_notices(store, id, error) &&
           db_run(store->db,
                  "DELETE FROM proposal WHERE address <> '' AND address IN (SELECT address FROM contact_address WHERE contact_id = $1)", error,
                  DB_INT(id)) &&
           enrolments_forget_due(store, id, error) && company_events_forget(store, company, error) &&
           db_run(store->db, "DELETE FROM contact WHERE id = $1", error, DB_INT(id)) &&
           db_run(store->db,
                  "DELETE FROM company WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM contact WHERE company_id = $1)", error,
                  DB_INT(company)) &&
           store_write_end(&write, error);
}

gboolean store_erase_traces(Store *store, gboolean *ret_done, GError **error)
{
    g_assert(store->transaction == NULL);
    return store->db->driver->empty_log(store->db, ret_done, error);
}
