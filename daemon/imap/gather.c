/*
 * Batches of FETCH: what a chunk of UIDs is, then the bodies, as many at once as fit into FETCH_BATCH_OCTETS; each is read and handed on
 * before the next batch is asked for, so that memory is bounded by one.
 */
#include "gather.h"

#include <string.h>

#include "base/text.h"
#include "fault.h"
#include "fetch.h"
#include "limits.h"

/* ---- one message ----------------------------------------------------------------------------------------------------- */

/* For a message that the watcher died on again and again: known to be there, and no more. */
static InboundMessage *unread_message(const GatheredFolder *folder, guint32 uid)
{
    InboundMessage *message = inbound_message_new();
    g_autofree char *identity = g_strdup_printf("unread %u %u %s", folder->uidvalidity, uid, folder->label);
    g_free(message->evidence);
    message->evidence = g_strdup_printf("not read: it ended the watcher %d times", SUSPECT_DEATHS);
    g_free(message->fingerprint);
    message->fingerprint = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
    message->truncated = TRUE;
    return message;
}

static GVariant *message_to_bounded_variant(InboundMessage *message)
{
    g_autoptr(GVariant) whole = g_variant_ref_sink(inbound_message_to_variant(message));
    if (frame_size(whole) + FETCH_ITEM_OCTETS <= FRAME_OCTETS)
        return g_steal_pointer(&whole);
    /* mail_read()'s limits leave room to spare; should they grow, the parent still gets all but the text */
    message->truncated = TRUE;
    g_free(message->text);
    g_free(message->full_text);
    message->text = g_strdup("");
    message->full_text = g_strdup("");
    return g_variant_ref_sink(inbound_message_to_variant(message));
}

static gboolean deliver(const Gatherer *self, const GatheredFolder *folder, const FetchItem *item, const char *octets, gsize length,
                        GError **error)
{
    gint64 now_ms = item->received_ms != 0 ? item->received_ms : clock_now_ms(self->clock);
    g_autoptr(InboundMessage) message =
        octets != NULL ? self->read(octets, length, now_ms) : unread_message(folder, item->uid);
    if (octets != NULL && item->size > FETCH_BODY_OCTETS)
        message->truncated = TRUE;
    if (octets != NULL && inbound_message_is_unreadable(message)) {
        g_bytes_unref(message->raw);
        message->raw = g_bytes_new(octets, MIN(length, (gsize)INBOUND_MAX_RAW));
    }
    g_autoptr(GVariant) value = message_to_bounded_variant(message);
    channel_tick(self->channel);
    return channel_send_record(self->channel, folder->index, folder->uidvalidity, item->uid, item->received_ms, value,
                               error);
}

/* ---- many messages --------------------------------------------------------------------------------------------------- */

static gboolean is_missing_for_good(const Gatherer *self, const GatheredFolder *folder, guint32 uid, gboolean *ret_gone, GError **error)
{
    g_autoptr(GArray) left = fetch_search_these(self->session, &uid, 1, error);
    if (left == NULL)
        return FALSE;
    *ret_gone = left->len == 0;
    if (*ret_gone)
        return TRUE;
    g_autofree char *name = text_escape(folder->label, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "folder %s: the server lists message %u but does not give it", name,
                uid);
    return FALSE;
}

/* One that a batch's answer lacked: asked for again by itself, unless it has vanished. */
static gboolean retry_body(const Gatherer *self, const GatheredFolder *folder, const FetchItem *item, GError **error)
{
    g_autoptr(FetchBodies) bodies = fetch_bodies(self->session, item, 1, error);
    if (bodies == NULL)
        return FALSE;
    gsize length = 0;
    gboolean gone;
    const char *octets = fetch_bodies_find(bodies, item->uid, &length);
    if (octets != NULL)
        return deliver(self, folder, item, octets, length, error);
    return is_missing_for_good(self, folder, item->uid, &gone, error);
}

