/*
 * What may go on the wire as it is: envelope addresses and line ends.
 */
#pragma once

#include <glib.h>

/* NULL where the address can stand in MAIL FROM:<…> or RCPT TO:<…>; else what is wrong with it, in our words ("holds white
 * space"). Empty is right for a sender only: see may_be_empty. */
const char *smtp_wire_address_fault(const char *address, gboolean may_be_empty);

/* The bytes with CRLF at the end of each line and of the whole; bare CR and bare LF count as line ends. A new reference to
 * bytes where there is nothing to change. */
GBytes *smtp_wire_lines(GBytes *bytes);
