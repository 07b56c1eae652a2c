/*
 * Suppressions as people write them, and as they are shown: one form for the commands and for files.
 */
#pragma once

#include "cli/context.h"
#include "store/suppressions.h"

/* The canonical address, or "@domain" of a whole domain. NULL and what to write instead. Caller frees. */
char *suppression_address(const char *word, GError **error);

/* "unsubscribe", "bounce", "complaint" or "manual", in any case; static. NULL and what to write instead. */
const char *suppression_reason(const char *word, GError **error);

/* White space made single; refused where it is too long. Caller frees. */
char *suppression_detail(const char *text, GError **error);

/* They said so themselves: nobody but they can take it back. */
gboolean suppression_is_wish(const Suppression *suppression);

typedef enum { SUPPRESSION_ADDED, SUPPRESSION_CHANGED, SUPPRESSION_UNCHANGED } SuppressionResult;

/* Adds it, in the transaction that is open, and tells what that changed. */
gboolean suppression_put(Store *store, const Suppression *suppression, SuppressionResult *ret_result, GError **error);

/* JSON keys: address (null where erased) reason detail at erased. Caller owns. */
JsonObject *suppression_object(const Suppression *suppression);
