/*
 * vCards (RFC 6350, RFC 2426, and 2.1 as telephones still send it). Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *name, *address, *phone, *company; /* as the card has them, unescaped, valid UTF-8; "" for none */
} Vcard;

void vcard_free(Vcard *card);

/* The cards of a part in their order, at most max of them: Vcard*. The first EMAIL and TEL of each, or those that are preferred; a
 * mobile before another telephone. What is no card gives none. text: valid UTF-8. Free with g_ptr_array_unref(). */
GPtrArray *vcard_read(const char *text, guint max);
