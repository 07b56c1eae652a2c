/*
 * One connection to a server, as a driver for libetpan's mailstream: TCP or TLS with certificate and host name verified,
 * and for each operation one absolute deadline and one budget of octets, which no server can stretch.
 */
#pragma once

#include <glib.h>
#include <gnutls/gnutls.h>
#include <libetpan/libetpan.h>

typedef struct Stream Stream;

/* Called at least every few seconds while the stream waits, and between reads; data as given. */
typedef void (*StreamTick)(gpointer data);

/* The authorities that are trusted: the system's and, unless "", those of ca_file. Reads files. IMAP_FAULT_LOCAL. */
gnutls_certificate_credentials_t stream_trust_load(const char *ca_file, GError **error);

/* Connects to the first of the numeric addresses that answers; nothing is read yet. IMAP_FAULT_NETWORK. tick may be NULL. */
Stream *stream_connect(const char *const *addresses, guint16 port, StreamTick tick, gpointer tick_data, GError **error);

/* TLS from here on, for host (a name or a numeric address). trust stays the caller's and must outlive the stream.
 * IMAP_FAULT_CERTIFICATE where it is not trusted, IMAP_FAULT_NETWORK. */
gboolean stream_start_tls(Stream *stream, gnutls_certificate_credentials_t trust, const char *host, GError **error);

/* The next operation: it must end within timeout_ms and may bring max_octets. */
void stream_arm(Stream *stream, gint64 timeout_ms, gsize max_octets);

/* The mailstream over it, for mailimap_connect(); it owns the Stream from here on (mailstream_close() frees both). */
mailstream *stream_to_mailstream(Stream *stream);

/* For those who wait by themselves: the socket, and whether octets lie ready that poll() does not see. */
int stream_fd(const Stream *stream);
gboolean stream_has_buffered(const Stream *stream, const mailstream *over);

/* TRUE, and the reason, where the stream itself (not the server's words) made the last operation fail. */
gboolean stream_fault(const Stream *stream, GError **error);

/* Accepts NULL. For a stream that no mailstream owns. */
void stream_free(Stream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_free)
