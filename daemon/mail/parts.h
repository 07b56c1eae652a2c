/*
 * A received message taken apart: what the classifying files look at. Private to mail/.
 */
#pragma once

#include <gmime/gmime.h>

#include "mail/message.h"

typedef struct {
    GMimeMessage *message; /* NULL where the bytes were none */
    gint64 now_ms;
    char *text;                  /* the readable text of the message itself, LF line ends; never NULL */
    GMimePart *html_beside;    /* HTML that says the same as the text, message's; NULL: none */
    gboolean text_is_html;       /* made from HTML, since there was no plain text */
    GString *delivery_status;    /* fields of all message/delivery-status parts; blocks parted by empty lines */
    GString *feedback_report;    /* fields of message/feedback-report */
    GString *original_headers;   /* of the message that a report is about */
    gboolean is_disposition;     /* a receipt: message/disposition-notification */
    gboolean is_calendar;        /* text/calendar */
    gboolean is_calendar_answer; /* … that accepts, declines or changes a meeting */
    GPtrArray *attachments;      /* InboundAttachment* */
    GPtrArray *cards;            /* char*: vCard parts, at most INTRODUCED_MAX_CARDS, each cut at INTRODUCED_MAX_CARD octets */
    guint leaves;                /* parts that are no multipart */
    gboolean truncated;
} MailParts;

/* Takes the bytes apart, under the limits of mail/read.h. Clear with mail_parts_clear(). */
void mail_parts_init(MailParts *parts, const char *bytes, gsize len, gint64 now_ms);
void mail_parts_clear(MailParts *parts);

/* The header's value, unfolded, decoded, valid UTF-8, at most READ_MAX_HEADER octets; "" where there is none. Caller
 * frees. */
char *mail_parts_header(const MailParts *parts, const char *name);
gboolean mail_parts_has_header(const MailParts *parts, const char *name);

/* The text of html_beside, with the marks of html_text.h; NULL: there is none. Caller frees. */
char *mail_parts_html_beside(const MailParts *parts);

/* TRUE where its raw value holds what looks like an encoded word (RFC 2047). */
gboolean mail_parts_is_encoded(const MailParts *parts, const char *name);

/* The value of a field in such a text of fields (any case), unfolded; NULL: there is none. from: where to look; NULL
 * or its begin. Caller frees. */
char *mail_field(const char *fields, const char *name);
