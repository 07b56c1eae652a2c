/*
 * A mailstream_low driver of our own, since libetpan's verifies no certificate, sends no server name, counts time by the
 * read and aborts on high descriptors. Runs in the watcher (child), single-threaded, on a non-blocking socket with poll(2).
 *
 * Each operation has a deadline and a budget (stream_arm()); the first thing that goes wrong is kept as the stream's fault,
 * since libetpan passes on no more than "stream error". A read never returns 0: libetpan would ask again for ever.
 */
#include "stream.h"

#include <errno.h>
#include <gio/gio.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "fault.h"
#include "limits.h"

struct Stream {
    int fd;
    gnutls_session_t tls; /* NULL while plain */
    gint64 deadline_ms;
    gsize octets_left;
    StreamTick tick;
    gpointer tick_data;
    GError *fault;
};

G_DEFINE_QUARK(nurture - imap - fault, imap_fault)

static int fail(Stream *stream, ImapFault code, const char *text)
{
    if (stream->fault == NULL)
        stream->fault = g_error_new_literal(IMAP_FAULT, (int)code, text);
    return -1;
}

static void tick(const Stream *stream)
{
    if (stream->tick != NULL)
        stream->tick(stream->tick_data);
}

/* 0: ready for events (or broken, which the next call on the socket tells); -1: the deadline has passed. */
static int wait_ready(Stream *stream, short events)
{
    for (;;) {
        tick(stream);
        gint64 left_ms = stream->deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return fail(stream, IMAP_FAULT_NETWORK, "the server takes too long");
        struct pollfd wanted = {.fd = stream->fd, .events = events};
        int ready = poll(&wanted, 1, (int)MIN(left_ms, HEARTBEAT_MS));
        if (ready < 0 && errno != EINTR)
            return fail(stream, IMAP_FAULT_NETWORK, g_strerror(errno));
        if (ready > 0)
            return 0;
    }
}

typedef enum { STEP_AGAIN, STEP_WAIT, STEP_FAILED } Step;

/* What to do after gnutls or the kernel gave a negative result for a transfer. */
static Step judge_transfer(Stream *stream, gssize result)
{
    if (stream->tls != NULL) {
        if (result == GNUTLS_E_INTERRUPTED)
            return STEP_AGAIN;
        if (result == GNUTLS_E_AGAIN)
            return STEP_WAIT;
        if (result == GNUTLS_E_PREMATURE_TERMINATION)
            fail(stream, IMAP_FAULT_NETWORK, "the server closed the connection");
        else
            fail(stream, IMAP_FAULT_NETWORK, gnutls_strerror((int)result));
        return STEP_FAILED;
    }
    if (errno == EINTR)
        return STEP_AGAIN;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return STEP_WAIT;
    fail(stream, IMAP_FAULT_NETWORK, g_strerror(errno));
    return STEP_FAILED;
}

static ssize_t driver_read(mailstream_low *low, void *buffer, size_t size)
{
    Stream *stream = low->data;
    if (stream->octets_left == 0)
        return fail(stream, IMAP_FAULT_SERVER, "the server sends more than was asked for");
    gsize wanted = MIN(size, stream->octets_left);
    for (;;) {
        tick(stream);
        if (clock_monotonic_ms() >= stream->deadline_ms) /* a server that trickles never makes us wait */
            return fail(stream, IMAP_FAULT_NETWORK, "the server takes too long");
        gssize got = stream->tls != NULL ? gnutls_record_recv(stream->tls, buffer, wanted)
                                         : recv(stream->fd, buffer, wanted, MSG_DONTWAIT);
        if (got > 0) {
            stream->octets_left -= (gsize)got;
            return got;
        }
        if (got == 0)
            return fail(stream, IMAP_FAULT_NETWORK, "the server closed the connection");
        Step step = judge_transfer(stream, got);
        if (step == STEP_FAILED || (step == STEP_WAIT && wait_ready(stream, POLLIN) < 0))
            return -1;
    }
}

static ssize_t driver_write(mailstream_low *low, const void *buffer, size_t size)
{
    Stream *stream = low->data;
    for (;;) {
        gssize put = stream->tls != NULL ? gnutls_record_send(stream->tls, buffer, size)
                                         : send(stream->fd, buffer, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0 || (put == 0 && size == 0))
            return put;
        if (put == 0)
            return fail(stream, IMAP_FAULT_NETWORK, "nothing could be sent");
        Step step = judge_transfer(stream, put);
        if (step == STEP_FAILED || (step == STEP_WAIT && wait_ready(stream, POLLOUT) < 0))
            return -1;
    }
}

