/*
 * nurture: the command for people and scripts. All is in cli/.
 *
 * With --watch as its first argument the program is a mailbox watcher instead, as nurtured is: nurture doctor starts one.
 */
#include <gmime/gmime.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "imap/watcher.h"
#include "mail/read.h"

int main(int argc, char **argv)
{
    if (argc > 1 && g_str_equal(argv[1], "--watch"))
        return watcher_main(mail_read);
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none); /* an image of the process would hold passwords and tokens */
    setlocale(LC_CTYPE, "C.UTF-8");
    g_set_prgname("nurture");
    g_mime_init();
    signal(SIGPIPE, SIG_DFL); /* behind g_mime_init(), whose GPGME ignores it */
    return cli_run(argv, stdout, stderr);
}
