/*
 * Opening and keeping a conversation: greeting, STARTTLS, capabilities, sign-in, EXAMINE. Runs in the watcher.
 *
 *   greeting -> [STARTTLS -> TLS] -> capabilities -> sign in -> capabilities -> (EXAMINE …)
 *
 * Nothing of user or password is sent before TLS stands and the certificate is verified. A folder is only ever opened by
 * EXAMINE, so no command of ours can change it.
 */
#include "session.h"

#include <string.h>

#include "base/text.h"
#include "config/secret.h"
#include "fault.h"
#include "limits.h"
#include "sign_in.h"

/* The line that the server said last, from its response code on, which libetpan leaves out of its imap_response. Escaped; caller frees. */
static char *last_words(const Session *session)
{
    const MMAPString *raw = session->imap->imap_stream_buffer;
    const char *text = session->imap->imap_response != NULL ? session->imap->imap_response : "";
    g_autofree char *line = raw != NULL && raw->str != NULL ? g_strchomp(g_strndup(raw->str, raw->len)) : g_strdup("");
    const char *begin = strrchr(line, '\n');
    begin = begin != NULL ? begin + 1 : line;
    const char *code = strchr(begin, '[');
    return text_escape(code != NULL && g_str_has_suffix(code, text) ? code : text, 200);
}

gboolean session_failed(Session *session, int result, const char *command, GError **error)
{
    if (stream_fault(session->stream, error))
        return FALSE;
    if (result == MAILIMAP_ERROR_MEMORY) { /* a length announced that the limit on memory forbids */
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "%s: the server sends more than was asked for", command);
        return FALSE;
    }
    if (result == MAILIMAP_ERROR_PARSE || result == MAILIMAP_ERROR_PROTOCOL) {
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "%s: the server's answer is no IMAP", command);
        return FALSE;
    }
    g_autofree char *words = last_words(session);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "%s refused: %s", command, *words != '\0' ? words : "no reason given");
    return FALSE;
}

guint32 session_exists(const Session *session)
{
    const struct mailimap_selection_info *info = session->imap->imap_selection_info;
    return info != NULL ? info->sel_exists : 0;
}

gboolean session_changed(const Session *session, guint32 exists)
{
    const struct mailimap_response_info *last = session->imap->imap_response_info;
    gboolean expunged = last != NULL && last->rsp_expunged != NULL && !clist_isempty(last->rsp_expunged);
    return expunged || session_exists(session) != exists;
}

void session_free(Session *session)
{
    if (session == NULL)
        return;
    if (session->imap->imap_stream != NULL)
        mailstream_close(session->imap->imap_stream);
    else
        stream_free(session->stream);
    session->imap->imap_stream = NULL;
    mailimap_free(session->imap);
    g_free(session->selected);
    secret_free(session->said);
    g_free(session);
}

static void note_capability(Capabilities *capabilities, const struct mailimap_capability *one)
{
    const char *name = one->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE ? one->cap_data.cap_auth_type : one->cap_data.cap_name;
    if (name == NULL)
        return;
    if (one->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE) {
        capabilities->plain |= g_ascii_strcasecmp(name, "PLAIN") == 0;
        capabilities->login |= g_ascii_strcasecmp(name, "LOGIN") == 0;
        capabilities->cram_md5 |= g_ascii_strcasecmp(name, "CRAM-MD5") == 0;
        capabilities->xoauth2 |= g_ascii_strcasecmp(name, "XOAUTH2") == 0;
        capabilities->oauthbearer |= g_ascii_strcasecmp(name, "OAUTHBEARER") == 0;
        return;
    }
    capabilities->idle |= g_ascii_strcasecmp(name, "IDLE") == 0;
    capabilities->initial_response |= g_ascii_strcasecmp(name, "SASL-IR") == 0;
    capabilities->login_disabled |= g_ascii_strcasecmp(name, "LOGINDISABLED") == 0;
    capabilities->starttls |= g_ascii_strcasecmp(name, "STARTTLS") == 0;
    capabilities->special_use |= g_ascii_strcasecmp(name, "SPECIAL-USE") == 0;
    capabilities->list_extended |= g_ascii_strcasecmp(name, "LIST-EXTENDED") == 0;
    capabilities->notify |= g_ascii_strcasecmp(name, "NOTIFY") == 0;
    capabilities->gmail |= g_ascii_strcasecmp(name, "X-GM-EXT-1") == 0;
}

