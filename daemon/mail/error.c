/*
 * The error domain of mail/.
 */
#include "mail/error.h"

G_DEFINE_QUARK(nurture-mail-error, mail_error)