static void disconnect(Stream *stream)
{
    g_clear_pointer(&stream->tls, gnutls_deinit);
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static int driver_close(mailstream_low *low)
{
    disconnect(low->data);
    return 0;
}

static int driver_get_fd(mailstream_low *low)
{
    return stream_fd(low->data);
}

static void driver_free(mailstream_low *low)
{
    stream_free(low->data);
    free(low); /* libetpan's malloc() */
}

static void driver_cancel(mailstream_low *low)
{
    (void)low; /* one thread: nobody is there to cancel */
}

static struct mailstream_cancel *driver_get_cancel(mailstream_low *low)
{
    (void)low;
    return NULL;
}

/* libetpan takes it as not const, and never writes to it. */
static mailstream_low_driver driver = {
    .mailstream_read = driver_read,
    .mailstream_write = driver_write,
    .mailstream_close = driver_close,
    .mailstream_get_fd = driver_get_fd,
    .mailstream_free = driver_free,
    .mailstream_cancel = driver_cancel,
    .mailstream_get_cancel = driver_get_cancel,
};

void stream_arm(Stream *stream, gint64 timeout_ms, gsize max_octets)
{
    stream->deadline_ms = clock_monotonic_ms() + timeout_ms;
    stream->octets_left = max_octets;
}

int stream_fd(const Stream *stream)
{
    return stream->fd;
}

gboolean stream_has_buffered(const Stream *stream, const mailstream *over)
{
    return over->read_buffer_len > 0 || (stream->tls != NULL && gnutls_record_check_pending(stream->tls) > 0);
}

gboolean stream_fault(const Stream *stream, GError **error)
{
    if (stream->fault == NULL)
        return FALSE;
    if (error != NULL)
        *error = g_error_copy(stream->fault);
    return TRUE;
}

mailstream *stream_to_mailstream(Stream *stream)
{
    mailstream_low *low = mailstream_low_new(stream, &driver);
    mailstream *over = low != NULL ? mailstream_new(low, 16 * 1024) : NULL;
    g_assert(over != NULL); /* NULL only without memory */
    return over;
}

void stream_free(Stream *stream)
{
    if (stream == NULL)
        return;
    disconnect(stream);
    g_clear_error(&stream->fault);
    g_free(stream);
}

/* ---- TCP ------------------------------------------------------------------------------------------------------------- */

static void set_options(int fd)
{
    const int on = 1, idle_s = 60, interval_s = 20, probes = 3;
    const unsigned user_ms = 60 * 1000;
    /* A peer that is gone without a word is found out in two minutes. Where an option is not to be had, nothing else
     * changes. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof user_ms);
}

/* One address. On failure *reason (owned by the caller) says why, for people. */
static gboolean connect_one(Stream *stream, const char *address, guint16 port, char **reason)
{
    g_autoptr(GSocketAddress) target = g_inet_socket_address_new_from_string(address, port);
    struct sockaddr_storage native;
    if (target == NULL || !g_socket_address_to_native(target, &native, sizeof native, NULL)) {
        *reason = g_strdup("not an address");
        return FALSE;
    }
    stream->fd = socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int fault = stream->fd < 0 ? errno : 0;
    if (fault == 0 &&
        connect(stream->fd, (const struct sockaddr *)&native, (socklen_t)g_socket_address_get_native_size(target)) != 0)
        fault = errno;
    if (fault == EINPROGRESS) {
        socklen_t size = sizeof fault;
        stream_arm(stream, IMAP_CONNECT_MS, 0);
        if (wait_ready(stream, POLLOUT) < 0)
            fault = ETIMEDOUT;
        else if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0)
            fault = errno;
    }
    if (fault == 0) {
        set_options(stream->fd);
        return TRUE;
    }
    *reason = g_strdup(g_strerror(fault));
    disconnect(stream);
    g_clear_error(&stream->fault);
    return FALSE;
}

Stream *stream_connect(const char *const *addresses, guint16 port, StreamTick tick_func, gpointer tick_data, GError **error)
{
    g_autoptr(Stream) stream = g_new0(Stream, 1);
    stream->fd = -1;
    stream->tick = tick_func;
    stream->tick_data = tick_data;
    g_autoptr(GString) reasons = g_string_new(NULL);
    for (gsize i = 0; addresses[i] != NULL; i++) {
        g_autofree char *reason = NULL;
        if (connect_one(stream, addresses[i], port, &reason))
            return g_steal_pointer(&stream);
        g_string_append_printf(reasons, "%s%s: %s", i > 0 ? "; " : "", addresses[i], reason);
    }
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_NETWORK, "cannot be reached: %s",
                reasons->len > 0 ? reasons->str : "no address");
    return NULL;
}

