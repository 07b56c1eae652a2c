/*
 * One reply of a server, gathered line by line and bounded.
 */
#pragma once

#include <glib.h>

typedef struct {
    int code;          /* of the last line, 0 until there is one */
    gboolean complete; /* its last line came */
    char enhanced[12]; /* "5.1.1", "" for none */
    GString *text;     /* raw words of all lines, without codes */
    gsize octets;      /* received for it */
} SmtpReply;

void smtp_reply_init(SmtpReply *reply);
void smtp_reply_clear(SmtpReply *reply);

/* A command was sent: what was gathered belongs to the one before. */
void smtp_reply_begin(SmtpReply *reply);

/* Takes one line, with or without its line end. FALSE: the reply is larger than any honest one. */
gboolean smtp_reply_take(SmtpReply *reply, const char *line, gsize length);

/* TRUE where the line, of an answer to EHLO, names the keyword ("AUTH"). */
gboolean smtp_reply_line_offers(const char *line, gsize length, const char *keyword);
