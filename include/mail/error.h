/*
 * The error domain of mail/.
 */
#pragma once

#include <glib.h>

#define MAIL_ERROR (mail_error_quark())
GQuark mail_error_quark(void);

typedef enum {
    MAIL_ERROR_ADDRESS,  /* not an address that mail can be sent to */
    MAIL_ERROR_TEMPLATE, /* a template's syntax; the message begins with "line N: " */
    MAIL_ERROR_MISSING,  /* a variable has neither value nor default; the message names it */
    MAIL_ERROR_LIMIT     /* larger than we are ready to make or read */
} MailError;
