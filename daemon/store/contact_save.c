/*
 * Adding contacts, or applying what differs from what is known. Made for imports of a million rows: only the statements that
 * something needs, and where nothing differs nothing is written.
 *
 * The wish is laid over the row as it is (ContactRow, all text borrowed), and the two are compared. Of many, a row is first inserted as
 * somebody new, and looked up where its address is known; what all new ones have in common, the entry of their stage on the history
 * and the mark, is written for all of them by one statement each.
 */
#include <string.h>

#include "store/company_events.h"
#include "store/contact_insert.h"
#include "store/contacts.h"
#include "store/erased.h"
#include "store/history.h"
#include "store/internal.h"
#include "store/marks.h"

/* One contact that is saved. */
typedef struct {
    Store *store;
    const ContactEdit *edit;
    const char *customer_stage;
    gint64 now_ms;
    ContactRow was, row;
    gboolean changed, stage_changed;
    char *attributes; /* owned text of row.attributes, where changed */
    ContactSaveResult *result;
} Saving;

/* One call of store_contacts_save(). */
typedef struct {
    Store *store;
    const char *first_stage;
    gboolean has_aliases;               /* an address may be somebody's second one */
    gboolean has_erased;                /* an address may be that of somebody who was erased */
    gboolean expect_known;              /* the one before was known: look up first */
    gint64 newest_id;                   /* of all contacts */
    gint64 first_id, last_id;           /* of those added for whom write_for_new() is still to come; 0: none */
    gint64 id;                          /* of the contact saved last */
    TagInserts tags;                    /* of those added */
    Saving waiting[CONTACT_INSERT_MAX]; /* as somebody new: to be inserted together */
    guint n_waiting;
} Many;

static const ContactRow nobody = {.first_name = "",
                                  .last_name = "",
                                  .stage = "",
                                  .time_zone = "",
                                  .language = "",
                                  .owner = "",
                                  .source = "",
                                  .attributes = "{}"};

static DbStatement *load(Saving *saving, GError **error)
{
    DbStatement *found =
        db_query(saving->store->db,
                 "SELECT c.id, c.first_name, c.last_name, c.stage, c.time_zone, c.language, c.owner, c.source, c.attributes,"
                 " coalesce(c.company_id, 0), c.stage_since_ms, c.customer_since_ms FROM contact c WHERE c.id "
                 "= " CONTACT_ID_BY_ADDRESS,
                 error, DB_TEXT(saving->edit->email));
    DbStep step = found != NULL ? db_step(found, error) : DB_FAILED;
    saving->was = nobody;
    if (step == DB_FAILED) {
        db_release(found);
        return NULL;
    }
    if (step == DB_ROW)
        saving->was = (ContactRow){
            .id = db_int(found, 0),
            .first_name = db_text(found, 1),
            .last_name = db_text(found, 2),
            .stage = db_text(found, 3),
            .time_zone = db_text(found, 4),
            .language = db_text(found, 5),
            .owner = db_text(found, 6),
            .source = db_text(found, 7),
            .attributes = db_text(found, 8),
            .company_id = db_int(found, 9),
            .stage_since_ms = db_int(found, 10),
            .customer_since_ms = db_int(found, 11),
        };
    saving->row = saving->was;
    return found;
}

static void lay_text(Saving *saving, const char **field, const char *wanted)
{
    if (wanted == NULL || strcmp(*field, wanted) == 0)
        return;
    *field = wanted;
    saving->changed = TRUE;
}

static void lay_time(Saving *saving, gint64 *field, gint64 wanted_ms)
{
    if (wanted_ms == 0 || *field == wanted_ms)
        return;
    *field = wanted_ms;
    saving->changed = TRUE;
}

static gboolean same_key(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return TRUE;
    if (a[0] == '\0' || b[0] == '\0')
        return FALSE;
    if (g_str_is_ascii(a) && g_str_is_ascii(b))
        return g_ascii_strcasecmp(a, b) == 0;
    g_autofree char *key_a = store_key(a);
    g_autofree char *key_b = store_key(b);
    return strcmp(key_a, key_b) == 0;
}

