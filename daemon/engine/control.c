/*
 * The control socket, both sides: a line of JSON each way.
 *
 * The server lives on the daemon's loop: a GSocketService accepts, each connection is read with a bounded buffer and answered
 * asynchronously, so that a caller who stalls holds up nobody. Peers are told by the kernel (SO_PEERCRED).
 */
#include "engine/control.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "engine/templates.h"

enum {
    REQUEST_MAX_BYTES = 16 * 1024,
    ANSWER_MAX_BYTES = 8 * 1024 * 1024,
    CLIENT_TIMEOUT_S = 10,
    SUN_PATH_MAX = 107,
    CLOCK_TIMEOUT_MS = 2000,
    DRAIN_MS = 200 /* what is left of the conversations, at the end */
};

struct ControlServer {
    char *path;
    GSocketService *service;
    GCancellable *cancellable;
    ControlFunc func;
    gpointer data;
    GHashTable *sessions; /* of Session*, so that none outlives the server */
};

typedef struct {
    ControlServer *server;
    GSocketConnection *connection;
    GDataInputStream *input;
    char *answer;
} Session;

/* ---- addresses ------------------------------------------------------------------------------------------------------- */

/* A socket address for the path. One too long for sun_path goes by its folder's descriptor, which the caller closes after
 * connecting or binding (*ret_folder_fd; -1: none). */
static GSocketAddress *address_of(const char *path, int *ret_folder_fd, GError **error)
{
    *ret_folder_fd = -1;
    if (strlen(path) <= SUN_PATH_MAX)
        return g_unix_socket_address_new(path);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "%s: %s", folder, g_strerror(errno));
        return NULL;
    }
    g_autofree char *near = g_strdup_printf("/proc/self/fd/%d/%s", fd, name);
    *ret_folder_fd = fd;
    return g_unix_socket_address_new(near);
}

static void close_folder(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- the daemon's side ----------------------------------------------------------------------------------------------- */

static void session_free(gpointer data)
{
    Session *session = data;
    g_io_stream_close(G_IO_STREAM(session->connection), NULL, NULL);
    g_object_unref(session->input);
    g_object_unref(session->connection);
    g_free(session->answer);
    g_free(session);
}

static void session_end(Session *session)
{
    g_hash_table_remove(session->server->sessions, session);
}

static JsonObject *refusal(const char *why)
{
    JsonObject *answer = json_object_new();
    json_object_set_boolean_member(answer, "ok", FALSE);
    json_object_set_string_member(answer, "error", why);
    return answer;
}

/* Only root and our own user may ask. */
static gboolean peer_is_allowed(GSocketConnection *connection)
{
    g_autoptr(GCredentials) peer = g_socket_get_credentials(g_socket_connection_get_socket(connection), NULL);
    uid_t user = peer ? g_credentials_get_unix_user(peer, NULL) : (uid_t)-1;
    return user == 0 || user == geteuid();
}

static JsonObject *answer_to(ControlServer *server, const char *line)
{
    g_autoptr(JsonObject) request = json_parse_object(line, NULL);
    const char *command = request ? json_object_get_string_member_with_default(request, "command", NULL) : NULL;
    if (!command)
        return refusal("not a request; write {\"command\":\"status\"}");
    JsonObject *answer = server->func(command, request, server->data);
    if (!json_object_has_member(answer, "ok"))
        json_object_set_boolean_member(answer, "ok", TRUE);
    return answer;
}

static void on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, NULL, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* the server was freed, and the session with it */
    session_end(data);
}

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_data_input_stream_read_line_finish_utf8(G_DATA_INPUT_STREAM(source), result, NULL, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    Session *session = data;
    if (!line || strlen(line) > REQUEST_MAX_BYTES) {
        session_end(session);
        return;
    }
    g_autoptr(JsonObject) answer = answer_to(session->server, line);
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), answer);
    g_autofree char *text = json_line(node);
    session->answer = g_strconcat(text, "\n", NULL);
    g_output_stream_write_all_async(g_io_stream_get_output_stream(G_IO_STREAM(session->connection)), session->answer,
                                    strlen(session->answer), G_PRIORITY_DEFAULT, session->server->cancellable, on_written, session);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
    (void)service;
    (void)source;
    ControlServer *server = data;
    if (!peer_is_allowed(connection))
        return TRUE; /* hung up without a word, and nothing read */
    Session *session = g_new0(Session, 1);
    session->server = server;
    session->connection = g_object_ref(connection);
    g_socket_set_timeout(g_socket_connection_get_socket(connection), CLIENT_TIMEOUT_S);
    session->input = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    g_buffered_input_stream_set_buffer_size(G_BUFFERED_INPUT_STREAM(session->input), REQUEST_MAX_BYTES);
    g_hash_table_add(server->sessions, session);
    g_data_input_stream_read_line_async(session->input, G_PRIORITY_DEFAULT, server->cancellable, on_line, session);
    return TRUE;
}

