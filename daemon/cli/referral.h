/*
 * Referrals on the command line: what the files of `nurture referral` share.
 */
#pragma once

#include "cli/context.h"
#include "store/referrals.h"

/* Caller owns it. What is not known is left out, but for id, referrer, name, email, state, how, rule and at, which are always there. */
JsonObject *referral_object(const Referral *referral);

/* How they are called: name, else address, else telephone number, else "somebody". Belongs to the referral. */
const char *referral_shown(const Referral *referral);
