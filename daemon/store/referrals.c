/*
 * Referrals added and read; how they move on is in referral_moves.c. No state of its own; runs in the thread of its Store.
 */
#include "store/referrals.h"

#include "store/internal.h"

#define REFERRAL_SELECT                                                                                                     \
    "SELECT r.id, r.referrer_id, coalesce(r.contact_id, 0), r.address, r.name, r.phone, r.company, r.how, r.certain, "      \
    "r.evidence, r.message_id, r.rule, r.state, r.reason, r.basis, r.at_ms, r.wrote_ms, r.accepted_ms, r.contacted_ms, "    \
    "r.customer_ms, r.ended_ms, r.accepted_number, r.customer_number, c.email, c.first_name, c.last_name, c.owner"                   \
    " FROM referral r JOIN contact c ON c.id = r.referrer_id "

static const char *const state_names[] = {
    [REFERRAL_PROPOSED] = "proposed",   [REFERRAL_ACCEPTED] = "accepted", [REFERRAL_DECLINED] = "declined",
    [REFERRAL_CONTACTED] = "contacted", [REFERRAL_CUSTOMER] = "customer", [REFERRAL_LOST] = "lost",
};

const char *referral_state_name(ReferralState state)
{
    g_assert((guint)state < G_N_ELEMENTS(state_names));
    return state_names[state];
}

gboolean referral_state_parse(const char *name, ReferralState *ret_state)
{
    for (guint i = 0; i < G_N_ELEMENTS(state_names); i++)
        if (g_strcmp0(name, state_names[i]) == 0) {
            *ret_state = (ReferralState)i;
            return TRUE;
        }
    return FALSE;
}

void referral_free(Referral *referral)
{
    if (referral == NULL)
        return;
    g_free(referral->referrer);
    g_free(referral->referrer_name);
    g_free(referral->owner);
    g_free(referral->address);
    g_free(referral->name);
    g_free(referral->phone);
    g_free(referral->company);
    g_free(referral->how);
    g_free(referral->evidence);
    g_free(referral->message_id);
    g_free(referral->rule);
    g_free(referral->reason);
    g_free(referral->basis);
    g_free(referral);
}

/* ---- adding ----------------------------------------------------------------------------------------------------------- */

