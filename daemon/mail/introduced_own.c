/*
 * Telling the sender's own name, address and signature from those of the people they name. Pure; any thread.
 */
#include "introduced_own.h"

#include <string.h>

#include "mail/address.h"
#include "name_words.h"
#include "reply_lines.h"

enum { SIGNATURE_MAX_BLOCK = 12, DISCLAIMER_MIN = 50 };

/* ---- the sender -------------------------------------------------------------------------------------------------------- */

/* "kari.dahl@…" says as much as a name. Caller frees. */
static char *name_of_address(const char *address)
{
    g_autofree char *local = g_strndup(address, strcspn(address, "@+"));
    for (char *p = local; *p != '\0'; p++)
        if (strchr("._-", *p) != NULL || g_ascii_isdigit(*p))
            *p = ' ';
    return g_strdup(g_strstrip(local));
}

static void fold_ends(const char *name, char **ret_first, char **ret_last)
{
    g_auto(GStrv) words = g_strsplit(name, " ", -1);
    guint count = g_strv_length(words);
    *ret_first = name_fold(count > 0 ? words[0] : "");
    *ret_last = name_fold(count > 1 ? words[count - 1] : "");
}

void sender_init(Sender *sender, const InboundMessage *message, const GPtrArray *to)
{
    g_autofree char *clean = name_clean(message->from_name);
    *sender = (Sender){.address = g_strdup(message->from), .to = to};
    sender->name = *clean != '\0' ? g_steal_pointer(&clean) : name_of_address(message->from);
    fold_ends(sender->name, &sender->folded_first, &sender->folded_last);
}

void sender_clear(Sender *sender)
{
    g_free(sender->address);
    g_free(sender->name);
    g_free(sender->folded_first);
    g_free(sender->folded_last);
}

/* Whether one begins the other, or is its initial ("Sam" and "Samuel", "S."). */
static gboolean is_short_for(const char *a, const char *b)
{
    return *a != '\0' && *b != '\0' && (g_str_has_prefix(a, b) || g_str_has_prefix(b, a));
}

static gboolean is_same_person(const char *first, const char *last, const char *other_first, const char *other_last)
{
    if (*last == '\0' || *other_last == '\0')
        return *first != '\0' && g_str_equal(first, other_first);
    return g_str_equal(last, other_last) && is_short_for(first, other_first);
}

gboolean sender_is_name(const Sender *sender, const char *name)
{
    g_autofree char *first = NULL, *last = NULL;
    fold_ends(name, &first, &last);
    return is_same_person(first, last, sender->folded_first, sender->folded_last);
}

gboolean sender_is_spelled(const Sender *sender, const char *address)
{
    g_autofree char *local = g_strndup(address, strcspn(address, "@+"));
    g_autofree char *folded = name_fold(local);
    gsize length = strlen(folded);
    while (length > 0 && g_ascii_isdigit(folded[length - 1]))
        folded[--length] = '\0';
    if (*sender->folded_last == '\0' || *sender->folded_first == '\0')
        return FALSE;
    g_autofree char *full = g_strconcat(sender->folded_first, sender->folded_last, NULL);
    g_autofree char *turned = g_strconcat(sender->folded_last, sender->folded_first, NULL);
    g_autofree char *initial = g_strdup_printf("%.1s%s", sender->folded_first, sender->folded_last);
    return g_str_equal(folded, full) || g_str_equal(folded, turned) || g_str_equal(folded, initial);
}

gboolean sender_wrote_to(const Sender *sender, const char *name)
{
    g_autofree char *first = NULL, *last = NULL;
    fold_ends(name, &first, &last);
    for (guint i = 0; i < sender->to->len; i++) {
        const InboundMailbox *mailbox = sender->to->pdata[i];
        g_autofree char *to_first = NULL, *to_last = NULL;
        fold_ends(mailbox->name, &to_first, &to_last);
        if (*to_first != '\0' && is_same_person(first, last, to_first, to_last))
            return TRUE;
    }
    return FALSE;
}

gboolean sender_shares_domain(const Sender *sender, const char *address)
{
    static const char *const providers[] = {
        "gmail.com", "googlemail.com", "hotmail.com", "hotmail.no", "hotmail.co.uk", "outlook.com", "outlook.no", "live.com", "live.no", "live.co.uk", "msn.com",
        "yahoo.com", "yahoo.no", "yahoo.co.uk", "icloud.com", "me.com", "mac.com", "online.no", "broadpark.no", "getmail.no", "lyse.net", "altibox.no",
        "c2i.net", "start.no", "frisurf.no", "ebnett.no", "proton.me", "protonmail.com", "pm.me", "aol.com", "gmx.com", "gmx.net", "btinternet.com",
        "sky.com", "virginmedia.com", "comcast.net", "verizon.net", "att.net", "fastmail.com", "zoho.com", "hey.com", NULL};
    const char *domain = address_domain(address);
    return g_str_equal(domain, address_domain(sender->address)) && !g_strv_contains(providers, domain);
}

