/*
 * Questions to the system's name servers. Blocks, for seconds where none answers. Private to engine/.
 */
#pragma once

#include <glib.h>

typedef enum {
    DNS_FOUND,    /* there are records */
    DNS_NONE,     /* there is no such record, or no such name */
    DNS_NO_ANSWER /* no name server answered, or it failed */
} DnsStatus;

/* The TXT records of the name (char*), each with its strings joined, made valid UTF-8. name: ASCII. Where DNS_FOUND, free *ret_texts with
 * g_ptr_array_unref(). */
DnsStatus dns_ask_txt(const char *name, GPtrArray **ret_texts);

/* The hosts that take the name's mail (char*), the most preferred first; "" for "none at all" (RFC 7505). */
DnsStatus dns_ask_mx(const char *name, GPtrArray **ret_hosts);
