/*
 * What others look up before they take mail in an account's name, asked of the name servers that this machine uses.
 */
#include <string.h>

#include "engine/dns.h"
#include "engine/dns_verdict.h"
#include "engine/doctor_parts.h"
#include "mail/address.h"

typedef struct {
    const DoctorSetup *setup;
    const Account *account;
    const char *domain;
    gboolean *no_network;
} Inquiry;

static void tell(const Inquiry *inquiry, const char *check, DnsVerdict verdict)
{
    doctor_tell(inquiry->setup, inquiry->account->name, check, verdict.level, verdict.advice, "%s", verdict.found);
    dns_verdict_clear(&verdict);
}

/* The records; none: empty. NULL where nobody answered, which is told. */
static GPtrArray *ask(const Inquiry *inquiry, const char *check, DnsStatus (*func)(const char *, GPtrArray **), const char *name)
{
    GPtrArray *texts = NULL;
    DnsStatus status = *inquiry->no_network ? DNS_NO_ANSWER : func(name, &texts);
    if (status == DNS_NO_ANSWER) {
        *inquiry->no_network = TRUE;
        doctor_tell(inquiry->setup, inquiry->account->name, check, FINDING_NOT_ASKED, "look at /etc/resolv.conf, and at the network",
                    "%s: no name server answers", name);
        return NULL;
    }
    return texts ? texts : g_ptr_array_new();
}

static void check_mx(const Inquiry *inquiry)
{
    g_autoptr(GPtrArray) hosts = ask(inquiry, "mx", dns_ask_mx, inquiry->domain);
    if (hosts)
        tell(inquiry, "mx", dns_judge_mx(inquiry->domain, hosts));
}

static void check_spf(const Inquiry *inquiry)
{
    g_autoptr(GPtrArray) texts = ask(inquiry, "spf", dns_ask_txt, inquiry->domain);
    if (texts)
        tell(inquiry, "spf", dns_judge_spf(inquiry->domain, texts));
}

/* A domain without a policy has that of the domain above; a single label is nobody's to publish in. */
static void check_dmarc(const Inquiry *inquiry)
{
    const char *domain = inquiry->domain;
    for (;;) {
        g_autofree char *name = g_strconcat("_dmarc.", domain, NULL);
        g_autoptr(GPtrArray) texts = ask(inquiry, "dmarc", dns_ask_txt, name);
        if (!texts)
            return;
        const char *dot = strchr(domain, '.');
        gboolean is_top = !dot || !strchr(dot + 1, '.');
        if (dns_has_dmarc(texts) || is_top) {
            gboolean found = dns_has_dmarc(texts);
            tell(inquiry, "dmarc", dns_judge_dmarc(found ? domain : inquiry->domain, texts, domain != inquiry->domain));
            return;
        }
        domain = dot + 1;
    }
}

static void check_dkim(const Inquiry *inquiry)
{
    const char *selector = inquiry->account->dkim_selector;
    if (!*selector) {
        doctor_tell(inquiry->setup, inquiry->account->name, "dkim", FINDING_NOT_ASKED,
                    "write dkim_selector = \"…\"; it stands as s= in the DKIM-Signature of mail from this account",
                    "the account's dkim_selector is not given");
        return;
    }
    g_autofree char *name = g_strdup_printf("%s._domainkey.%s", selector, inquiry->domain);
    g_autoptr(GPtrArray) texts = ask(inquiry, "dkim", dns_ask_txt, name);
    if (texts)
        tell(inquiry, "dkim", dns_judge_dkim(name, texts));
}

void doctor_check_dns(const DoctorSetup *setup, const Account *account, gboolean *no_network)
{
    g_autofree char *domain = g_hostname_to_ascii(address_domain(account->from_address));
    if (!domain) {
        doctor_tell(setup, account->name, "mx", FINDING_FAIL, "correct the account's from", "%s is no name of a domain",
                    address_domain(account->from_address));
        return;
    }
    const Inquiry inquiry = {.setup = setup, .account = account, .domain = domain, .no_network = no_network};
    check_mx(&inquiry);
    check_spf(&inquiry);
    check_dmarc(&inquiry);
    check_dkim(&inquiry);
}
