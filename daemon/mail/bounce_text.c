/*
 * Failure reports for people: qmail, Exim, sendmail, Gmail, Yahoo, Exchange, Domino, OpenSMTPD, DragonFly, courier and the rest.
 * What they share is taken as the rule, not what each prints: a line that begins with an address opens that recipient's entry; the
 * lines below it, up to the next one, are what is said of it; where no line begins so, an address behind words such as "recipient",
 * "to" or "for", or within an SMTP reply, is the one.
 *
 * Pure; any thread.
 */
#include "bounce_text.h"

#include <string.h>

#include "mail/address.h"
#include "mail/read.h"

enum { REPORT_MAX = 32 * 1024, LINE_MAX_LOOKED_AT = 500, WORDS_MAX = 2000 };

#define ADDRESS "([\\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\\.[a-z0-9-]{1,63}){1,8})"

typedef struct {
    GRegex *returned, *opens, *behind, *in_reply, *not_failed, *failure, *delay;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE | G_REGEX_MULTILINE, 0, &error);
    if (regex == NULL)
        g_error("bounce_text: %s", error->message);
    return regex;
}

/* Where the message that came back begins: an announcement, or header lines that only a message has. */
#define RETURNED                                                                                                                  \
    "^[\\s|>=*#_-]{0,40}(?:"                                                                                                      \
    "(?:below |this |here |the following )?(?:this line )?(?:is|are)? ?(?:a |the )?(?:copy of|headers? (?:of|from)|first .{1,20}lines of) "  \
    "(?:the |your |this )?(?:original |returned |undelivered )?(?:message|mail|e-?mail)"                                           \
    "|(?:the |your )?(?:original|unsent|returned|undelivered|rejected|failed) (?:message|mail|e-?mail)(?: text| headers?)?"         \
    " ?(?:follows|:|-|is|below|attached|\\|)"                                                                                      \
    "|(?:original|unsent|returned|undelivered) (?:message|mail|e-?mail)(?: text| headers?)?[\\s|>=*#_-]*$"                          \
    "|message (?:headers?|text|body|contents?) follows?"                                                                           \
    "|(?:the )?(?:header|body|text|contents?)s? of (?:the |your )?(?:original |returned |undelivered )?(?:message|mail)"            \
    "|below this line is a copy)"                                                                                                  \
    "|^(?:Received:|Return-Path:|DKIM-Signature:|X-Google-DKIM-Signature:|Content-Type: ?message/rfc822)"

#define FAILURE                                                                                                                    \
    "could ?n[o']t be (?:delivered|sent)|could not (?:be )?(?:deliver|send)|(?:was|were|be|been) not (?:been )?(?:delivered|able to (?:be )?deliver)|not delivered|"  \
    "delivery (?:to|of|for|has|attempt|error|fail|status notif|problem|not)|undeliver|unable to (?:deliver|send|relay)|wasn't able to deliver|"  \
    "(?:was|were) unable to deliver|permanent (?:fatal |delivery )?(?:error|failure)|failed (?:permanently|address|recipient|to deliver)|"  \
    "(?:did|does|do|has|have) not (?:been )?reach|(?:did|has) not receive|returned (?:to sender|mail|message)|returning|non-?deliver|"  \
    "error(?:s)? (?:has |have )?(?:occurred |while |was |were )?(?:while |when )?(?:attempting|trying|delivering|detected)|"         \
    "error (?:occurred|delivering)|delivery errors|message (?:has been |was |is )?(?:rejected|bounced|refused|blocked|returned)|"    \
    "transcript of session|(?:user|recipient|address|mailbox|host) (?:is )?(?:unknown|not found|rejected)|(?:unknown|invalid) (?:user|recipient|address)|"  \
    "no valid recipients|(?:mailbox|quota) (?:is )?(?:full|exceeded)|smtp error|your message|"                                       \
    "nicht (?:zugestellt|zugestellt werden|ausgeliefert)|unzustellbar|kunne ikke leveres|ikke leveres|ikke levert|kunde inte levereras|inte levereras|"  \
    "niet (?:worden )?(?:bezorgd|afgeleverd)|onbestelbaar|n'a pas pu|n'ont pas pu|non remis|non distribu|no se (?:ha podido|pudo|puede) entregar|"  \
    "no (?:se )?entreg|non (?:\\S{1,20} )?(?:consegnat|recapitat)|impossibile (?:recapitare|consegnare)|nie (?:mog|zosta|uda)\\S{0,6} |"  \
    "não (?:\\S{1,12} )?entregue|impossível entregar|не (?:может быть |было |удалось )?достав|недостав|送信できませんでした|配送できません|無法|退信|无法"

#define DELAY                                                                                                                        \
    "(?:has been|was|is|been|message|mail|delivery) (?:\\S{1,40} )?(?:delayed|deferred)|delayed (?:mail|\\d)|(?:has |have )?not (?:yet )?been (?:delivered|able)(?: yet)?[^.]{0,80}"  \
    "(?:yet|retr|try|attempt)|will (?:be |continue |keep )?(?:to be |to )?(?:retr(?:y|ied)|try(?:ing)?)|keep trying|still (?:being )?(?:trying|retried)|"  \
    "delivery attempts will continue|no action is required|warning only|\\(delay\\)|(?:do|need) not (?:need to )?resend|warning: (?:could not send|message)|" \
    "verzögert|verzögerung|forsinket|forsinkelse|fördröj|vertraagd|retard[ée]|in ritardo|atrasad|demor|opóźni"

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled.returned = compile(RETURNED);
        compiled.opens = compile("^[\\s*•|>-]{0,20}(?:to:|(?:final-|failed |original )?recipient(?: address)?(?:\\(s\\)|s)?:|e-?mail:|address:)?"
                                 "\\s{0,5}[\"'<(\\[]{0,2}(?:smtp:|mailto:|rfc822; ?)?" ADDRESS "[>)\\]\"']{0,2}(?=[\\s:;,.(\\[<>-]|$)");
        compiled.behind = compile("(?:recipients?(?:\\(s\\))?|addresse?s?|user|mailbox|to|for|attempts|deliver\\w*|rcpt to)[:;]?\\s{0,3}(?:\\w{1,20}[:;]?\\s){0,2}"
                                  "[\"'<(\\[]{0,2}" ADDRESS);
        compiled.in_reply = compile("\\b[45]\\d\\d[ -].{0,60}?[<( ]" ADDRESS);
        compiled.not_failed = compile("mail from|envelope.?from|^\\s*from:|sender:|contact|postmaster|mailer-daemon|abuse@|https?:|message-id|reply-to|x-|helo");
        compiled.failure = compile(FAILURE);
        compiled.delay = compile(DELAY);
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

