/*
 * E-mail addresses (RFC 5321 section 4.1.2, RFC 6531 for non-ASCII, IDNA for domains).
 */
#pragma once

#include <glib.h>

#include "mail/error.h"

/* "Anna Berg <Anna@Example.com>", "anna@example.com" or "<…>": the decoded display name ("" for none) and the canonical address:
 * lower case, NFC, the domain in IDNA A-labels. Refused (MAIL_ERROR_ADDRESS): anything with CR, LF, NUL, other controls or white
 * space, an empty or quoted local part, no dot-free garbage, local part over 64 or all over 254 octets, several addresses. */
gboolean address_parse(const char *text, char **ret_name, char **ret_address, GError **error);

/* The canonical form of a bare address, or NULL and MAIL_ERROR_ADDRESS. Caller frees. */
char *address_canonical(const char *text, GError **error);

/* The part behind the last "@" of a canonical address; belongs to it. */
const char *address_domain(const char *address);

/* TRUE where the address's domain is one of domains (NULL-terminated, lower case) or below one. */
gboolean address_in_domains(const char *address, const char *const *domains);
