/*
 * engine/auth_results: the header is read for its results alone, whatever stands in comments, quotes and properties.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/auth_results.h"

static void test_results(void **state)
{
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"mx.example.com; spf=pass smtp.mailfrom=a@b.example; dkim=pass (2048 bits) header.d=b.example; dmarc=pass", "spf=pass dkim=pass dmarc=pass"},
        {"mx.google.com; dkim=neutral (no key) header.i=@b; dkim=pass header.i=@c; spf=softfail (x); dmarc=fail (p=NONE sp=NONE) header.from=b",
         "spf=softfail dkim=pass dmarc=fail"},
        {"mx 1; SPF = Fail; DMARC/1 = PASS", "spf=fail dmarc=pass"},
        {"mx; none", ""},
        {"spf=pass", ""}, /* the server's name comes first */
        {"mx; spf=none (dmarc=pass; dmarc=pass); auth=pass", "spf=none"},
        {"mx; spf=none (a (b) \\) ; dmarc=fail); dmarc=pass", "spf=none dmarc=pass"},
        {"mx; spf=none reason=\"x; dmarc=pass\"; dkim=temperror", "spf=none dkim=temperror"},
        {"mx; xspf=pass; spf-all=pass; dmarc; dkim=", ""},
        {"mx; dmarc=fail; dmarc=pass", "dmarc=fail"}, /* the first: a second could have been talked into it */
        {"mx; dmarc=(", ""},
        {"mx; spf=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
        {"", ""},
        {";;;(((\\", ""},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(AuthResults) results = auth_results_parse(rows[i].value);
        g_autofree char *text = auth_results_text(&results);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_results)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
