/*
 * nurture read FILE…: how an inbound message is understood. Needs no configuration and no store.
 */
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "mail/read.h"

static void add_strings(JsonObject *object, const char *member, char **strings)
{
    JsonArray *array = json_array_new();
    for (char **string = strings; *string; string++)
        json_array_add_string_element(array, *string);
    json_object_set_array_member(object, member, array);
}

static JsonObject *bounce_object(const BounceRecipient *bounce)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "recipient", bounce->recipient);
    json_object_set_string_member(object, "kind", bounce_kind_name(bounce->kind));
    json_object_set_string_member(object, "status", bounce->status);
    json_object_set_string_member(object, "diagnostic", bounce->diagnostic);
    return object;
}

static void add_bounces(JsonObject *object, const GPtrArray *bounces)
{
    if (!bounces->len)
        return;
    json_object_set_object_member(object, "bounce", bounce_object(bounces->pdata[0]));
    if (bounces->len < 2)
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < bounces->len; i++)
        json_array_add_object_element(array, bounce_object(bounces->pdata[i]));
    json_object_set_array_member(object, "bounces", array);
}

static void add_attachments(JsonObject *object, const GPtrArray *attachments)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < attachments->len; i++) {
        const InboundAttachment *attachment = attachments->pdata[i];
        JsonObject *entry = json_object_new();
        json_object_set_string_member(entry, "name", attachment->name);
        json_object_set_string_member(entry, "type", attachment->type);
        json_object_set_int_member(entry, "size", attachment->size);
        json_array_add_object_element(array, entry);
    }
    json_object_set_array_member(object, "attachments", array);
}

static JsonObject *message_read_object(const char *file, const InboundMessage *message)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "file", file);
    json_object_set_string_member(object, "class", inbound_class_name(message->class));
    json_object_set_string_member(object, "evidence", message->evidence);
    json_object_set_string_member(object, "from", message->from);
    json_add_text(object, "from_name", message->from_name);
    add_strings(object, "to", message->to);
    json_object_set_string_member(object, "subject", message->subject);
    json_object_set_string_member(object, "message_id", message->message_id);
    json_add_text(object, "in_reply_to", message->in_reply_to);
    add_strings(object, "references", message->references);
    json_add_time(object, "date", message->date_ms);
    json_object_set_string_member(object, "text", message->text);
    json_object_set_string_member(object, "full_text", message->full_text);
    json_add_text(object, "original_message_id", message->original_message_id);
    add_bounces(object, message->bounces);
    add_attachments(object, message->attachments);
    if (message->class == INBOUND_AUTO_REPLY) {
        JsonObject *automatic = json_object_new();
        json_add_time(automatic, "until", message->absent_until_ms);
        json_object_set_object_member(object, "auto_reply", automatic);
    }
    return object;
}

static void print_line(Cli *cli, const char *name, const char *value)
{
    g_autofree char *safe = text_escape(value, 0);
    if (*safe)
        fprintf(cli->out, "%-12s%s\n", name, safe);
}

static void print_message(Cli *cli, const char *file, const InboundMessage *message)
{
    fprintf(cli->out, "%s\n", file);
    g_autofree char *class = g_strdup_printf("%s (%s)", inbound_class_name(message->class), message->evidence);
    print_line(cli, "class", class);
    print_line(cli, "from", message->from);
    print_line(cli, "subject", message->subject);
    for (guint i = 0; i < message->bounces->len; i++) {
        const BounceRecipient *bounce = message->bounces->pdata[i];
        g_autofree char *text = g_strjoin(" ", bounce->recipient, bounce_kind_name(bounce->kind), bounce->status, bounce->diagnostic, NULL);
        print_line(cli, "bounce", text);
    }
    g_auto(GStrv) lines = g_strsplit(message->text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autofree char *safe = text_escape(*line, 0);
        fprintf(cli->out, "    %s\n", safe);
    }
    fputc('\n', cli->out);
}

/* The file's bytes, or standard input's for "-". */
static gboolean load(const char *file, char **ret_bytes, gsize *ret_len, GError **error)
{
    if (!g_str_equal(file, "-"))
        return g_file_get_contents(file, ret_bytes, ret_len, error);
    g_autoptr(GByteArray) all = g_byte_array_new();
    guint8 buffer[65536];
    gssize n;
    while (all->len < READ_MAX_MESSAGE && (n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        g_byte_array_append(all, buffer, (guint)n);
    *ret_len = all->len;
    *ret_bytes = g_malloc(all->len + 1);
    if (all->len)
        memcpy(*ret_bytes, all->data, all->len);
    (*ret_bytes)[all->len] = '\0';
    return TRUE;
}

int command_read(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1000000, &status);
    gint64 now_ms = clock_system_now_ms();
    for (char **file = rest; file && *file; file++) {
        GError *error = NULL;
        g_autofree char *bytes = NULL;
        gsize length = 0;
        if (!load(*file, &bytes, &length, &error)) {
            status = cli_failed_by(cli, error);
            continue;
        }
        g_autoptr(InboundMessage) message = mail_read(bytes, length, now_ms);
        if (cli->json)
            cli_print_json(cli, message_read_object(*file, message));
        else
            print_message(cli, *file, message);
    }
    return status;
}
