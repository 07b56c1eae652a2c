/*
 * Authorizing by a browser: the authorization code with PKCE (RFC 6749, 7636, 8252).
 *
 *   page shown --browser is led to http://127.0.0.1:PORT/?code=…&state=… (or a person pastes that)--> token endpoint --> file
 *
 * The listener takes connections of this machine only, reads one bounded line of each, and believes it by the random state that only
 * the provider's page was given.
 */
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "config/secret.h"
#include "engine/authorize_flow.h"

#define PAGE "<!doctype html><meta charset=\"utf-8\"><title>Nurture</title><p>%s</p>\r\n"

enum { RANDOM_OCTETS = 32, LINE_OCTETS = 16 * 1024, VISITOR_TIMEOUT_S = 10 };

typedef struct {
    AuthorizeFlow flow;
    char *redirect, *state, *verifier;
    GSocketService *service;
    GCancellable *cancellable;
    GDataInputStream *input;
    gboolean asked; /* a code has come: no second one is tried */
} BrowserFlow;

static char *base64url(const guchar *octets, gsize size)
{
    char *text = g_base64_encode(octets, size);
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    text[strcspn(text, "=")] = '\0';
    return text;
}

static char *random_word(void)
{
    guchar octets[RANDOM_OCTETS];
    while (getrandom(octets, sizeof octets, 0) != sizeof octets)
        ;
    char *word = base64url(octets, sizeof octets);
    explicit_bzero(octets, sizeof octets);
    return word;
}

static char *challenge_of(const char *verifier)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guchar digest[RANDOM_OCTETS];
    gsize size = sizeof digest;
    g_checksum_update(checksum, (const guchar *)verifier, (gssize)strlen(verifier));
    g_checksum_get_digest(checksum, digest, &size);
    return base64url(digest, size);
}

/* ---- the code -------------------------------------------------------------------------------------------------------- */

static void on_exchanged(const HttpAnswer *http, gpointer data)
{
    BrowserFlow *browser = data;
    OAuthAnswer answer = {0};
    oauth_read_answer(http, &answer);
    if (answer.verdict == OAUTH_GRANTED)
        authorize_flow_grant(&browser->flow, &answer, NULL);
    else
        authorize_flow_fail(&browser->flow, "%s gave no token for the code: %s", browser->flow.oauth->token_url,
                            answer.words);
    oauth_answer_clear(&answer);
}

static void exchange(BrowserFlow *browser, const char *code)
{
    const OAuthField fields[] = {{"grant_type", "authorization_code"},
                                 {"code", code},
                                 {"redirect_uri", browser->redirect},
                                 {"code_verifier", browser->verifier},
                                 {NULL, NULL}};
    browser->asked = TRUE;
    authorize_flow_post(&browser->flow, browser->flow.oauth->token_url, fields, on_exchanged, browser);
}

/* What the query of the address says. NULL: it has the code, which is exchanged; else what is wrong. */
static char *take_query(BrowserFlow *browser, const char *query)
{
    g_autoptr(GHashTable) values = g_uri_parse_params(query, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
    const char *state = values ? g_hash_table_lookup(values, "state") : NULL,
               *code = values ? g_hash_table_lookup(values, "code") : NULL;
    const char *error = values ? g_hash_table_lookup(values, "error") : NULL;
    if (g_strcmp0(state, browser->state) != 0)
        return g_strdup("This address is not the end of the sign-in that was begun.");
    if (browser->asked)
        return g_strdup("The code has come already.");
    if (code && *code && strlen(code) <= TOKEN_OCTETS) {
        exchange(browser, code);
        return NULL;
    }
    g_autofree char *shown = text_escape(error ? error : "without a code", 100);
    authorize_flow_fail(&browser->flow, "it was not allowed (%s); try again", shown);
    return g_strdup("It was not allowed.");
}

/* ---- the browser's visit --------------------------------------------------------------------------------------------- */

static void answer_visit(BrowserFlow *browser, GIOStream *connection, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    const char *query = g_strv_length(words) == 3 && g_str_equal(words[0], "GET") ? strchr(words[1], '?') : NULL;
    g_autofree char *wrong =
        query ? take_query(browser, query + 1) : g_strdup("This page is the end of a sign-in, and nothing else.");
    g_autofree char *page =
        g_strdup_printf(PAGE, wrong ? wrong : "You may close this page: the terminal says what became of it.");
    g_autofree char *answer = g_strdup_printf(
        "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nConnection: close\r\n"
        "Referrer-Policy: no-referrer\r\n\r\n%s",
        wrong ? "404 Not Found" : "200 OK", strlen(page), page);
    g_output_stream_write_all(g_io_stream_get_output_stream(connection), answer, strlen(answer), NULL, NULL, NULL);
}

/* NULL: it is not whole yet. */
static char *line_of(GBufferedInputStream *stream)
{
    gsize length = 0;
    const char *text = g_buffered_input_stream_peek_buffer(stream, &length);
    const char *end = memchr(text, '\n', length);
    return end ? g_strndup(text, (gsize)(end - text)) : NULL;
}

static void read_visit(BrowserFlow *browser, GBufferedInputStream *stream);

/* The connection goes with the stream, which nobody holds where no more is read. */
static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    GBufferedInputStream *stream = G_BUFFERED_INPUT_STREAM(source);
    if (g_buffered_input_stream_fill_finish(stream, result, NULL) <= 0)
        return; /* it hung up, or we are ending, and data is gone */
    char *line = line_of(stream);
    if (line)
        answer_visit(data, g_object_get_data(source, "connection"), line);
    else if (g_buffered_input_stream_get_available(stream) < LINE_OCTETS)
        read_visit(data, stream);
    secret_free(line);
}