static void lay_stage(Saving *saving, const char *wanted)
{
    const ContactEdit *edit = saving->edit;
    ContactRow *row = &saving->row;
    saving->stage_changed = wanted != NULL && !same_key(row->stage, wanted);
    if (saving->stage_changed) {
        row->stage = wanted;
        row->stage_since_ms = edit->stage_since_ms != 0 ? edit->stage_since_ms : saving->now_ms;
        saving->changed = TRUE;
    } else if (row->stage[0] != '\0') {
        lay_time(saving, &row->stage_since_ms, edit->stage_since_ms);
    }
    lay_time(saving, &row->customer_since_ms, edit->customer_since_ms);
    gboolean enters = saving->stage_changed && saving->customer_stage != NULL && row->stage[0] != '\0' &&
                      same_key(row->stage, saving->customer_stage);
    if (enters && row->customer_since_ms == 0)
        lay_time(saving, &row->customer_since_ms, row->stage_since_ms);
}

/* An import names the same companies over and over. */
static gboolean company_id(Store *store, const char *name, gint64 *ret_id, GError **error)
{
    gpointer known = store->companies != NULL ? g_hash_table_lookup(store->companies, name) : NULL;
    if (known != NULL) {
        *ret_id = (gint64)GPOINTER_TO_SIZE(known);
        return TRUE;
    }
    if (!company_id_for(store, name, ret_id, error))
        return FALSE;
    if (store->companies != NULL)
        g_hash_table_insert(store->companies, g_strdup(name), GSIZE_TO_POINTER((gsize)*ret_id));
    return TRUE;
}

/* What others did meanwhile may have taken companies away. */
static void check_companies(Store *store)
{
    if (store->companies == NULL)
        return;
    gint64 version = store->db->driver->foreign_changes(store->db);
    if (version != store->companies_version)
        store_forget_known(store);
    store->companies_version = version;
}

static gboolean lay_company(Saving *saving, GError **error)
{
    const char *name = saving->edit->company;
    gint64 id = 0;
    if (name == NULL)
        return TRUE;
    if (name[0] != '\0' && !company_id(saving->store, name, &id, error))
        return FALSE;
    if (id != saving->row.company_id) {
        saving->row.company_id = id;
        saving->changed = TRUE;
    }
    return TRUE;
}

static gboolean lay_wish(Saving *saving, const char *first_stage, GError **error)
{
    const ContactEdit *edit = saving->edit;
    ContactRow *row = &saving->row;
    gboolean new_without_stage = row->id == 0 && (edit->stage == NULL || edit->stage[0] == '\0');
    lay_text(saving, &row->first_name, edit->first_name);
    lay_text(saving, &row->last_name, edit->last_name);
    lay_text(saving, &row->time_zone, edit->time_zone);
    lay_text(saving, &row->language, edit->language);
    lay_text(saving, &row->owner, edit->owner);
    lay_text(saving, &row->source, edit->source);
    lay_stage(saving, new_without_stage ? first_stage : edit->stage);
    if (!lay_company(saving, error) || !attributes_merge(row->attributes, edit->attributes, &saving->attributes, error))
        return FALSE;
    if (saving->attributes != NULL)
        lay_text(saving, &row->attributes, saving->attributes);
    return TRUE;
}

