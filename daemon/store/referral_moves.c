/*
 * How a referral moves on: accepted or declined, and what becomes of who was accepted. Each move checks in its UPDATE from which state it
 * comes, so that a command and the daemon cannot both make it. Runs in the thread of its Store.
 */
#include <string.h>

#include "base/text.h"
#include "store/contacts.h"
#include "store/history.h"
#include "store/internal.h"
#include "store/marks.h"
#include "store/referrals.h"
#include "store/suppressions.h"

/* How far up it is looked whether somebody is to have brought whoever brought them. */
enum { CIRCLE_DEPTH = 100 };

#define BROUGHT_BY_ANOTHER "came by another referral already"

/* One that is being accepted. */
typedef struct {
    Store *store;
    const Referral *referral;
    const ReferralAcceptance *acceptance;
    const char *address;
    gint64 now_ms;
    gint64 contact_id; /* of the friend */
    char *refused;     /* why it cannot be; NULL: it can */
} Accepting;

/* ---- telling ---------------------------------------------------------------------------------------------------------- */

/* By its number alone: what one person's history says of another would outlive them. */
static gboolean tell(Store *store, gint64 contact_id, const Referral *referral, const char *what, gint64 now_ms, GError **error)
{
    g_autofree char *detail = g_strdup_printf("referral %" G_GINT64_FORMAT " %s", referral->id, what);
    const Interaction told = {.contact_id = contact_id, .at_ms = now_ms, .kind = INTERACTION_REFERRAL, .rule = referral->rule,
                              .message_id = referral->message_id, .detail = detail};
    return store_history_add(store, &told, NULL, error) && store_mark(store, contact_id, error);
}

/* ---- accepting -------------------------------------------------------------------------------------------------------- */

static gboolean check_suppressed(Accepting *accepting, GError **error)
{
    gboolean suppressed = FALSE;
    g_autofree char *reason = NULL;
    if (!store_suppression_check(accepting->store, accepting->address, &suppressed, &reason, error))
        return FALSE;
    if (suppressed)
        accepting->refused = g_strdup_printf("never mailed: %s", reason);
    return TRUE;
}

/* Whether the friend brought the referrer, over however many. */
static gboolean check_circle(Accepting *accepting, gint64 friend_id, GError **error)
{
    gint64 above = accepting->referral->referrer_id;
    for (guint i = 0; i < CIRCLE_DEPTH && above != 0; i++) {
        g_autoptr(Referral) brought = NULL;
        if (above == friend_id) {
            accepting->refused = g_strdup("a circle: they brought who names them");
            return TRUE;
        }
        if (!store_referral_of_contact(accepting->store, above, &brought, error))
            return FALSE;
        above = brought != NULL ? brought->referrer_id : 0;
    }
    return TRUE;
}

static gboolean check_known(Accepting *accepting, GError **error)
{
    g_autoptr(Contact) known = NULL;
    if (!store_contact_find(accepting->store, accepting->address, &known, error))
        return FALSE;
    if (known == NULL)
        return TRUE;
    accepting->contact_id = known->id;
    if (known->id == accepting->referral->referrer_id)
        accepting->refused = g_strdup("the customer themself");
    else if (known->referred)
        accepting->refused = g_strdup(BROUGHT_BY_ANOTHER);
    else if (known->created_ms <= accepting->referral->at_ms)
        accepting->refused = g_strdup("was a contact already");
    return accepting->refused != NULL || check_circle(accepting, known->id, error);
}

