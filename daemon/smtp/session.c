/*
 * The conversation with one server, by one libcurl easy handle. A handle stands for one connection: where libcurl
 * closed it, or it may be out of step (a late answer would be taken for that to the next message), the handle goes with
 * it, and the next message gets a new one, with the password read anew.
 *
 *   none --deliver--> open --answered, quiet--> open --QUIT, or anything else--> none
 *
 * libcurl tells us each command it sends (the debug callback) and each line it receives (the header callback); from
 * these the phase and the reply are kept here, since its own CURLINFO_RESPONSE_CODE may be of the command before.
 * Neither callback prints what passes: among it are credentials. What was said in the sign-in is kept as long as its connection, so that
 * a server that repeats it, then or later, is not quoted. All waits are bounded in the progress
 * callback, which libcurl calls at least once a second, because its own limits know no difference between a command and
 * the final dot.
 *
 * Runs in a worker's thread; owns the handle and nothing else.
 */
#include "session.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "handle.h"
#include "sign_in.h"
#include "trouble.h"

/* What passed between us and the server in the attempt under way. */
typedef struct {
    SmtpPhase phase;
    gboolean in_tls;     /* STARTTLS was answered with 220 */
    gboolean quitting;   /* QUIT was sent: what follows decides nothing */
    gboolean auth_named; /* the answer to EHLO names AUTH */
    guint offers;        /* SmtpOffers of it */
    gboolean no_auth;    /* it was whole and did not, though we must sign in */
    SmtpReply reply;     /* to phase's command */
    gint64 since_ms;     /* monotonic, when phase's wait began */
    gint64 overdue_ms;   /* how long we had waited when we gave up, 0: we did not */
    const char *data;
    gsize size, given;
} Exchange;

struct SmtpSession {
    const Account *account;
    const SmtpLimits *limits;
    const SmtpCallbacks *callbacks;
    const gint *cancelled;
    char *url, *server;
    gboolean cram_md5; /* the server has nothing else */
    gint64 until_ms;   /* monotonic: the token that this connection signed in with ends; 0: never */
    GString *said;     /* in the sign-in of this connection; wiped */
    CURL *curl;       /* NULL: no connection */
    guint n_attempts; /* on this connection */
    Exchange exchange;
    char words[CURL_ERROR_SIZE];
};

/* ---- what libcurl tells and asks --------------------------------------------------------------------------------- */

static void enter_phase(Exchange *exchange, SmtpPhase phase)
{
    exchange->phase = phase;
    exchange->since_ms = clock_monotonic_ms();
}

static gboolean starts_with(const char *data, gsize size, const char *word)
{
    gsize length = strlen(word);
    return size >= length && memcmp(data, word, length) == 0;
}

/* A command leaves. Lines of a sign-in under way are none of these: they are base64. */
static void note_command(SmtpSession *session, const char *data, gsize size)
{
    Exchange *exchange = &session->exchange;
    static const struct {
        const char *verb;
        SmtpPhase phase;
    } commands[] = {{"EHLO ", PHASE_HELLO},   {"HELO ", PHASE_HELLO},     {"STARTTLS\r\n", PHASE_STARTTLS},
                    {"AUTH ", PHASE_SIGN_IN}, {"MAIL FROM:", PHASE_MAIL}, {"RCPT TO:", PHASE_RCPT},
                    {"DATA\r\n", PHASE_DATA}};
    if (starts_with(data, size, "QUIT\r\n")) {
        exchange->quitting = TRUE;
        exchange->since_ms = clock_monotonic_ms();
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if (starts_with(data, size, commands[i].verb))
            enter_phase(exchange, commands[i].phase);
    smtp_reply_begin(&exchange->reply);
    if (exchange->phase == PHASE_HELLO) {
        exchange->auth_named = FALSE;
        exchange->offers = 0;
    }
    if (exchange->phase == PHASE_SIGN_IN && session->said->len + size < session->said->allocated_len)
        g_string_append_len(session->said, data, (gssize)size);
}

static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *user)
{
    SmtpSession *session = user;
    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        note_command(session, data, size);
    return 0;
}

/* A server that we must sign in to, and that offers no AUTH, would be used without signing in; then it is not used at
 * all. */
static gboolean must_stop_for_auth(const SmtpSession *session)
{
    const Exchange *exchange = &session->exchange;
    const Endpoint *server = &session->account->smtp.server;
    return exchange->phase == PHASE_HELLO && exchange->reply.complete && exchange->reply.code / 100 == 2 && *server->user &&
           !exchange->auth_named && (server->tls != TLS_STARTTLS || exchange->in_tls);
}