void bounce_entry_free(BounceEntry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->recipient);
    g_string_free(entry->words, TRUE);
    g_free(entry);
}

gboolean bounce_text_says_failure(const char *text)
{
    return g_regex_match(patterns()->failure, text, 0, NULL);
}

gboolean bounce_text_says_delay(const char *text)
{
    return g_regex_match(patterns()->delay, text, 0, NULL);
}

char *bounce_text_report(const char *text, const char **ret_rest)
{
    gsize len = MIN(strlen(text), (gsize)REPORT_MAX);
    g_autofree char *report = g_utf8_make_valid(text, (gssize)len);
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0;

    *ret_rest = text + len;
    if (g_regex_match(patterns()->returned, report, 0, &match) && g_match_info_fetch_pos(match, 0, &at, NULL)) {
        *ret_rest = text + at;
        report[at] = '\0';
    }
    return g_steal_pointer(&report);
}

/* ---- entries ---------------------------------------------------------------------------------------------------------- */

static BounceEntry *find_entry(const GPtrArray *entries, const char *recipient)
{
    for (guint i = 0; i < entries->len; i++) {
        BounceEntry *entry = g_ptr_array_index(entries, i);
        if (g_str_equal(entry->recipient, recipient))
            return entry;
    }
    return NULL;
}

/* The canonical address in the match's first group; NULL where it is none, or one that reports name for other reasons. */
static char *recipient_in(const GMatchInfo *match, const char *const *own)
{
    g_autofree char *found = g_match_info_fetch(match, 1);
    char *address = found != NULL ? address_canonical(found, NULL) : NULL;

    if (address != NULL && own != NULL && g_strv_contains(own, address))
        g_clear_pointer(&address, g_free);
    return address;
}

static BounceEntry *open_entry(GPtrArray *entries, char *recipient)
{
    BounceEntry *entry = find_entry(entries, recipient);

    if (entry != NULL || entries->len >= READ_MAX_BOUNCES) {
        g_free(recipient);
        return entry;
    }
    entry = g_new0(BounceEntry, 1);
    entry->recipient = recipient;
    entry->words = g_string_new(NULL);
    g_ptr_array_add(entries, entry);
    return entry;
}

static void add_words(BounceEntry *entry, const char *line)
{
    if (entry->words->len >= WORDS_MAX)
        return;
    if (entry->words->len > 0)
        g_string_append_c(entry->words, '\n');
    g_string_append(entry->words, line);
}

static char *bounded_line(const char *line, gsize len)
{
    g_autofree char *cut = g_strndup(line, MIN(len, (gsize)LINE_MAX_LOOKED_AT));
    return g_utf8_make_valid(cut, -1);
}

/* Lines that begin with an address, and what is below them. */
static void read_opened(GPtrArray *entries, char *const *lines, const char *const *own)
{
    BounceEntry *open = NULL;
    guint blanks = 0;

    for (; *lines != NULL; lines++) {
        g_autoptr(GMatchInfo) match = NULL;
        g_autofree char *line = bounded_line(*lines, strlen(*lines));
        gboolean begins = g_regex_match(patterns()->opens, line, 0, &match);
        char *recipient = begins ? recipient_in(match, own) : NULL;

        blanks = *g_strchug(line) == '\0' ? blanks + 1 : 0;
        if (recipient != NULL)
            open = open_entry(entries, recipient);
        else if (blanks > 1)
            open = NULL;
        if (open != NULL && *line != '\0')
            add_words(open, line);
    }
}

/* The addresses that a pattern finds anywhere in lines that speak of failed ones. */
static void read_within(GPtrArray *entries, const GRegex *pattern, char *const *lines, const char *const *own)
{
    for (; *lines != NULL; lines++) {
        g_autoptr(GMatchInfo) match = NULL;
        g_autofree char *line = bounded_line(*lines, strlen(*lines));
        if (g_regex_match(patterns()->not_failed, line, 0, NULL) || !g_regex_match(pattern, line, 0, &match))
            continue;
        char *recipient = recipient_in(match, own);
        BounceEntry *entry = recipient != NULL ? open_entry(entries, recipient) : NULL;
        if (entry != NULL)
            add_words(entry, line);
    }
}

GPtrArray *bounce_text_entries(const char *report, const char *const *own)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)bounce_entry_free);
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);

    read_opened(entries, lines, own);
    if (entries->len == 0)
        read_within(entries, patterns()->in_reply, lines, own);
    if (entries->len == 0)
        read_within(entries, patterns()->behind, lines, own);
    else
        return entries;
    if (entries->len == 1) { /* a report about one: all of it is said of that one */
        BounceEntry *only = g_ptr_array_index(entries, 0);
        g_string_assign(only->words, report);
    }
    return entries;
}
