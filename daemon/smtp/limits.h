/*
 * How long this room waits and how much it takes, in one place. The product uses SMTP_LIMITS; tests make a pool with
 * shorter ones.
 */
#pragma once

#include <glib.h>

#include "smtp/pool.h"

typedef struct {
    gint64 connect_ms;  /* name, TCP and, for smtps, TLS */
    gint64 command_ms;  /* the greeting, and the answer to each command (RFC 5321, 4.5.3.2) */
    gint64 body_ms;     /* without the server taking a byte of the message */
    gint64 final_ms;    /* the answer to the final dot */
    gint64 quit_ms;     /* the answer to QUIT, which changes nothing any more */
    gint64 idle_ms;     /* a connection without work is closed */
    guint max_messages; /* attempts on one connection, then a new one is made */
} SmtpLimits;

#define SMTP_LIMITS                                                                                                         \
    ((SmtpLimits){.connect_ms = 30 * 1000,                                                                                  \
                  .command_ms = 5 * 60 * 1000,                                                                              \
                  .body_ms = 3 * 60 * 1000,                                                                                 \
                  .final_ms = 10 * 60 * 1000,                                                                               \
                  .quit_ms = 2 * 1000,                                                                                      \
                  .idle_ms = 60 * 1000,                                                                                     \
                  .max_messages = 500})

enum {
    SMTP_REPLY_OCTETS = 64 * 1024, /* of one reply; more ends the connection */
    SMTP_REPLY_TEXT = 2 * 1024,    /* of it, that is kept */
    SMTP_SAID_OCTETS = 64 * 1024,  /* in a sign-in, that is remembered until its answer is judged */
    SMTP_RESULT_TEXT = 497,        /* of it, that is handed on; 500 with the ellipsis of what was cut */
    SMTP_ADDRESS_OCTETS = 320      /* 64 + "@" + 255 */
};

/* As smtp_pool_new(), with other limits; they are copied. */
SmtpPool *smtp_pool_new_limited(const Account *account, GMainContext *context, const SmtpCallbacks *callbacks,
                                const SmtpLimits *limits);
