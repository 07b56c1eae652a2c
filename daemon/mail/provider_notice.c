/*
 * {"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":…}]},"mail":{"headers":[…]}}
 *
 * Pure; any thread. The JSON is bounded before it is parsed, since the parser of the library descends by recursion.
 */
#include "mail/provider_notice.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/bounce_kind.h"
#include "mail/read.h"

enum { NOTICE_MAX_BYTES = 128 * 1024, NOTICE_MAX_DEPTH = 20, DIAGNOSTIC_MAX = 500 };

/* The end of the object that the text begins with; NULL where it has none, or is too large or too deep. */
static const char *object_end(const char *text)
{
    guint depth = 0;
    gboolean quoted = FALSE;
    for (const char *p = text; *p != '\0' && p - text < NOTICE_MAX_BYTES; p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == '{' || *p == '['))
            depth++;
        else if (!quoted && (*p == '}' || *p == ']'))
            depth--;
        if (depth > NOTICE_MAX_DEPTH)
            return NULL;
        if (depth == 0)
            return p + 1;
    }
    return NULL;
}

static JsonObject *object_in(JsonObject *object, const char *member)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, member) : NULL;
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *array_in(JsonObject *object, const char *member)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, member) : NULL;
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

/* "" where there is none. Belongs to the object. */
static const char *text_in(JsonObject *object, const char *member)
{
    JsonNode *node = object != NULL ? json_object_get_member(object, member) : NULL;
    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "";
}

static JsonObject *object_at(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* Of the mail that it is about, as it was sent. Belongs to the notice. */
static const char *original_id(JsonObject *mail)
{
    JsonArray *headers = array_in(mail, "headers");
    for (guint i = 0; headers != NULL && i < json_array_get_length(headers); i++)
        if (g_ascii_strcasecmp(text_in(object_at(headers, i), "name"), "Message-ID") == 0)
            return text_in(object_at(headers, i), "value");
    return text_in(object_in(mail, "commonHeaders"), "messageId");
}

static void take_original_id(JsonObject *notice, InboundMessage *message)
{
    const char *id = original_id(object_in(notice, "mail"));
    const char *open = strchr(id, '<'), *close = open != NULL ? strchr(open, '>') : NULL;
    g_free(message->original_message_id);
    message->original_message_id = close != NULL ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(id);
}

static void add_recipient(JsonObject *recipient, gboolean permanent, InboundMessage *message)
{
    g_autofree char *address = address_canonical(text_in(recipient, "emailAddress"), NULL);
    const char *words = text_in(recipient, "diagnosticCode");
    if (address == NULL || message->bounces->len >= READ_MAX_BOUNCES)
        return;
    g_autofree char *status = bounce_status(text_in(recipient, "status"), words);
    BounceRecipient *bounce = g_new0(BounceRecipient, 1);
    bounce->kind = permanent ? BOUNCE_HARD : BOUNCE_SOFT;
    if (permanent && (status != NULL || *words != '\0'))
        bounce->kind = bounce_kind(text_in(recipient, "action"), status != NULL ? status : "", words, words);
    bounce->recipient = g_steal_pointer(&address);
    bounce->status = status != NULL ? g_steal_pointer(&status) : g_strdup("");
    bounce->diagnostic = text_escape(words, DIAGNOSTIC_MAX);
    g_ptr_array_add(message->bounces, bounce);
}

static void take_bounce(JsonObject *bounce, InboundMessage *message)
{
    JsonArray *recipients = array_in(bounce, "bouncedRecipients");
    gboolean permanent = g_str_equal(text_in(bounce, "bounceType"), "Permanent");
    for (guint i = 0; recipients != NULL && i < json_array_get_length(recipients); i++)
        add_recipient(object_at(recipients, i), permanent, message);
}

gboolean provider_notice_read(const MailParts *parts, InboundMessage *message)
{
    const char *text = parts->text + strspn(parts->text, " \t\n");
    const char *end = *text == '{' ? object_end(text) : NULL;
    if (end == NULL)
        return FALSE;
    g_autofree char *json = g_strndup(text, (gsize)(end - text));
    g_autoptr(JsonObject) notice = json_parse_object(json, NULL);
    const char *kind = text_in(notice, "notificationType");
    if (*kind == '\0')
        kind = text_in(notice, "eventType");
    if (*kind == '\0' || object_in(notice, "mail") == NULL)
        return FALSE;
    take_original_id(notice, message);
    take_bounce(object_in(notice, "bounce"), message);
    message->class = message->bounces->len > 0          ? INBOUND_BOUNCE
                     : g_str_equal(kind, "Complaint") ? INBOUND_COMPLAINT
                                                      : INBOUND_OTHER;
    g_free(message->evidence);
    message->evidence = g_strdup_printf("a sending service's notice (%.20s)", kind);
    return TRUE;
}
