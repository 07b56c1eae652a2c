/*
 * The Unix socket between `nurture` and `nurtured`: one request a connection, one line of JSON each way:
 *   {"command":"status"}  ->  {"ok":true, …}  or  {"ok":false,"error":"why, and what to do"}
 * Commands: status, time, knock (facts changed), tokens (an account was authorized), reload, pause, resume, canary. Only root, and the user that the daemon runs as, are served
 * (SO_PEERCRED). Paths longer than sun_path holds are reached through /proc/self/fd.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "config/config.h"

/* ---- the daemon's side ---- */
typedef struct ControlServer ControlServer;

/* Answers a request: the object to send back (ownership passes), {"ok":true} added where it has no "ok". */
typedef JsonObject *(*ControlFunc)(const char *command, JsonObject *request, gpointer data);

/* Listens (mode 0660; a left-over socket is replaced, since the store's claim says that we are the only daemon). ENGINE_ERROR_CONTROL. */
ControlServer *control_server_new(const char *path, GMainContext *context, ControlFunc func, gpointer data, GError **error);
void control_server_free(ControlServer *server);

/* ---- the command's side ---- */

/* Sends the request and waits at most timeout_ms. NULL and ENGINE_ERROR_CONTROL where no daemon answers or it said "ok":false. */
JsonObject *control_call(const Config *config, JsonObject *request, gint64 timeout_ms, GError **error);

/* Tells a running daemon that facts changed; quietly does nothing where none runs. */
void control_knock(const Config *config);

/* The daemon's business time where one runs on a virtual clock, else the system's: the time that facts get. */
gint64 control_now_ms(const Config *config);