static size_t on_line(char *data, size_t size, size_t count, void *user)
{
    SmtpSession *session = user;
    Exchange *exchange = &session->exchange;
    gsize length = size * count;
    if (exchange->quitting)
        return length;
    if (!smtp_reply_take(&exchange->reply, data, length))
        return 0;
    if (exchange->phase == PHASE_HELLO && smtp_reply_line_offers(data, length, "AUTH")) {
        exchange->auth_named = TRUE;
        exchange->offers |= smtp_sign_in_offers(data, length);
    }
    if (exchange->phase == PHASE_STARTTLS && exchange->reply.complete && exchange->reply.code == 220)
        exchange->in_tls = TRUE;
    if (exchange->reply.complete && exchange->reply.code == 421)
        return 0; /* the server ends the conversation; libcurl would go on with HELO */
    exchange->no_auth = must_stop_for_auth(session);
    return exchange->no_auth ? 0 : length;
}

static size_t on_body_answer(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

/* The message's next bytes. From the first on, the reply kept is the one to the message, not the 354 before it. */
static size_t on_read(char *buffer, size_t size, size_t count, void *user)
{
    SmtpSession *session = user;
    Exchange *exchange = &session->exchange;
    gsize take = MIN(size * count, exchange->size - exchange->given);
    memcpy(buffer, exchange->data + exchange->given, take);
    exchange->given += take;
    if (exchange->phase < PHASE_BODY)
        smtp_reply_begin(&exchange->reply);
    enter_phase(exchange, exchange->given == exchange->size ? PHASE_FINAL : PHASE_BODY);
    return take;
}

static gboolean is_connected(SmtpSession *session)
{
    curl_off_t tcp = 0, tls = 0;
    curl_easy_getinfo(session->curl, CURLINFO_CONNECT_TIME_T, &tcp);
    curl_easy_getinfo(session->curl, CURLINFO_APPCONNECT_TIME_T, &tls);
    return tcp > 0 && (tls > 0 || session->account->smtp.server.tls != TLS_IMPLICIT);
}

static gint64 wait_limit_ms(SmtpSession *session)
{
    const SmtpLimits *limits = session->limits;
    if (session->exchange.quitting)
        return limits->quit_ms;
    switch (session->exchange.phase) {
    case PHASE_GREETING:
        return is_connected(session) ? limits->command_ms : limits->connect_ms;
    case PHASE_BODY:
        return limits->body_ms;
    case PHASE_FINAL:
        return limits->final_ms;
    default:
        return limits->command_ms;
    }
}

static int on_progress(void *user, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    SmtpSession *session = user;
    Exchange *exchange = &session->exchange;
    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    if (g_atomic_int_get(session->cancelled))
        return 1;
    gint64 waited_ms = clock_monotonic_ms() - exchange->since_ms;
    if (waited_ms < wait_limit_ms(session))
        return 0;
    if (!exchange->quitting)
        exchange->overdue_ms = waited_ms;
    return 1;
}

/* ---- the handle -------------------------------------------------------------------------------------------------- */

static void set_callbacks(SmtpSession *session)
{
    CURL *curl = session->curl;
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, session);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* to on_debug() alone */
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, session);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body_answer);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, session);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, session);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->words);
}

static gboolean open_handle(SmtpSession *session, GError **error)
{
    CURL *curl = session->curl = curl_easy_init();
    g_assert(curl);
    session->n_attempts = 0;
    if (!smtp_sign_in_prepare(curl, &session->account->smtp.server, session->cram_md5, session->callbacks, session->cancelled,
                              &session->until_ms, error)) {
        curl_easy_cleanup(g_steal_pointer(&session->curl));
        return FALSE;
    }
    smtp_handle_prepare(curl, &session->account->smtp.server, session->url, session->limits);
    set_callbacks(session);
    return TRUE;
}

static void forget_said(SmtpSession *session)
{
    explicit_bzero(session->said->str, session->said->len); /* nothing ever lies behind it */
    g_string_truncate(session->said, 0);
}

static curl_socket_t active_socket(SmtpSession *session)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(session->curl, CURLINFO_ACTIVESOCKET, &socket);
    return socket;
}

/* Without a word: a QUIT on a connection that is out of step would wait two minutes in curl_easy_cleanup(). */
static void drop_connection(SmtpSession *session)
{
    forget_said(session);
    if (!session->curl)
        return;
    curl_socket_t socket = active_socket(session);
    if (socket != CURL_SOCKET_BAD)
        shutdown(socket, SHUT_RDWR);
    curl_easy_cleanup(g_steal_pointer(&session->curl));
}

