/*
 * What the tests of config/ share: a folder of their own, loading a text from a file there, and asking for a fault.
 */
#pragma once

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

typedef struct {
    char *folder, *file;
} Fixture;

/* libconfig's scanner forgets a text that is still open at a syntax error: its leak, not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static int setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("nurture-config-XXXXXX", NULL);
    fixture->file = g_build_filename(fixture->folder, "n.conf", NULL);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->file);
    g_free(fixture);
    return 0;
}

static inline Config *load(const Fixture *fixture, const char *text, GPtrArray **ret_faults)
{
    assert_true(g_file_set_contents(fixture->file, text, -1, NULL));
    return config_load(fixture->file, ret_faults, NULL);
}

/* The text with the one place that says from saying to. Caller frees. */
static inline char *with(const char *whole, const char *from, const char *to)
{
    GString *text = g_string_new(whole);
    if (g_string_replace(text, from, to, 1) != 1)
        fail_msg("\"%s\" does not stand in the text", from);
    return g_string_free(text, FALSE);
}

/* The text has a fault at that line that says want (and, where only, no other). */
static inline void assert_fault(const Fixture *fixture, const char *text, guint line, const char *want, gboolean only)
{
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(Config) config = load(fixture, text, &faults);
    if (config)
        fail_msg("no fault, where one was to say: %s", want);
    g_autofree char *place = g_strdup_printf("%s:%u: ", fixture->file, line);
    gboolean found = FALSE;
    for (guint i = 0; i < faults->len; i++)
        found = found || (g_str_has_prefix(faults->pdata[i], place) && strstr(faults->pdata[i], want));
    if (!found || (only && faults->len != 1))
        fail_msg("wanted line %u, %s; there is: %s (of %u)", line, want, (const char *)faults->pdata[0], faults->len);
}

/* The text loads; says why not, where it does not. Caller unrefs. */
static inline Config *load_good(const Fixture *fixture, const char *text)
{
    g_autoptr(GPtrArray) faults = NULL;
    Config *config = load(fixture, text, &faults);
    if (!config)
        fail_msg("%s", (const char *)faults->pdata[0]);
    return config;
}
