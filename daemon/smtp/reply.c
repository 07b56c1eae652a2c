/*
 * Replies as RFC 5321 (4.2) and RFC 3463 have them: "550-5.1.1 first line", "550 5.1.1 last line". What ends a reply is
 * told exactly as libcurl tells it, since both must agree on which command a line answers. Pure functions on remote
 * bytes.
 */
#include "reply.h"

#include <string.h>

#include "limits.h"

enum { CODE_DIGITS = 3, CODE_PREFIX = 4, MAX_SUBJECT_DIGITS = 3 };

void smtp_reply_init(SmtpReply *reply)
{
    *reply = (SmtpReply){.text = g_string_new(NULL)};
}

void smtp_reply_clear(SmtpReply *reply)
{
    g_string_free(reply->text, TRUE);
    reply->text = NULL;
}

void smtp_reply_begin(SmtpReply *reply)
{
    g_string_truncate(reply->text, 0);
    *reply = (SmtpReply){.text = reply->text};
}

/* Up to three digits at *at; moves *at behind them. */
static gboolean skip_number(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && g_ascii_isdigit(**at) && *at - start <= MAX_SUBJECT_DIGITS)
        (*at)++;
    return *at > start && *at - start <= MAX_SUBJECT_DIGITS;
}

/* The length of an enhanced status at the start of the words, with the class of the reply's code; 0 for none. */
static gsize enhanced_length(char class, const char *words, const char *end)
{
    const char *at = words;
    if (end - words < 5 || *at++ != class || *at++ != '.')
        return 0;
    if (!skip_number(&at, end) || at == end || *at++ != '.' || !skip_number(&at, end))
        return 0;
    return at == end || *at == ' ' || *at == '\t' ? (gsize)(at - words) : 0;
}

static void add_words(SmtpReply *reply, char class, const char *words, const char *end)
{
    gsize length = strchr("245", class) ? enhanced_length(class, words, end) : 0;
    if (length > 0) {
        if (!*reply->enhanced && length < sizeof reply->enhanced)
            memcpy(reply->enhanced, words, length); /* the rest of it is zero */
        words += length;
    }
    while (words < end && (*words == ' ' || *words == '\t'))
        words++;
    gsize room = SMTP_REPLY_TEXT - MIN(reply->text->len, SMTP_REPLY_TEXT);
    gsize take = MIN((gsize)(end - words), room);
    if (take > 0 && reply->text->len > 0)
        g_string_append_c(reply->text, ' ');
    g_string_append_len(reply->text, words, (gssize)take);
}

gboolean smtp_reply_take(SmtpReply *reply, const char *line, gsize length)
{
    reply->octets += length;
    if (reply->octets > SMTP_REPLY_OCTETS)
        return FALSE;
    if (length < CODE_PREFIX || !g_ascii_isdigit(line[0]) || !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]))
        return TRUE; /* no line of a reply; libcurl passes over it as well */
    gboolean last = line[CODE_DIGITS] == ' ' || length == CODE_DIGITS + strlen("\r\n");
    const char *end = line + length, *words = line + MIN(length, CODE_PREFIX);
    while (end > words && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    reply->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    reply->complete = last;
    if (end > words)
        add_words(reply, line[0], words, end);
    return TRUE;
}

gboolean smtp_reply_line_offers(const char *line, gsize length, const char *keyword)
{
    gsize key = strlen(keyword);
    if (length < CODE_PREFIX + key || line[0] != '2' || g_ascii_strncasecmp(line + CODE_PREFIX, keyword, key) != 0)
        return FALSE;
    return length == CODE_PREFIX + key || strchr(" =\r\n", line[CODE_PREFIX + key]) != NULL;
}
