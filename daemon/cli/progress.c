/*
 * A progress bar on a terminal, for work that takes over a second.
 */
#include "cli/progress.h"

#include "base/clock.h"
#include "cli/terminal.h"

enum { FIRST_AFTER_MS = 1000, AGAIN_AFTER_MS = 100, BAR_COLUMNS_MAX = 40, OTHER_COLUMNS = 20 };

struct Progress {
    FILE *out;
    const char *label;
    gboolean on_terminal, is_shown;
    guint bar_columns;
    gint64 next_ms; /* monotonic */
};

Progress *progress_new(FILE *out, const char *label)
{
    Progress *progress = g_new0(Progress, 1);
    guint columns = terminal_columns(out);
    progress->out = out;
    progress->label = label;
    progress->on_terminal = terminal_is(out);
    progress->bar_columns = columns > OTHER_COLUMNS ? MIN(columns - OTHER_COLUMNS, (guint)BAR_COLUMNS_MAX) : 0;
    progress->next_ms = clock_monotonic_ms() + FIRST_AFTER_MS;
    return progress;
}

void progress_update(Progress *progress, guint64 done, guint64 total)
{
    if (!progress->on_terminal)
        return;
    gint64 now_ms = clock_monotonic_ms();
    if (now_ms < progress->next_ms)
        return;
    progress->next_ms = now_ms + AGAIN_AFTER_MS;
    double part = total == 0 ? 1.0 : CLAMP((double)done / (double)total, 0.0, 1.0);
    guint filled = (guint)(part * progress->bar_columns);
    fprintf(progress->out, "\r%-9s [", progress->label);
    for (guint i = 0; i < progress->bar_columns; i++)
        fputc(i < filled ? '#' : ' ', progress->out);
    fprintf(progress->out, "] %3d %%", (int)(part * 100.0));
    fflush(progress->out);
    progress->is_shown = TRUE;
}

void progress_clear(Progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", progress->out);
    progress->is_shown = FALSE;
}

void progress_finish(Progress *progress)
{
    if (progress == NULL)
        return;
    progress_clear(progress);
    g_free(progress);
}