/* "Kari Anne Nordmann": the last word is the last name. *ret_last is "" for a single word. */
static gboolean make_contact(Accepting *accepting, GError **error)
{
    const Referral *referral = accepting->referral;
    const ReferralAcceptance *acceptance = accepting->acceptance;
    g_autofree char *first = NULL;
    g_autofree char *last = NULL;
    g_autoptr(Contact) referrer = NULL;
    g_autoptr(GHashTable) attributes = g_hash_table_new(g_str_hash, g_str_equal);
    char phone_name[] = "phone";
    if (!store_contact_get(accepting->store, referral->referrer_id, &referrer, error))
        return FALSE;
    if (referral->phone[0] != '\0')
        g_hash_table_insert(attributes, phone_name, referral->phone);
    text_split_name(referral->name, &first, &last);
    const ContactEdit edit = {.email = accepting->address,
                              .first_name = first,
                              .last_name = last,
                              .company = referral->company[0] != '\0' ? referral->company : NULL,
                              .stage = acceptance->stage != NULL ? acceptance->stage : acceptance->first_stage,
                              .language = referrer->language,
                              .owner = referrer->owner,
                              .source = "referral",
                              .attributes = attributes};
    return store_contact_save(accepting->store, &edit, acceptance->customer_stage, acceptance->first_stage, accepting->now_ms,
                              NULL, &accepting->contact_id, error);
}

static char *basis_of(const Accepting *accepting)
{
    return accepting->referral->wrote_ms != 0
               ? g_strdup_printf("wrote to us themself, introduced by a customer; accepted by %s", accepting->acceptance->by)
               : g_strdup_printf("introduced by a customer; accepted by %s", accepting->acceptance->by);
}

/* What others proposed of the same person waits for nothing any more. */
static gboolean decline_others(const Accepting *accepting, GError **error)
{
    return db_run(accepting->store->db,
                  "INSERT INTO mark (contact_id) SELECT referrer_id FROM referral WHERE address = $1 AND id <> $2 AND state = 'proposed'"
                  " ON CONFLICT (contact_id) DO NOTHING",
                  error, DB_TEXT(accepting->address), DB_INT(accepting->referral->id)) &&
           db_run(accepting->store->db,
                  "UPDATE referral SET state = 'declined', reason = '" BROUGHT_BY_ANOTHER "', ended_ms = $3"
                  " WHERE address = $1 AND id <> $2 AND state = 'proposed'",
                  error, DB_TEXT(accepting->address), DB_INT(accepting->referral->id), DB_INT(accepting->now_ms));
}

static gboolean write_acceptance(const Accepting *accepting, GError **error)
{
    const Referral *referral = accepting->referral;
    g_autofree char *basis = basis_of(accepting);
    g_autofree char *told = g_strdup_printf("brought them (%s); basis: %s", referral->how, basis);
    return db_run(accepting->store->db,
                  "UPDATE referral SET state = 'accepted', reason = '', ended_ms = 0, contact_id = $2, address = $3, basis = $4,"
                  " accepted_ms = $5, accepted_number ="
                  " (SELECT max(o.accepted_number) FROM referral o WHERE o.referrer_id = referral.referrer_id) + 1"
                  " WHERE id = $1 AND (state = 'proposed' OR state = 'declined')",
                  error, DB_INT(referral->id), DB_INT(accepting->contact_id), DB_TEXT(accepting->address), DB_TEXT(basis),
                  DB_INT(accepting->now_ms)) &&
           tell(accepting->store, accepting->contact_id, referral, told, accepting->now_ms, error) &&
           tell(accepting->store, referral->referrer_id, referral, "accepted", accepting->now_ms, error) &&
           decline_others(accepting, error);
}

static gboolean write_decline(Store *store, const Referral *referral, const char *reason, gint64 now_ms, GError **error)
{
    g_autofree char *told = g_strdup_printf("declined: %s", reason);
    return db_run(store->db, "UPDATE referral SET state = 'declined', reason = $2, ended_ms = $3 WHERE id = $1", error,
                  DB_INT(referral->id), DB_TEXT(reason), DB_INT(now_ms)) &&
           tell(store, referral->referrer_id, referral, told, now_ms, error);
}

static gboolean accept(Accepting *accepting, GError **error)
{
    if (!check_suppressed(accepting, error) || (accepting->refused == NULL && !check_known(accepting, error)))
        return FALSE;
    if (accepting->refused != NULL)
        return write_decline(accepting->store, accepting->referral, accepting->refused, accepting->now_ms, error);
    return (accepting->contact_id != 0 || make_contact(accepting, error)) && write_acceptance(accepting, error);
}

