/* LIST, read for the marks of RFC 6154; what comes back is as the server wrote it, but for names that no command could bear. */
#include "special.h"

#include <string.h>

#include "limits.h"

static gboolean has_mark(const struct mailimap_mailbox_list *mailbox, const char *mark)
{
    const clist *flags = mailbox->mb_flag != NULL ? mailbox->mb_flag->mbf_oflags : NULL;
    for (clistiter *i = flags != NULL ? clist_begin(flags) : NULL; i != NULL; i = clist_next(i)) {
        const struct mailimap_mbx_list_oflag *flag = clist_content(i);
        const char *name = flag->of_type == MAILIMAP_MBX_LIST_OFLAG_FLAG_EXT ? flag->of_flag_ext : NULL;
        if (name != NULL && g_ascii_strcasecmp(*name == '\\' ? name + 1 : name, mark) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A server's word that goes back to it in commands: nothing may be in it that ends one. */
static gboolean is_wire_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (*p < 0x20 || *p >= 0x7f)
            return FALSE;
    return *name != '\0' && strlen(name) <= IMAP_NAME_OCTETS;
}

static char *choose(const clist *mailboxes, const char *mark)
{
    for (clistiter *i = mailboxes != NULL ? clist_begin(mailboxes) : NULL; i != NULL; i = clist_next(i)) {
        const struct mailimap_mailbox_list *mailbox = clist_content(i);
        if (has_mark(mailbox, mark) && is_wire_name(mailbox->mb_name))
            return g_strdup(mailbox->mb_name);
    }
    return NULL;
}

/* A server may mark folders in a plain LIST without offering SPECIAL-USE (Exchange does); of one that may not, the upper folders are
 * enough to look at. */
static const char *list_command(const Session *session)
{
    if (session->has_special_use && session->has_list_extended)
        return "LIST (SPECIAL-USE) \"\" \"*\"\r\n";
    return session->has_special_use ? "LIST \"\" \"*\"\r\n" : "LIST \"\" \"%\"\r\n";
}

/* libetpan's own LIST cannot ask for what RFC 5258 adds; its parser reads the answer all the same. */
static int send_list(mailimap *imap, const char *command)
{
    struct mailimap_response *response = NULL;
    int result = mailimap_send_current_tag(imap);
    if (result != MAILIMAP_NO_ERROR)
        return result;
    if (mailstream_write(imap->imap_stream, command, strlen(command)) < 0 || mailstream_flush(imap->imap_stream) < 0 ||
        mailimap_read_line(imap) == NULL)
        return MAILIMAP_ERROR_STREAM;
    result = mailimap_parse_response(imap, &response);
    if (result != MAILIMAP_NO_ERROR)
        return result;
    gboolean well = response->rsp_resp_done->rsp_type == MAILIMAP_RESP_DONE_TYPE_TAGGED &&
                    response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type == MAILIMAP_RESP_COND_STATE_OK;
    mailimap_response_free(response);
    return well ? MAILIMAP_NO_ERROR : MAILIMAP_ERROR_LIST;
}

gboolean special_folder_find(Session *session, const char *mark, char **ret_wire_name, GError **error)
{
    *ret_wire_name = NULL;
    stream_arm(session->stream, IMAP_COMMAND_MS, IMAP_LIST_OCTETS);
    int result = send_list(session->imap, list_command(session));
    if (result == MAILIMAP_ERROR_LIST) /* refused: as if none were marked */
        return TRUE;
    if (result != MAILIMAP_NO_ERROR)
        return session_failed(session, result, "LIST", error);
    const struct mailimap_response_info *info = session->imap->imap_response_info;
    *ret_wire_name = info != NULL ? choose(info->rsp_mailbox_list, mark) : NULL;
    return TRUE;
}
