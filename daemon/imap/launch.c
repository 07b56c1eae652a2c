/*
 * Name resolution and secret_read() in a GTask's thread, on copies: the configuration may be gone before a password command
 * ends. The resolver runs here and not in the child, whose sandbox has neither files nor further sockets.
 */
#include "launch.h"

#include <netdb.h>
#include <sys/socket.h>

#include "base/text.h"
#include "config/secret.h"
#include "fault.h"
#include "limits.h"

typedef struct {
    char *host;
    gboolean has_user;
    char *token; /* instead of source; NULL: none */
    SecretSource source;
} Request;

static void request_free(gpointer data)
{
    Request *request = data;
    g_free(request->host);
    secret_free(request->token);
    if (request->source.kind == SECRET_TEXT)
        secret_free(request->source.value);
    else
        g_free(request->source.value);
    g_free(request);
}

void launch_free(Launch *launch)
{
    if (launch == NULL)
        return;
    g_strfreev(launch->addresses);
    secret_free(launch->secret);
    g_free(launch);
}

static void launch_free_untyped(gpointer launch)
{
    launch_free(launch);
}

static char **resolve(const char *host, GError **error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(host, NULL, &hints, &found);
    if (result == EAI_NONAME ||
        result == EAI_ADDRFAMILY) { /* AI_ADDRCONFIG hides loopback addresses on machines without a network */
        const struct addrinfo any = {.ai_socktype = SOCK_STREAM};
        result = getaddrinfo(host, NULL, &any, &found);
    }
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    for (const struct addrinfo *i = result == 0 ? found : NULL; i != NULL && addresses->len < MAX_ADDRESSES;
         i = i->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            g_ptr_array_add(addresses, g_strdup(text));
    }
    if (result == 0)
        freeaddrinfo(found);
    if (addresses->len == 0) {
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "the name cannot be resolved: %s",
                    result != 0 ? gai_strerror(result) : "no address");
        return NULL;
    }
    g_ptr_array_add(addresses, NULL);
    g_ptr_array_set_free_func(addresses, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&addresses), FALSE);
}

static void prepare(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    (void)source, (void)cancellable;
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Launch) launch = g_new0(Launch, 1);
    launch->secret = request->token != NULL ? g_steal_pointer(&request->token) : request->has_user ? secret_read(&request->source, &error) : g_strdup("");
    if (launch->secret == NULL) { /* another room's words, our domain: a person must act, as for a wrong one */
        g_task_return_new_error(task, IMAP_FAULT, IMAP_FAULT_SIGN_IN, "%s", error->message);
        return;
    }
    launch->addresses = resolve(request->host, &error);
    if (launch->addresses == NULL)
        g_task_return_error(task, g_steal_pointer(&error));
    else
        g_task_return_pointer(task, g_steal_pointer(&launch), launch_free_untyped);
}

void launch_prepare(const Endpoint *server, const char *token, GMainContext *context, GAsyncReadyCallback callback, gpointer data)
{
    Request *request = g_new0(Request, 1);
    request->host = g_strdup(server->host);
    request->token = g_strdup(token);
    request->has_user = *server->user != '\0';
    request->source = (SecretSource){.kind = server->password.kind, .value = g_strdup(server->password.value)};
    if (context != NULL)
        g_main_context_push_thread_default(context);
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, data);
    g_task_set_task_data(task, request, request_free);
    g_task_run_in_thread(task, prepare);
    if (context != NULL)
        g_main_context_pop_thread_default(context);
}

Launch *launch_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

gint64 launch_back_from(gint64 now_ms, const Duration *duration)
{
    if (duration_is_zero(duration))
        return 0;
    const int weekend_days = duration->business_days > 0 ? duration->business_days / 5 * 2 + 2 : 0;
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_ms / 1000);
    g_autoptr(GDateTime) months = g_date_time_add_months(now, -duration->months);
    g_autoptr(GDateTime) days = g_date_time_add_days(months, -(duration->days + duration->business_days + weekend_days));
    return MAX(g_date_time_to_unix(days) * 1000 - duration->ms, 1);
}
