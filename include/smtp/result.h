/*
 * What became of one attempt to deliver a message: a value, not an error (invariant 2 of docs/ARCHITECTURE.md).
 */
#pragma once

#include <glib.h>

typedef enum {
    DELIVERY_SENT,        /* the server took responsibility */
    DELIVERY_DEFERRED,    /* 4xx to this message or recipient, or broken off once the recipient was named: later again */
    DELIVERY_FAILED,      /* 5xx to this message or recipient */
    DELIVERY_UNCERTAIN,   /* the last byte was given, and no answer came */
    DELIVERY_UNREACHABLE, /* nothing was taken, by the account's fault: no connection, TLS, sign-in, sender refused, 421 */
    DELIVERY_NOT_COMPOSED /* no byte was sent: a value is missing, or the message cannot be made */
} DeliveryClass;

const char *delivery_class_name(DeliveryClass class);

typedef struct {
    DeliveryClass class;
    int code;       /* of the SMTP reply that decided, 0 for none */
    char *enhanced; /* "5.1.1" (RFC 3463), "" for none */
    char *text;     /* the server's words without code and status, else ours; one line, escaped, at most 500 octets */
    gboolean recipient_unknown; /* a FAILED that says that the mailbox does not exist */
    gboolean sign_in_refused;   /* an UNREACHABLE by the server's answer to password or token */
    gboolean permanent;         /* an UNREACHABLE that waiting will not mend (wrong password, bad certificate) */
} DeliveryResult;

void delivery_result_clear(DeliveryResult *result);
