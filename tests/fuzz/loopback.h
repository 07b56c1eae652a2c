/*
 * A server on loopback that says what it is told and hangs up: for fuzzers of a conversation, whose other end is the real stream.
 */
#pragma once

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imap/session.h"

enum { LOOPBACK_MAX = 64 * 1024 /* fits the socket's buffer, so that nobody waits */ };

static inline int loopback_listen(guint16 *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        abort();
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A session that has read nothing yet, and will read these octets and then the end. Ends with loopback_close(). */
static inline Session *loopback_session(const void *octets, size_t size, int *ret_peer)
{
    static int listening = -1;
    static guint16 port;
    if (listening < 0)
        listening = loopback_listen(&port);
    static const char *const addresses[] = {"127.0.0.1", NULL};
    Session *session = g_new0(Session, 1);
    session->stream = stream_connect(addresses, port, NULL, NULL, NULL);
    *ret_peer = accept(listening, NULL, NULL);
    if (session->stream == NULL || *ret_peer < 0 || write(*ret_peer, octets, size) != (ssize_t)size)
        abort();
    shutdown(*ret_peer, SHUT_WR);
    session->imap = mailimap_new(0, NULL);
    session->imap->imap_stream = stream_to_mailstream(session->stream);
    stream_arm(session->stream, 10 * 1000, 4 * LOOPBACK_MAX);
    return session;
}

/* By a reset, so that no port stays in use. */
static inline void loopback_close(Session *session, int peer)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    session_free(session);
}
