/*
 * What a failure means for the next try. The parent's.
 */
#pragma once

#include <glib.h>

typedef enum {
    TROUBLE_PLAIN,    /* a connection that failed, a server in disorder: soon again, then rarer */
    TROUBLE_REFUSED,  /* user, password or certificate: a person must act; the account is not to be locked meanwhile */
    TROUBLE_BUSY,     /* the server says that it cannot now */
    TROUBLE_THROTTLED /* we, or the mailbox's user, asked too much of it */
} Trouble;

/* code: an ImapFault; words: why, with what the server said, whose response code (RFC 5530) counts more than the command that failed. */
Trouble trouble_of(int code, const char *words);

/* Until the next try, after so many failures in a row; a time that the server names (Microsoft) is kept to. */
gint64 trouble_delay_ms(Trouble trouble, const char *words, guint failures);
