/*
 * Frames: 4 octets length of the value, 4 octets kind (both in the machine's order: the two ends are one program on one
 * machine), the value. Used by both processes; holds no state.
 */
#include "protocol.h"

#include <string.h>

#include "config/config.h"
#include "limits.h"

typedef struct {
    guint32 length, kind;
} FrameHead;

#define HELLO_TYPE "(squssuasxxba(sbuuxuu)s)"
#define TASK_TYPE "(tubsxxt)"
#define ASK_TYPE "(ua(ubv))"

static const char *const type_of[FRAME_LAST + 1] = {
    [FRAME_HELLO] = HELLO_TYPE, [FRAME_SECRET] = "ay",     [FRAME_COMMITTED] = "(uuu)", [FRAME_RECORD] = "(uuuxv)",
    [FRAME_POSITION] = "(uuu)", [FRAME_SUSPECT] = "(uuu)", [FRAME_STATE] = "(us)",      [FRAME_FAULT] = "(us)",
    [FRAME_HEARTBEAT] = NULL,   [FRAME_TASK] = TASK_TYPE,  [FRAME_PIECE] = "(ttay)",    [FRAME_WANT] = "(tt)",
    [FRAME_ANSWER] = "(tus)",   [FRAME_FOLDER] = "(uuxs)",
    [FRAME_PICKED] = "au",      [FRAME_ASK] = ASK_TYPE,
};

static void append_octets(GByteArray *out, FrameKind kind, gconstpointer octets, gsize size)
{
    FrameHead head = {.length = (guint32)size, .kind = (guint32)kind};
    g_byte_array_append(out, (const guint8 *)&head, sizeof head);
    if (size > 0)
        g_byte_array_append(out, octets, (guint)size);
}

void frame_append(GByteArray *out, FrameKind kind, GVariant *value)
{
    if (value == NULL) {
        append_octets(out, kind, NULL, 0);
        return;
    }
    g_autoptr(GVariant) sunk = g_variant_ref_sink(value);
    g_assert(g_variant_is_of_type(sunk, G_VARIANT_TYPE(type_of[kind])));
    append_octets(out, kind, g_variant_get_data(sunk), g_variant_get_size(sunk));
}

void frame_append_secret(GByteArray *out, const char *secret)
{
    append_octets(out, FRAME_SECRET, secret, strlen(secret));
}

gsize frame_size(GVariant *value)
{
    return sizeof(FrameHead) + g_variant_get_size(value);
}

FrameStatus frame_parse(const GByteArray *in, gsize *offset, FrameKind *ret_kind, GVariant **ret_value)
{
    FrameHead head;
    if (in->len - *offset < sizeof head)
        return FRAME_NONE;
    memcpy(&head, in->data + *offset, sizeof head);
    if (head.kind < FRAME_HELLO || head.kind > FRAME_LAST || head.length > FRAME_OCTETS)
        return FRAME_BROKEN;
    if (in->len - *offset - sizeof head < head.length)
        return FRAME_NONE;
    g_autoptr(GVariant) value = NULL;
    if (type_of[head.kind] == NULL) {
        if (head.length > 0)
            return FRAME_BROKEN;
    } else {
        g_autoptr(GBytes) octets = g_bytes_new(in->data + *offset + sizeof head, head.length);
        value = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type_of[head.kind]), octets, FALSE));
        if (!g_variant_is_normal_form(value))
            return FRAME_BROKEN;
    }
    *offset += sizeof head + head.length;
    *ret_kind = (FrameKind)head.kind;
    *ret_value = g_steal_pointer(&value);
    return FRAME_READY;
}

/* ---- hello ----------------------------------------------------------------------------------------------------------- */

static void hello_folder_free(gpointer data)
{
    HelloFolder *folder = data;
    g_free(folder->name);
    g_free(folder);
}

Hello *hello_new(void)
{
    Hello *hello = g_new0(Hello, 1);
    hello->folders = g_ptr_array_new_with_free_func(hello_folder_free);
    return hello;
}

