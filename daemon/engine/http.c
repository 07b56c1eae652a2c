/*
 * HTTPS by libcurl's multi interface on a GMainContext. (SMTP must not go this way: curl waits there for the end of a message.)
 *
 *   libcurl --"watch this socket", "call me in n ms"--> GSources --events--> curl_multi_socket_action() --> done()
 *
 * Redirects are not followed: a secret goes where the configuration says, and nowhere else. Forms and bodies are wiped.
 */
#include "engine/http.h"

#include <curl/curl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_AUTHORITIES_FILE "/etc/ssl/certs/ca-certificates.crt"
#define SYSTEM_AUTHORITIES_DIR "/etc/ssl/certs"

enum { BODY_OCTETS = 64 * 1024, CONNECT_TIMEOUT_MS = 10 * 1000, TIMEOUT_MS = 30 * 1000 };

struct HttpClient {
    GMainContext *context;
    CURLM *multi;
    GSource *timer;      /* NULL: none is set */
    GHashTable *sockets; /* curl_socket_t -> GSource* */
    GHashTable *calls;   /* of HttpCall* */
};

struct HttpCall {
    HttpClient *client;
    CURL *curl;
    struct curl_slist *headers;
    char *form, *basic;
    GString *body; /* never grows beyond what is allocated, so nothing is left behind */
    HttpDoneFunc done;
    gpointer data;
    char words[CURL_ERROR_SIZE];
};

static void wipe_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

/* ---- the end of a call ----------------------------------------------------------------------------------------------- */

static void call_free(gpointer data)
{
    HttpCall *call = data;
    curl_multi_remove_handle(call->client->multi, call->curl);
    curl_easy_cleanup(call->curl);
    for (struct curl_slist *header = call->headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(call->headers);
    wipe_free(call->form);
    wipe_free(call->basic);
    explicit_bzero(call->body->str, call->body->allocated_len);
    g_string_free(call->body, TRUE);
    g_free(call);
}

void http_cancel(HttpCall *call)
{
    g_hash_table_remove(call->client->calls, call);
}

static void finish(HttpCall *call, CURLcode result)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    const char *words = *call->words ? call->words : curl_easy_strerror(result);
    const HttpAnswer answer = {.status = result == CURLE_OK ? (int)status : 0,
                               .fault = result == CURLE_OK ? "" : words,
                               .body = call->body->str,
                               .retry_after_s = MAX(retry_after_s, 0),
                               .form = call->form,
                               .basic = call->basic};
    g_hash_table_steal(call->client->calls, call);
    call->done(&answer, call->data);
    call_free(call);
}

static void take_finished(HttpClient *client)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        HttpCall *call = NULL;
        CURLcode result = message->data.result; /* the message goes with the handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(call, result);
    }
}

/* ---- what libcurl waits for ------------------------------------------------------------------------------------------ */

static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
    HttpClient *client = data;
    int running = 0, action = 0;
    action |= condition & (G_IO_IN | G_IO_HUP) ? CURL_CSELECT_IN : 0;
    action |= condition & G_IO_OUT ? CURL_CSELECT_OUT : 0;
    action |= condition & G_IO_ERR ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(client->multi, fd, action, &running);
    take_finished(client);
    return G_SOURCE_CONTINUE; /* destroyed by on_socket() where it is over */
}

static void source_end(gpointer data)
{
    GSource *source = data;
    g_source_destroy(source);
    g_source_unref(source);
}

static int on_socket(CURL *curl, curl_socket_t socket, int what, void *data, void *unused)
{
    HttpClient *client = data;
    (void)curl, (void)unused;
    if (what == CURL_POLL_REMOVE) {
        g_hash_table_remove(client->sockets, GINT_TO_POINTER(socket));
        return 0;
    }
    GIOCondition condition = 0;
    condition |= what & CURL_POLL_IN ? G_IO_IN | G_IO_HUP | G_IO_ERR : 0;
    condition |= what & CURL_POLL_OUT ? G_IO_OUT | G_IO_ERR : 0;
    GSource *source = g_unix_fd_source_new(socket, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(on_event), client, NULL);
    g_source_attach(source, client->context);
    g_hash_table_replace(client->sockets, GINT_TO_POINTER(socket), source);
    return 0;
}