static gboolean ask_capabilities(Session *session, Capabilities *ret_capabilities, GError **error)
{
    struct mailimap_capability_data *data = NULL;
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    int result = mailimap_capability(session->imap, &data);
    Capabilities found = {0};
    if (data != NULL && data->cap_list != NULL)
        for (clistiter *i = clist_begin(data->cap_list); i != NULL; i = clist_next(i))
            note_capability(&found, clist_content(i));
    if (data != NULL)
        mailimap_capability_data_free(data);
    if (result != MAILIMAP_NO_ERROR)
        return session_failed(session, result, "CAPABILITY", error);
    *ret_capabilities = found;
    return TRUE;
}

/* The greeting. *ret_signed_in: PREAUTH. */
static gboolean greet(Session *session, gboolean *ret_signed_in, GError **error)
{
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    mailstream *over = stream_to_mailstream(session->stream);
    int result = mailimap_connect(session->imap, over);
    if (session->imap->imap_stream == NULL) /* never, as far as its source tells; then the stream must still have an owner */
        session->imap->imap_stream = over;
    if (result != MAILIMAP_NO_ERROR_AUTHENTICATED && result != MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
        return session_failed(session, result, "connection", error);
    *ret_signed_in = result == MAILIMAP_NO_ERROR_AUTHENTICATED;
    return TRUE;
}

/* Plain text before STARTTLS can be anybody's: nothing that came then is kept or believed. */
static gboolean upgrade(Session *session, const SessionSettings *settings, GError **error)
{
    Capabilities capabilities;
    if (!ask_capabilities(session, &capabilities, error))
        return FALSE;
    if (!capabilities.starttls) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_CERTIFICATE,
                            "the server offers no STARTTLS, and without TLS nothing is sent");
        return FALSE;
    }
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    int result = mailimap_starttls(session->imap);
    if (session->imap->imap_stream->read_buffer_len > 0) { /* libetpan 1.9.4 refuses it too, without saying why */
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_CERTIFICATE, "plain text was put in between STARTTLS and TLS");
        return FALSE;
    }
    if (result != MAILIMAP_NO_ERROR)
        return session_failed(session, result, "STARTTLS", error);
    return stream_start_tls(session->stream, settings->trust, settings->host, error);
}

static gboolean enter(Session *session, const SessionSettings *settings, gboolean signed_in, GError **error)
{
    Capabilities capabilities;
    if (!ask_capabilities(session, &capabilities, error))
        return FALSE;
    if (signed_in != (*settings->user == '\0')) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_SIGN_IN,
                            signed_in ? "the server signs in by itself (PREAUTH), not as the user of the configuration"
                                      : "the server asks for a sign-in, but the configuration names no user");
        return FALSE;
    }
    if (!signed_in) {
        if (!sign_in(session, &capabilities, settings, error))
            return FALSE;
        session->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED; /* libetpan has not seen it */
        if (!ask_capabilities(session, &capabilities, error))     /* servers tell more after it */
            return FALSE;
    }
    session->has_idle = capabilities.idle;
    session->has_special_use = capabilities.special_use;
    session->has_list_extended = capabilities.list_extended;
    session->has_notify = capabilities.notify;
    session->is_gmail = capabilities.gmail;
    return TRUE;
}