static gboolean read_batch(const Gatherer *self, const GatheredFolder *folder, const FetchItem *items, guint n, GError **error)
{
    g_autoptr(FetchBodies) bodies = fetch_bodies(self->session, items, n, error);
    if (bodies == NULL)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        gsize length = 0;
        const char *octets = fetch_bodies_find(bodies, items[i].uid, &length);
        gboolean well = octets != NULL ? deliver(self, folder, &items[i], octets, length, error)
                                       : retry_body(self, folder, &items[i], error);
        if (!well)
            return FALSE;
    }
    return TRUE;
}

/* After a death: one message at a time, and the parent knows which. */
static gboolean read_with_care(const Gatherer *self, const GatheredFolder *folder, const FetchItem *item, GError **error)
{
    if (item->uid == folder->suspect_uid)
        return deliver(self, folder, item, NULL, 0, error);
    return channel_send_suspect(self->channel, folder->index, folder->uidvalidity, item->uid, error) &&
           read_batch(self, folder, item, 1, error) &&
           channel_send_suspect(self->channel, folder->index, folder->uidvalidity, 0, error);
}

static gboolean read_items(const Gatherer *self, const GatheredFolder *folder, const GArray *items, GError **error)
{
    const FetchItem *all = (const FetchItem *)(gconstpointer)items->data;
    for (guint i = 0; i < items->len;) {
        if (self->careful) {
            if (!read_with_care(self, folder, &all[i++], error))
                return FALSE;
            continue;
        }
        guint n = 0;
        for (gsize octets = 0; i + n < items->len; n++) {
            octets += MIN(all[i + n].size, FETCH_BODY_OCTETS);
            if (n > 0 && octets > FETCH_BATCH_OCTETS)
                break;
        }
        if (!read_batch(self, folder, &all[i], n, error))
            return FALSE;
        i += n;
    }
    return TRUE;
}

/* Those of the UIDs that FETCH did not describe must have vanished; a second answer may have them. */
static GArray *describe(const Gatherer *self, const GatheredFolder *folder, const guint32 *uids, guint n, GError **error)
{
    g_autoptr(GArray) items = fetch_items(self->session, uids, n, error);
    if (items == NULL || items->len == n)
        return g_steal_pointer(&items);
    g_autoptr(GArray) left = fetch_search_these(self->session, uids, n, error);
    if (left == NULL || left->len == 0)
        return left != NULL ? g_array_new(FALSE, FALSE, sizeof(FetchItem)) : NULL;
    g_autoptr(GArray) again =
        fetch_items(self->session, (const guint32 *)(gconstpointer)left->data, MIN(left->len, n), error);
    if (again == NULL || again->len == left->len)
        return g_steal_pointer(&again);
    g_autofree char *name = text_escape(folder->label, 200);
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_SERVER, "folder %s: the server lists %u messages but does not give them", name,
                left->len - again->len);
    return NULL;
}

/* ---- which are wanted ------------------------------------------------------------------------------------------------ */

static gboolean is_worth_asking(Gatherer *self, const GatheredFolder *folder, const GArray *items)
{
    if (folder->all || self->careful)
        return FALSE;
    gboolean large = FALSE;
    for (guint i = 0; i < items->len; i++)
        large |= g_array_index(items, FetchItem, i).size >= SCREEN_LARGE_OCTETS;
    if (large || items->len < SCREEN_MIN)
        return large;
    if (self->unscreened == 0)
        return TRUE;
    self->unscreened--;
    return FALSE;
}

/* By words that stand in the header of nearly every report of a mail system, and of some other messages, which does no harm. */
static gboolean may_be_report(const char *header, gsize length)
{
    static const char *const words[] = {"multipart/report", "return-path: <>", "auto-submitted:", "daemon",        "postmaster", "delivery", "undeliver",
                                        "returned mail",    "failure",         "bounce",          "mail system",   "non remis",  "unzustellbar",
                                        "rejected",         "abuse",           "administrator", "message/"};
    g_autofree char *lower = g_ascii_strdown(header, (gssize)length);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(lower, words[i]) != NULL)
            return TRUE;
    return FALSE;
}

