/*
 * What is asked of a watcher. Lives with the link, on its thread; owns references to the messages that are being filed.
 */
#include "asked.h"

#include "limits.h"
#include "protocol.h"

typedef struct {
    guint64 id, given; /* octets handed on so far */
    GBytes *content;   /* NULL: nothing to hand on */
} AskedTask;

static void asked_task_free(AskedTask *task)
{
    g_clear_pointer(&task->content, g_bytes_unref);
    g_free(task);
}

void asked_init(Asked *asked)
{
    g_queue_init(&asked->tasks);
}

void asked_clear(Asked *asked)
{
    guint64 ignored;
    while (asked_pop(asked, &ignored))
        ;
}

gboolean asked_has_room(const Asked *asked)
{
    return asked->tasks.length < TASK_WINDOW;
}

static Task frame_of(const ImapTask *task)
{
    return (Task){.id = task->id,
                  .kind = task->kind,
                  .maybe_there = task->maybe_there,
                  .message_id = (char *)task->message_id,
                  .at_ms = task->at_ms,
                  .since_ms = task->since_ms,
                  .size = task->content != NULL ? g_bytes_get_size(task->content) : 0};
}

gboolean imap_task_is_possible(const ImapTask *task)
{
    const Task frame = frame_of(task);
    return task_is_possible(&frame);
}

GVariant *asked_add(Asked *asked, const ImapTask *task)
{
    const Task frame = frame_of(task);
    AskedTask *added = g_new0(AskedTask, 1);
    added->id = task->id;
    added->content = task->content != NULL ? g_bytes_ref(task->content) : NULL;
    g_queue_push_tail(&asked->tasks, added);
    return task_to_variant(&frame);
}

gboolean asked_give_piece(Asked *asked, guint64 id, guint64 offset, GVariant **ret_piece)
{
    AskedTask *task = g_queue_peek_head(&asked->tasks);
    gsize size = task != NULL && task->content != NULL ? g_bytes_get_size(task->content) : 0;
    if (task == NULL || task->id != id || offset != task->given || offset >= size)
        return FALSE;
    gsize length = MIN(size - offset, TASK_PIECE_OCTETS);
    const guint8 *octets = g_bytes_get_data(task->content, NULL);
    task->given += length;
    *ret_piece =
        g_variant_new("(tt@ay)", id, offset, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets + offset, length, 1));
    return TRUE;
}

gboolean asked_end(Asked *asked, guint64 id)
{
    const AskedTask *task = g_queue_peek_head(&asked->tasks);
    guint64 ignored;
    return task != NULL && task->id == id && asked_pop(asked, &ignored);
}

gboolean asked_pop(Asked *asked, guint64 *ret_id)
{
    AskedTask *task = g_queue_pop_head(&asked->tasks);
    if (task == NULL)
        return FALSE;
    *ret_id = task->id;
    asked_task_free(task);
    return TRUE;
}
