/*
 * The wait after a mail server could not be reached, or would not let us in: one for all of the account's messages, in machine time, the longer
 * the more often it failed in a row.
 */
#pragma once

#include <glib.h>

#include "smtp/result.h"

typedef struct {
    const char *account, *server; /* for the log; not owned */
    guint failures;               /* in a row */
    gint64 retry_at_ms;           /* monotonic; 0: not waiting */
    char *fault;                  /* why; NULL: none */
    guint source;
    void (*on_over)(gpointer data);
    gpointer data;
} Backoff;

/* on_over(data): the wait is over. */
void backoff_init(Backoff *backoff, const char *account, const char *server, void (*on_over)(gpointer data), gpointer data);
void backoff_clear(Backoff *backoff);

/* The server failed. The first of several connections that fail at once says so; the others find the wait begun. */
void backoff_begin(Backoff *backoff, const DeliveryResult *result);

/* The server answered. */
void backoff_end(Backoff *backoff);

gboolean backoff_is_waiting(const Backoff *backoff);

/* How long the wait goes on; 0: not waiting. */
gint64 backoff_left_ms(const Backoff *backoff);
