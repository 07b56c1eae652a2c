/*
 * The command `nurture`: everything behind main(). Results go to out, errors and notes to err.
 */
#pragma once

#include <stdio.h>

enum {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* something failed, or faults were found */
    CLI_USAGE = 2   /* wrong usage: nothing was done */
};

/*
 * Runs one command as argv (argv[0] included, NULL-terminated) says and returns the exit status. GMime must have been set up
 * (g_mime_init()) for `read` and `preview`. Neither out nor err is closed.
 */
int cli_run(char **argv, FILE *out, FILE *err);
