/*
 * What the tests of imap/ share: this program as parent and, with --watch, as child; a callee that keeps cursors and what
 * it has read in memory, as the daemon's intake keeps them in the store; and the Python peers beside this file, spoken to
 * line by line.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "imap/link.h"
#include "imap/watcher.h"
#include "mail/read.h"

/* ---- a peer ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    GSubprocess *process;
    GDataInputStream *answers;
    char *hello; /* its first line */
} PeerProcess;

/* Runs python3 SCRIPT (beside this file) ARGUMENTS and reads its first line. */
static inline void peer_process_start(PeerProcess *peer, const char *script, const char *argument, const char *second)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename("tests/unit/imap", script, NULL);
    const char *argv[] = {"/usr/bin/python3", "-B", path, argument, second, NULL};
    peer->process = g_subprocess_newv(argv, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    assert_non_null(peer->process);
    peer->answers = g_data_input_stream_new(g_subprocess_get_stdout_pipe(peer->process));
    peer->hello = g_data_input_stream_read_line(peer->answers, NULL, NULL, NULL);
    assert_non_null(peer->hello);
}

/* Sends a command; its answer, without "ok ", is the caller's. */
static inline char *peer_process_ask(PeerProcess *peer, const char *command)
{
    GOutputStream *input = g_subprocess_get_stdin_pipe(peer->process);
    g_autofree char *line = g_strconcat(command, "\n", NULL);
    assert_true(g_output_stream_write_all(input, line, strlen(line), NULL, NULL, NULL));
    g_autofree char *answer = g_data_input_stream_read_line(peer->answers, NULL, NULL, NULL);
    assert_non_null(answer);
    assert_true(g_str_has_prefix(answer, "ok"));
    return g_strstrip(g_strdup(answer + 2));
}