static gboolean update_row(Saving *saving, GError **error)
{
    const ContactRow *row = &saving->row;
    g_auto(ContactKeys) keys = {0};
    contact_keys_init(&keys, row);
    return db_run(saving->store->db,
                  "UPDATE contact SET first_name = $2, last_name = $3, company_id = $4, stage = $5, stage_key = $6, "
                  "stage_since_ms = $7,"
                  " customer_since_ms = $8, time_zone = $9, language = $10, language_key = $11, owner = $12, owner_key "
                  "= $13, source = $14,"
                  " source_key = $15, attributes = $16 WHERE id = $1",
                  error, DB_INT(row->id), DB_TEXT(row->first_name), DB_TEXT(row->last_name),
                  row->company_id != 0 ? DB_INT(row->company_id) : DB_NULL, DB_TEXT(row->stage), DB_TEXT(keys.stage),
                  DB_INT(row->stage_since_ms), DB_INT(row->customer_since_ms), DB_TEXT(row->time_zone),
                  DB_TEXT(row->language), DB_TEXT(keys.language), DB_TEXT(row->owner), DB_TEXT(keys.owner),
                  DB_TEXT(row->source), DB_TEXT(keys.source), DB_TEXT(row->attributes));
}

/* Their history goes with them to the new company. */
static gboolean move_events(const Saving *saving, GError **error)
{
    gint64 was = saving->was.company_id, is = saving->row.company_id;
    return was == is || (company_events_forget(saving->store, was, error) && company_events_forget(saving->store, is, error));
}

static gboolean write_stage_change(Saving *saving, GError **error)
{
    g_autofree char *detail = g_strstrip(g_strdup_printf("%s -> %s", saving->was.stage, saving->row.stage));
    Interaction interaction = {
        .contact_id = saving->row.id,
        .at_ms = saving->row.stage_since_ms,
        .kind = INTERACTION_STAGE,
        .detail = detail,
    };
    return store_history_add(saving->store, &interaction, NULL, error);
}

/* For a contact who was there before: that a new one has tags is no event. */
static gboolean write_tag_change(Saving *saving, const char *what, const char *tag, GError **error)
{
    saving->changed = TRUE;
    g_autofree char *detail = g_strconcat(what, tag, NULL);
    Interaction interaction = {
        .contact_id = saving->row.id,
        .at_ms = saving->now_ms,
        .kind = INTERACTION_TAG,
        .detail = detail,
    };
    return store_history_add(saving->store, &interaction, NULL, error);
}

static gboolean write_tags(Saving *saving, GError **error)
{
    Db *db = saving->store->db;
    const char *const *remove = saving->edit->remove_tags;
    const char *const *add = saving->edit->add_tags;
    for (gsize i = 0; remove != NULL && remove[i] != NULL; i++) {
        g_autofree char *key = store_key(remove[i]);
        if (!db_run(db, "DELETE FROM tag WHERE contact_id = $1 AND name_key = $2", error, DB_INT(saving->row.id),
                    DB_TEXT(key)) ||
            (db_changes(db) > 0 && !write_tag_change(saving, TAG_REMOVED, remove[i], error)))
            return FALSE;
    }
    for (gsize i = 0; add != NULL && add[i] != NULL; i++) {
        if (add[i][0] == '\0')
            continue;
        g_autofree char *key = store_key(add[i]);
        if (!db_run(db,
                    "INSERT INTO tag (contact_id, name_key, name) VALUES ($1, $2, $3) ON CONFLICT (contact_id, name_key) DO "
                    "NOTHING",
                    error, DB_INT(saving->row.id), DB_TEXT(key), DB_TEXT(add[i])) ||
            (db_changes(db) > 0 && !write_tag_change(saving, TAG_ADDED, add[i], error)))
            return FALSE;
    }
    return TRUE;
}

/* Where somebody is new, history and mark are left to the caller. */
static gboolean write_known(Saving *saving, GError **error)
{
    if (saving->changed && (!update_row(saving, error) || !move_events(saving, error)))
        return FALSE;
    if (saving->stage_changed && !write_stage_change(saving, error))
        return FALSE;
    if (!write_tags(saving, error))
        return FALSE;
    return !saving->changed || store_mark(saving->store, saving->row.id, error);
}

/* ---- those known already ------------------------------------------------------------------------------------------------------ */

