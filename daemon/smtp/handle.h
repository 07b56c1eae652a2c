/*
 * A libcurl easy handle made ready for one SMTP server, but for credentials (sign_in.h) and callbacks (session.c).
 */
#pragma once

#include <curl/curl.h>

#include "config/config.h"
#include "limits.h"

/* libcurl's own limits are set above ours, so that they never end a wait that the session allows. libcurl copies url. */
void smtp_handle_prepare(CURL *curl, const Endpoint *server, const char *url, const SmtpLimits *limits);

/* Scheme, host and port of the account's server, and the name for EHLO. Caller frees. */
char *smtp_handle_url(const Account *account);
