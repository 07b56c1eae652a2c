/*
 * Authorizing: what all ways share, the device code, and a refresh token from elsewhere.
 *
 *   device code: ask for one --> show it --> ask the token endpoint every `interval` --pending, slow_down--> again
 *                                                                                  --granted--> file
 */
#include "engine/authorize.h"

#include <string.h>

#include "base/clock.h"
#include "config/secret.h"
#include "engine/authorize_flow.h"
#include "engine/templates.h"
#include "engine/token_file.h"

#define GRANT_DEVICE "urn:ietf:params:oauth:grant-type:device_code"

enum { SLOWER_S = 5 };

/* ---- what all share -------------------------------------------------------------------------------------------------- */

void authorize_flow_begin(AuthorizeFlow *flow, const Config *config, const OAuth *oauth, const AuthorizeCallbacks *callbacks)
{
    *flow = (AuthorizeFlow){.config = config, .oauth = oauth, .callbacks = callbacks};
    flow->context = g_main_context_new();
    g_main_context_push_thread_default(flow->context);
    flow->loop = g_main_loop_new(flow->context, FALSE);
    flow->client = http_client_new(flow->context);
}

gboolean authorize_flow_run(AuthorizeFlow *flow, GError **error)
{
    if (!flow->error && !flow->granted)
        g_main_loop_run(flow->loop);
    http_client_free(flow->client);
    g_main_loop_unref(flow->loop);
    g_main_context_pop_thread_default(flow->context);
    g_main_context_unref(flow->context);
    if (flow->error)
        g_propagate_error(error, flow->error);
    return flow->granted;
}

void authorize_flow_fail(AuthorizeFlow *flow, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_clear_error(&flow->error);
    flow->error = g_error_new_valist(ENGINE_ERROR, ENGINE_ERROR_TOKEN, format, arguments);
    va_end(arguments);
    g_main_loop_quit(flow->loop);
}

void authorize_flow_grant(AuthorizeFlow *flow, const OAuthAnswer *answer, const char *refresh_token)
{
    const char *refresh = answer->refresh_token ? answer->refresh_token : refresh_token;
    const gint64 now_ms = clock_system_now_ms();
    if (!refresh) {
        authorize_flow_fail(flow,
                            "the provider gave no refresh token, so that the sign-in would end after %" G_GINT64_FORMAT
                            " minutes; add what it wants for one (often offline_access) to auth.scope, and try again",
                            answer->lifetime_s / 60);
        return;
    }
    const StoredToken token = {.client_id = flow->oauth->client_id,
                               .user = flow->oauth->user,
                               .refresh_token = (char *)refresh,
                               .access_token = answer->access_token,
                               .obtained_ms = now_ms,
                               .expires_ms = now_ms + answer->lifetime_s * 1000,
                               .withdrawn = (char *)""};
    flow->granted = token_file_write(flow->config->tokens_dir, flow->oauth->token_name, &token, NULL, NULL, &flow->error);
    g_main_loop_quit(flow->loop);
}

void authorize_flow_post(AuthorizeFlow *flow, const char *url, const OAuthField *fields, HttpDoneFunc done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (!oauth_post(flow->client, flow->oauth, url, fields, done, data, &error))
        authorize_flow_fail(flow, "%s", error->message);
}

/* ---- the device code ------------------------------------------------------------------------------------------------- */

typedef struct {
    AuthorizeFlow flow;
    DeviceCode code;
    gint64 until_ms; /* monotonic */
} DeviceFlow;

static void poll_later(DeviceFlow *device);

static void on_polled(const HttpAnswer *http, gpointer data)
{
    DeviceFlow *device = data;
    OAuthAnswer answer = {0};
    oauth_read_answer(http, &answer);
    switch (answer.verdict) {
    case OAUTH_GRANTED:
        authorize_flow_grant(&device->flow, &answer, NULL);
        break;
    case OAUTH_SLOW_DOWN:
        device->code.interval_s += SLOWER_S;
        poll_later(device);
        break;
    case OAUTH_LATER:
        device->code.interval_s = MAX(device->code.interval_s, answer.retry_after_s);
        poll_later(device);
        break;
    case OAUTH_PENDING:
        poll_later(device);
        break;
    case OAUTH_WITHDRAWN:
        authorize_flow_fail(&device->flow, "it was not allowed (%s); try again", answer.words);
        break;
    case OAUTH_REFUSED:
        authorize_flow_fail(
            &device->flow,
            "%s does not accept the request: %s; compare client_id and client_secret with what the provider says",
            device->flow.oauth->token_url, answer.words);
        break;
    }
    oauth_answer_clear(&answer);
}

