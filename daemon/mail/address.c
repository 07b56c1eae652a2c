/*
 * E-mail addresses: reading and canonical form. Pure, any thread.
 *
 * Strict on purpose: what passes here goes into envelopes and headers. What RFC 5322 allows and nobody's mailbox has (quoted
 * local parts, address literals, groups) is refused by name.
 */
#include "mail/address.h"

#include <gmime/gmime.h>
#include <idn2.h>
#include <string.h>

#include "base/text.h"

enum { LOCAL_MAX = 64, LABEL_MAX = 63, ADDRESS_MAX = 254, INPUT_MAX = 2000, NAME_MAX_CHARS = 200 };

static gboolean refuse(GError **error, const char *text, const char *why)
{
    g_autofree char *shown = text_escape(text, 80);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_ADDRESS, "\"%s\" is no e-mail address (%s); write it as anna@example.com",
                shown, why);
    return FALSE;
}

/* Why the text is not looked at further; NULL: it may be. */
static const char *why_unreadable(const char *text)
{
    if (!text || !*text)
        return "it is empty";
    if (strlen(text) > INPUT_MAX)
        return "it is too long";
    if (!g_utf8_validate(text, -1, NULL))
        return "it is not UTF-8";
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return "it holds a control character";
    return NULL;
}

/* ---- the bare address --------------------------------------------------------------------------------------------- */

/* atext of RFC 5322 and dots, and what RFC 6531 adds: what can be seen of Unicode, so no control, space or format
 * character. */
static const char *why_no_local_part(const char *local)
{
    if (!*local)
        return "there is nothing before the @";
    if (*local == '"')
        return "quotes before the @ are not supported";
    if (*local == '.' || local[strlen(local) - 1] == '.' || strstr(local, ".."))
        return "a dot before the @ stands where none may";
    if (strlen(local) > LOCAL_MAX)
        return "more than 64 characters stand before the @";
    for (const char *p = local; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean allowed =
            c < 0x80 ? g_ascii_isalnum((char)c) || strchr("!#$%&'*+-/=?^_`{|}~.", (int)c) : g_unichar_isgraph(c);
        if (!allowed)
            return "a character before the @ is not allowed there";
    }
    return NULL;
}

/* Letters, digits, hyphens (and underscores, which some mail domains have) in at least two labels, the last not a number. */
static gboolean is_ascii_domain(const char *domain)
{
    const char *label = domain;
    guint labels = 0;
    gboolean has_letter = FALSE; /* in the label under way */
    for (const char *p = domain;; p++) {
        if (*p && *p != '.') {
            if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
                return FALSE;
            has_letter = has_letter || !g_ascii_isdigit(*p);
            continue;
        }
        if (p == label || p - label > LABEL_MAX || *label == '-' || p[-1] == '-')
            return FALSE;
        labels++;
        if (!*p)
            return labels > 1 && has_letter;
        label = p + 1;
        has_letter = FALSE;
    }
}

