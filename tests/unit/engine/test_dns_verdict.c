/*
 * engine/dns_verdict: DNS records are read as receivers read them, so that what they will not count is not called right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/dns_verdict.h"

/* The texts are divided by "|". */
static GPtrArray *records_of(const char *line)
{
    GPtrArray *records = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) texts = g_strsplit(line, "|", -1);
    for (char **text = texts; *text && *line; text++)
        g_ptr_array_add(records, g_strdup(*text));
    return records;
}

typedef struct {
    const char *records;
    FindingLevel level;
    const char *words; /* in what was found */
} Row;

static void assert_verdict(const Row *row, DnsVerdict verdict)
{
    if (verdict.level != row->level || !strstr(verdict.found, row->words))
        fail_msg("%s: %s \"%s\"", row->records, finding_level_name(verdict.level), verdict.found);
    assert_true((verdict.level == FINDING_OK) == (*verdict.advice == '\0'));
    dns_verdict_clear(&verdict);
}

static void test_spf(void **state)
{
    static const Row rows[] = {
        {"v=spf1 include:a.example -all", FINDING_OK, "include:a.example"},
        {"V=SPF1 mx ~ALL", FINDING_OK, "a.example"},
        {"other|v=spf1 redirect=_spf.a.example", FINDING_OK, "redirect"},
        {"v=spf1", FINDING_WARN, "says nothing"},
        {"v=spf1 mx ?all", FINDING_WARN, "says nothing"},
        {"v=spf1 mx +all", FINDING_FAIL, "everybody"},
        {"v=spf1 mx all", FINDING_FAIL, "everybody"},
        {"v=spf1 ip4:192.0.2.1 exists:%{i}.all.example -all", FINDING_OK, "exists"}, /* "all" inside of a word is none */
        {"v=spf1 -all|v=spf1 mx -all", FINDING_FAIL, "2 SPF records"},
        {"", FINDING_FAIL, "no SPF record"},
        {"v=spf10 -all", FINDING_FAIL, "no SPF record"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) records = records_of(rows[i].records);
        assert_verdict(&rows[i], dns_judge_spf("a.example", records));
    }
}

static void test_dmarc(void **state)
{
    static const Row rows[] = {
        {"v=DMARC1; p=reject", FINDING_OK, "_dmarc.a.example"},
        {"v=DMARC1;p = None ;rua=mailto:d@a.example", FINDING_OK, "rua"},
        {"other|v=DMARC1; p=quarantine", FINDING_OK, "quarantine"},
        {"v=DMARC1; sp=reject", FINDING_FAIL, "names no policy"},
        {"v=DMARC1; p=allow", FINDING_FAIL, "names no policy"},
        {"v=DMARC1; p=none|v=DMARC1; p=reject", FINDING_FAIL, "2 DMARC records"},
        {"v=DMARC12; p=none", FINDING_FAIL, "no DMARC record"},
        {"p=none", FINDING_FAIL, "no DMARC record"},
        {"", FINDING_FAIL, "no DMARC record"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) records = records_of(rows[i].records);
        assert_verdict(&rows[i], dns_judge_dmarc("a.example", records, FALSE));
        assert_int_equal(dns_has_dmarc(records), strstr(rows[i].words, "no DMARC") == NULL);
    }
}

/* For a domain below, the policy for those below counts where there is one. */
static void test_dmarc_from_above(void **state)
{
    static const Row rows[] = {
        {"v=DMARC1; p=reject", FINDING_OK, "reject"},
        {"v=DMARC1; p=reject; sp=none", FINDING_OK, "sp=none"},
        {"v=DMARC1; p=reject; sp=maybe", FINDING_FAIL, "names no policy"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) records = records_of(rows[i].records);
        assert_verdict(&rows[i], dns_judge_dmarc("a.example", records, TRUE));
    }
}

static void test_dkim(void **state)
{
    static const Row rows[] = {
        {"v=DKIM1; k=rsa; p=MIIB", FINDING_OK, "rsa"},
        {"p=MIIB", FINDING_OK, "rsa"},
        {"v=DKIM1; p = MII B; k=ed25519", FINDING_OK, "ed25519"},
        {"v=DKIM1; p=", FINDING_FAIL, "revoked"},
        {"v=DKIM2; p=MIIB", FINDING_FAIL, "no DKIM key"},
        {"v=DKIM1; k=rsa", FINDING_FAIL, "no DKIM key"},
        {"", FINDING_FAIL, "no DKIM key"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) records = records_of(rows[i].records);
        assert_verdict(&rows[i], dns_judge_dkim("s._domainkey.a.example", records));
    }
}

static void test_mx(void **state)
{
    g_autoptr(GPtrArray) none = records_of("");
    g_autoptr(GPtrArray) two = records_of("b.example|a.example");
    g_autoptr(GPtrArray) null = g_ptr_array_new();
    (void)state;
    g_ptr_array_add(null, (gpointer) "");
    assert_verdict(&(Row){"", FINDING_FAIL, "no MX record"}, dns_judge_mx("a.example", none));
    assert_verdict(&(Row){"two", FINDING_OK, "b.example, a.example"}, dns_judge_mx("a.example", two));
    assert_verdict(&(Row){"null", FINDING_FAIL, "takes no mail"}, dns_judge_mx("a.example", null));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spf), cmocka_unit_test(test_dmarc), cmocka_unit_test(test_dmarc_from_above), cmocka_unit_test(test_dkim),
        cmocka_unit_test(test_mx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