/* What all new ones have in common, as they are now. The numbers of one transaction's new contacts follow each other, since it alone writes. */
static gboolean write_for_new(Store *store, Many *many, GError **error)
{
    const gint64 first_id = many->first_id, last_id = many->last_id;
    many->first_id = many->last_id = 0;
    return first_id == 0 ||
           (tag_inserts_flush(&many->tags, store->db, error) &&
            db_run(store->db,
                   "INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, "
                   "message_id, detail)"
                   " SELECT id, stage_since_ms, 'stage', '', '', '', '', '', '', '', '-> ' || stage FROM contact"
                   " WHERE id >= $1 AND id <= $2 AND stage <> '' ORDER BY id",
                   error, DB_INT(first_id), DB_INT(last_id)) &&
            db_run(store->db, "INSERT INTO mark (contact_id) SELECT id FROM contact WHERE id >= $1 AND id <= $2 ORDER BY id",
                   error, DB_INT(first_id), DB_INT(last_id)));
}

/* Where somebody has the address; else *ret_found FALSE, and nothing is written. */
static gboolean save_known(Many *many, Saving *saving, gboolean *ret_found, GError **error)
{
    /* kept until the end: the row's text belongs to it */
    g_autoptr(DbStatement) found = load(saving, error);
    if (found == NULL)
        return FALSE;
    const gint64 id = saving->was.id;
    *ret_found = id != 0;
    if (id == 0)
        return TRUE;
    /* added just now, and changed already: what is told of them comes in its order */
    if (many->first_id != 0 && id >= many->first_id && !write_for_new(many->store, many, error))
        return FALSE;
    gboolean ok = lay_wish(saving, many->first_stage, error) && write_known(saving, error);
    g_clear_pointer(&saving->attributes, g_free);
    many->id = id;
    *saving->result = saving->changed ? CONTACT_CHANGED : CONTACT_UNCHANGED;
    return ok;
}

/* ---- those who are new ------------------------------------------------------------------------------------------------ */

static gboolean welcome(const Many *many, Saving *saving, GError **error)
{
    gboolean came_back = FALSE;
    if (many->has_erased && !erased_give_back(many->store, saving->edit->email, &came_back, error))
        return FALSE;
    *saving->result = came_back ? CONTACT_CAME_BACK : CONTACT_CREATED;
    return TRUE;
}

static gboolean finish_new(Many *many, Saving *saving, gint64 id, GError **error)
{
    many->id = many->last_id = many->newest_id = saving->row.id = id;
    many->first_id = many->first_id == 0 ? id : many->first_id;
    many->expect_known = FALSE;
    const char *const *tags = saving->edit->add_tags;
    for (gsize i = 0; tags != NULL && tags[i] != NULL; i++)
        if (tags[i][0] != '\0' && !tag_inserts_add(&many->tags, many->store->db, id, tags[i], error))
            return FALSE;
    return welcome(many, saving, error);
}

/* One of those who waited, of whom some turned out to be known, or to be the same person. */
static gboolean finish_either(Many *many, Saving *saving, GError **error)
{
    gint64 id = 0;
    gboolean found = FALSE;
    if (!db_run_int(many->store->db, "SELECT id FROM contact WHERE email = $1", NULL, &id, error,
                    DB_TEXT(saving->edit->email)))
        return FALSE;
    if (id > many->newest_id) /* they were given their numbers in their order */
        return finish_new(many, saving, id, error);
    g_clear_pointer(&saving->attributes, g_free);
    saving->changed = saving->stage_changed = FALSE;
    many->expect_known = TRUE;
    return save_known(many, saving, &found, error);
}