/* The domain in A-labels, lower case; NULL where it is none. Caller frees. */
static char *canonical_domain(const char *domain)
{
    g_autofree char *lower = g_ascii_strdown(domain, -1);
    if (g_str_is_ascii(lower) && !strstr(lower, "xn--"))
        return is_ascii_domain(lower) ? g_steal_pointer(&lower) : NULL;
    char *encoded = NULL;
    if (idn2_to_ascii_8z(domain, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return NULL;
    char *ascii = g_ascii_strdown(encoded, -1);
    idn2_free(encoded);
    if (is_ascii_domain(ascii))
        return ascii;
    g_free(ascii);
    return NULL;
}

/* Lower case by Unicode alone: g_utf8_strdown() would follow the locale, in which a Turkish I is another letter. */
static char *canonical_local_part(const char *text, gsize length)
{
    g_autofree char *normal = g_utf8_normalize(text, (gssize)length, G_NORMALIZE_NFC);
    GString *lower = g_string_sized_new(length + 1);
    for (const char *p = normal ? normal : ""; *p; p = g_utf8_next_char(p))
        g_string_append_unichar(lower, g_unichar_tolower(g_utf8_get_char(p)));
    return g_string_free(lower, FALSE);
}

/* The canonical form of what is all ASCII letters, digits, dots, hyphens, underscores and pluses around one @, as nearly every address
 * is; NULL: it needs a closer look. Caller frees. */
static char *canonical_plain(const char *text)
{
    char address[ADDRESS_MAX + 1];
    const char *at = NULL;
    gsize length = 0;
    for (; text[length] != '\0'; length++) {
        char c = text[length];
        if (length == ADDRESS_MAX)
            return NULL;
        if (c == '@' && at == NULL)
            at = address + length;
        else if (!g_ascii_isalnum(c) && c != '.' && c != '-' && c != '_' && (c != '+' || at != NULL))
            return NULL;
        address[length] = g_ascii_tolower(c);
    }
    address[length] = '\0';
    if (at == NULL || at == address || at - address > LOCAL_MAX || address[0] == '.' || at[-1] == '.' || strstr(address, ".."))
        return NULL;
    return is_ascii_domain(at + 1) && !strstr(at, "xn--") ? g_strndup(address, length) : NULL;
}

char *address_canonical(const char *text, GError **error)
{
    char *plain = text ? canonical_plain(text) : NULL;
    if (plain)
        return plain;
    const char *why = why_unreadable(text);
    const char *at = why ? NULL : strrchr(text, '@');
    if (!why && !at)
        why = "there is no @";
    if (why) {
        refuse(error, text, why);
        return NULL;
    }
    g_autofree char *local = canonical_local_part(text, (gsize)(at - text));
    g_autofree char *domain = canonical_domain(at + 1);
    why = why_no_local_part(local);
    if (!why && !domain)
        why = "what stands behind the @ is no domain";
    g_autofree char *address = why ? NULL : g_strconcat(local, "@", domain, NULL);
    if (address && strlen(address) > ADDRESS_MAX)
        why = "it is longer than 254 characters";
    if (why) {
        refuse(error, text, why);
        return NULL;
    }
    return g_steal_pointer(&address);
}

/* ---- name and address --------------------------------------------------------------------------------------------- */

/* A mailbox as written, taken apart: what stands before the brackets, and in them. */
typedef struct {
    GString *words; /* outside of brackets, without comments; quoted strings without their quotes */
    GString *bare;  /* between the brackets */
    gboolean has_brackets, has_quotes;
} Mailbox;

/* Behind the quoted string or comment that begins at p; NULL: it does not end. out (may be NULL) gets what a quoted
 * string says. */
static const char *pass_quoted(const char *p, GString *out)
{
    char end = *p == '"' ? '"' : ')';
    guint depth = 1;
    for (p++; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == end && --depth == 0)
            return p + 1;
        else if (*p == '(' && end == ')')
            depth++;
        if (out)
            g_string_append_c(out, *p);
    }
    return NULL;
}

static const char *pass_brackets(const char *p, Mailbox *mailbox)
{
    const char *end = strchr(p, '>');
    if (!end || mailbox->has_brackets)
        return NULL;
    mailbox->has_brackets = TRUE;
    g_string_append_len(mailbox->bare, p + 1, end - p - 1);
    return end + 1;
}

/* Why the text is not one mailbox; NULL: it was read into *mailbox. */
static const char *read_mailbox(const char *text, Mailbox *mailbox)
{
    for (const char *p = text; *p;) {
        if (*p == '"' || *p == '(') {
            mailbox->has_quotes = mailbox->has_quotes || *p == '"';
            p = pass_quoted(p, *p == '"' ? mailbox->words : NULL);
        } else if (*p == '<') {
            p = pass_brackets(p, mailbox);
        } else if (*p == ',') {
            return "a comma parts several addresses; a name with one needs quotes around it";
        } else if (*p == ':' || *p == ';') {
            return "it is a group; a name with a colon needs quotes around it";
        } else if (*p == '>' || (mailbox->has_brackets && *p != ' ')) {
            return "something stands behind the address";
        } else {
            g_string_append_c(mailbox->words, *p++);
        }
        if (!p)
            return "a quote, a parenthesis or a bracket is not closed, or is there twice";
    }
    return NULL;
}

static void initialise(void)
{
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        g_mime_init();
        g_once_init_leave(&once, 1);
    }
}

/* The name as it may be shown and written: encoded words decoded, one line, no controls. Caller frees. */
static char *readable_name(const char *words)
{
    g_autofree char *decoded = NULL;
    if (strstr(words, "=?")) {
        initialise();
        decoded = g_mime_utils_header_decode_phrase(NULL, words);
    }
    g_autofree char *valid = text_make_valid(decoded ? decoded : words, -1);
    GString *safe = g_string_new(NULL);
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(safe, g_unichar_iscntrl(c) ? ' ' : c);
    }
    g_autofree char *line = text_one_line(safe->str);
    g_string_free(safe, TRUE);
    return g_utf8_strlen(line, -1) > NAME_MAX_CHARS ? g_utf8_substring(line, 0, NAME_MAX_CHARS) : g_steal_pointer(&line);
}

gboolean address_parse(const char *text, char **ret_name, char **ret_address, GError **error)
{
    const char *why = why_unreadable(text);
    if (why)
        return refuse(error, text, why);
    Mailbox mailbox = {.words = g_string_new(NULL), .bare = g_string_new(NULL)};
    g_autofree char *address = NULL;
    why = read_mailbox(text, &mailbox);
    if (!why && !mailbox.has_brackets && mailbox.has_quotes)
        why = "quotes before the @ are not supported";
    if (why)
        refuse(error, text, why);
    else
        address = address_canonical(mailbox.has_brackets ? mailbox.bare->str : g_strstrip(mailbox.words->str), error);
    if (address && ret_name)
        *ret_name = mailbox.has_brackets ? readable_name(mailbox.words->str) : g_strdup("");
    g_string_free(mailbox.words, TRUE);
    g_string_free(mailbox.bare, TRUE);
    if (!address)
        return FALSE;
    if (ret_address)
        *ret_address = g_steal_pointer(&address);
    return TRUE;
}

/* ---- domains ------------------------------------------------------------------------------------------------------ */

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