gboolean address_is_role(const char *address)
{
    static const char *const roles[] = {
        "info", "post", "postmottak", "mail", "epost", "email", "kontakt", "contact", "contactus", "support", "sales", "salg", "admin", "administrator", "administrasjon", "kontor",
        "hello", "hei", "noreply", "donotreply", "ikkesvar", "nepasrepondre", "postmaster", "abuse", "webmaster", "hostmaster", "accounts", "accounting", "billing", "invoice", "invoices",
        "faktura", "regnskap", "okonomi", "økonomi", "hr", "jobs", "jobb", "careers", "marketing", "service", "kundeservice", "kundesenter", "customerservice", "booking", "reception", "resepsjon",
        "firmapost", "help", "hjelp", "helpdesk", "orders", "order", "ordre", "bestilling", "sentralbord", "newsletter", "nyhetsbrev", "privacy", "personvern", "security",
        "mailerdaemon", "unsubscribe", "bounce", "bounces", "notifications", "notification", "team", "press", "presse", "enquiries", "inquiries", "feedback", NULL};
    g_autofree char *local = g_strndup(address, strcspn(address, "@+"));
    g_autofree char *folded = name_fold(local);
    gsize length = strlen(folded);
    while (length > 0 && g_ascii_isdigit(folded[length - 1]))
        folded[--length] = '\0';
    return g_strv_contains(roles, folded) || g_str_has_prefix(folded, "noreply") || g_str_has_prefix(folded, "donotreply");
}

/* ---- their own words --------------------------------------------------------------------------------------------------- */

static gboolean is_blank(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0';
}

/* Begins what lawyers have companies add below. */
static gboolean is_disclaimer(const char *line)
{
    static GRegex *words;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        words = g_regex_new("\\b(?:confidential|konfidensiell|konfidensielt|intended (?:only|solely)|taushetsplikt|received (?:this|it).{0,30} in error|mottatt denne|registered in (?:england|scotland))",
                            G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
        g_once_init_leave(&once, 1);
    }
    return strlen(line) >= DISCLAIMER_MIN && g_regex_match(words, line, 0, NULL);
}

/* "Sam", "Kari Dahl | Dahl Bygg AS", "- Kari": the sender's name alone, or with what belongs to a signature behind it. */
static gboolean is_signed(const Sender *sender, const char *line)
{
    const char *start = line + strspn(line, " \t-–—~*_/");
    gsize length = strcspn(start, "|,/•·");
    g_autofree char *begin = g_strndup(start, length);
    g_autofree char *name = name_clean(begin);
    gboolean alone = is_blank(start + length);
    if (*name == '\0' || !sender_is_name(sender, name))
        return FALSE;
    return alone || strchr(name, ' ') != NULL;
}

static guint block_end(char **lines, guint at)
{
    while (lines[at] != NULL && !is_blank(lines[at]))
        at++;
    return at;
}

/* Whether a block of lines bears the sender's address and nobody else's: theirs, whatever else stands in it. */
static gboolean is_own_block(const Sender *sender, char **lines, guint from, guint end)
{
    guint own = 0, all = 0;
    if (*sender->address == '\0')
        return FALSE;
    for (guint i = from; i < end; i++) {
        g_autofree char *lower = g_utf8_strdown(lines[i], -1);
        for (const char *at = strchr(lower, '@'); at != NULL; at = strchr(at + 1, '@'))
            all++;
        for (const char *at = strstr(lower, sender->address); at != NULL; at = strstr(at + 1, sender->address))
            own++;
    }
    return own > 0 && own == all && end - from >= 2 && end - from <= SIGNATURE_MAX_BLOCK;
}

static void clear_lines(char **lines, guint from, guint end)
{
    for (guint i = from; i < end; i++)
        lines[i][0] = '\0';
}

/* The sender's signatures in lines become empty ones. */
static void clear_signatures(const Sender *sender, char **lines)
{
    gboolean text = FALSE;
    for (guint at = 0; lines[at] != NULL;) {
        if (is_blank(lines[at])) {
            at++;
            continue;
        }
        guint end = block_end(lines, at);
        if (text && is_own_block(sender, lines, at, end))
            clear_lines(lines, at, end);
        for (guint i = at; i < end; i++)
            if ((text || i > at) && end - i <= SIGNATURE_MAX_BLOCK && is_signed(sender, lines[i]))
                clear_lines(lines, i, end);
        text = TRUE;
        at = end;
    }
}

char *sender_own_words(const Sender *sender, const char *text, const char **ret_forward)
{
    g_autofree char *bounded = g_strndup(text, INTRODUCED_MAX_TEXT);
    g_autofree char *valid = g_utf8_make_valid(bounded, -1);
    g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);
    gsize offset = 0;

    *ret_forward = NULL;
    for (guint i = 0; lines[i] != NULL; i++) {
        gsize length = strlen(lines[i]);
        gboolean forward = !is_blank(lines[i]) && reply_is_forward(lines[i]);
        if (!forward && !is_disclaimer(lines[i])) {
            offset += length + 1;
            continue;
        }
        if (forward)
            *ret_forward = text + MIN(offset + length, strlen(text));
        for (guint n = i; lines[n] != NULL; n++)
            lines[n][0] = '\0';
        break;
    }
    clear_signatures(sender, lines);
    return g_strjoinv("\n", lines);
}
