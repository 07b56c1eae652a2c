/*
 * How an attempt ended, and what that means for the message, its recipient and the account.
 */
#pragma once

#include <glib.h>

#include "reply.h"
#include "smtp/result.h"

/* What was last said to the server, or awaited from it. In the order of a conversation. */
typedef enum {
    PHASE_GREETING, /* name, TCP, TLS of smtps, and the server's first line */
    PHASE_HELLO,
    PHASE_STARTTLS,
    PHASE_SIGN_IN,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA,
    PHASE_BODY, /* bytes of the message were given */
    PHASE_FINAL /* the last of them was */
} SmtpPhase;

typedef enum {
    FAULT_NONE,
    FAULT_NO_CONNECTION, /* no address for the name, or nobody there */
    FAULT_CERTIFICATE,   /* not to be trusted, or for another name */
    FAULT_TLS,
    FAULT_NO_STARTTLS, /* wanted by us, not offered */
    FAULT_NO_SIGN_IN,  /* wanted by us, no way offered that we know */
    FAULT_TOKEN,         /* there is no access token */
    FAULT_SECRET,      /* our password could not be read */
    FAULT_OVERDUE,     /* no answer in time */
    FAULT_LOST,        /* the connection broke */
    FAULT_PROTOCOL,    /* an answer that is none */
    FAULT_CANCELLED    /* we are ending */
} SmtpFault;

typedef struct {
    SmtpPhase phase;
    SmtpFault fault;
    const SmtpReply *reply; /* to what phase names; complete or not */
    gboolean all_given;     /* libcurl took the message's last byte */
    gint64 waited_ms;       /* FAULT_OVERDUE */
    const char *ways;       /* of signing in, that we would have taken; for FAULT_NO_SIGN_IN */
    const char *server;     /* "smtp.example.com:465" */
    const char *detail;     /* libcurl's or the system's words, "" for none; raw */
} SmtpEnding;

/* Fills ret_result; clear it with delivery_result_clear(). */
void smtp_trouble_judge(const SmtpEnding *ending, DeliveryResult *ret_result);