static gboolean on_poll(gpointer data)
{
    DeviceFlow *device = data;
    const OAuthField fields[] = {{"grant_type", GRANT_DEVICE}, {"device_code", device->code.device_code}, {NULL, NULL}};
    if (clock_monotonic_ms() >= device->until_ms)
        authorize_flow_fail(&device->flow, "the code has ended before it was used; try again");
    else
        authorize_flow_post(&device->flow, device->flow.oauth->token_url, fields, on_polled, device);
    return G_SOURCE_REMOVE;
}

static void poll_later(DeviceFlow *device)
{
    gint64 left_ms = MAX(device->until_ms - clock_monotonic_ms(), 0); /* however long the server wants us to wait */
    g_autoptr(GSource) timer = g_timeout_source_new((guint)MIN(device->code.interval_s * 1000, left_ms));
    g_source_set_callback(timer, on_poll, device, NULL);
    g_source_attach(timer, device->flow.context);
}

static void on_device_code(const HttpAnswer *http, gpointer data)
{
    DeviceFlow *device = data;
    AuthorizeFlow *flow = &device->flow;
    g_autofree char *words = NULL;
    if (!oauth_read_device_code(http, &device->code, &words)) {
        authorize_flow_fail(flow, "%s gives no code: %s", flow->oauth->device_url, words);
        return;
    }
    device->until_ms = clock_monotonic_ms() + device->code.lifetime_s * 1000;
    flow->callbacks->show_code(device->code.verification_url, device->code.user_code, device->code.complete_url,
                               flow->callbacks->data);
    poll_later(device);
}

gboolean authorize_by_device(const Config *config, const OAuth *oauth, const AuthorizeCallbacks *callbacks, GError **error)
{
    DeviceFlow device = {0};
    const OAuthField with_scope[] = {{"scope", oauth->scope}, {NULL, NULL}};
    authorize_flow_begin(&device.flow, config, oauth, callbacks);
    authorize_flow_post(&device.flow, oauth->device_url, *oauth->scope ? with_scope : with_scope + 1, on_device_code,
                        &device);
    gboolean granted = authorize_flow_run(&device.flow, error);
    device_code_clear(&device.code);
    return granted;
}

/* ---- a token from elsewhere ------------------------------------------------------------------------------------------ */

typedef struct {
    AuthorizeFlow flow;
    const char *refresh_token;
} GivenFlow;

static void on_tried(const HttpAnswer *http, gpointer data)
{
    GivenFlow *given = data;
    OAuthAnswer answer = {0};
    oauth_read_answer(http, &answer);
    if (answer.verdict == OAUTH_GRANTED)
        authorize_flow_grant(&given->flow, &answer, given->refresh_token);
    else
        authorize_flow_fail(&given->flow, "%s does not accept the token: %s", given->flow.oauth->token_url, answer.words);
    oauth_answer_clear(&answer);
}

gboolean authorize_by_refresh_token(const Config *config, const OAuth *oauth, const char *refresh_token, GError **error)
{
    GivenFlow given = {.refresh_token = refresh_token};
    const OAuthField fields[] = {{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}, {NULL, NULL}};
    authorize_flow_begin(&given.flow, config, oauth, NULL);
    authorize_flow_post(&given.flow, oauth->token_url, fields, on_tried, &given);
    return authorize_flow_run(&given.flow, error);
}

/* ---- what there is --------------------------------------------------------------------------------------------------- */

char *authorize_state(const Config *config, const OAuth *oauth)
{
    g_autoptr(GError) error = NULL;
    StoredToken token = {0};
    gboolean found = FALSE;
    char *state = NULL;
    if (!token_file_read(config->tokens_dir, oauth->token_name, &found, &token, &error))
        state = g_strdup(error->message);
    else if (!found)
        state = g_strdup("not authorized");
    else if (*token.withdrawn)
        state = g_strdup(token.withdrawn);
    else if (!g_str_equal(token.client_id, oauth->client_id) || !g_str_equal(token.user, oauth->user))
        state = g_strdup("authorized for another user or client_id");
    else
        state = g_strdup("authorized");
    stored_token_clear(&token);
    return state;
}
