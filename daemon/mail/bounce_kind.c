/*
 * What a failed delivery means. Hard is only what says that there is no such address or host, now or ever: the address is never tried
 * again. All else is soft: a full or closed mailbox, a refusal of sender, content or network, a fault, a time-out.
 *
 * The words of the servers decide first, since programs fill the status in by rote; then the status; a reply to DATA or MAIL is about the
 * message or its sender, whatever its words. Pure, any thread.
 */
#include "mail/bounce_kind.h"

#include <string.h>

#include "base/text.h"

enum { WORDS_LOOKED_AT = 4096 };

/* About the sender, the message, the way there or the state of a mailbox that is there. */
#define REFUSED_PATTERN                                                                                                    \
    "\\bsender\\b.{0,40}(?:reject|denied|verif|domain|address|block|invalid|unknown|not exist)|domain of sender|unrout(?:e)?able sender|"   \
    "black ?list|block ?list|\\bblocked\\b|\\b(?:dns)?[br]bl\\b|spamhaus|reputation|(?<!not )\\blisted (?:in|at|by|on)\\b|\\bbanned\\b|"           \
    "\\bspf\\b|\\bdkim\\b|\\bdmarc\\b|authenticat|not verified|\\bptr\\b|\\br?dns\\b.{0,30}(?:require|invalid|record|reverse)|reverse dns|"   \
    "\\bspam|virus|malware|content (?:reject|filter|den)|message (?:content )?(?:rejected|filtered)|mail reject|scored|"                     \
    "(?:message|mail|length|size)\\b.{0,30}\\b(?:too (?:large|big|long)|exceed)|exceed.{0,40}\\b(?:size|length|limit|maximum|storage|quota)|"    \
    "too (?:many|much)|frequency|at a rate|rate limit|polic(?:y|ies)|prohibited|relay(?:ing)? (?:denied|access|not|prohib)|"               \
    "not (?:allowed|permitted|authori[sz]ed)|permission|"                                                                                  \
    "\\bfull\\b|quota|storage|out of space|disk|over.{0,10}limit|"                                                                         \
    "(?:account|mailbox|user|address|recipient)\\b.{0,50}\\b(?:disabled|inactive|suspended|locked|expired|deactivated|discontinued|blocked|not active|restricted)|" \
    "time(?:d)?[ -]?out|temporar|try again|retr(?:y|ies)|deferred|gr[ea]ylist|connection (?:refused|reset|lost|closed|timed)|"              \
    "not respond|unreachable|\\btls\\b|too many hops|loop|couldn't create|\\bclient ip\\b|\\bip\\b.{0,20}(?:reject|invalid|den)"

/* There is no such address or host. */
#define GONE_PATTERN                                                                                                       \
    "\\b(?:user|recipient|mailbox|address(?:ee)?|account|person|alias|username|destination)s?\\b(?:[^.;]|\\.(?=\\w)){0,70}?\\b(?:unknown|not (?:be )?(?:found|known|recogni[sz]ed|listed|valid|exist)|" \
    "invalid|non-?exist(?:ent|ing)?|unrout(?:e)?able|no longer)|"                                                                         \
    "\\b(?:unknown|no such|not? valid|invalid|bad|non-?exist(?:ent|ing)|unrecogni[sz]ed|undeliverable|unrout(?:e)?able|illegal|misspelled)\\s(?:[\\w-]+\\s){0,2}"     \
    "(?:user|recipient|mailbox|address(?:ee)?|account|person|alias|local|name|domain|host|destination|customer)|"                        \
    "\\b(?:do|does|did) ?(?:no|n'|n)?t exist|\\bnot exist|\\bcould ?n[o']t be found|\\bcan(?:no|')t be found|\\bnot found\\b|was ?n[o']t found|" \
    "\\bno (?:\\w+ )?(?:user|account|mailbox|recipient|one)\\b.{0,30}(?:here|by that name|with|named|called)|"                            \
    "\\b(?:is|are) ?(?:no|n')t (?:a |an )?(?:valid|known|our customer)|\\bnot (?:an? )?(?:our )?(?:valid|known|user|customer)\\b|doesn't have an? .{0,60}account|"   \
    "\\bhas moved|moved permanently|no longer (?:valid|work|exist|in use|available|active|employed|with|on server|accept)|"               \
    "\\b(?:host|domain)(?: or domain)?(?: name)?\\b.{0,20}\\b(?:not found|unknown|lookup fail)|nxdomain|no (?:such )?mx\\b|null mx|"           \
    "does not accept (?:any )?(?:e-?mail|mail)|no smtp service|name or service not known|could not find a gateway|(?:account|domain) may not exist|"    \
    "\\bunbekannt|existiert nicht|\\bukjent|finnes ikke|n'existe pas|inconnu|no existe|desconocid|non esiste|sconosciut|n[ãa]o existe|"     \
    "recipient address(?:es)? rejected ?: access denied|address rejected\\.?(?:$| \\()|mailbox unavailable|okänd|finns inte|bestaat niet|onbekend|nie istnieje"

/* What the words answered, where that was not the recipient's address. */
#define PHASE_PATTERN                                                                                                      \
    "in reply to (?:the )?(?:end of data|data|mail from|e?helo)|after (?:end of data|pipelined data|mail from|initial connection)|"        \
    ">>> ?(?:data|mail from)\\b[^<>]{0,200}<<< ?(?!503)[45]\\d\\d(?!.{0,400}<<< ?5\\d\\d.{0,60}(?:rcpt|valid recipient))|\\bsmtp command\\s(?:data|mail)\\b|error from remote mail server after end of data"

