/*
 * On what ground somebody is written to, the strongest first. Runs on the loop.
 */
#include "engine/basis.h"

#include "store/referrals.h"

/* "2026-11-24" where the configuration's days are. */
static char *day_text(const EngineCore *core, gint64 at_ms)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, core->default_zone);
    return g_date_time_format(local, "%Y-%m-%d");
}

static char *since_text(const EngineCore *core, const char *what, gint64 at_ms)
{
    g_autofree char *day = day_text(core, at_ms);
    return g_strconcat(what, day, NULL);
}

/* Of who is neither customer nor introduced. */
static char *prospect_basis(const EngineCore *core, const Contact *contact)
{
    if (contact->last_reply_ms)
        return since_text(core, "wrote to us themself, last on ", contact->last_reply_ms);
    if (contact->last_talk_ms)
        return since_text(core, "in touch with their owner, last on ", contact->last_talk_ms);
    g_autofree char *added = since_text(core, ", added on ", contact->created_ms);
    return g_strconcat("prospect", *contact->source ? ", source " : "", contact->source, added, NULL);
}

gboolean basis_of(EngineCore *core, const OutboxMessage *message, const Contact *contact, char **ret_basis, GError **error)
{
    const Rule *rule = config_rule(core->config, message->rule);
    g_autoptr(Referral) referral = NULL;
    if (rule && *rule->basis)
        *ret_basis = g_strdup(rule->basis);
    else if (contact->customer_since_ms)
        *ret_basis = since_text(core, "customer since ", contact->customer_since_ms);
    else if (contact->referred && !store_referral_of_contact(core->store, contact->id, &referral, error))
        return FALSE;
    else if (referral && *referral->basis)
        *ret_basis = g_strdup(referral->basis);
    else
        *ret_basis = prospect_basis(core, contact);
    return TRUE;
}