static gboolean is_open(const Referral *referral)
{
    return referral != NULL && (referral->state == REFERRAL_PROPOSED || referral->state == REFERRAL_DECLINED);
}

gboolean store_referral_accept(Store *store, gint64 id, const ReferralAcceptance *acceptance, gint64 now_ms,
                               ReferralAcceptResult *ret_result, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autoptr(Referral) referral = NULL;
    ReferralAcceptResult result = REFERRAL_ACCEPT_NOT_OPEN;
    if (!store_write_begin(store, &write, error) || !store_referral_get(store, id, &referral, error))
        return FALSE;
    if (is_open(referral)) {
        Accepting accepting = {.store = store, .referral = referral, .acceptance = acceptance, .now_ms = now_ms,
                               .address = acceptance->address != NULL ? acceptance->address : referral->address};
        result = REFERRAL_ACCEPT_NO_ADDRESS;
        if (accepting.address[0] != '\0') {
            gboolean ok = accept(&accepting, error);
            result = accepting.refused != NULL ? REFERRAL_ACCEPT_REFUSED : REFERRAL_ACCEPT_DONE;
            g_free(accepting.refused);
            if (!ok)
                return FALSE;
        }
    }
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_result = result;
    return TRUE;
}

/* ---- the rest --------------------------------------------------------------------------------------------------------- */

gboolean store_referral_decline(Store *store, gint64 id, const char *reason, gint64 now_ms, gboolean *ret_declined, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autoptr(Referral) referral = NULL;
    if (!store_write_begin(store, &write, error) || !store_referral_get(store, id, &referral, error))
        return FALSE;
    gboolean declined = referral != NULL && referral->state == REFERRAL_PROPOSED;
    if ((declined && !write_decline(store, referral, reason, now_ms, error)) || !store_write_end(&write, error))
        return FALSE;
    *ret_declined = declined;
    return TRUE;
}

static gboolean update_state(Store *store, const Referral *referral, ReferralState to, const char *reason, gint64 now_ms,
                             GError **error)
{
    if (to == REFERRAL_CUSTOMER)
        return db_run(store->db,
                      "UPDATE referral SET state = 'customer', reason = '', ended_ms = 0, customer_ms = $2, customer_number ="
                      " (SELECT max(o.customer_number) FROM referral o WHERE o.referrer_id = referral.referrer_id) + 1"
                      " WHERE id = $1 AND (state = 'accepted' OR state = 'contacted' OR state = 'lost')",
                      error, DB_INT(referral->id), DB_INT(now_ms));
    g_assert(to == REFERRAL_LOST);
    return db_run(store->db,
                  "UPDATE referral SET state = 'lost', reason = $3, ended_ms = $2"
                  " WHERE id = $1 AND (state = 'accepted' OR state = 'contacted')",
                  error, DB_INT(referral->id), DB_INT(now_ms), DB_TEXT(reason));
}

gboolean store_referral_move(Store *store, gint64 id, ReferralState to, const char *reason, gint64 now_ms, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autoptr(Referral) referral = NULL;
    if (!store_write_begin(store, &write, error) || !store_referral_get(store, id, &referral, error))
        return FALSE;
    if (referral != NULL) {
        if (!update_state(store, referral, to, reason, now_ms, error))
            return FALSE;
        g_autofree char *told =
            to == REFERRAL_LOST ? g_strdup_printf("lost: %s", reason) : g_strdup(referral_state_name(to));
        if (db_changes(store->db) > 0 && !tell(store, referral->referrer_id, referral, told, now_ms, error))
            return FALSE;
    }
    return store_write_end(&write, error);
}

gboolean store_referral_wrote(Store *store, gint64 id, gint64 at_ms, GError **error)
{
    return store_write_run(store, "UPDATE referral SET wrote_ms = $2 WHERE id = $1 AND wrote_ms = 0", error, DB_INT(id),
                           DB_INT(at_ms));
}
