/*
 * The connections of one account: a thread each, with one libcurl easy handle. A job goes in, a DeliveryResult comes
 * back on the loop. The pool never touches the store and does not log.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "mail/message.h"
#include "smtp/result.h"

typedef struct SmtpPool SmtpPool;

typedef struct {
    /* In a worker's thread, several at once: makes the message of the job. FALSE gives DELIVERY_NOT_COMPOSED with the
     * error's words. */
    gboolean (*compose)(gpointer job, ComposedMessage *ret_message, GError **error);
    /* On the context's thread, once for each job submitted, in any order; it may submit, but not free the pool.
     * composed is NULL where nothing was composed. The callee takes the job back. */
    void (*done)(gpointer job, const DeliveryResult *result, const ComposedMessage *composed, gpointer data);
    /* SIGN_IN_OAUTH2: in a worker's thread, several at once, before each connection: an access token of now, to be freed with
     * secret_free(); NULL and why where there is none (DELIVERY_UNREACHABLE). *ret_until_ms: monotonic; the connection is left then, and
     * a new one made with another token; 0: never. */
    char *(*get_token)(gint64 *ret_until_ms, gpointer data, GError **error);
    gpointer data;
} SmtpCallbacks;

/* Envelope addresses of a job; belong to it. */
typedef struct {
    const char *sender, *recipient;
} SmtpEnvelope;

/* account is kept (the caller holds its Config as long as the pool). Threads start with the first jobs. context NULL:
 * the default. */
SmtpPool *smtp_pool_new(const Account *account, GMainContext *context, const SmtpCallbacks *callbacks);

/* Any number may be submitted; order is kept for a single connection. Addresses with CR, LF, NUL or white space are
 * refused as DELIVERY_FAILED without a connection. What still waits when the account is found UNREACHABLE for good
 * (permanent) comes back with the same result: a wrong password is tried once, not once for each message. */
void smtp_pool_submit(SmtpPool *pool, gpointer job, const SmtpEnvelope *envelope);

/* Jobs submitted and not yet done. */
guint smtp_pool_pending(const SmtpPool *pool);

/* Lets no conversation go on: each is cut as soon as its thread looks, within about a second. For several pools that end at once; each is
 * still to be freed. */
void smtp_pool_cut(SmtpPool *pool);

/*
 * From the context's thread. Ends: jobs that no worker has begun come back at once as DELIVERY_UNREACHABLE ("shutting
 * down"); those under way get grace_ms, then are cut (UNCERTAIN where their last byte was given), within about a second. Their done() calls are made before this returns. Frees the pool.
 */
void smtp_pool_free(SmtpPool *pool, gint64 grace_ms);