typedef struct {
    GRegex *refused, *gone, *phase, *rcpt, *reply, *status, *code;
} Patterns;

static GRegex *compile(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &error);
    if (!regex)
        g_error("bounce_kind: %s", error->message);
    return regex;
}

static const Patterns *patterns(void)
{
    static Patterns compiled;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        compiled = (Patterns){.refused = compile(REFUSED_PATTERN),
                              .gone = compile(GONE_PATTERN),
                              .phase = compile(PHASE_PATTERN),
                              .rcpt = compile("in reply to rcpt|after rcpt to|\\[rcpt_to\\]|>>> ?rcpt|recipient address rejected"),
                              .reply = compile("(?<![\\d.])[45]\\d\\d[ -]{1,2}[#'\"(]{0,2}([45]\\.\\d\\.\\d{1,3})(?!\\.?\\d)"),
                              .status = compile("(?<![\\d.])([45]\\.\\d\\.\\d{1,3})(?!\\.?\\d)"),
                              .code = compile("(?<![\\d.:-])[45][0-57]\\d[ -](?!\\d\\d:)")};
        g_once_init_leave(&once, 1);
    }
    return &compiled;
}

static gboolean matches(const GRegex *regex, const char *text)
{
    return g_regex_match(regex, text, 0, NULL);
}

/* One line of valid UTF-8, bounded: what patterns are tried on. Caller frees. */
static char *flat(const char *text)
{
    g_autofree char *start = text_make_valid(text ? text : "", text ? (gssize)strnlen(text, WORDS_LOOKED_AT) : 0);
    return text_one_line(start);
}

static char *first_group(const GRegex *regex, const char *text)
{
    g_autoptr(GMatchInfo) match = NULL;
    return g_regex_match(regex, text, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}

/* The status of the first reply in the line, better one that says more than that time ran out (x.4.7); NULL: none. Caller frees. */
static char *replied_status(const char *line)
{
    g_autofree char *found = NULL;
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(patterns()->reply, line, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        if (found && !g_str_has_suffix(found, ".4.7"))
            break;
        g_free(found);
        found = g_match_info_fetch(match, 1);
    }
    return found ? g_steal_pointer(&found) : first_group(patterns()->status, line);
}

char *bounce_status(const char *field, const char *words)
{
    g_autofree char *line = flat(words), *own = flat(field);
    g_autofree char *given = first_group(patterns()->status, own);
    char *replied = replied_status(line);
    gboolean says_more = replied && !g_str_has_suffix(replied, ".0.0") && (!given || given[0] == replied[0]);
    if (replied && (!given || says_more))
        return replied;
    g_free(replied);
    return g_steal_pointer(&given);
}

/* The statuses that say that there is no such address, host or mailbox system (RFC 3463, section 3.2). */
static gboolean status_is_gone(const char *status)
{
    static const char *const gone[] = {"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.4.4"};
    for (gsize i = 0; i < G_N_ELEMENTS(gone); i++)
        if (g_str_equal(status, gone[i]))
            return TRUE;
    return FALSE;
}

/* Whether the first reply code in the words is one of 4xx. */
static gboolean reply_is_passing(const char *words)
{
    g_autoptr(GMatchInfo) match = NULL;
    int at = 0;
    return g_regex_match(patterns()->code, words, 0, &match) && g_match_info_fetch_pos(match, 0, &at, NULL) && words[at] == '4';
}

/* Whether the words answered a command about something else than the recipient. */
static gboolean is_other_phase(const char *line, const char *around)
{
    return matches(patterns()->phase, line) || matches(patterns()->phase, around);
}

BounceKind bounce_kind(const char *action, const char *status, const char *words, const char *transcript)
{
    if (action && g_ascii_strncasecmp(action, "delayed", 7) == 0)
        return BOUNCE_DELAYED;
    g_autofree char *line = flat(words), *around = flat(transcript);
    if (*status == '4' || g_str_has_prefix(status, "5.7.") || (!*status && reply_is_passing(line)))
        return BOUNCE_SOFT;
    gboolean is_refused = matches(patterns()->refused, line), is_gone = matches(patterns()->gone, line);
    if (is_refused)
        return BOUNCE_SOFT;
    if (status_is_gone(status))
        return is_gone || !is_other_phase(line, around) ? BOUNCE_HARD : BOUNCE_SOFT;
    if (!is_gone || is_other_phase(line, around))
        return BOUNCE_SOFT;
    gboolean is_there = g_str_equal(status, "5.2.1"); /* a mailbox, closed: but programs say so of none at all */
    return !is_there || matches(patterns()->rcpt, line) || matches(patterns()->rcpt, around) ? BOUNCE_HARD : BOUNCE_SOFT;
}

const char *bounce_words_in(const char *text)
{
    const GRegex *const order[] = {patterns()->code, patterns()->status, patterns()->gone, patterns()->refused};
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autoptr(GMatchInfo) match = NULL;
        int at = 0;
        if (g_regex_match(order[i], text, 0, &match) && g_match_info_fetch_pos(match, 0, &at, NULL))
            return text + at;
    }
    return NULL;
}
