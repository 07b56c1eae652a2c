/*
 * The words of referrals. Runs on the loop, or in the command that shows a message.
 */
#include "engine/referral_words.h"

#include <string.h>

#include "store/referrals.h"

static void person_clear(ReferralPerson *person)
{
    g_clear_pointer(&person->name, g_free);
    g_clear_pointer(&person->first_name, g_free);
    g_clear_pointer(&person->email, g_free);
}

void referral_words_clear(ReferralWords *words)
{
    person_clear(&words->referrer);
    person_clear(&words->friend);
    g_clear_pointer(&words->reward, g_free);
}

static ReferralPerson person_of(const char *name, const char *email)
{
    return (ReferralPerson){.name = g_strdup(name), .first_name = g_strndup(name, strcspn(name, " ")), .email = g_strdup(email)};
}

static gboolean read_referrer(Store *store, const Contact *contact, ReferralWords *words, GError **error)
{
    g_autoptr(Referral) referral = NULL;
    if (contact->referred && !store_referral_of_contact(store, contact->id, &referral, error))
        return FALSE;
    words->referrer = referral ? person_of(referral->referrer_name, referral->referrer) : person_of("", "");
    return TRUE;
}

/* As the contact whom they became is called now, else as they were named. */
static gboolean name_friend(Store *store, const Referral *referral, ReferralWords *words, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    if (referral->contact_id && !store_contact_get(store, referral->contact_id, &contact, error))
        return FALSE;
    g_autofree char *name = contact ? g_strstrip(g_strjoin(" ", contact->first_name, contact->last_name, NULL)) : g_strdup("");
    words->friend = person_of(*name ? name : referral->name, contact ? contact->email : referral->address);
    return TRUE;
}

static gboolean read_friend(const Config *config, Store *store, const Contact *contact, const Rule *rule, guint round, ReferralWords *words,
                            GError **error)
{
    g_autoptr(Referral) referral = NULL;
    gboolean thanks = rule->anchor == ANCHOR_THANKS;
    if ((thanks || rule->anchor == ANCHOR_REWARD) &&
        !store_referral_numbered(store, contact->id, thanks ? REFERRAL_BY_ACCEPTANCE : REFERRAL_BY_CUSTOMER, round, &referral, error))
        return FALSE;
    const Rule *asked = referral ? config_rule(config, referral->rule) : NULL;
    words->reward = g_strdup(*rule->reward || !asked ? rule->reward : asked->reward);
    if (referral)
        return name_friend(store, referral, words, error);
    words->friend = person_of("", "");
    return TRUE;
}

gboolean referral_words_read(const Config *config, Store *store, const Contact *contact, const Rule *rule, guint round,
                             ReferralWords *ret_words, GError **error)
{
    g_auto(ReferralWords) words = {0};
    if (!read_referrer(store, contact, &words, error) || !read_friend(config, store, contact, rule, round, &words, error))
        return FALSE;
    *ret_words = words;
    words = (ReferralWords){0};
    return TRUE;
}
