/*
 * Recognising whom somebody introduces. Runs on the loop, or in the command that adds one.
 */
#include "engine/referral_known.h"

#include "engine/match.h"
#include "store/history.h"
#include "store/suppressions.h"

/* Of people who were erased not even the address is written down again. */
static gboolean recognise_suppressed(Store *store, Referral *wish, char **ret_refused, GError **error)
{
    gboolean suppressed = FALSE;
    g_autofree char *reason = NULL;
    g_autoptr(Suppression) named = NULL;
    if (!store_suppression_check(store, wish->address, &suppressed, &reason, error) ||
        !store_suppression_find(store, wish->address, &named, error))
        return FALSE;
    if (!suppressed)
        return TRUE;
    *ret_refused = g_strdup_printf("never mailed: %s", reason);
    if (named && named->is_erased)
        wish->address = wish->name = wish->phone = wish->company = wish->evidence = (char *)"";
    return TRUE;
}

gboolean referral_recognise(const Config *config, Store *store, const Contact *referrer, Referral *wish, char **ret_refused, GError **error)
{
    g_autoptr(Contact) known = NULL;
    *ret_refused = NULL;
    if (!*wish->address)
        return TRUE;
    if (match_is_own_address(config, wish->address)) {
        *ret_refused = g_strdup("one of our own people");
        return TRUE;
    }
    if (!store_contact_find(store, wish->address, &known, error))
        return FALSE;
    if (known) {
        *ret_refused = g_strdup(known->id == referrer->id ? "the customer themself" : "was a contact already");
        return TRUE;
    }
    return recognise_suppressed(store, wish, ret_refused, error);
}

static gboolean tell(Store *store, const Referral *wish, gint64 id, GError **error)
{
    g_autofree char *detail = g_strdup_printf("referral %" G_GINT64_FORMAT " proposed (%s)", id, wish->how);
    const Interaction told = {.contact_id = wish->referrer_id, .at_ms = wish->at_ms, .kind = INTERACTION_REFERRAL, .detail = detail};
    return store_history_add(store, &told, NULL, error);
}

gboolean referral_add_by_hand(const Config *config, Store *store, const Contact *referrer, const char *name, const char *address, gint64 now_ms,
                              gint64 *ret_id, GError **error)
{
    g_autofree char *refused = NULL;
    g_autoptr(StoreTransaction) transaction = store_begin(store, error);
    Referral wish = {.referrer_id = referrer->id, .name = (char *)name, .address = (char *)address, .how = (char *)"by hand", .certain = TRUE,
                     .rule = referrer->asked_rule, .at_ms = now_ms};
    if (!transaction || !referral_recognise(config, store, referrer, &wish, &refused, error))
        return FALSE;
    wish.state = refused ? REFERRAL_DECLINED : REFERRAL_PROPOSED;
    wish.reason = refused;
    wish.ended_ms = refused ? now_ms : 0;
    return store_referral_add(store, &wish, ret_id, error) && (*ret_id == 0 || refused || tell(store, &wish, *ret_id, error)) &&
           store_commit(g_steal_pointer(&transaction), error);
}