static gboolean listen_at(ControlServer *server, GError **error)
{
    int folder_fd;
    g_autofree char *folder = g_path_get_dirname(server->path);
    if (g_mkdir_with_parents(folder, 0755) != 0) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "%s: %s; make the folder, or set \"runtime\" to one that is there",
                    folder, g_strerror(errno));
        return FALSE;
    }
    g_autoptr(GSocketAddress) address = address_of(server->path, &folder_fd, error);
    if (!address)
        return FALSE;
    unlink(server->path);
    mode_t before = umask(0117); /* 0660 from the first moment on */
    gboolean ok = g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address, G_SOCKET_TYPE_STREAM,
                                                G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error);
    umask(before);
    close_folder(folder_fd);
    if (!ok)
        g_prefix_error(error, "control socket %s: ", server->path);
    return ok;
}

ControlServer *control_server_new(const char *path, GMainContext *context, ControlFunc func, gpointer data, GError **error)
{
    ControlServer *server = g_new0(ControlServer, 1);
    server->path = g_strdup(path);
    server->func = func;
    server->data = data;
    server->cancellable = g_cancellable_new();
    server->sessions = g_hash_table_new_full(NULL, NULL, session_free, NULL);
    if (context)
        g_main_context_push_thread_default(context);
    server->service = g_socket_service_new();
    gboolean ok = listen_at(server, error);
    if (ok) {
        g_signal_connect(server->service, "incoming", G_CALLBACK(on_incoming), server);
        g_socket_service_start(server->service);
    }
    if (context)
        g_main_context_pop_thread_default(context);
    if (ok)
        return server;
    g_clear_pointer(&server->path, g_free); /* not ours to remove */
    control_server_free(server);
    return NULL;
}

void control_server_free(ControlServer *server)
{
    if (!server)
        return;
    g_cancellable_cancel(server->cancellable);
    g_socket_service_stop(server->service);
    g_socket_listener_close(G_SOCKET_LISTENER(server->service));
    if (server->path)
        unlink(server->path);
    /* Cancelled operations still report once; their callbacks look at nothing but the error. Others of the loop may have work without
     * end (a large import to be decided), hence a limit; what reports comes before them, by its priority. */
    const gint64 until_ms = clock_monotonic_ms() + DRAIN_MS;
    while (g_main_context_iteration(NULL, FALSE) && clock_monotonic_ms() < until_ms)
        ;
    g_hash_table_unref(server->sessions);
    g_object_unref(server->service);
    g_object_unref(server->cancellable);
    g_free(server->path);
    g_free(server);
}

/* ---- the command's side ---------------------------------------------------------------------------------------------- */

static GSocketConnection *connect_to(const char *path, gint64 timeout_ms, GError **error)
{
    int folder_fd;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocketAddress) address = address_of(path, &folder_fd, &cause);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, (guint)((timeout_ms + 999) / 1000));
    g_autoptr(GSocketConnection) connection =
        address ? g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &cause) : NULL;
    close_folder(folder_fd);
    if (connection)
        return g_steal_pointer(&connection);
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "no permission to ask nurtured at %s; use sudo", path);
    else
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "no nurtured is running (nothing answers at %s)", path);
    return NULL;
}

static char *exchange(GSocketConnection *connection, const char *line, GError **error)
{
    GOutputStream *output = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_autoptr(GDataInputStream) input = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    if (!g_output_stream_write_all(output, line, strlen(line), NULL, NULL, error))
        return NULL;
    g_autofree char *answer = g_data_input_stream_read_line_utf8(input, NULL, NULL, error);
    if (answer && strlen(answer) <= ANSWER_MAX_BYTES)
        return g_steal_pointer(&answer);
    if (error && !*error)
        g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "nurtured hung up without an answer");
    return NULL;
}

JsonObject *control_call(const Config *config, JsonObject *request, gint64 timeout_ms, GError **error)
{
    g_autoptr(GSocketConnection) connection = connect_to(config->control_socket, timeout_ms, error);
    if (!connection)
        return NULL;
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), request);
    g_autofree char *text = json_line(node);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    g_autoptr(GError) cause = NULL;
    g_autofree char *reply = exchange(connection, line, &cause);
    g_autoptr(JsonObject) answer = reply ? json_parse_object(reply, &cause) : NULL;
    if (!answer) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL, "nurtured gave no answer: %s", cause->message);
        return NULL;
    }
    if (json_object_get_boolean_member_with_default(answer, "ok", FALSE))
        return g_steal_pointer(&answer);
    g_set_error_literal(error, ENGINE_ERROR, ENGINE_ERROR_CONTROL,
                        json_object_get_string_member_with_default(answer, "error", "nurtured refused"));
    return NULL;
}

static JsonObject *simple_call(const Config *config, const char *command)
{
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", command);
    return control_call(config, request, CLOCK_TIMEOUT_MS, NULL);
}

void control_knock(const Config *config)
{
    g_autoptr(JsonObject) answer = simple_call(config, "knock");
}

gint64 control_now_ms(const Config *config)
{
    g_autoptr(Clock) clock = clock_new_system();
    g_autoptr(JsonObject) answer = simple_call(config, "time");
    gint64 at_ms = 0;
    if (answer && json_object_get_boolean_member_with_default(answer, "virtual", FALSE) &&
        timestamp_parse(json_object_get_string_member_with_default(answer, "clock", ""), NULL, &at_ms, NULL))
        return at_ms;
    return clock_now_ms(clock);
}
