/*
 * "mx.example.com; spf=pass smtp.mailfrom=a@b; dkim=pass (2048 bits) header.d=b; dmarc=fail": comments go, and the first word of each
 * part behind the server's name is a method with its result.
 */
#include "engine/auth_results.h"

#include <string.h>

enum { RESULT_OCTETS = 20 };

/* Without comments, which may hold comments, and without what is quoted. Caller frees. */
static char *plain_of(const char *value)
{
    GString *plain = g_string_new(NULL);
    guint depth = 0;
    gboolean quoted = FALSE;
    for (const char *p = value; *p; p++) {
        if (*p == '\\' && p[1] && (quoted || depth > 0)) {
            p++;
            continue;
        }
        if (*p == '"' && depth == 0)
            quoted = !quoted;
        else if (*p == '(' && !quoted)
            depth++;
        else if (*p == ')' && !quoted && depth > 0)
            depth--;
        else if (depth == 0 && !quoted)
            g_string_append_c(plain, *p);
    }
    return g_string_free(plain, FALSE);
}

/* The result of "method=result …" or "method/1 = result"; NULL: another method. Caller frees. */
static char *result_of(const char *part, const char *method)
{
    gsize length = strlen(method);
    part += strspn(part, " \t");
    if (g_ascii_strncasecmp(part, method, length) != 0)
        return NULL;
    part += length;
    part += strspn(part, " \t");
    if (*part == '/')
        part += 1 + strspn(part + 1, " \t0123456789");
    if (*part != '=')
        return NULL;
    part += 1 + strspn(part + 1, " \t");
    length = strspn(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return length > 0 && length <= RESULT_OCTETS ? g_ascii_strdown(part, (gssize)length) : NULL;
}

static void take(char **field, char *result)
{
    if (result && (!**field || g_str_equal(result, "pass"))) {
        g_free(*field);
        *field = result;
    } else {
        g_free(result);
    }
}

static void take_first(char **field, char *result)
{
    if (result && !**field) {
        g_free(*field);
        *field = result;
    } else {
        g_free(result);
    }
}

AuthResults auth_results_parse(const char *value)
{
    AuthResults results = {.spf = g_strdup(""), .dkim = g_strdup(""), .dmarc = g_strdup("")};
    g_autofree char *plain = plain_of(value);
    g_auto(GStrv) parts = g_strsplit(plain, ";", -1);
    for (char **part = *parts ? parts + 1 : parts; *part; part++) {
        take_first(&results.spf, result_of(*part, "spf"));
        take(&results.dkim, result_of(*part, "dkim"));
        take_first(&results.dmarc, result_of(*part, "dmarc"));
    }
    return results;
}

void auth_results_clear(AuthResults *results)
{
    g_clear_pointer(&results->spf, g_free);
    g_clear_pointer(&results->dkim, g_free);
    g_clear_pointer(&results->dmarc, g_free);
}

gboolean auth_results_deny(const char *value)
{
    g_auto(AuthResults) results = auth_results_parse(value);
    return g_str_equal(results.dmarc, "fail");
}

char *auth_results_text(const AuthResults *results)
{
    GString *text = g_string_new(NULL);
    const char *const pairs[][2] = {{"spf", results->spf}, {"dkim", results->dkim}, {"dmarc", results->dmarc}};
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (*pairs[i][1])
            g_string_append_printf(text, "%s%s=%s", text->len ? " " : "", pairs[i][0], pairs[i][1]);
    return g_string_free(text, FALSE);
}