Session *session_open(Stream *stream, const SessionSettings *settings, GError **error)
{
    g_autoptr(Session) session = g_new0(Session, 1);
    session->stream = stream;
    session->imap = mailimap_new(0, NULL);
    g_assert(session->imap != NULL); /* NULL only without memory */
    gboolean signed_in = FALSE;
    if (settings->tls == TLS_IMPLICIT && !stream_start_tls(stream, settings->trust, settings->host, error))
        return NULL;
    if (!greet(session, &signed_in, error))
        return NULL;
    if (settings->tls == TLS_STARTTLS && signed_in) {
        g_set_error_literal(error, IMAP_FAULT, IMAP_FAULT_CERTIFICATE,
                            "the server signs in (PREAUTH) before TLS could be had");
        return NULL;
    }
    if (settings->tls == TLS_STARTTLS && !upgrade(session, settings, error))
        return NULL;
    return enter(session, settings, signed_in, error) ? g_steal_pointer(&session) : NULL;
}

gboolean session_examine(Session *session, const char *wire_name, const char *label, FolderState *ret_state, GError **error)
{
    g_autofree char *refused = NULL;
    if (!session_try_examine(session, wire_name, label, ret_state, &refused, error))
        return FALSE;
    if (refused == NULL)
        return TRUE;
    g_autofree char *name = text_escape(label, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "folder %s refused: %s", name,
                *refused != '\0' ? refused : "no reason given");
    return FALSE;
}

gboolean session_try_examine(Session *session, const char *wire_name, const char *label, FolderState *ret_state,
                             char **ret_refused, GError **error)
{
    g_autofree char *name = text_escape(label, 200);
    g_autofree char *command = g_strdup_printf("folder %s", name);
    g_clear_pointer(&session->selected, g_free);
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    int result = mailimap_examine(session->imap, wire_name);
    const struct mailimap_selection_info *info = session->imap->imap_selection_info;
    *ret_refused = result == MAILIMAP_ERROR_EXAMINE ? text_escape(session->imap->imap_response, 200) : NULL;
    if (*ret_refused != NULL)
        return TRUE;
    if (result != MAILIMAP_NO_ERROR)
        return session_failed(session, result, command, error);
    if (info == NULL || info->sel_uidvalidity == 0) {
        g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER,
                    "%s: the server gives no UIDVALIDITY, without which nothing can be read once", command);
        return FALSE;
    }
    session->selected = g_strdup(wire_name);
    *ret_state =
        (FolderState){.uidvalidity = info->sel_uidvalidity, .uidnext = info->sel_uidnext, .exists = info->sel_exists};
    return TRUE;
}

static FolderState state_of(const struct mailimap_mailbox_data_status *status)
{
    FolderState state = {0};
    for (clistiter *i = status->st_info_list != NULL ? clist_begin(status->st_info_list) : NULL; i != NULL;
         i = clist_next(i)) {
        const struct mailimap_status_info *info = clist_content(i);
        if (info->st_att == MAILIMAP_STATUS_ATT_UIDVALIDITY)
            state.uidvalidity = info->st_value;
        else if (info->st_att == MAILIMAP_STATUS_ATT_UIDNEXT)
            state.uidnext = info->st_value;
    }
    return state;
}

gboolean session_status(Session *session, const char *wire_name, FolderState *ret_state, char **ret_refused, GError **error)
{
    struct mailimap_status_att_list *wanted = mailimap_status_att_list_new_empty();
    struct mailimap_mailbox_data_status *found = NULL;
    int result = mailimap_status_att_list_add(wanted, MAILIMAP_STATUS_ATT_UIDNEXT);
    if (result == MAILIMAP_NO_ERROR)
        result = mailimap_status_att_list_add(wanted, MAILIMAP_STATUS_ATT_UIDVALIDITY);
    g_assert(result == MAILIMAP_NO_ERROR); /* fails only without memory */
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_COMMAND_OCTETS);
    result = mailimap_status(session->imap, wire_name, wanted, &found);
    mailimap_status_att_list_free(wanted);
    *ret_refused = NULL;
    *ret_state = (FolderState){0};
    if (result == MAILIMAP_ERROR_STATUS)
        *ret_refused = text_escape(session->imap->imap_response, 200);
    else if (result == MAILIMAP_NO_ERROR && found != NULL)
        *ret_state = state_of(found);
    if (found != NULL)
        mailimap_mailbox_data_status_free(found);
    return *ret_refused != NULL || result == MAILIMAP_NO_ERROR || session_failed(session, result, "STATUS", error);
}
