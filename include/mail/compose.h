/*
 * From rendered text to the message that leaves: RFC 5322 and MIME that a strict parser accepts. Pure; thread-safe.
 */
#pragma once

#include <glib.h>

#include "mail/error.h"
#include "mail/message.h"
#include "mail/template.h"

typedef struct {
    const RenderedTemplate *rendered;
    const char *from_name, *from_address; /* the template's own name of the sender wins over from_name */
    const char *to_name, *to_address;
    const char *reply_to_name, *reply_to; /* reply_to "" for none; its name NULL or "": the sender's */
    const GPtrArray *attachments;     /* const MailFile*; NULL for none */
    const char *message_id;           /* without brackets */
    const char *in_reply_to, *references; /* "" for none; ids without brackets, references separated by spaces */
    gint64 date_ms;
    GTimeZone *date_zone;             /* the zone that the Date header shows */
    const char *organisation, *postal_address; /* the footer's lines */
    const char *language;             /* Content-Language and the footer's words: "nb" or "en" (the rest); "" for en */
    const char *unsubscribe_mailto;   /* "anna@example.com?subject=unsubscribe%20TOKEN"; NULL: no List-Unsubscribe */
    gboolean auto_submitted;          /* writes Auto-Submitted: auto-generated */
} ComposeInput;

/*
 * Fills *ret_message: multipart/mixed( multipart/related( multipart/alternative( text, HTML ), image… ), attachment… ), of which only
 * the levels that are needed are written. MAIL_ERROR_ADDRESS for addresses that must not be written; MAIL_ERROR_LIMIT.
 */
gboolean mail_compose(const ComposeInput *input, ComposedMessage *ret_message, GError **error);

/* The same without the bytes (NULL), which cost most: subject, text, and what would be refused. Needs no attachments. */
gboolean mail_compose_words(const ComposeInput *input, ComposedMessage *ret_message, GError **error);

/* A new unique Message-ID on the domain, without brackets: the time, so that those of one hour lie together in an index, and what nobody
 * can guess. Caller frees. */
char *mail_new_message_id(const char *domain, gint64 now_ms);
