/*
 * What a message can say of a referral: who brought the person, whom they brought, what is promised for it. Read from the store on the
 * loop, for the letter.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "store/contacts.h"
#include "store/store.h"

typedef struct {
    char *name, *first_name, *email; /* "" for not known */
} ReferralPerson;

typedef struct {
    ReferralPerson referrer; /* of whom a referral brought */
    ReferralPerson friend;   /* of a rule that says thanks, or rewards: whom that round is about */
    char *reward;            /* the rule's, else that of the rule which asked; "" for none */
} ReferralWords;

/* For a message of that round of the rule. Free what it holds with referral_words_clear(). */
gboolean referral_words_read(const Config *config, Store *store, const Contact *contact, const Rule *rule, guint round,
                             ReferralWords *ret_words, GError **error);
void referral_words_clear(ReferralWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReferralWords, referral_words_clear)
