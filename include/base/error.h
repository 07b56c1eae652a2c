/*
 * The error domain of base/, and helpers for errors of every room. A message says what is wrong, where, and what to write
 * instead; it never holds a secret, and remote text only through text_escape() (base/text.h).
 */
#pragma once

#include <glib.h>

#define BASE_ERROR (base_error_quark())
GQuark base_error_quark(void);

typedef enum {
    BASE_ERROR_SYNTAX, /* text that does not have the form asked for */
    BASE_ERROR_RANGE,  /* well formed, but outside of what is possible */
    BASE_ERROR_SYSTEM  /* the operating system refused; the message holds its reason */
} BaseError;
