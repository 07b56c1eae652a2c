/*
 * winmail.dat (application/ms-tnef), in which Outlook packs what it attaches. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct {
    GPtrArray *attachments; /* InboundAttachment*, at most READ_MAX_ATTACHMENTS */
    char *text;             /* the message's own plain text; NULL: there is none, or only as RTF */
} Tnef;

/* FALSE for what is no TNEF. What is cut or damaged gives what could be read up to there. Clear with tnef_clear() in either case. */
gboolean tnef_read(const guint8 *bytes, gsize len, Tnef *ret_tnef);
void tnef_clear(Tnef *tnef);