static inline void peer_process_tell(PeerProcess *peer, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline void peer_process_tell(PeerProcess *peer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_free(peer_process_ask(peer, command));
}

/* Ends with its input. */
static inline void peer_process_stop(PeerProcess *peer)
{
    if (peer->process == NULL)
        return;
    g_output_stream_close(g_subprocess_get_stdin_pipe(peer->process), NULL, NULL);
    g_subprocess_wait(peer->process, NULL, NULL);
    g_clear_object(&peer->answers);
    g_clear_object(&peer->process);
    g_clear_pointer(&peer->hello, g_free);
}

/* ---- the callee ------------------------------------------------------------------------------------------------------ */

typedef struct {
    guint32 uidvalidity, last_uid;
    gint64 updated_ms;
} RigCursor;

typedef struct {
    Account account;
    ImapLink *link;
    GHashTable *cursors;      /* folder -> RigCursor* */
    GHashTable *fingerprints; /* of messages that had their effect */
    GHashTable *subjects;     /* of messages that had their effect */
    guint n_records, n_repeats, n_failed, n_twice;
    gint64 last_record_ms; /* monotonic */
    char *last_text, *last_evidence;
    gboolean last_truncated;
    gboolean withhold; /* commit nothing */
    ImapState state;
    char *state_text, *failed_text;
    GString *texts; /* of all states, a line each */
    GString *answers; /* "1:2 why;" a task */
    guint n_answers;
    const char *want; /* the sender whose messages are wanted; NULL: everybody's */
    guint n_asked;
    char *sent_folder; /* "watched", else why not; NULL: not told */
} Rig;

static inline void rig_step_cursor(Rig *rig, const char *folder, guint32 uidvalidity, guint32 uid)
{
    const RigCursor cursor = {.uidvalidity = uidvalidity, .last_uid = uid, .updated_ms = clock_system_now_ms()};
    g_hash_table_replace(rig->cursors, g_strdup(folder), g_memdup2(&cursor, sizeof cursor));
}

static inline void rig_on_message(ImapRecord *record, gpointer data)
{
    Rig *rig = data;
    rig->n_records++;
    rig->last_record_ms = clock_monotonic_ms();
    g_free(rig->last_text);
    rig->last_text = g_strdup(record->message->text);
    g_free(rig->last_evidence);
    rig->last_evidence = g_strdup(record->message->evidence);
    rig->last_truncated = record->message->truncated;
    if (rig->withhold)
        return;
    if (!g_hash_table_add(rig->fingerprints, g_strdup(record->message->fingerprint)))
        rig->n_repeats++;
    else if (!g_hash_table_add(rig->subjects, g_strdup(record->message->subject)))
        rig->n_twice++;
    rig_step_cursor(rig, record->folder, record->uidvalidity, record->uid);
    imap_link_committed(rig->link, record->folder, record->uidvalidity, record->uid);
}

/* Those are wanted that a Rig's want names, where it names any. */
static inline gboolean rig_is_wanted(const ImapRecord *header, gpointer data)
{
    Rig *rig = data;
    rig->n_asked++;
    return rig->want == NULL || g_str_equal(header->message->from, rig->want);
}

static inline void rig_on_position(const char *folder, guint32 uidvalidity, guint32 last_uid, gpointer data)
{
    Rig *rig = data;
    const RigCursor *before = g_hash_table_lookup(rig->cursors, folder);
    assert_true(before == NULL || before->uidvalidity != uidvalidity || before->last_uid <= last_uid); /* never back */
    rig_step_cursor(rig, folder, uidvalidity, last_uid);
}

static inline void rig_on_state(ImapState state, const char *text, gint64 retry_in_ms, gpointer data)
{
    Rig *rig = data;
    rig->state = state;
    g_free(rig->state_text);
    rig->state_text = g_strdup(text);
    g_string_append_printf(rig->texts, "%s %s\n", imap_state_name(state), text);
    assert_true((retry_in_ms > 0) == (state == IMAP_STATE_FAILED));
    if (state == IMAP_STATE_FAILED) {
        rig->n_failed++;
        g_free(rig->failed_text);
        rig->failed_text = g_strdup(text);
    }
}

static inline void rig_on_answer(guint64 id, ImapAnswer answer, const char *text, gpointer data)
{
    Rig *rig = data;
    rig->n_answers++;
    g_string_append_printf(rig->answers, "%" G_GUINT64_FORMAT ":%d %s;", id, answer, text);
}

static inline void rig_on_folder(const ImapFolderStatus *folder, gpointer data)
{
    Rig *rig = data;
    g_string_append_printf(rig->texts, "%s: %s\n", folder->name, *folder->why ? folder->why : "well");
    if (folder->kind != IMAP_FOLDER_SENT)
        return;
    g_free(rig->sent_folder);
    rig->sent_folder = g_strdup(*folder->why ? folder->why : "watched");
}

static inline gboolean rig_get_cursor(const char *folder, guint32 *ret_uidvalidity, guint32 *ret_last_uid,
                                      gint64 *ret_updated_ms, gpointer data)
{
    const Rig *rig = data;
    const RigCursor *cursor = g_hash_table_lookup(rig->cursors, folder);
    if (cursor == NULL)
        return FALSE;
    *ret_uidvalidity = cursor->uidvalidity;
    *ret_last_uid = cursor->last_uid;
    *ret_updated_ms = cursor->updated_ms;
    return TRUE;
}

/* user signs in with password at host:port; ca_file may be "". The folder is INBOX until account.imap.folders is set
 * otherwise. */
static inline void rig_init(Rig *rig, TlsMode tls, const char *host, guint port, const char *ca_file, const char *user,
                            const char *password)
{
    *rig = (Rig){.state = IMAP_STATE_CONNECTING};
    rig->account.has_imap = TRUE;
    rig->account.imap.server =
        (Endpoint){.url = g_strdup_printf("%s://%s:%u", tls == TLS_IMPLICIT ? "imaps" : "imap", host, port),
                   .host = g_strdup(host),
                   .port = (guint16)port,
                   .tls = tls,
                   .ca_file = g_strdup(ca_file),
                   .user = g_strdup(user),
                   .password = {.kind = SECRET_TEXT, .value = g_strdup(password)}};
    rig->account.imap.folders = g_strsplit("INBOX", ",", 0);
    rig->account.imap.poll_ms = 60 * 1000;
    rig->cursors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    rig->fingerprints = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    rig->subjects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    rig->state_text = g_strdup("");
    rig->failed_text = g_strdup("");
    rig->texts = g_string_new(NULL);
    rig->answers = g_string_new(NULL);
}

static inline void rig_start(Rig *rig)
{
    const ImapCallbacks callbacks = {.on_message = rig_on_message,
                                     .is_wanted = rig_is_wanted,
                                     .on_position = rig_on_position,
                                     .on_state = rig_on_state,
                                     .get_cursor = rig_get_cursor,
                                     .on_answer = rig_on_answer,
                                     .on_folder = rig_on_folder,
                                     .data = rig};
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    rig->state = IMAP_STATE_CONNECTING;
    rig->link = imap_link_new(&rig->account, program, NULL, &callbacks);
}

static inline void rig_stop(Rig *rig)
{
    GPid pid = rig->link != NULL ? imap_link_pid(rig->link) : 0;
    g_clear_pointer(&rig->link, imap_link_free);
    if (pid != 0) { /* reaped: no such process of ours any more */
        g_autofree char *path = g_strdup_printf("/proc/%d", pid);
        assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    }
}

static inline void rig_clear(Rig *rig)
{
    Endpoint *server = &rig->account.imap.server;
    rig_stop(rig);
    g_free(server->url);
    g_free(server->host);
    g_free(server->ca_file);
    g_free(server->user);
    g_free(server->password.value);
    g_strfreev(rig->account.imap.folders);
    g_hash_table_unref(rig->cursors);
    g_hash_table_unref(rig->fingerprints);
    g_hash_table_unref(rig->subjects);
    g_free(rig->last_text);
    g_free(rig->last_evidence);
    g_free(rig->state_text);
    g_free(rig->failed_text);
    g_string_free(rig->texts, TRUE);
    g_string_free(rig->answers, TRUE);
    g_free(rig->sent_folder);
}

static inline void rig_set_folders(Rig *rig, const char *commas)
{
    g_strfreev(rig->account.imap.folders);
    rig->account.imap.folders = g_strsplit(commas, ",", 0);
}

/* ---- waiting --------------------------------------------------------------------------------------------------------- */

static inline gboolean rig_wake(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

/* Runs the loop until the condition holds; FALSE after so many ms. */
static inline gboolean rig_wait(const Rig *rig, gboolean (*condition)(const Rig *rig, guint wanted), guint wanted, gint64 ms)
{
    const gint64 until_ms = clock_monotonic_ms() + ms;
    guint ticker = g_timeout_add(10, rig_wake, NULL);
    gboolean holds = condition(rig, wanted);
    while (!holds && clock_monotonic_ms() < until_ms) {
        g_main_context_iteration(NULL, TRUE);
        holds = condition(rig, wanted);
    }
    g_source_remove(ticker);
    return holds;
}

static inline gboolean rig_never(const Rig *rig, guint wanted)
{
    (void)rig, (void)wanted;
    return FALSE;
}

static inline gboolean rig_is_watching(const Rig *rig, guint wanted)
{
    (void)wanted;
    return rig->state == IMAP_STATE_WATCHING;
}

static inline gboolean rig_has_failed(const Rig *rig, guint times)
{
    return rig->n_failed >= times;
}

static inline gboolean rig_has_answers(const Rig *rig, guint count)
{
    return rig->n_answers >= count;
}

static inline gboolean rig_knows_sent(const Rig *rig, guint wanted)
{
    (void)wanted;
    return rig->sent_folder != NULL;
}

/* So many different messages have had their effect. */
static inline gboolean rig_has_effects(const Rig *rig, guint count)
{
    return g_hash_table_size(rig->subjects) >= count;
}

static inline gboolean rig_has_records(const Rig *rig, guint count)
{
    return rig->n_records >= count;
}

#define assert_becomes(rig, condition, wanted, seconds)                                                                     \
    do {                                                                                                                    \
        if (!rig_wait((rig), (condition), (wanted), (seconds)*1000))                                                        \
            fail_msg("%s(%u) not within %u s: %s \"%s\"; %u records, failed %u times: %s", #condition, (guint)(wanted),     \
                     (guint)(seconds), imap_state_name((rig)->state), (rig)->state_text, (rig)->n_records, (rig)->n_failed, \
                     (rig)->failed_text);                                                                                   \
    } while (0)

static inline void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

/* ---- main() ---------------------------------------------------------------------------------------------------------- */

/* mail_read(), but for messages that are made to end their reader. */
static inline InboundMessage *rig_read(const char *bytes, gsize length, gint64 now_ms)
{
    if (memmem(bytes, length, "END-THE-READER", 14) != NULL)
        abort();
    return mail_read(bytes, length, now_ms);
}

#define RIG_MAIN(tests, setup, teardown)                                                                                    \
    int main(int argc, char **argv)                                                                                         \
    {                                                                                                                       \
        if (argc > 1 && g_str_equal(argv[1], "--watch"))                                                                    \
            return watcher_main(rig_read);                                                                                  \
        return cmocka_run_group_tests((tests), (setup), (teardown));                                                        \
    }