static void stop_timer(HttpClient *client)
{
    if (client->timer)
        source_end(g_steal_pointer(&client->timer));
}

static gboolean on_timer(gpointer data)
{
    HttpClient *client = data;
    int running = 0;
    stop_timer(client);
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(client);
    return G_SOURCE_REMOVE;
}

static int on_timeout(CURLM *multi, long wait_ms, void *data)
{
    HttpClient *client = data;
    (void)multi;
    stop_timer(client);
    if (wait_ms < 0)
        return 0;
    client->timer = g_timeout_source_new((guint)wait_ms);
    g_source_set_callback(client->timer, on_timer, client, NULL);
    g_source_attach(client->timer, client->context);
    return 0;
}

/* ---- a call ---------------------------------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    HttpCall *call = user;
    gsize length = size * count;
    if (call->body->len + length > BODY_OCTETS || memchr(data, '\0', length))
        return 0; /* no answer of an honest token server */
    g_string_append_len(call->body, data, (gssize)length);
    return length;
}

static void set_tls(CURL *curl, const char *ca_file)
{
    gboolean bundle = !*ca_file && access(SYSTEM_AUTHORITIES_FILE, R_OK) == 0;
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, bundle ? SYSTEM_AUTHORITIES_FILE : *ca_file ? ca_file : NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, bundle ? NULL : SYSTEM_AUTHORITIES_DIR);
}

static void add_basic(HttpCall *call, const char *basic)
{
    char *encoded = g_base64_encode((const guchar *)basic, strlen(basic));
    char *header = g_strconcat("Authorization: Basic ", encoded, NULL);
    call->headers = curl_slist_append(call->headers, header);
    wipe_free(encoded);
    wipe_free(header);
}

static void set_request(HttpCall *call, const HttpRequest *request)
{
    CURL *curl = call->curl;
    call->headers = curl_slist_append(NULL, "Accept: application/json");
    if (request->basic)
        add_basic(call, request->basic);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "nurtured/" NURTURE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->form);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->words);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, call);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a look-up that hangs is left behind, not waited for */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L); /* an hour lies between two */
    set_tls(curl, request->ca_file);
}

HttpCall *http_post(HttpClient *client, const HttpRequest *request, HttpDoneFunc done, gpointer data)
{
    HttpCall *call = g_new0(HttpCall, 1);
    call->client = client;
    call->curl = curl_easy_init();
    call->form = g_strdup(request->form);
    call->basic = g_strdup(request->basic);
    call->body = g_string_sized_new(BODY_OCTETS + 1);
    call->done = done;
    call->data = data;
    g_assert(call->curl); /* NULL only without memory */
    set_request(call, request);
    g_hash_table_add(client->calls, call);
    curl_multi_add_handle(client->multi, call->curl); /* begins from the loop, by on_timeout() */
    return call;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

HttpClient *http_client_new(GMainContext *context)
{
    HttpClient *client = g_new0(HttpClient, 1);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted by libcurl */
    client->context = context ? g_main_context_ref(context) : NULL;
    client->multi = curl_multi_init();
    client->sockets = g_hash_table_new_full(NULL, NULL, NULL, source_end);
    client->calls = g_hash_table_new_full(NULL, NULL, call_free, NULL);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return client;
}

void http_client_free(HttpClient *client)
{
    if (!client)
        return;
    g_hash_table_unref(client->calls);
    curl_multi_cleanup(client->multi);
    stop_timer(client);
    g_hash_table_unref(client->sockets);
    g_clear_pointer(&client->context, g_main_context_unref);
    curl_global_cleanup();
    g_free(client);
}