/* ---- TLS ------------------------------------------------------------------------------------------------------------- */

gnutls_certificate_credentials_t stream_trust_load(const char *ca_file, GError **error)
{
    gnutls_certificate_credentials_t trust = NULL;
    int result = gnutls_certificate_allocate_credentials(&trust);
    if (result < 0) {
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "TLS: %s", gnutls_strerror(result));
        return NULL;
    }
    int system = gnutls_certificate_set_x509_system_trust(trust);
    int own = *ca_file != '\0' ? gnutls_certificate_set_x509_trust_file(trust, ca_file, GNUTLS_X509_FMT_PEM) : 0;
    if (own < 0 || (own == 0 && *ca_file != '\0'))
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "ca_file %s: %s", ca_file,
                    own < 0 ? gnutls_strerror(own) : "it holds no certificate");
    else if (system <= 0 && own == 0)
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL,
                    "this system has no certificate authorities (package ca-certificates)");
    else
        return trust;
    gnutls_certificate_free_credentials(trust);
    return NULL;
}

/* Why the certificate is not good, for people. Caller frees. */
static char *describe_status(unsigned status, const char *host)
{
    if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
        return g_strdup_printf("the certificate is not for %s", host);
    if (status & GNUTLS_CERT_EXPIRED)
        return g_strdup("the certificate has expired");
    if (status & GNUTLS_CERT_NOT_ACTIVATED)
        return g_strdup("the certificate is not valid yet");
    if (status & GNUTLS_CERT_REVOKED)
        return g_strdup("the certificate was revoked");
    if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
        return g_strdup(
            "the certificate is not signed by an authority that is trusted here (a private one is named by ca_file)");
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
        return g_strdup("the certificate is signed by an insecure algorithm");
    gnutls_datum_t text = {NULL, 0};
    char *described = NULL;
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0)
        described = g_strdup((const char *)text.data);
    gnutls_free(text.data);
    return described != NULL ? described : g_strdup("the certificate is not valid");
}

static gboolean handshake_failed(Stream *stream, gnutls_session_t session, int result, const char *host, GError **error)
{
    if (stream_fault(stream, error)) /* too slow, or lost while waiting */
        return FALSE;
    if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
        g_autofree char *why = describe_status(gnutls_session_get_verify_cert_status(session), host);
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_CERTIFICATE, why);
    } else if (result == GNUTLS_E_PREMATURE_TERMINATION || result == GNUTLS_E_PULL_ERROR || result == GNUTLS_E_PUSH_ERROR) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_NETWORK,
                            "the server closed the connection during the TLS handshake");
    } else {
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_CERTIFICATE, "TLS: %s", gnutls_strerror(result));
    }
    return FALSE;
}

static int configure_session(gnutls_session_t session, Stream *stream, gnutls_certificate_credentials_t trust,
                             const char *host)
{
    int result = gnutls_set_default_priority_append(session, "-VERS-TLS1.0:-VERS-TLS1.1", NULL, 0);
    if (result == GNUTLS_E_SUCCESS)
        result = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, trust);
    if (result == GNUTLS_E_SUCCESS && !g_hostname_is_ip_address(host)) /* RFC 6066: no literal addresses */
        result = gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, strlen(host));
    gnutls_session_set_verify_cert(session, host, 0);
    gnutls_handshake_set_max_packet_length(session, IMAP_HANDSHAKE_OCTETS);
    gnutls_transport_set_int(session, stream->fd);
    return result;
}

gboolean stream_start_tls(Stream *stream, gnutls_certificate_credentials_t trust, const char *host, GError **error)
{
    gnutls_session_t session = NULL;
    stream_arm(stream, IMAP_HANDSHAKE_MS, IMAP_HANDSHAKE_OCTETS);
    int result = gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (result == GNUTLS_E_SUCCESS)
        result = configure_session(session, stream, trust, host);
    while (result == GNUTLS_E_SUCCESS || !gnutls_error_is_fatal(result)) {
        result = gnutls_handshake(session);
        if (result == GNUTLS_E_SUCCESS) {
            stream->tls = session;
            return TRUE;
        }
        short events = gnutls_record_get_direction(session) ? POLLOUT : POLLIN;
        if (result == GNUTLS_E_AGAIN && wait_ready(stream, events) < 0)
            break;
        if (clock_monotonic_ms() >= stream->deadline_ms) {
            fail(stream, IMAP_FAULT_NETWORK, "the server takes too long");
            break;
        }
    }
    handshake_failed(stream, session, result, host, error);
    if (session != NULL)
        gnutls_deinit(session);
    return FALSE;
}
