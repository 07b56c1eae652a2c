/*
 * Reads the records as receivers read them: what is malformed or doubled counts for nothing there.
 */
#include "engine/dns_verdict.h"

#include <string.h>

void dns_verdict_clear(DnsVerdict *verdict)
{
    g_clear_pointer(&verdict->found, g_free);
}

/* Those of the texts that begin with the version, which ends there or before a space or semicolon (char*, not owned). */
static GPtrArray *of_version(const GPtrArray *texts, const char *version)
{
    GPtrArray *found = g_ptr_array_new();
    gsize length = strlen(version);
    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        if (g_ascii_strncasecmp(text, version, length) == 0 && strchr("; \t", text[length])) /* the end of the text, too */
            g_ptr_array_add(found, texts->pdata[i]);
    }
    return found;
}

/* ---- SPF ------------------------------------------------------------------------------------------------------------- */

/* The qualifier of the policy's "all" ('+', '-', '~', '?'); 'r' where it leads to another one; 0 for neither. */
static char spf_end(const char *policy)
{
    g_auto(GStrv) terms = g_strsplit_set(policy, " \t", -1);
    char end = 0;
    for (char **term = terms; *term; term++) {
        const char *name = strchr("+-~?", **term) && **term ? *term + 1 : *term;
        if (g_ascii_strcasecmp(name, "all") == 0)
            return name == *term ? '+' : **term;
        if (g_ascii_strncasecmp(*term, "redirect=", strlen("redirect=")) == 0)
            end = 'r';
    }
    return end;
}

DnsVerdict dns_judge_spf(const char *domain, const GPtrArray *texts)
{
    g_autoptr(GPtrArray) policies = of_version(texts, "v=spf1");
    if (policies->len == 0)
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s has no SPF record", domain),
                            "publish a TXT record \"v=spf1 include:… -all\"; your mail provider tells what to include"};
    if (policies->len > 1)
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s has %u SPF records, so that none counts", domain, policies->len),
                            "make one of them, with all that they include"};
    const char *policy = policies->pdata[0];
    switch (spf_end(policy)) {
    case '+':
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s: %s lets everybody send in its name", domain, policy),
                            "end the record with \"-all\" or \"~all\""};
    case '-':
    case '~':
    case 'r':
        return (DnsVerdict){FINDING_OK, g_strdup_printf("%s: %s", domain, policy), ""};
    default:
        return (DnsVerdict){FINDING_WARN, g_strdup_printf("%s: %s says nothing about who may not send", domain, policy),
                            "end the record with \"-all\" or \"~all\""};
    }
}

/* ---- tags of DMARC and DKIM ------------------------------------------------------------------------------------------ */

/* The value of the tag in "a=1; b=2"; NULL where it is not there. Caller frees. */
static char *tag_of(const char *text, const char *name)
{
    g_auto(GStrv) tags = g_strsplit(text, ";", -1);
    for (char **tag = tags; *tag; tag++) {
        char *equals = strchr(*tag, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (g_ascii_strcasecmp(g_strstrip(*tag), name) == 0)
            return g_strdup(g_strstrip(equals + 1));
    }
    return NULL;
}

gboolean dns_has_dmarc(const GPtrArray *texts)
{
    g_autoptr(GPtrArray) policies = of_version(texts, "v=DMARC1");
    return policies->len > 0;
}

DnsVerdict dns_judge_dmarc(const char *domain, const GPtrArray *texts, gboolean inherited)
{
    static const char *const kinds[] = {"none", "quarantine", "reject", NULL};
    g_autoptr(GPtrArray) policies = of_version(texts, "v=DMARC1");
    if (policies->len == 0)
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s has no DMARC record", domain),
                            "publish a TXT record at _dmarc of the domain: \"v=DMARC1; p=none; rua=mailto:…\" to begin with"};
    if (policies->len > 1)
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("_dmarc.%s has %u DMARC records, so that none counts", domain, policies->len),
                            "keep one of them"};
    const char *text = policies->pdata[0];
    g_autofree char *own = tag_of(text, "p");
    g_autofree char *below = inherited ? tag_of(text, "sp") : NULL;
    g_autofree char *policy = g_ascii_strdown(below ? below : own ? own : "", -1);
    if (!g_strv_contains(kinds, policy))
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("_dmarc.%s: %s names no policy", domain, text),
                            "write p=none, p=quarantine or p=reject behind v=DMARC1;"};
    return (DnsVerdict){FINDING_OK, g_strdup_printf("_dmarc.%s: %s", domain, text), ""};
}

DnsVerdict dns_judge_dkim(const char *name, const GPtrArray *texts)
{
    const char *missing = "publish the key that your mail provider gives you for this selector, or correct dkim_selector";
    for (guint i = 0; i < texts->len; i++) {
        g_autofree char *version = tag_of(texts->pdata[i], "v");
        g_autofree char *key = tag_of(texts->pdata[i], "p");
        if (!key || (version && !g_str_equal(version, "DKIM1")))
            continue;
        if (!*key)
            return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s: the key is revoked (p= is empty)", name), missing};
        g_autofree char *kind = tag_of(texts->pdata[i], "k");
        return (DnsVerdict){FINDING_OK, g_strdup_printf("%s holds a key (%s)", name, kind ? kind : "rsa"), ""};
    }
    return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s holds no DKIM key", name), missing};
}

/* ---- MX -------------------------------------------------------------------------------------------------------------- */

DnsVerdict dns_judge_mx(const char *domain, const GPtrArray *hosts)
{
    if (hosts->len == 0)
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s has no MX record: replies and bounces may never arrive", domain),
                            "publish an MX record that names the server of its mailboxes"};
    if (hosts->len == 1 && *(const char *)hosts->pdata[0] == '\0')
        return (DnsVerdict){FINDING_FAIL, g_strdup_printf("%s says that it takes no mail (MX \".\")", domain),
                            "publish an MX record that names the server of its mailboxes"};
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < hosts->len; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", (const char *)hosts->pdata[i]);
    g_autofree char *names = g_string_free(list, FALSE);
    return (DnsVerdict){FINDING_OK, g_strdup_printf("%s: %s", domain, names), ""};
}