/* The connection is there, and the server has said nothing unasked (an answer too many, "421 idle", its end). */
static gboolean is_quiet(SmtpSession *session)
{
    char byte;
    curl_socket_t socket = active_socket(session);
    return socket != CURL_SOCKET_BAD && recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- attempts ---------------------------------------------------------------------------------------------------- */

static void begin_exchange(SmtpSession *session, GBytes *wire)
{
    SmtpReply reply = session->exchange.reply;
    session->exchange = (Exchange){.reply = reply};
    smtp_reply_begin(&session->exchange.reply);
    if (wire)
        session->exchange.data = g_bytes_get_data(wire, &session->exchange.size);
    session->words[0] = '\0';
    enter_phase(&session->exchange, PHASE_GREETING);
}

static SmtpFault fault_of(const SmtpSession *session, CURLcode status)
{
    const Exchange *exchange = &session->exchange;
    if (status != CURLE_OK && exchange->no_auth)
        return FAULT_NO_SIGN_IN;
    switch (status) {
    case CURLE_OK:
        return FAULT_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return FAULT_NO_CONNECTION;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return FAULT_CERTIFICATE;
    case CURLE_SSL_CONNECT_ERROR:
        return FAULT_TLS;
    case CURLE_USE_SSL_FAILED:
        return FAULT_NO_STARTTLS;
    case CURLE_LOGIN_DENIED:
        return FAULT_NO_SIGN_IN;
    case CURLE_OPERATION_TIMEDOUT:
        return FAULT_OVERDUE;
    case CURLE_ABORTED_BY_CALLBACK:
        return exchange->overdue_ms > 0 ? FAULT_OVERDUE : FAULT_CANCELLED;
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
        return FAULT_PROTOCOL;
    default:
        return exchange->reply.complete && exchange->phase > PHASE_GREETING ? FAULT_PROTOCOL : FAULT_LOST;
    }
}

static CURLcode perform(SmtpSession *session, const char *sender, const char *recipient)
{
    g_autofree char *from = g_strconcat("<", sender, ">", NULL);
    g_autofree char *to = g_strconcat("<", recipient, ">", NULL);
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    g_assert(recipients);
    curl_easy_setopt(session->curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, recipients);
    CURLcode status = curl_easy_perform(session->curl);
    curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(recipients);
    session->n_attempts++;
    return status;
}

/* The server had closed a connection that had served before, and saw nothing of this message: that says nothing about
 * either. */
static gboolean was_stale(SmtpSession *session, SmtpFault fault)
{
    const Exchange *exchange = &session->exchange;
    long n_connects = 0;
    curl_easy_getinfo(session->curl, CURLINFO_NUM_CONNECTS, &n_connects);
    if (n_connects > 0 || exchange->given > 0 || fault == FAULT_CANCELLED || fault == FAULT_OVERDUE)
        return FALSE;
    return exchange->reply.complete ? exchange->reply.code == 421 : exchange->phase <= PHASE_MAIL;
}

/* Signing in failed for want of a way that we had allowed libcurl to take. */
static gboolean turns_to_cram_md5(SmtpSession *session, SmtpFault fault)
{
    gboolean turns = fault == FAULT_NO_SIGN_IN && !session->cram_md5 &&
                     smtp_sign_in_wants_cram_md5(&session->account->smtp.server, session->exchange.offers);
    session->cram_md5 = session->cram_md5 || turns;
    return turns;
}

/* Keeps the connection only where each side knows where the other stands. */
static void settle_connection(SmtpSession *session, SmtpFault fault)
{
    const SmtpReply *reply = &session->exchange.reply;
    gboolean answered = reply->complete && (fault == FAULT_NONE || reply->code >= 400) && reply->code != 421;
    if (!answered || !is_quiet(session))
        drop_connection(session);
    else if (session->n_attempts >= session->limits->max_messages)
        smtp_session_close(session);
}

static SmtpEnding begin_ending(const SmtpSession *session)
{
    return (SmtpEnding){.reply = &session->exchange.reply,
                        .server = session->server,
                        .detail = session->words,
                        .ways = smtp_sign_in_ways(&session->account->smtp.server)};
}

static void note_no_secret(const SmtpSession *session, const GError *error, SmtpEnding *ending)
{
    ending->fault = session->account->smtp.server.sign_in == SIGN_IN_OAUTH2 ? FAULT_TOKEN : FAULT_SECRET;
    ending->detail = error->message;
}

/* libcurl calls it a server that cannot be reached, or a name that is not found. */
static void note_want_of_files(SmtpSession *session)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == EMFILE || errno == ENFILE)
        g_snprintf(session->words, sizeof session->words, "%s: raise the limit (LimitNOFILE=)", g_strerror(errno));
}