void hello_free(Hello *hello)
{
    if (hello == NULL)
        return;
    g_free(hello->host);
    g_free(hello->ca_file);
    g_free(hello->user);
    g_strfreev(hello->addresses);
    g_ptr_array_unref(hello->folders);
    g_free(hello->sent_name);
    g_free(hello);
}

GVariant *hello_to_variant(const Hello *hello)
{
    g_auto(GVariantBuilder) folders = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sbuuxuu)"));
    for (guint i = 0; i < hello->folders->len; i++) {
        const HelloFolder *folder = hello->folders->pdata[i];
        g_variant_builder_add(&folders, "(sbuuxuu)", folder->name, folder->known, folder->uidvalidity, folder->last_uid,
                              folder->again_since_ms, folder->suspect_uid, folder->kind);
    }
    return g_variant_new("(squssu^asxxba(sbuuxuu)s)", hello->host, hello->port, hello->tls, hello->ca_file, hello->user,
                         hello->sign_in, hello->addresses, hello->poll_ms, hello->first_since_ms, hello->careful, &folders,
                         hello->sent_name);
}

Hello *hello_parse(GVariant *value)
{
    g_autoptr(Hello) hello = hello_new();
    g_autoptr(GVariantIter) folders = NULL;
    HelloFolder folder = {0};
    g_variant_get(value, "(squssu^asxxba(sbuuxuu)s)", &hello->host, &hello->port, &hello->tls, &hello->ca_file, &hello->user,
                  &hello->sign_in, &hello->addresses, &hello->poll_ms, &hello->first_since_ms, &hello->careful, &folders,
                  &hello->sent_name);
    gboolean sane = TRUE;
    while (g_variant_iter_next(folders, "(sbuuxuu)", &folder.name, &folder.known, &folder.uidvalidity, &folder.last_uid,
                               &folder.again_since_ms, &folder.suspect_uid, &folder.kind)) {
        g_ptr_array_add(hello->folders, g_memdup2(&folder, sizeof folder));
        sane = sane && folder.kind <= IMAP_FOLDER_JUNK && (*folder.name != '\0' || folder.kind != IMAP_FOLDER_LISTED);
    }
    gboolean possible = sane && hello->folders->len > 0 && hello->folders->len <= MAX_FOLDERS && hello->tls <= TLS_NONE &&
                        hello->sign_in <= SIGN_IN_OAUTH2 && hello->poll_ms > 0 &&
                        g_strv_length(hello->addresses) <= MAX_ADDRESSES;
    return possible ? g_steal_pointer(&hello) : NULL;
}

/* ---- tasks ----------------------------------------------------------------------------------------------------------- */

void task_free(Task *task)
{
    if (task == NULL)
        return;
    g_free(task->message_id);
    g_free(task);
}

GVariant *task_to_variant(const Task *task)
{
    return g_variant_new(TASK_TYPE, task->id, (guint32)task->kind, task->maybe_there, task->message_id, task->at_ms,
                         task->since_ms, task->size);
}

/* Printable ASCII: it goes into a command as it is, between quotes. */
static gboolean is_searchable_id(const char *id)
{
    gsize length = strlen(id);
    for (const char *p = id; *p != '\0'; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '"' || *p == '\\')
            return FALSE;
    return length > 0 && length <= TASK_ID_OCTETS;
}

gboolean task_is_possible(const Task *task)
{
    return task->id > 0 && is_searchable_id(task->message_id) && task->size <= TASK_OCTETS &&
           (task->kind != IMAP_TASK_FILE || task->size > 0);
}

Task *task_parse(GVariant *value)
{
    g_autoptr(Task) task = g_new0(Task, 1);
    guint32 kind;
    g_variant_get(value, TASK_TYPE, &task->id, &kind, &task->maybe_there, &task->message_id, &task->at_ms, &task->since_ms,
                  &task->size);
    task->kind = (ImapTaskKind)kind;
    return kind <= IMAP_TASK_SEARCH && task_is_possible(task) ? g_steal_pointer(&task) : NULL;
}