static gboolean insert_waiting(Many *many, GError **error)
{
    NewContact contacts[CONTACT_INSERT_MAX];
    const guint n = many->n_waiting;
    guint added = 0;
    gint64 last_id = 0;
    if (n == 0)
        return TRUE;
    for (guint i = 0; i < n; i++)
        contacts[i] = (NewContact){.email = many->waiting[i].edit->email, .row = &many->waiting[i].row};
    gboolean ok = contact_insert(many->store->db, contacts, n, many->waiting[0].now_ms, &added, &last_id, error);
    for (guint i = 0; ok && i < n; i++)
        ok = added == n ? finish_new(many, &many->waiting[i], last_id - n + i + 1, error)
                        : finish_either(many, &many->waiting[i], error);
    for (guint i = 0; i < n; i++)
        g_clear_pointer(&many->waiting[i].attributes, g_free);
    many->n_waiting = 0;
    return ok;
}

static gboolean is_alias(const Many *many, const char *email, gboolean *ret_is_alias, GError **error)
{
    *ret_is_alias = FALSE;
    return !many->has_aliases ||
           db_run_int(many->store->db, "SELECT 1 FROM alias WHERE address = $1", ret_is_alias, NULL, error, DB_TEXT(email));
}

static gboolean save_one(Many *many, const Saving *one, GError **error)
{
    gboolean known = many->expect_known, found = FALSE;
    if (!known && !is_alias(many, one->edit->email, &known, error))
        return FALSE;
    if (known) {
        Saving saving = *one;
        if (!insert_waiting(many, error) || !save_known(many, &saving, &found, error))
            return FALSE;
        many->expect_known = found;
    }
    if (found)
        return TRUE;
    Saving *saving = &many->waiting[many->n_waiting++];
    *saving = *one;
    saving->was = saving->row = nobody;
    return lay_wish(saving, many->first_stage, error) &&
           (many->n_waiting < CONTACT_INSERT_MAX || insert_waiting(many, error));
}

static gboolean many_init(Many *many, GError **error)
{
    check_companies(many->store);
    return db_run_int(many->store->db, "SELECT 1 FROM alias LIMIT 1", &many->has_aliases, NULL, error) &&
           erased_any(many->store, &many->has_erased, error) &&
           db_run_int(many->store->db, "SELECT coalesce(max(id), 0) FROM contact", NULL, &many->newest_id, error);
}

static gboolean save_all(Many *many, const ContactEdits *edits, const Saving *like, ContactSaveResult *ret_results,
                         GError **error)
{
    gboolean ok = many_init(many, error);
    for (guint i = 0; ok && i < edits->len; i++) {
        Saving one = *like;
        one.edit = edits->edits[i];
        one.result = &ret_results[i];
        ok = save_one(many, &one, error);
    }
    ok = ok && insert_waiting(many, error) && write_for_new(many->store, many, error);
    for (guint i = 0; i < many->n_waiting; i++)
        g_clear_pointer(&many->waiting[i].attributes, g_free);
    tag_inserts_clear(&many->tags);
    return ok;
}

gboolean store_contacts_save(Store *store, const ContactEdits *edits, const char *customer_stage, const char *first_stage,
                             gint64 now_ms, ContactSaveResult *ret_results, GError **error)
{
    const Saving like = {.store = store, .customer_stage = customer_stage, .now_ms = now_ms};
    Many many = {.store = store, .first_stage = first_stage, .expect_known = TRUE};
    g_auto(StoreWrite) write = {0};
    return store_write_begin(store, &write, error) && save_all(&many, edits, &like, ret_results, error) &&
           store_write_end(&write, error);
}

gboolean store_contact_save(Store *store, const ContactEdit *edit, const char *customer_stage, const char *first_stage,
                            gint64 now_ms, ContactSaveResult *ret_result, gint64 *ret_id, GError **error)
{
    const Saving like = {.store = store, .customer_stage = customer_stage, .now_ms = now_ms};
    const ContactEdits edits = {.edits = &edit, .len = 1};
    Many many = {.store = store, .first_stage = first_stage, .expect_known = TRUE};
    ContactSaveResult result;
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) || !save_all(&many, &edits, &like, &result, error) ||
        !store_write_end(&write, error))
        return FALSE;
    if (ret_result != NULL)
        *ret_result = result;
    if (ret_id != NULL)
        *ret_id = many.id;
    return TRUE;
}
