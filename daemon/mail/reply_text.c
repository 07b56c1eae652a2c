/*
 * The new text of a reply: its lines are marked, first what older messages they hold, then disclaimers and signatures in the rest,
 * and those that stay are joined. Answers above, below and between quotes all come out, since lines behind ">" are left
 * out one by one; only where an older message stands without ">" does everything below its beginning go.
 *
 * Pure; any thread. Time is linear in the text but for a bounded look ahead at each line.
 */
#include "reply_text.h"

#include <string.h>

#include "reply_lines.h"

enum { MAX_LINES = 20000 };

static void split(ReplyLines *reply, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n", MAX_LINES);

    reply->count = g_strv_length(parts);
    reply->lines = g_new0(ReplyLine, reply->count + 1);
    for (guint i = 0; i < reply->count; i++) {
        /* "-- " is told by its space, so that one stays */
        if (!g_str_equal(parts[i], "-- "))
            g_strchomp(parts[i]);
        reply->lines[i].text = g_steal_pointer(&parts[i]);
        const char *c = reply->lines[i].text;
        while (g_unichar_isspace(g_utf8_get_char(c)))
            c = g_utf8_next_char(c);
        reply->lines[i].blank = *c == '\0';
    }
    /* g_strfreev stops at the first NULL, and all were taken */
}

static void clear(ReplyLines *reply)
{
    for (guint i = 0; i < reply->count; i++)
        g_free(reply->lines[i].text);
    g_free(reply->lines);
}

static gboolean has_kept_text(const ReplyLines *reply, guint end)
{
    for (guint i = 0; i < end; i++)
        if (reply->lines[i].mark == REPLY_KEPT && !reply->lines[i].blank)
            return TRUE;
    return FALSE;
}

static gboolean next_is_quote(const ReplyLines *reply, guint at)
{
    while (at < reply->count && reply->lines[at].blank)
        at++;
    return at < reply->count && reply_line_is_quote(reply->lines[at].text);
}

static void cut_from(ReplyLines *reply, guint at)
{
    for (guint i = at; i < reply->count; i++)
        reply->lines[i].mark = REPLY_CUT;
}

/* Ends the line before an attribution, and before the dashes that some programs put there. */
static void end_line(ReplyLine *line, gsize offset)
{
    line->text[offset] = '\0';
    while (offset > 0 && strchr(" \t-_", line->text[offset - 1]) != NULL)
        line->text[--offset] = '\0';
    line->blank = offset == 0;
}

/* An attribution at this line: the number of lines dealt with. */
static guint take_attribution(ReplyLines *reply, guint at)
{
    gsize offset = 0;
    guint length = reply_attribution_length(reply, at, &offset);

    if (length == 0)
        return 0;
    gboolean quote = next_is_quote(reply, at + length);
    if (!quote && offset == 0 && !has_kept_text(reply, at))
        return 0; /* whatever it introduces, cutting it would leave nothing */
    if (offset > 0)
        end_line(&reply->lines[at], offset);
    if (!quote) {
        cut_from(reply, at + (offset > 0 ? 1 : 0));
        return reply->count - at;
    }
    for (guint i = at + (offset > 0 ? 1 : 0); i < at + length; i++)
        reply->lines[i].mark = REPLY_QUOTED;
    return length;
}

/* The head of an older message at this line: the number of lines dealt with. Above all else, it heads the sender's own
 * text. */
static guint take_older_message(ReplyLines *reply, guint at)
{
    guint length = reply_older_message_length(reply, at);

    if (length == 0)
        return 0;
    if (has_kept_text(reply, at)) {
        cut_from(reply, at);
        return reply->count - at;
    }
    for (guint i = at; i < at + length; i++)
        reply->lines[i].mark = REPLY_CUT;
    return length;
}

static void mark_older(ReplyLines *reply)
{
    for (guint at = 0; at < reply->count;) {
        const char *line = reply->lines[at].text;
        if (reply->lines[at].blank) {
            at++;
            continue;
        }
        if (reply_line_is_quote(line) && !reply_is_arrowed_head(line)) {
            reply->lines[at++].mark = REPLY_QUOTED;
            continue;
        }
        if (reply_is_forward(line))
            return;
        guint taken = take_older_message(reply, at);
        if (taken == 0)
            taken = take_attribution(reply, at);
        at += MAX(taken, 1);
    }
}

/* Whether a mail program broke the line off the quoted one above: the rest of a long line, or of a link. */
static gboolean is_broken_off(const char *above, const char *line)
{
    const char *start = line + strspn(line, " \t");
    gboolean link = strstr(start, "://") != NULL || strchr(start, ' ') == NULL;
    return (strlen(above) >= 65 && strlen(start) < 40) ||
           (link && strchr(above, ' ') != NULL && strstr(above, "://") != NULL) ||
           (strstr(start, "://") != NULL && strchr(start, '>') != NULL);
}

/* Single lines right between quoted ones, without an empty line. */
static void mark_broken_quotes(ReplyLines *reply)
{
    for (guint i = 1; i + 1 < reply->count; i++) {
        ReplyLine *line = &reply->lines[i];
        if (line->mark == REPLY_KEPT && !line->blank && reply_line_is_quote(line[-1].text) &&
            reply_line_is_quote(line[1].text) && is_broken_off(line[-1].text, line->text))
            line->mark = REPLY_QUOTED;
    }
}

static char *join_kept(const ReplyLines *reply)
{
    GString *out = g_string_new(NULL);
    guint blanks = 0;
    gboolean gap = FALSE;

    for (guint i = 0; i < reply->count; i++) {
        const ReplyLine *line = &reply->lines[i];
        gap = gap || line->mark != REPLY_KEPT;
        blanks += line->blank ? 1 : 0;
        if (line->mark != REPLY_KEPT || line->blank)
            continue;
        for (guint n = 0; out->len > 0 && n < (gap ? MIN(blanks, 1) : blanks); n++)
            g_string_append_c(out, '\n');
        blanks = 0;
        gap = FALSE;
        g_string_append(out, g_str_equal(line->text, "-- ") ? "--" : line->text);
        g_string_append_c(out, '\n');
    }
    return g_strstrip(g_string_free(out, FALSE));
}

static gboolean has_quotes(const ReplyLines *reply)
{
    for (guint i = 0; i < reply->count; i++)
        if (reply->lines[i].mark == REPLY_QUOTED)
            return TRUE;
    return FALSE;
}

char *reply_text_extract(const char *text)
{
    ReplyLines reply;

    split(&reply, text);
    mark_older(&reply);
    mark_broken_quotes(&reply);
    reply_mark_notices(&reply);
    reply_mark_signatures(&reply);
    char *fresh = join_kept(&reply);
    if (*fresh == '\0' && !has_quotes(&reply)) {
        g_free(fresh);
        fresh = g_strstrip(g_strdup(text));
    }
    clear(&reply);
    return fresh;
}
