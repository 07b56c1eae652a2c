/*
 * Starting and ending the watcher's process.
 */
#pragma once

#include <glib.h>

typedef struct {
    GPid pid;
    int pidfd;  /* readable once it has ended */
    int socket; /* to its descriptor 3; non-blocking */
} SpawnedChild;

/*
 * Runs "program --watch" with a socket pair at descriptor 3, standard error as ours, the other standard ones from
 * /dev/null, no other descriptor, default signals, and of the environment only what TLS, locale and sanitizers need.
 * IMAP_FAULT_LOCAL.
 */
gboolean spawn_child(const char *program, SpawnedChild *ret_child, GError **error);

/* SIGKILL. It must still be reaped. */
void spawn_kill_child(const SpawnedChild *child);

/* Waits for a child that has ended, or makes it end: SIGTERM, after GRACE_MS SIGKILL. Returns its wait status; closes both
 * descriptors. */
int spawn_end_child(SpawnedChild *child);
