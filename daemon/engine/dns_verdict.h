/*
 * What the DNS records of a sending domain say about mail in its name. Pure. Private to engine/.
 */
#pragma once

#include <glib.h>

#include "engine/doctor.h"

typedef struct {
    FindingLevel level;
    char *found;        /* raw: it may hold what stands in a record */
    const char *advice; /* static; "" for nothing */
} DnsVerdict;

void dns_verdict_clear(DnsVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DnsVerdict, dns_verdict_clear)

/* The domain's TXT records (char*; none: empty): is there one SPF policy (RFC 7208), and does it keep anybody out? */
DnsVerdict dns_judge_spf(const char *domain, const GPtrArray *texts);

/* The TXT records of _dmarc.DOMAIN (RFC 7489). inherited: of a domain above the sender's. */
DnsVerdict dns_judge_dmarc(const char *domain, const GPtrArray *texts, gboolean inherited);

/* Whether one of them is a DMARC policy: else the domain above is asked. */
gboolean dns_has_dmarc(const GPtrArray *texts);

/* The TXT records of SELECTOR._domainkey.DOMAIN (RFC 6376), which is name. */
DnsVerdict dns_judge_dkim(const char *name, const GPtrArray *texts);

/* The domain's MX hosts, as dns_ask_mx() gives them. */
DnsVerdict dns_judge_mx(const char *domain, const GPtrArray *hosts);