static void note_ending(SmtpSession *session, CURLcode status, SmtpEnding *ending)
{
    Exchange *exchange = &session->exchange;
    ending->fault = fault_of(session, status);
    ending->phase = exchange->phase;
    ending->all_given = exchange->phase == PHASE_FINAL;
    ending->waited_ms = exchange->overdue_ms ? exchange->overdue_ms : clock_monotonic_ms() - exchange->since_ms;
    if (!*session->words)
        g_strlcpy(session->words, curl_easy_strerror(status), sizeof session->words);
    if (ending->fault == FAULT_NO_CONNECTION)
        note_want_of_files(session);
    gboolean is_quoted = ending->fault != FAULT_NONE || exchange->reply.code != 250;
    if (is_quoted && smtp_sign_in_is_told(session->said->str, session->account->smtp.server.user, exchange->reply.text->str))
        g_string_assign(exchange->reply.text, "(the server repeats what is secret)");
}

/* FALSE: the connection was stale, and nothing came of it. */
static gboolean attempt(SmtpSession *session, const char *sender, const char *recipient, GBytes *wire, gboolean may_be_stale,
                        DeliveryResult *ret_result)
{
    g_autoptr(GError) error = NULL;
    Exchange *exchange = &session->exchange;
    begin_exchange(session, wire);
    SmtpEnding ending = begin_ending(session);
    if (session->curl && !is_quiet(session))
        drop_connection(session);
    if (session->curl && session->until_ms && clock_monotonic_ms() >= session->until_ms) {
        smtp_session_close(session); /* signs in anew, with a token of now */
        begin_exchange(session, wire);
    }
    if (g_atomic_int_get(session->cancelled)) {
        ending.fault = FAULT_CANCELLED;
    } else if (!session->curl && !open_handle(session, &error)) {
        note_no_secret(session, error, &ending);
    } else {
        enter_phase(exchange, PHASE_GREETING); /* reading the secret took its time */
        note_ending(session, perform(session, sender, recipient), &ending);
        if (may_be_stale && (was_stale(session, ending.fault) || turns_to_cram_md5(session, ending.fault))) {
            drop_connection(session);
            return FALSE;
        }
    }
    smtp_trouble_judge(&ending, ret_result);
    if (session->curl)
        settle_connection(session, ending.fault);
    return TRUE;
}

void smtp_session_deliver(SmtpSession *session, const char *sender, const char *recipient, GBytes *wire,
                          DeliveryResult *ret_result)
{
    if (!attempt(session, sender, recipient, wire, TRUE, ret_result))
        attempt(session, sender, recipient, wire, FALSE, ret_result);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

SmtpSession *smtp_session_new(const Account *account, const SmtpLimits *limits, const SmtpCallbacks *callbacks, const gint *cancelled)
{
    SmtpSession *session = g_new0(SmtpSession, 1);
    session->account = account;
    session->limits = limits;
    session->callbacks = callbacks;
    session->cancelled = cancelled;
    session->said = g_string_sized_new(SMTP_SAID_OCTETS); /* never grows, so nothing is left behind */
    session->url = smtp_handle_url(account);
    session->server = g_strdup_printf("%s:%u", account->smtp.server.host, (guint)account->smtp.server.port);
    smtp_reply_init(&session->exchange.reply);
    return session;
}

/* A command instead of a message; after it the handle is good for no message. */
static CURLcode perform_command(SmtpSession *session, const char *command)
{
    curl_easy_setopt(session->curl, CURLOPT_UPLOAD, 0L);
    curl_easy_setopt(session->curl, CURLOPT_MAIL_FROM, NULL);
    curl_easy_setopt(session->curl, CURLOPT_CUSTOMREQUEST, command);
    return curl_easy_perform(session->curl);
}

gboolean smtp_session_probe(SmtpSession *session, DeliveryResult *ret_trouble)
{
    g_autoptr(GError) error = NULL;
    begin_exchange(session, NULL);
    SmtpEnding ending = begin_ending(session);
    if (!open_handle(session, &error)) {
        note_no_secret(session, error, &ending);
    } else {
        enter_phase(&session->exchange, PHASE_GREETING);
        note_ending(session, perform_command(session, "NOOP"), &ending);
        if (turns_to_cram_md5(session, ending.fault)) { /* once in a session */
            drop_connection(session);
            return smtp_session_probe(session, ret_trouble);
        }
    }
    gboolean well = ending.fault == FAULT_NONE;
    if (!well) {
        smtp_trouble_judge(&ending, ret_trouble);
        drop_connection(session);
    }
    smtp_session_close(session);
    return well;
}

/* QUIT goes as a command of its own, since the one that curl_easy_cleanup() sends cannot be bounded. */
void smtp_session_close(SmtpSession *session)
{
    if (session->curl && is_quiet(session)) {
        begin_exchange(session, NULL);
        (void)perform_command(session, "QUIT"); /* whatever it answers, we go */
    }
    drop_connection(session);
}

void smtp_session_free(SmtpSession *session)
{
    if (!session)
        return;
    smtp_session_close(session);
    smtp_reply_clear(&session->exchange.reply);
    g_string_free(session->said, TRUE);
    g_free(session->url);
    g_free(session->server);
    g_free(session);
}
