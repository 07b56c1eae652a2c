/*
 * A lock that is held by one process, named by a file, and freed by the kernel however that process ends.
 */
#pragma once

#include <glib.h>

/* Takes the lock; the file is made where missing (mode 0600) and holds our process id. The descriptor keeps the lock until it
 * is closed; -1 and STORE_ERROR_TAKEN (naming the holder) or STORE_ERROR_OPEN otherwise. Programs that are started do not inherit it. */
int lock_file_take(const char *path, GError **error);