/* One header for the question; FALSE: the message is wanted without asking. */
static gboolean add_header(const Gatherer *self, const FetchItem *item, const FetchBodies *headers, GVariantBuilder *builder)
{
    gsize length = 0;
    const char *octets = fetch_bodies_find(headers, item->uid, &length);
    if (octets == NULL || length >= SCREEN_HEADER_OCTETS)
        return FALSE;
    g_autoptr(InboundMessage) message = self->read(octets, length, clock_now_ms(self->clock));
    g_variant_builder_add(builder, "(ubv)", item->uid, may_be_report(octets, length), inbound_message_to_variant(message));
    channel_tick(self->channel);
    return TRUE;
}

/* Keeps of the items those that are wanted, which both lists name in the same order. */
static void keep_picked(GArray *items, const GArray *unasked, const GArray *picked)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < unasked->len; i++)
        g_hash_table_add(wanted, GUINT_TO_POINTER(g_array_index(unasked, guint32, i)));
    for (guint i = 0; i < picked->len; i++)
        g_hash_table_add(wanted, GUINT_TO_POINTER(g_array_index(picked, guint32, i)));
    guint kept = 0;
    for (guint i = 0; i < items->len; i++) {
        FetchItem item = g_array_index(items, FetchItem, i);
        if (g_hash_table_contains(wanted, GUINT_TO_POINTER(item.uid)))
            g_array_index(items, FetchItem, kept++) = item;
    }
    g_array_set_size(items, kept);
}

/* Leaves those items that the parent wants. */
static gboolean screen(Gatherer *self, const GatheredFolder *folder, GArray *items, GError **error)
{
    g_auto(GVariantBuilder) asked = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ubv)"));
    g_autoptr(GArray) unasked = g_array_new(FALSE, FALSE, sizeof(guint32)), picked = NULL;
    const guint before = items->len;
    g_autoptr(FetchBodies) headers = fetch_headers(self->session, (const FetchItem *)(gconstpointer)items->data, items->len, error);
    if (headers == NULL)
        return FALSE;
    for (guint i = 0; i < items->len; i++) {
        const FetchItem *item = &g_array_index(items, FetchItem, i);
        if (!add_header(self, item, headers, &asked))
            g_array_append_val(unasked, item->uid);
    }
    g_autoptr(GVariant) question = g_variant_ref_sink(g_variant_builder_end(&asked));
    if (frame_size(question) + FETCH_ITEM_OCTETS > FRAME_OCTETS) /* headers such as nobody writes */
        return TRUE;
    if (!channel_ask(self->channel, folder->index, question, &picked, error))
        return FALSE;
    keep_picked(items, unasked, picked);
    self->unscreened = items->len > before / 2 ? SCREEN_SKIPPED : 0;
    return TRUE;
}

static gint64 oldest_of(const GArray *items)
{
    return items->len > 0 ? g_array_index(items, FetchItem, 0).received_ms : 0;
}

gboolean gather_uids(Gatherer *self, const GatheredFolder *folder, const GArray *uids, gint64 min_received_ms, GError **error)
{
    const guint32 *all = (const guint32 *)(gconstpointer)uids->data;
    for (guint i = 0; i < uids->len; i += FETCH_CHUNK) {
        g_autoptr(GArray) items = describe(self, folder, all + i, MIN(uids->len - i, FETCH_CHUNK), error);
        if (items == NULL)
            return FALSE;
        if (!channel_send_folder(self->channel, folder->index, uids->len - i, oldest_of(items), "", error))
            return FALSE;
        guint kept = 0;
        for (guint k = 0; k < items->len; k++) {
            FetchItem item = g_array_index(items, FetchItem, k);
            if (item.received_ms == 0 || item.received_ms >= min_received_ms)
                g_array_index(items, FetchItem, kept++) = item;
        }
        g_array_set_size(items, kept);
        if (is_worth_asking(self, folder, items) && !screen(self, folder, items, error))
            return FALSE;
        if (!read_items(self, folder, items, error))
            return FALSE;
    }
    return TRUE;
}