/* Not by lines, as GDataInputStream reads: its buffer grows as far as the visitor wants. */
static void read_visit(BrowserFlow *browser, GBufferedInputStream *stream)
{
    g_buffered_input_stream_fill_async(stream, LINE_OCTETS, G_PRIORITY_DEFAULT, browser->cancellable, on_read, browser);
}

static gboolean on_visit(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
    (void)service, (void)source;
    GInputStream *input = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    g_autoptr(GInputStream) stream = g_buffered_input_stream_new_sized(input, LINE_OCTETS);
    g_socket_set_timeout(g_socket_connection_get_socket(connection), VISITOR_TIMEOUT_S);
    g_object_set_data_full(G_OBJECT(stream), "connection", g_object_ref(connection), g_object_unref);
    read_visit(data, G_BUFFERED_INPUT_STREAM(stream));
    return TRUE;
}

static gboolean listen_on(BrowserFlow *browser, guint16 port)
{
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) wanted = g_inet_socket_address_new(loopback, port);
    g_autoptr(GSocketAddress) got = NULL;
    g_autoptr(GError) error = NULL;
    browser->service = g_socket_service_new();
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(browser->service), wanted, G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_DEFAULT, NULL, &got, &error)) {
        authorize_flow_fail(&browser->flow, "port %u of this machine cannot be used: %s; name another with --port", port,
                            error->message);
        return FALSE;
    }
    g_signal_connect(browser->service, "incoming", G_CALLBACK(on_visit), browser);
    g_socket_service_start(browser->service);
    browser->redirect = g_strdup_printf("http://127.0.0.1:%u/", g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(got)));
    return TRUE;
}

/* An address of the provider's choice is not ours to listen at, unless it is this machine's and the port is told. */
static gboolean prepare_return(BrowserFlow *browser, guint16 port)
{
    const char *registered = browser->flow.oauth->redirect_url;
    if ((!*registered || port) && !listen_on(browser, port))
        return FALSE;
    if (*registered) {
        g_free(browser->redirect);
        browser->redirect = g_strdup(registered);
    }
    return TRUE;
}

/* ---- what a person pastes -------------------------------------------------------------------------------------------- */

static void read_on(BrowserFlow *browser);

/* The address that the browser ended at, or the code that a page showed. */
static void on_pasted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree char *line = g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, NULL, NULL);
    if (!line)
        return; /* the end of the input, or of us */
    BrowserFlow *browser = data;
    const char *query = strchr(g_strstrip(line), '?');
    g_autofree char *wrong = NULL;
    if (query)
        wrong = take_query(browser, query + 1);
    else if (*line && !browser->asked && strlen(line) <= TOKEN_OCTETS)
        exchange(browser, line);
    if (wrong && !browser->flow.error)
        authorize_flow_fail(&browser->flow, "%s Copy the whole address of the page that the browser ends at", wrong);
    explicit_bzero(line, strlen(line));
    read_on(browser);
}

static void read_on(BrowserFlow *browser)
{
    if (!browser->asked)
        g_data_input_stream_read_line_async(browser->input, G_PRIORITY_DEFAULT, browser->cancellable, on_pasted, browser);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static void show_page(BrowserFlow *browser)
{
    const OAuth *oauth = browser->flow.oauth;
    g_autofree char *challenge = challenge_of(browser->verifier);
    /* the last two are Google's words for a refresh token; others pass over what they do not know */
    const OAuthField fields[] = {{"response_type", "code"},
                                 {"client_id", oauth->client_id},
                                 {"redirect_uri", browser->redirect},
                                 {"state", browser->state},
                                 {"code_challenge", challenge},
                                 {"code_challenge_method", "S256"},
                                 {"login_hint", oauth->user},
                                 {"access_type", "offline"},
                                 {"prompt", "consent"},
                                 {*oauth->scope ? "scope" : NULL, oauth->scope},
                                 {NULL, NULL}};
    g_autofree char *query = oauth_query(fields);
    g_autofree char *page = g_strconcat(oauth->authorize_url, strchr(oauth->authorize_url, '?') ? "&" : "?", query, NULL);
    browser->flow.callbacks->show_page(page, browser->flow.callbacks->data);
}

static void browser_clear(BrowserFlow *browser)
{
    if (browser->service) {
        g_socket_service_stop(browser->service);
        g_socket_listener_close(G_SOCKET_LISTENER(browser->service));
    }
    g_clear_object(&browser->service);
    g_clear_object(&browser->input);
    g_clear_object(&browser->cancellable);
    g_free(browser->redirect);
    g_free(browser->state);
    secret_free(browser->verifier);
}

gboolean authorize_by_browser(const Config *config, const OAuth *oauth, guint16 port, int input,
                              const AuthorizeCallbacks *callbacks, GError **error)
{
    BrowserFlow browser = {.state = random_word(), .verifier = random_word(), .cancellable = g_cancellable_new()};
    authorize_flow_begin(&browser.flow, config, oauth, callbacks);
    if (prepare_return(&browser, port)) {
        show_page(&browser);
        if (input >= 0) {
            g_autoptr(GInputStream) stream = g_unix_input_stream_new(input, FALSE);
            browser.input = g_data_input_stream_new(stream);
            g_buffered_input_stream_set_buffer_size(G_BUFFERED_INPUT_STREAM(browser.input), LINE_OCTETS);
            read_on(&browser);
        }
    }
    GMainContext *context = g_main_context_ref(browser.flow.context);
    gboolean granted = authorize_flow_run(&browser.flow, error);
    g_cancellable_cancel(browser.cancellable);
    while (g_main_context_iteration(context, FALSE))
        ; /* what was cancelled reports once, and looks at nothing */
    g_main_context_unref(context);
    browser_clear(&browser);
    return granted;
}