gboolean store_referral_add(Store *store, const Referral *referral, gint64 *ret_id, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autofree char *name_key = store_key(referral->name);
    gboolean added = FALSE;
    gint64 id = 0;
    if (!store_write_begin(store, &write, error) ||
        !db_insert(store->db,
                   "INSERT INTO referral (referrer_id, address, name, name_key, phone, company, how, certain, evidence,"
                   " message_id, rule, state, reason, at_ms, wrote_ms, ended_ms)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
                   &added, &id, error, DB_INT(referral->referrer_id), DB_TEXT(referral->address), DB_TEXT(referral->name),
                   DB_TEXT(name_key), DB_TEXT(referral->phone), DB_TEXT(referral->company), DB_TEXT(referral->how),
                   DB_INT(referral->certain), DB_TEXT(referral->evidence), DB_TEXT(referral->message_id),
                   DB_TEXT(referral->rule), DB_TEXT(referral_state_name(referral->state)), DB_TEXT(referral->reason),
                   DB_INT(referral->at_ms), DB_INT(referral->wrote_ms), DB_INT(referral->ended_ms)) ||
        !store_write_end(&write, error))
        return FALSE;
    *ret_id = added ? id : 0;
    return TRUE;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static Referral *referral_of(DbStatement *row)
{
    Referral *referral = g_new0(Referral, 1);
    referral->id = db_int(row, 0);
    referral->referrer_id = db_int(row, 1);
    referral->contact_id = db_int(row, 2);
    referral->address = g_strdup(db_text(row, 3));
    referral->name = g_strdup(db_text(row, 4));
    referral->phone = g_strdup(db_text(row, 5));
    referral->company = g_strdup(db_text(row, 6));
    referral->how = g_strdup(db_text(row, 7));
    referral->certain = db_int(row, 8) != 0;
    referral->evidence = g_strdup(db_text(row, 9));
    referral->message_id = g_strdup(db_text(row, 10));
    referral->rule = g_strdup(db_text(row, 11));
    referral_state_parse(db_text(row, 12), &referral->state);
    referral->reason = g_strdup(db_text(row, 13));
    referral->basis = g_strdup(db_text(row, 14));
    referral->at_ms = db_int(row, 15);
    referral->wrote_ms = db_int(row, 16);
    referral->accepted_ms = db_int(row, 17);
    referral->contacted_ms = db_int(row, 18);
    referral->customer_ms = db_int(row, 19);
    referral->ended_ms = db_int(row, 20);
    referral->accepted_number = (guint)db_int(row, 21);
    referral->customer_number = (guint)db_int(row, 22);
    referral->referrer = g_strdup(db_text(row, 23));
    referral->owner = g_strdup(db_text(row, 26));
    referral->referrer_name = g_strstrip(g_strjoin(" ", db_text(row, 24), db_text(row, 25), NULL));
    return referral;
}

static gboolean read_one(DbStatement *rows, Referral **ret_referral, GError **error)
{
    DbStep step = rows != NULL ? db_step(rows, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_referral = step == DB_ROW ? referral_of(rows) : NULL;
    return TRUE;
}

gboolean store_referral_get(Store *store, gint64 id, Referral **ret_referral, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, REFERRAL_SELECT "WHERE r.id = $1", error, DB_INT(id));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_of_contact(Store *store, gint64 contact_id, Referral **ret_referral, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 REFERRAL_SELECT "WHERE r.contact_id = $1 AND r.accepted_ms > 0 ORDER BY r.accepted_ms, r.id LIMIT 1", error,
                 DB_INT(contact_id));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_find(Store *store, gint64 referrer_id, const char *address, Referral **ret_referral, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(
        store->db, REFERRAL_SELECT "WHERE r.referrer_id = $1 AND r.address = $2 AND r.address <> ''", error,
        DB_INT(referrer_id), DB_TEXT(address));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_find_proposed(Store *store, const char *address, Referral **ret_referral, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(
        store->db,
        REFERRAL_SELECT "WHERE r.address = $1 AND r.address <> '' AND r.state = 'proposed' ORDER BY r.id LIMIT 1", error,
        DB_TEXT(address));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_under_way(Store *store, gint64 referrer_id, Referral **ret_referral, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 REFERRAL_SELECT "WHERE r.referrer_id = $1 AND r.state IN ('proposed', 'accepted', 'contacted')"
                                 " ORDER BY r.id DESC LIMIT 1",
                 error, DB_INT(referrer_id));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_numbered(Store *store, gint64 referrer_id, ReferralNumber which, guint number, Referral **ret_referral,
                                 GError **error)
{
    g_autoptr(DbStatement) rows =
        which == REFERRAL_BY_ACCEPTANCE
            ? db_query(store->db, REFERRAL_SELECT "WHERE r.referrer_id = $1 AND r.accepted_number = $2", error,
                       DB_INT(referrer_id), DB_INT(number))
            : db_query(store->db, REFERRAL_SELECT "WHERE r.referrer_id = $1 AND r.customer_number = $2", error,
                       DB_INT(referrer_id), DB_INT(number));
    return read_one(rows, ret_referral, error);
}

gboolean store_referral_times(Store *store, gint64 referrer_id, ReferralNumber which, GArray **ret_times, GError **error)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(ReferralTime));
    g_autoptr(DbStatement) rows =
        which == REFERRAL_BY_ACCEPTANCE
            ? db_query(store->db,
                       "SELECT accepted_number, accepted_ms FROM referral WHERE referrer_id = $1 AND accepted_number > 0"
                       " ORDER BY accepted_number",
                       error, DB_INT(referrer_id))
            : db_query(store->db,
                       "SELECT customer_number, customer_ms FROM referral WHERE referrer_id = $1 AND customer_number > 0"
                       " ORDER BY customer_number",
                       error, DB_INT(referrer_id));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) {
        const ReferralTime time = {.number = (guint)db_int(rows, 0), .at_ms = db_int(rows, 1)};
        g_array_append_val(times, time);
    }
    if (step == DB_FAILED)
        return FALSE;
    *ret_times = g_steal_pointer(&times);
    return TRUE;
}

gboolean store_referral_count_proposed(Store *store, gint64 referrer_id, guint *ret_count, GError **error)
{
    gint64 count = 0;
    if (!db_run_int(store->db, "SELECT count(*) FROM referral WHERE referrer_id = $1 AND state = 'proposed'", NULL, &count,
                    error, DB_INT(referrer_id)))
        return FALSE;
    *ret_count = (guint)count;
    return TRUE;
}

static gboolean is_wanted(const ReferralFilter *filter, const Referral *referral)
{
    return filter->states == 0 || (filter->states & (1U << referral->state)) != 0;
}

static DbStatement *rows_of(Store *store, const ReferralFilter *filter, GError **error)
{
    g_autofree char *owner = store_key(filter->owner);
    if (filter->referrer_id != 0)
        return db_query(store->db, REFERRAL_SELECT "WHERE r.referrer_id = $1 ORDER BY r.at_ms, r.id", error,
                        DB_INT(filter->referrer_id));
    if (filter->friend_id != 0)
        return db_query(store->db,
                        REFERRAL_SELECT "WHERE r.contact_id = $1 OR (r.address <> '' AND r.address IN"
                                        " (SELECT a.address FROM contact_address a WHERE a.contact_id = $1)) ORDER BY r.at_ms, r.id",
                        error, DB_INT(filter->friend_id));
    if (filter->owner != NULL)
        return db_query(store->db, REFERRAL_SELECT "WHERE c.owner_key = $1 ORDER BY r.at_ms, r.id", error, DB_TEXT(owner));
    return db_query(store->db, REFERRAL_SELECT "ORDER BY r.at_ms, r.id", error);
}

gboolean store_referral_each(Store *store, const ReferralFilter *filter, gboolean (*func)(const Referral *referral, gpointer data),
                             gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows = rows_of(store, filter, error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(Referral) referral = referral_of(rows);
        go_on = !is_wanted(filter, referral) || func(referral, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}
