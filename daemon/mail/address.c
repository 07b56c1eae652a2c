/*
 * E-mail addresses: reading and canonical form. Pure, any thread. Strict on purpose: what goes into an envelope or a header is
 * only what passed here.
 */
#include "mail/address.h"

#include <idn2.h>
#include <string.h>

#include "base/text.h"

enum { LOCAL_MAX = 64, ADDRESS_MAX = 254, INPUT_MAX = 2000, NAME_MAX_BYTES = 500 };

static gboolean refuse(GError **error, const char *text, const char *why)
{
    g_autofree char *shown = text_escape(text, 80);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_ADDRESS, "\"%s\" is no e-mail address (%s); write it as anna@example.com", shown, why);
    return FALSE;
}

/* atext of RFC 5322 and dots, and what RFC 6531 adds: every non-ASCII letter, but no control, space or format character. */
static gboolean is_local_part(const char *local)
{
    if (!*local || *local == '.' || local[strlen(local) - 1] == '.' || strstr(local, ".."))
        return FALSE;
    for (const char *p = local; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c < 0x80 && !g_ascii_isalnum((char)c) && !strchr("!#$%&'*+-/=?^_`{|}~.", (int)c))
            return FALSE;
        if (c >= 0x80 && !g_unichar_isgraph(c))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_ascii_domain(const char *domain)
{
    const char *label = domain;
    if (!strchr(domain, '.') || domain[strlen(domain) - 1] == '.')
        return FALSE;
    for (const char *p = domain;; p++) {
        if (*p && *p != '.') {
            if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
                return FALSE;
            continue;
        }
        if (p == label || p - label > 63 || *label == '-' || p[-1] == '-')
            return FALSE;
        if (!*p)
            return TRUE;
        label = p + 1;
    }
}

/* The domain in A-labels, lower case; NULL where it is none. Caller frees. */
static char *canonical_domain(const char *domain)
{
    char *ascii = NULL;
    if (!g_utf8_validate(domain, -1, NULL) || !*domain)
        return NULL;
    int rc = idn2_to_ascii_8z(domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK) { /* an underscore is no host name, but stands in mail domains */
        if (!g_str_is_ascii(domain))
            return NULL;
        ascii = strdup(domain);
    }
    g_autofree char *lower = g_ascii_strdown(ascii, -1);
    free(ascii);
    return is_ascii_domain(lower) ? g_steal_pointer(&lower) : NULL;
}

char *address_canonical(const char *text, GError **error)
{
    if (!text || strlen(text) > INPUT_MAX || !g_utf8_validate(text, -1, NULL)) {
        refuse(error, text, "too long, or not UTF-8");
        return NULL;
    }
    const char *at = strrchr(text, '@');
    if (!at) {
        refuse(error, text, "there is no @");
        return NULL;
    }
    g_autofree char *raw = g_strndup(text, (gsize)(at - text));
    g_autofree char *normal = g_utf8_normalize(raw, -1, G_NORMALIZE_NFC);
    g_autofree char *local = normal ? g_utf8_strdown(normal, -1) : NULL;
    if (!local || !is_local_part(local)) {
        refuse(error, text, "the part before the @ has a character that is not allowed there");
        return NULL;
    }
    g_autofree char *domain = canonical_domain(at + 1);
    if (!domain) {
        refuse(error, text, "the part behind the @ is no domain");
        return NULL;
    }
    g_autofree char *address = g_strconcat(local, "@", domain, NULL);
    if (strlen(local) > LOCAL_MAX || strlen(address) > ADDRESS_MAX) {
        refuse(error, text, "it is too long");
        return NULL;
    }
    return g_steal_pointer(&address);
}

/* A display name as it may be shown and written: one line, no quotes around it. Caller frees. */
static char *clean_name(const char *text, gsize length)
{
    g_autofree char *part = g_strndup(text, length);
    g_autofree char *line = text_one_line(part);
    gsize end = strlen(line);
    if (end >= 2 && line[0] == '"' && line[end - 1] == '"') {
        GString *bare = g_string_new(NULL);
        for (gsize i = 1; i + 1 < end; i++) {
            if (line[i] == '\\' && i + 2 < end)
                i++;
            g_string_append_c(bare, line[i]);
        }
        return g_string_free(bare, FALSE);
    }
    return g_steal_pointer(&line);
}

static gboolean has_control(const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

gboolean address_parse(const char *text, char **ret_name, char **ret_address, GError **error)
{
    if (!text || strlen(text) > INPUT_MAX || !g_utf8_validate(text, -1, NULL) || has_control(text))
        return refuse(error, text, "too long, not UTF-8, or with control characters");
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    const char *open = strrchr(trimmed, '<');
    gsize length = strlen(trimmed);
    g_autofree char *name = NULL;
    g_autofree char *bare = NULL;
    if (open) {
        if (trimmed[length - 1] != '>')
            return refuse(error, text, "\"<\" without \">\" at the end");
        bare = g_strndup(open + 1, (gsize)(trimmed + length - 1 - (open + 1)));
        name = clean_name(trimmed, (gsize)(open - trimmed));
    } else {
        bare = g_strdup(trimmed);
        name = g_strdup("");
    }
    char *address = address_canonical(bare, error);
    if (!address)
        return FALSE;
    if (ret_name)
        *ret_name = g_steal_pointer(&name);
    if (ret_address)
        *ret_address = address;
    else
        g_free(address);
    return TRUE;
}

const char *address_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    return at ? at + 1 : address + strlen(address);
}

gboolean address_in_domains(const char *address, const char *const *domains)
{
    const char *domain = address_domain(address);
    gsize length = strlen(domain);
    for (; *domains; domains++) {
        gsize own = strlen(*domains);
        if (own == 0 || own > length)
            continue;
        const char *tail = domain + (length - own);
        if (g_ascii_strcasecmp(tail, *domains) == 0 && (tail == domain || tail[-1] == '.'))
            return TRUE;
    }
    return FALSE;
}
