/*
 * nurtured: the daemon. Arguments, wiring, the loop, signals and systemd's notifications; all else is the engine's.
 *
 * With --watch as its first argument the program is a mailbox watcher instead, a child of the daemon (imap/watcher.h).
 */
#include <curl/curl.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <gmime/gmime.h>
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/stage.h"
#include "base/timestamp.h"
#include "config/config.h"
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/templates.h"
#include "imap/watcher.h"
#include "mail/read.h"
#include "store/store.h"

#define DEFAULT_CONFIG "/etc/nurtured/nurtured.conf"
enum {
    EXIT_FAULT = 1,
    EXIT_USAGE = 2,
    STOP_GRACE_MS = 5000,
    /* how long the loop stands still for a store that a command has locked; what could not be written is tried again */
    PATIENCE_MS = 1000,
    LAST_PATIENCE_MS = 100,
    LARGE_BYTES = 1024 * 1024,
    KEPT_BYTES = 1024 * 1024 /* by each thread */
};

typedef struct {
    char *config_file, *clock_text;
    double speed;
    gboolean debug, version;
} Options;

typedef struct {
    GMainLoop *loop;
    Clock *clock;
    Store *store;
    Config *config;
    Engine *engine;
    ControlServer *control;
} Daemon;

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

static gboolean parse_options(int *argc, char ***argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_file, "Read FILE (default: $NURTURE_CONFIG, then " DEFAULT_CONFIG ")", "FILE"},
        {"clock", 0, 0, G_OPTION_ARG_STRING, &options->clock_text, "Run on a virtual clock that shows TIME at the start", "TIME"},
        {"speed", 0, 0, G_OPTION_ARG_DOUBLE, &options->speed, "Let the virtual clock run N times as fast (default 1)", "N"},
        {"debug", 0, 0, G_OPTION_ARG_NONE, &options->debug, "Log more", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and end", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- keeps in touch with prospects and customers by e-mail");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "\"%s\" is not an option; see nurtured --help", (*argv)[1]);
        return FALSE;
    }
    if (options->speed != 0 && !options->clock_text) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--speed needs --clock TIME, for example --clock 2026-01-05T08:00:00Z");
        return FALSE;
    }
    if (options->speed < 0 || options->speed > 1e9) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--speed: write a number above 0 and at most 1000000000");
        return FALSE;
    }
    return TRUE;
}

static Clock *make_clock(const Options *options, GError **error)
{
    gint64 start_ms;
    if (!options->clock_text)
        return clock_new_system();
    if (!timestamp_parse(options->clock_text, NULL, &start_ms, error)) {
        g_prefix_error(error, "--clock: ");
        return NULL;
    }
    return clock_new_virtual(start_ms, options->speed > 0 ? options->speed : 1);
}

static const char *config_file(const Options *options)
{
    const char *from_environment = g_getenv("NURTURE_CONFIG");
    if (options->config_file)
        return options->config_file;
    return from_environment && *from_environment ? from_environment : DEFAULT_CONFIG;
}

/* ---- requests -------------------------------------------------------------------------------------------------------- */

/* *ret_contacts: how many are decided anew. */
static gboolean reload(Daemon *daemon, guint64 *ret_contacts, GError **error)
{
    g_autoptr(Config) config = config_load(daemon->config->file, NULL, error);
    if (!config)
        return FALSE;
    g_autoptr(TemplateSet) templates = templates_load(config, NULL, error);
    if (!templates)
        return FALSE;
    if (!engine_reload(daemon->engine, config, templates, ret_contacts, error))
        return FALSE;
    config_unref(daemon->config);
    daemon->config = g_steal_pointer(&config);
    return TRUE;
}

/* All faults, a line each; the old configuration stays in force. */
static void log_reload_fault(const GError *error)
{
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    for (char **line = lines; *line; line++)
        log_event(LOG_LEVEL_ERROR, "reload-refused", LOG_TEXT("reason", *line));
}

static JsonObject *answer_of(gboolean ok, const GError *error)
{
    JsonObject *answer = json_object_new();
    json_object_set_boolean_member(answer, "ok", ok);
    if (!ok)
        json_object_set_string_member(answer, "error", error->message);
    return answer;
}

static JsonObject *answer_time(Daemon *daemon)
{
    JsonObject *answer = json_object_new();
    json_add_time(answer, "clock", clock_now_ms(daemon->clock));
    json_object_set_boolean_member(answer, "virtual", clock_is_virtual(daemon->clock));
    return answer;
}

static JsonObject *answer_status(Daemon *daemon)
{
    JsonObject *answer = engine_status(daemon->engine);
    json_object_set_string_member(answer, "version", NURTURE_VERSION);
    json_object_set_int_member(answer, "pid", getpid());
    return answer;
}

static JsonObject *answer_reload(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    guint64 contacts = 0;
    gboolean ok = reload(daemon, &contacts, &error);
    if (!ok)
        log_reload_fault(error);
    JsonObject *answer = answer_of(ok, error);
    if (ok)
        json_object_set_int_member(answer, "contacts", (gint64)contacts);
    return answer;
}

static JsonObject *on_request(const char *command, JsonObject *request, gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    gboolean ok = TRUE;
    if (g_str_equal(command, "status"))
        return answer_status(daemon);
    if (g_str_equal(command, "time"))
        return answer_time(daemon);
    if (g_str_equal(command, "knock")) {
        engine_knock(daemon->engine);
    } else if (g_str_equal(command, "tokens")) {
        engine_take_tokens(daemon->engine);
    } else if (g_str_equal(command, "reload")) {
        return answer_reload(daemon);
    } else if (g_str_equal(command, "pause") || g_str_equal(command, "resume")) {
        const char *account = json_object_get_string_member_with_default(request, "account", "");
        ok = engine_pause(daemon->engine, account, g_str_equal(command, "pause"), &error);
    } else if (g_str_equal(command, "canary")) {
        ok = engine_send_canary(daemon->engine, json_object_get_string_member_with_default(request, "account", ""), &error);
    } else {
        ok = FALSE;
        g_set_error(&error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "\"%s\" is no request that nurtured knows", command);
    }
    return answer_of(ok, error);
}

