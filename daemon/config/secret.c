/*
 * Reading a password at the moment it is needed. Blocks; called by workers. No error of this file holds a secret, or what a
 * command printed.
 */
#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"

enum { SECRET_MAX_BYTES = 64 * 1024, COMMAND_TIMEOUT_S = 30, COMMAND_LOOK_MS = 100, TELLING_RUN = 16 };

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

gboolean secret_is_told(const char *secret, const char *text)
{
    gsize length = strlen(secret);
    gboolean told = length > 0 && strstr(text, secret) != NULL;
    for (gsize at = 0; !told && at + TELLING_RUN <= length; at++) {
        char run[TELLING_RUN + 1] = {0};
        memcpy(run, secret + at, TELLING_RUN);
        told = strstr(text, run) != NULL;
        explicit_bzero(run, sizeof run);
    }
    return told;
}

/* The first line; NULL and an error where it is empty. text is wiped. */
static char *first_line(char *text, const char *where, GError **error)
{
    char *secret = g_strndup(text, strcspn(text, "\r\n"));
    explicit_bzero(text, strlen(text));
    if (*secret)
        return secret;
    g_free(secret);
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "%s: no password on the first line", where);
    return NULL;
}

/* Checks the opened file, not its name, so that nothing can be put in its place in between. */
static gboolean is_private(int fd, const char *path, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "%s is not a file", path);
        return FALSE;
    }
    if (status.st_mode & 077) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "%s can be read by others; write chmod 600 %s", path, path);
        return FALSE;
    }
    return TRUE;
}

static char *read_file(const char *path, gboolean must_be_private, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    char *secret = NULL;
    if (!must_be_private || is_private(fd, path, error)) {
        char *text = g_malloc0(SECRET_MAX_BYTES + 1);
        gssize length = read(fd, text, SECRET_MAX_BYTES);
        if (length < 0)
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "%s: %s", path, g_strerror(errno));
        else
            secret = first_line(text, path, error);
        explicit_bzero(text, SECRET_MAX_BYTES);
        g_free(text);
    }
    close(fd);
    return secret;
}

typedef struct {
    GMainLoop *loop;
    GCancellable *giving_up;
    pid_t group; /* of the command and all that it started; 0 where the shell was gone before we could ask */
    gint64 until_ms;
    const gint *cancelled;
    char *output;
    gboolean ok;
} CommandRun;

static void on_output(GObject *source, GAsyncResult *result, gpointer data)
{
    CommandRun *run = data;
    run->ok = g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &run->output, NULL, NULL);
    g_main_loop_quit(run->loop);
}

/* The whole group: what the shell started would else keep our pipe open after the shell has been ended. */
static gboolean on_look(gpointer data)
{
    CommandRun *run = data;
    if ((!run->cancelled || !g_atomic_int_get(run->cancelled)) && clock_monotonic_ms() < run->until_ms)
        return G_SOURCE_CONTINUE;
    if (run->group > 0)
        kill(-run->group, SIGKILL);
    g_cancellable_cancel(run->giving_up);
    return G_SOURCE_REMOVE;
}

static void lead_own_group(gpointer unused)
{
    (void)unused;
    setpgid(0, 0);
}

static GSubprocess *start_command(const char *command, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, lead_own_group, NULL, NULL);
    return g_subprocess_launcher_spawn(launcher, error, "/bin/sh", "-c", command, NULL);
}

/* Waits for what it prints, in a context of its own. */
static void wait_for_output(GSubprocess *process, GMainContext *context, CommandRun *run)
{
    const char *id = g_subprocess_get_identifier(process);
    GSource *look = g_timeout_source_new(COMMAND_LOOK_MS);
    run->group = id ? (pid_t)g_ascii_strtoll(id, NULL, 10) : 0;
    run->until_ms = clock_monotonic_ms() + COMMAND_TIMEOUT_S * 1000;
    run->giving_up = g_cancellable_new();
    run->loop = g_main_loop_new(context, FALSE);
    g_source_set_callback(look, on_look, run, NULL);
    g_source_attach(look, context);
    g_subprocess_communicate_utf8_async(process, NULL, run->giving_up, on_output, run);
    g_main_loop_run(run->loop);
    g_source_destroy(look);
    g_source_unref(look);
    g_main_loop_unref(run->loop);
    g_object_unref(run->giving_up);
}

static char *run_command(const char *command, const gint *cancelled, GError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GError) cause = NULL;
    CommandRun run = {.cancelled = cancelled};
    char *secret = NULL;
    g_main_context_push_thread_default(context);
    g_autoptr(GSubprocess) process = start_command(command, &cause);
    if (process)
        wait_for_output(process, context, &run);
    g_main_context_pop_thread_default(context);
    if (run.ok && run.output && g_subprocess_get_successful(process))
        secret = first_line(run.output, "password_command", error);
    else
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET, "password_command failed (%s); run it by hand as nurtured's user to see why",
                    cause ? cause->message : "it ended with a fault, printed no text, or took longer than 30 seconds");
    secret_free(run.output);
    return secret;
}

static char *read_credential(const char *name, GError **error)
{
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
    if (!folder) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
                    "password_credential \"%s\": systemd gave no credentials; add LoadCredential=%s:… to the unit", name, name);
        return NULL;
    }
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return read_file(path, FALSE, error);
}

char *secret_read_until(const SecretSource *source, const gint *cancelled, GError **error)
{
    switch (source->kind) {
    case SECRET_NONE:
        return g_strdup("");
    case SECRET_TEXT:
        return g_strdup(source->value);
    case SECRET_FILE:
        return read_file(source->value, TRUE, error);
    case SECRET_COMMAND:
        return run_command(source->value, cancelled, error);
    case SECRET_CREDENTIAL:
        return read_credential(source->value, error);
    }
    g_assert_not_reached();
}

char *secret_read(const SecretSource *source, GError **error)
{
    return secret_read_until(source, NULL, error);
}
