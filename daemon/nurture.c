/*
 * nurture: the command for people and scripts. All is in cli/.
 */
#include <gmime/gmime.h>
#include <locale.h>
#include <signal.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    (void)argc;
    setlocale(LC_CTYPE, "C.UTF-8");
    g_set_prgname("nurture");
    g_mime_init();
    signal(SIGPIPE, SIG_DFL); /* behind g_mime_init(), whose GPGME ignores it */
    return cli_run(argv, stdout, stderr);
}