/* ---- the loop -------------------------------------------------------------------------------------------------------- */

static gboolean on_terminate(gpointer data)
{
    Daemon *daemon = data;
    sd_notify(0, "STOPPING=1");
    log_event(LOG_LEVEL_NOTICE, "stopping", LOG_TEXT("reason", "asked to by a signal"));
    g_main_loop_quit(daemon->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    guint64 contacts = 0;
    sd_notify(0, "RELOADING=1");
    if (!reload(daemon, &contacts, &error))
        log_reload_fault(error);
    sd_notify(0, "READY=1");
    return G_SOURCE_CONTINUE;
}

static gboolean on_watchdog(gpointer data)
{
    (void)data;
    sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static void start_watchdog(void)
{
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) > 0)
        g_timeout_add((guint)(interval_us / 2000), on_watchdog, NULL);
}

static void run(Daemon *daemon)
{
    daemon->loop = g_main_loop_new(NULL, FALSE);
    guint terminate = g_unix_signal_add(SIGTERM, on_terminate, daemon);
    guint interrupt = g_unix_signal_add(SIGINT, on_terminate, daemon);
    guint hangup = g_unix_signal_add(SIGHUP, on_hangup, daemon);
    start_watchdog();
    log_event(LOG_LEVEL_NOTICE, "started", LOG_TEXT("version", NURTURE_VERSION), LOG_TEXT("config", daemon->config->file),
              LOG_TEXT("store", daemon->config->store_url));
    sd_notify(0, "READY=1");
    clock_release(daemon->clock);
    g_main_loop_run(daemon->loop);
    stages_log();
    store_set_patience(daemon->store, LAST_PATIENCE_MS);
    control_server_free(daemon->control);
    engine_stop(daemon->engine, STOP_GRACE_MS);
    g_source_remove(terminate);
    g_source_remove(interrupt);
    g_source_remove(hangup);
    g_main_loop_unref(daemon->loop);
    log_event(LOG_LEVEL_NOTICE, "stopped", LOG_TEXT("version", NURTURE_VERSION));
}

static gboolean set_up(Daemon *daemon, TemplateSet *templates, GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    daemon->store = store_open(daemon->config->store_url, STORE_OPEN_CREATE, error);
    if (!daemon->store || !store_claim_daemon(daemon->store, error))
        return FALSE;
    const EngineSetup setup = {.config = daemon->config,
                               .templates = templates,
                               .store = daemon->store,
                               .clock = daemon->clock,
                               .program = program ? program : "/proc/self/exe"};
    daemon->engine = engine_start(&setup, error);
    if (!daemon->engine)
        return FALSE;
    store_set_patience(daemon->store, PATIENCE_MS); /* not before: what the engine does at its start must be done */
    daemon->control = control_server_new(daemon->config->control_socket, NULL, on_request, daemon, error);
    if (!daemon->control) {
        engine_stop(daemon->engine, 0);
        return FALSE;
    }
    return TRUE;
}

/* Faults of configuration and templates stand on lines of their own, as `nurture check` prints them. */
static int fail(const GError *error)
{
    g_printerr("%s\n", error->message);
    return EXIT_FAULT;
}

static int run_daemon(const Options *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Clock) clock = make_clock(options, &error);
    if (!clock) {
        fail(error);
        return EXIT_USAGE;
    }
    Daemon daemon = {.clock = clock};
    clock_hold(clock); /* a virtual one begins to run with the loop */
    daemon.config = config_load(config_file(options), NULL, &error);
    if (!daemon.config)
        return fail(error);
    g_autoptr(TemplateSet) templates = templates_load(daemon.config, NULL, &error);
    gboolean ok = templates && set_up(&daemon, templates, &error);
    if (ok)
        run(&daemon);
    store_close(daemon.store);
    config_unref(daemon.config);
    return ok ? EXIT_SUCCESS : fail(error);
}

/* An image of the process would hold passwords. */
static void forbid_core_dumps(void)
{
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        log_event(LOG_LEVEL_WARNING, "core-dumps-allowed", LOG_TEXT("reason", g_strerror(errno)));
}

/* Messages with large files are given back to the system, not kept by each thread. But what each message takes and gives back, libcurl's
 * buffers above all, stays: the system would be asked for it anew for each, which was a fifth of the processor's time. */
static void set_up_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
    if (argc > 1 && g_str_equal(argv[1], "--watch"))
        return watcher_main(mail_read);
    forbid_core_dumps();
    setlocale(LC_CTYPE, "C.UTF-8"); /* not the user's: curl encodes international domains by it */
    signal(SIGPIPE, SIG_IGN);
    set_up_memory();
    Options options = {0};
    g_autoptr(GError) error = NULL;
    if (!parse_options(&argc, &argv, &options, &error)) {
        g_printerr("nurtured: %s\n", error->message);
        return EXIT_USAGE;
    }
    if (options.version) {
        g_print("nurtured %s\n", NURTURE_VERSION);
        return EXIT_SUCCESS;
    }
    stages_init();
    log_set_level(options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    curl_global_init(CURL_GLOBAL_ALL);
    g_mime_init();
    int status = run_daemon(&options);
    g_free(options.config_file);
    g_free(options.clock_text);
    return status;
}
