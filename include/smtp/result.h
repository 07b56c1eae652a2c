/*
 * What became of one attempt to deliver a message: a value, not an error (invariant 2 of docs/ARCHITECTURE.md).
 */
#pragma once

#include <glib.h>

typedef enum {
    DELIVERY_SENT,          /* the server took responsibility */
    DELIVERY_DEFERRED,      /* it said 4xx to this message or recipient: later again */
    DELIVERY_FAILED,        /* it said 5xx to this message or recipient */
    DELIVERY_UNCERTAIN,     /* the last byte was given, and no answer came */
    DELIVERY_UNREACHABLE,   /* nothing of this message was taken: no connection, TLS or sign-in fault, 421; the account's fault */
    DELIVERY_NOT_COMPOSED   /* no byte was sent: a value is missing, or the message cannot be made */
} DeliveryClass;

const char *delivery_class_name(DeliveryClass class);

typedef struct {
    DeliveryClass class;
    int code;          /* SMTP reply code, 0 for none */
    char *enhanced;    /* "5.1.1" (RFC 3463), "" for none */
    char *text;        /* the server's words, or ours where it said none; one line, escaped, at most 500 octets */
    gboolean recipient_unknown; /* a FAILED that says that the mailbox does not exist */
    gboolean permanent; /* an UNREACHABLE that waiting will not mend (wrong password, bad certificate) */
} DeliveryResult;

void delivery_result_clear(DeliveryResult *result);
