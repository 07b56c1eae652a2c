/*
 * Reading the free text of mail systems that report no fields, or say more in words than in these. The address of a failed recipient stands
 *   1. at the begin of a line ("<kari@kunde.example>:", "  kari@kunde.example", "* kari@kunde.example ... unknown host"), or
 *   2. behind a label ("Recipient: …", "To: …"), or
 *   3. somewhere in a sentence;
 * the first of these forms that gives any is taken. Pure, any thread.
 */
#include "mail/bounce_text.h"

#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/bounce_kind.h"
#include "mail/read.h"

enum { TEXT_LOOKED_AT = 32 * 1024, LINE_LOOKED_AT = 600, SECTION_MAX = 4096 };

#define ADDRESS "([^\\s<>()\\[\\]:;,\"'@|\\\\/]{1,64}@[\\p{L}\\p{N}.-]{1,190}\\.\\p{L}{2,24})(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])"

#define COPY_PATTERN                                                                                                       \
    "^(?:[-=_|*#> ]{2,60}\\s?(?:below (?:this line )?is a copy|this is a copy of|(?:the )?(?:body of )?(?:original|returned|failed|unsent|bounced) (?:message|mail|e-mail)|"  \
    "message (?:text|header|contents?)s?|copy of|headers? of|included is|original mail|unsent)|"                                          \
    "(?:below|attached|included|following) is (?:a copy|the (?:original|header))|(?:the )?original message (?:header|follow)|original message headers:|" \
    "(?:return-path|received|x-google-smtp-source|dkim-signature): ?)"

typedef struct {
    GRegex *at_start, *labelled, *anywhere, *copy;
} Patterns;

static GRegex *compile(const char *pattern, GRegexCompileFlags flags)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE | flags, 0, &error);
    if (!regex)
        g_error("bounce_text: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled = (Patterns){
            .at_start = compile("^(?:[*•·-]\\s{0,3}|\\d{1,3}[.)]\\s)?[<\"'\\[(]{0,2}" ADDRESS "[>\"'\\])]{0,2}(?:$|\\s?[:;,(\\[<.-]|\\s\\.\\.\\.|\\son\\s\\d|\\s{2})", 0),
            .labelled = compile("^[\\w '():-]{0,40}\\b(?:recipients?|to|users?|address(?:es|ee)?|mailbox|empf[äa]nger|mottaker|mottagare|destinataire|"
                                "destinatario|ontvanger)(?:\\(s\\))?\\s?[:=]\\s{0,8}(?:rfc822;\\s?)?[<\"'\\[]{0,2}" ADDRESS, 0),
            .anywhere = compile("(?<![\\w.+-])" ADDRESS, 0),
            .copy = compile(COPY_PATTERN, G_REGEX_MULTILINE)};
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

char *bounce_text_report(const char *text)
{
    char *report = text_make_valid(text, (gssize)strnlen(text, TEXT_LOOKED_AT));
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0;
    if (g_regex_match(patterns()->copy, report, 0, &match) && g_match_info_fetch_pos(match, 0, &at, NULL))
        report[at] = '\0';
    return report;
}

static void mention_free(BounceMention *mention)
{
    g_free(mention->address);
    g_free(mention->section);
    g_free(mention);
}

/* Addresses of no recipient: of the mail system itself, and those that its help is at. */
static gboolean is_of_system(const char *address)
{
    static const char *const names[] = {"postmaster@", "mailer-daemon@", "mailerdaemon@", "abuse@", "support@", "helpdesk@", "admin@", "administrator@"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(address, names[i]))
            return TRUE;
    return FALSE;
}

static gboolean is_known(const GPtrArray *found, const char *address)
{
    for (guint i = 0; i < found->len; i++)
        if (g_str_equal(((const BounceMention *)found->pdata[i])->address, address))
            return TRUE;
    return FALSE;
}

/* The canonical address that the pattern finds in the line, if it can be a failed recipient's; NULL: none. Caller frees. */
static char *address_in(const GRegex *pattern, const char *line, char *const *others)
{
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(pattern, line, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *raw = g_match_info_fetch(match, 1);
        g_autofree char *address = address_canonical(raw, NULL);
        if (address && !is_of_system(address) && !g_strv_contains((const char *const *)others, address))
            return g_steal_pointer(&address);
    }
    return NULL;
}

static char *trimmed(const char *line)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    return text_make_valid(copy, (gssize)strnlen(copy, LINE_LOOKED_AT));
}

static GPtrArray *find_by(const GRegex *pattern, char **lines, char *const *others)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)mention_free);
    GString *open = NULL;
    for (char **line = lines; *line; line++) {
        g_autofree char *text = trimmed(*line);
        gboolean may_have = found->len < READ_MAX_BOUNCES && strchr(text, '@');
        g_autofree char *address = may_have ? address_in(pattern, text, others) : NULL;
        if (address && !is_known(found, address)) {
            if (open)
                ((BounceMention *)found->pdata[found->len - 1])->section = g_string_free(open, FALSE);
            open = g_string_new(NULL);
            BounceMention *mention = g_new0(BounceMention, 1);
            mention->address = g_steal_pointer(&address);
            g_ptr_array_add(found, mention);
        }
        if (open && open->len < SECTION_MAX)
            g_string_append_printf(open, "%s\n", text);
    }
    if (open)
        ((BounceMention *)found->pdata[found->len - 1])->section = g_string_free(open, FALSE);
    return found;
}

/* All lines that name the address, each with the two behind it: where systems list recipients first and answers later. Caller frees. */
static char *lines_about(char **lines, const char *address)
{
    GString *about = g_string_new(NULL);
    guint due = 0;
    for (char **line = lines; *line && about->len < SECTION_MAX; line++) {
        g_autofree char *lower = g_utf8_strdown(*line, -1);
        if (strstr(lower, address))
            due = 3;
        if (due) {
            g_string_append_printf(about, "%s\n", *line);
            due--;
        }
    }
    return g_string_free(about, FALSE);
}

GPtrArray *bounce_text_find(const char *report, char *const *others)
{
    const GRegex *const order[] = {patterns()->at_start, patterns()->labelled, patterns()->anywhere};
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
    GPtrArray *found = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(order) && (!found || !found->len); i++) {
        g_clear_pointer(&found, g_ptr_array_unref);
        found = find_by(order[i], lines, others);
    }
    for (guint i = 0; i < found->len; i++) {
        BounceMention *mention = found->pdata[i];
        if (bounce_words_in(mention->section))
            continue;
        g_free(mention->section);
        mention->section = lines_about(lines, mention->address);
        if (bounce_words_in(mention->section))
            continue;
        g_free(mention->section);
        mention->section = text_make_valid(report, (gssize)strnlen(report, SECTION_MAX));
    }
    return found;
}

char *bounce_text_about(const char *report, const GPtrArray *mentions, const char *address)
{
    for (guint i = 0; i < mentions->len; i++) {
        const BounceMention *mention = mentions->pdata[i];
        if (g_str_equal(mention->address, address))
            return g_strdup(mention->section);
    }
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
    return *address ? lines_about(lines, address) : g_strdup("");
}
