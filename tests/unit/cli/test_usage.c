/*
 * Wrong usage: status 2, the usage line, the nearest command or option, nothing on standard output, and nothing done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef struct {
    int status;
    char *out, *err;
} Run;

static void run_clear(Run *run)
{
    free(run->out);
    free(run->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* Runs `nurture` with the words of the line, which are separated by single spaces. */
static Run run_line(const char *line)
{
    Run run = {0};
    size_t out_size = 0, err_size = 0;
    g_autofree char *whole = g_strconcat("nurture", line[0] != '\0' ? " " : "", line, NULL);
    g_auto(GStrv) argv = g_strsplit(whole, " ", -1);
    FILE *out = open_memstream(&run.out, &out_size), *err = open_memstream(&run.err, &err_size);
    run.status = cli_run(argv, out, err);
    fclose(out);
    fclose(err);
    return run;
}

static void test_wrong_usage(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says, *usage;
    } cases[] = {
        {"", "no command is named", "usage: nurture [-c FILE] COMMAND"},
        {"histroy a@b.no", "did you mean \"history\"?", "usage: nurture [-c FILE] COMMAND"},
        {"xyzzy", "write one of: check, import, contact", "usage: nurture [-c FILE] COMMAND"},
        {"--versoin", "did you mean --version?", "usage: nurture [-c FILE] COMMAND"},
        {"-c", "missing argument", "usage: nurture [-c FILE] COMMAND"},
        {"-c x.conf", "no command is named", "usage: nurture [-c FILE] COMMAND"},
        {"import", "FILE.csv is missing", "usage: nurture import FILE.csv"},
        {"import a.csv b.csv", "\"b.csv\" is one word too many", "usage: nurture import FILE.csv"},
        {"import a.csv --dry-rnu", "did you mean --dry-run?", "usage: nurture import FILE.csv"},
        {"contact", "no command is named", "usage: nurture contact add|show"},
        {"contact shwo a@b.no", "did you mean \"show\"?", "usage: nurture contact add|show"},
        {"contact -c x.conf lsit", "did you mean \"list\"?", "usage: nurture contact add|show"},
        {"contact add", "EMAIL is missing", "usage: nurture contact add EMAIL"},
        {"contact add a@b.no --frist-name Kari", "did you mean --first-name?", "usage: nurture contact add EMAIL"},
        {"contact add a@b.no -x", "unknown option -x", "usage: nurture contact add EMAIL"},
        {"contact set a@b.no first_name=Kari", "write it as --first-name=Kari", "usage: nurture contact set EMAIL"},
        {"contact set a@b.no seats=3", "write it as --attribute seats=3", "usage: nurture contact set EMAIL"},
        {"contact set a@b.no =3", "put quotation marks", "usage: nurture contact set EMAIL"},
        {"contact stage a@b.no", "STAGE is missing", "usage: nurture contact stage EMAIL STAGE"},
        {"contact tag a@b.no", "+TAG is missing", "usage: nurture contact tag EMAIL"},
        {"contact tag a@b.no --json", "+TAG is missing", "usage: nurture contact tag EMAIL"},
        {"contact tag -cold", "EMAIL is missing", "usage: nurture contact tag EMAIL"},
        {"log a@b.no", "note|call|meeting|complaint is missing", "usage: nurture log EMAIL"},
        {"log a@b.no call", "TEXT is missing", "usage: nurture log EMAIL"},
        {"log a@b.no cal hello", "did you mean \"call\"?", "usage: nurture log EMAIL"},
        {"queue lst", "did you mean \"list\"?", "usage: nurture queue [list"},
        {"queue list x", "\"x\" is one word too many", "usage: nurture queue list"},
        {"queue --al", "did you mean --all?", "usage: nurture queue list"},
        {"queue retry", "ID… is missing", "usage: nurture queue retry"},
        {"preview after-pitch", "EMAIL is missing", "usage: nurture preview RULE EMAIL"},
        {"read", "FILE… is missing", "usage: nurture read FILE"},
        {"status now", "\"now\" is one word too many", "usage: nurture status"},
        {"history a@b.no \xFF", "not valid UTF-8", "usage: nurture [-c FILE] COMMAND"},
        {"help xyzzy", "there is no command \"xyzzy\"", "usage: nurture [-c FILE] COMMAND"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Run) run = run_line(cases[i].line);
        if (run.status != CLI_USAGE || strstr(run.err, cases[i].says) == NULL || strstr(run.err, cases[i].usage) == NULL)
            fail_msg("\"%s\": status %d, %s", cases[i].line, run.status, run.err);
        assert_string_equal(run.out, "");
    }
}

static void test_words_cannot_act_on_the_terminal(void **state)
{
    (void)state;
    static const char *const lines[] = {"x\033[2J", "contact \033[2J", "queue list \033[2J", "--\033[2J",
                                        "log a@b.no \033[2J x"};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(Run) run = run_line(lines[i]);
        assert_int_equal(run.status, CLI_USAGE);
        assert_null(strchr(run.err, '\033'));
    }
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"--help", "usage: nurture [-c FILE] COMMAND"},
        {"help", "How an inbound message is understood"},
        {"-h", "usage: nurture [-c FILE] COMMAND"},
        {"--version", "nurture " NURTURE_VERSION "\n"},
        {"contact --help", "Sends a person nothing until then"},
        {"contact add --help", "--first-name=NAME"},
        {"help contact add", "--first-name=NAME"},
        {"help import", "--dry-run"},
        {"queue --help", "Lets held messages go"},
        {"help queue", "Without COMMAND: list."},
        {"queue list --help", "--all"},
        {"import --help", "nurture import"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Run) run = run_line(cases[i].line);
        if (run.status != CLI_DONE || strstr(run.out, cases[i].says) == NULL)
            fail_msg("\"%s\": status %d, %s%s", cases[i].line, run.status, run.out, run.err);
        assert_string_equal(run.err, "");
    }
}

/* The configuration is named before or behind the command, and its absence is a fault (1), not wrong usage. */
static void test_configuration_may_stand_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "-c /nonexistent/n.conf check",
        "check -c /nonexistent/n.conf",
        "--config=/nonexistent/n.conf queue",
        "queue -c /nonexistent/n.conf",
        "queue -c /nonexistent/n.conf list",
        "contact list -c /nonexistent/n.conf",
        "contact --json -c /nonexistent/n.conf list",
        "contact tag a@b.no -cold -c /nonexistent/n.conf",
        "-c /other.conf check -c /nonexistent/n.conf",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(Run) run = run_line(lines[i]);
        if (run.status != CLI_FAILED || strstr(run.err, "/nonexistent/n.conf") == NULL)
            fail_msg("\"%s\": status %d, %s", lines[i], run.status, run.err);
        assert_string_equal(run.out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_words_cannot_act_on_the_terminal),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_configuration_may_stand_anywhere),
    };
    g_unsetenv("NURTURE_CONFIG");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
