/*
 * Structured log lines on stderr, one write(2) a line so that lines of several threads and of child processes do not mix.
 * Owns the program's only global state: the level below which lines are dropped. Any thread.
 */
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/timestamp.h"

enum { LOG_VALUE_MAX = 1024 };

static gint least_level = LOG_LEVEL_INFO;

void log_set_level(LogLevel level)
{
    g_atomic_int_set(&least_level, (gint)level);
}

/* systemd tells in JOURNAL_STREAM the device and inode of the stream that it gave us; only if stderr is still that one
 * does anybody understand the prefix. */
static gboolean stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    struct stat info;
    if (stream == NULL || fstat(STDERR_FILENO, &info) != 0)
        return FALSE;
    g_autofree char *ours = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)info.st_dev, (guint64)info.st_ino);
    return strcmp(ours, stream) == 0;
}

static void append_prefix(GString *line, LogLevel level)
{
    static const struct {
        const char *name;
        int priority; /* of syslog(3) */
    } levels[] = {{"error", 3}, {"warning", 4}, {"notice", 5}, {"info", 6}, {"debug", 7}};
    g_assert((gsize)level < G_N_ELEMENTS(levels));

    if (stderr_is_journal()) {
        g_string_append_printf(line, "<%d>", levels[level].priority);
        return;
    }
    g_autofree char *stamp = timestamp_format(clock_system_now_ms());
    g_string_append_printf(line, "%s %s ", stamp, levels[level].name);
}

static gboolean is_plain(const char *value)
{
    if (*value == '\0' || !g_utf8_validate(value, -1, NULL))
        return FALSE;
    for (const char *at = value; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == '"' || c == '\\' || c == '=' || !g_unichar_isgraph(c))
            return FALSE;
    }
    return TRUE;
}

static void append_field(GString *line, const char *key, const char *value)
{
    /* quoted where a reader could else take a part of the value for another field */
    g_autofree char *safe = is_plain(value) ? text_escape(value, LOG_VALUE_MAX) : text_quote(value, LOG_VALUE_MAX);
    g_string_append_printf(line, "%s=%s", key, safe);
}

static void write_line(const GString *line)
{
    for (gsize done = 0; done < line->len;) {
        gssize n = write(STDERR_FILENO, line->str + done, line->len - done);
        if (n > 0)
            done += (gsize)n;
        else if (n == 0 || errno != EINTR)
            return; /* nobody listens: there is nowhere to report that */
    }
}

void log_event_fields(LogLevel level, const char *event, const LogField *fields)
{
    if ((gint)level > g_atomic_int_get(&least_level))
        return;
    int saved_errno = errno;
    GString *line = g_string_sized_new(256);
    append_prefix(line, level);
    append_field(line, "event", event);
    for (const LogField *field = fields; field->key != NULL; field++) {
        if (!field->is_number && field->text == NULL)
            continue;
        g_string_append_c(line, ' ');
        if (field->is_number)
            g_string_append_printf(line, "%s=%" G_GINT64_FORMAT, field->key, field->number);
        else
            append_field(line, field->key, field->text);
    }
    g_string_append_c(line, '\n');
    write_line(line);
    g_string_free(line, TRUE);
    errno = saved_errno;
}
