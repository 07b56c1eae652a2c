/*
 * What the tests of smtp/ share: a scripted server (tests/peers/evilsmtp.py) in a folder of its own, an account that
 * leads to it, and a pool that sends to it and gathers what came of each message.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "smtp/limits.h"
#include "smtp/pool.h"

#define PEER_SCRIPT "tests/peers/evilsmtp.py"
#define PEER_BODY "Subject: a test\r\n\r\nHello\r\n"

typedef struct {
    char *dir;
    GPid pid;
    int input; /* of the peer, which ends with it */
    guint16 port;
} Peer;

typedef struct {
    const char *sender;
    GBytes *bytes;
    DeliveryResult result;
    gboolean is_done, had_composed;
} Mail;

/* Waits that are too long for a test to see, except where it shortens one. */
#define PATIENT_LIMITS                                                                                                      \
    ((SmtpLimits){.connect_ms = 20000,                                                                                      \
                  .command_ms = 20000,                                                                                      \
                  .body_ms = 20000,                                                                                         \
                  .final_ms = 20000,                                                                                        \
                  .quit_ms = 500,                                                                                           \
                  .idle_ms = 20000,                                                                                         \
                  .max_messages = 100})

/* By g_spawn, not GSubprocess, whose thread of GLib's the thread sanitizer cannot see through. */
static inline void peer_start(Peer *peer, const char *const *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int out = -1;
    peer->dir = g_dir_make_tmp("smtp-peer-XXXXXX", &error);
    assert_non_null(peer->dir);
    g_ptr_array_add(argv, (gpointer) "/usr/bin/python3");
    g_ptr_array_add(argv, (gpointer)PEER_SCRIPT);
    g_ptr_array_add(argv, peer->dir);
    for (; options && *options; options++)
        g_ptr_array_add(argv, (gpointer)*options);
    g_ptr_array_add(argv, NULL);
    assert_true(g_spawn_async_with_pipes(NULL, (char **)argv->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &peer->pid,
                                         &peer->input, &out, NULL, &error));
    FILE *lines = fdopen(out, "r");
    char line[64] = "";
    assert_non_null(fgets(line, sizeof line, lines));
    fclose(lines);
    assert_true(g_str_has_prefix(line, "PORT "));
    peer->port = (guint16)g_ascii_strtoull(line + strlen("PORT "), NULL, 10);
}

static inline void peer_stop(Peer *peer)
{
    close(peer->input); /* it ends with its input */
    while (waitpid(peer->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_spawn_close_pid(peer->pid);
    g_autoptr(GDir) dir = g_dir_open(peer->dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(peer->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(peer->dir);
    g_clear_pointer(&peer->dir, g_free);
}

static inline char *peer_read(const Peer *peer, const char *name, gsize *ret_size)
{
    g_autofree char *path = g_build_filename(peer->dir, name, NULL);
    char *contents = NULL;
    g_file_get_contents(path, &contents, ret_size, NULL);
    return contents;
}

/* How many lines of the log end in these words. */
static inline guint peer_count(const Peer *peer, const char *words)
{
    g_autofree char *log = peer_read(peer, "log", NULL);
    g_auto(GStrv) lines = g_strsplit(log ? log : "", "\n", -1);
    guint n = 0;
    for (char **line = lines; *line; line++)
        n += strchr(*line, ' ') && g_str_has_prefix(strchr(*line, ' ') + 1, words);
    return n;
}

/* The strings belong to the test; nothing here is freed. */
static inline Account peer_account(guint16 port)
{
    return (Account){.name = (char *)"anna",
                     .from_name = (char *)"",
                     .from_address = (char *)"anna@sender.example",
                     .reply_to = (char *)"",
                     .smtp = {.server = {.url = (char *)"",
                                         .host = (char *)"127.0.0.1",
                                         .port = port,
                                         .tls = TLS_NONE,
                                         .ca_file = (char *)"",
                                         .user = (char *)""},
                              .connections = 1}};
}

static inline gboolean mail_compose(gpointer job, ComposedMessage *ret_message, GError **error)
{
    Mail *mail = job;
    if (!mail->bytes) {
        g_set_error_literal(error, g_quark_from_static_string("test"), 1, "no value for {{first_name}}");
        return FALSE;
    }
    *ret_message = (ComposedMessage){.bytes = g_bytes_ref(mail->bytes), .subject = g_strdup("s"), .text = g_strdup("t")};
    return TRUE;
}

static inline void mail_done(gpointer job, const DeliveryResult *result, const ComposedMessage *composed, gpointer data)
{
    Mail *mail = job;
    assert_false(mail->is_done);
    mail->is_done = TRUE;
    mail->had_composed = composed != NULL;
    mail->result = *result;
    mail->result.enhanced = g_strdup(result->enhanced);
    mail->result.text = g_strdup(result->text);
    if (data)
        (*(guint *)data)++;
}

static inline SmtpPool *mail_pool(const Account *account, const SmtpLimits *limits)
{
    const SmtpCallbacks callbacks = {.compose = mail_compose, .done = mail_done};
    return smtp_pool_new_limited(account, NULL, &callbacks, limits);
}

static inline void mail_submit(SmtpPool *pool, Mail *mail, const char *sender)
{
    const SmtpEnvelope envelope = {.sender = sender, .recipient = "kari@customer.example"};
    *mail = (Mail){.sender = sender, .bytes = mail->bytes ? mail->bytes : g_bytes_new_static(PEER_BODY, strlen(PEER_BODY))};
    smtp_pool_submit(pool, mail, &envelope);
}

static inline void mail_clear(Mail *mail)
{
    g_clear_pointer(&mail->bytes, g_bytes_unref);
    delivery_result_clear(&mail->result);
}

/* Runs the loop until all is done. The test that never ends is ended by its runner. */
static inline void pool_drain(SmtpPool *pool)
{
    while (smtp_pool_pending(pool) > 0)
        g_main_context_iteration(NULL, TRUE);
}

/* Sends one message by each sender in turn, over one pool. */
static inline void send_each(const Account *account, const SmtpLimits *limits, const char *const *senders, Mail *mails)
{
    SmtpPool *pool = mail_pool(account, limits);
    for (gsize i = 0; senders[i]; i++) {
        mail_submit(pool, &mails[i], senders[i]);
        pool_drain(pool);
    }
    smtp_pool_free(pool, 1000);
}
