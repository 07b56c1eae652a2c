/*
 * Why a watcher ends: the error domain of the room. The code travels from child to parent, where it decides how soon the
 * next try is made; the message is for people, without the server's name (the link sets that before it).
 */
#pragma once

#include <glib.h>

#define IMAP_FAULT (imap_fault_quark())
GQuark imap_fault_quark(void);

typedef enum {
    IMAP_FAULT_NETWORK,     /* not reached, lost, too slow */
    IMAP_FAULT_CERTIFICATE, /* TLS cannot be trusted or had */
    IMAP_FAULT_SIGN_IN,     /* the server does not take user or password */
    IMAP_FAULT_SERVER,      /* it refuses a command or breaks the protocol */
    IMAP_FAULT_LOCAL,       /* our own side: limits, files, settings */
    IMAP_FAULT_PARENT,      /* the parent is gone or does not keep to the protocol */
    IMAP_FAULT_LAST = IMAP_FAULT_PARENT
} ImapFault;
