/*
 * nurture read FILE…: how an inbound message is understood. Needs no configuration and no store.
 */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/terminal.h"
#include "mail/read.h"

enum { TEXT_INDENT = 4 };

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

static void add_score(JsonObject *object, const ScoreRead *score)
{
    if (score->verdict == SCORE_NONE)
        return;
    JsonObject *read = json_object_new();
    json_object_set_string_member(read, "verdict", score_verdict_name(score->verdict));
    if (score->verdict == SCORE_CLEAR)
        json_object_set_int_member(read, "value", score->value);
    json_object_set_string_member(read, "evidence", score->evidence);
    json_object_set_object_member(object, "score", read);
}

static void add_people(JsonObject *object, const InboundMessage *message)
{
    JsonArray *people = json_array_new();
    for (guint i = 0; i < message->introduced->len; i++) {
        const IntroducedPerson *person = message->introduced->pdata[i];
        JsonObject *entry = json_object_new();
        json_object_set_string_member(entry, "name", person->name);
        json_object_set_string_member(entry, "address", person->address);
        json_object_set_string_member(entry, "phone", person->phone);
        json_object_set_string_member(entry, "company", person->company);
        json_object_set_string_member(entry, "how", introduced_how_name(person->how));
        json_object_set_string_member(entry, "confidence", person->certain ? "certain" : "likely");
        json_object_set_string_member(entry, "evidence", person->evidence);
        json_array_add_object_element(people, entry);
    }
    json_object_set_array_member(object, "introduced", people);
    if (message->introduced_more)
        json_object_set_boolean_member(object, "introduced_more", TRUE);
    if (message->referral_answer != REFERRAL_OPEN)
        json_object_set_string_member(object, "referral_answer", referral_answer_name(message->referral_answer));
}

static JsonObject *message_read_object(const char *file, const InboundMessage *message)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "file", file);
    json_object_set_string_member(object, "class", inbound_class_name(message->class));
    json_object_set_string_member(object, "evidence", message->evidence);
    json_object_set_string_member(object, "from", message->from);
    json_add_text(object, "from_name", message->from_name);
    facts_add_strings(object, "to", message->to);
    json_object_set_string_member(object, "subject", message->subject);
    json_object_set_string_member(object, "message_id", message->message_id);
    json_add_text(object, "in_reply_to", message->in_reply_to);
    facts_add_strings(object, "references", message->references);
    json_add_time(object, "date", message->date_ms);
    json_object_set_string_member(object, "text", message->text);
    json_object_set_string_member(object, "full_text", message->full_text);
    json_add_text(object, "original_message_id", message->original_message_id);
    add_bounces(object, message->bounces);
    add_attachments(object, message->attachments);
    if (message->class == INBOUND_REPLY) {
        add_score(object, &message->score);
        add_people(object, message);
    }
    if (message->class == INBOUND_AUTO_REPLY) {
        JsonObject *automatic = json_object_new();
        if (message->absent_until_ms != 0)
            json_add_time(automatic, "until", message->absent_until_ms);
        else
            json_object_set_null_member(automatic, "until");
        json_object_set_object_member(object, "auto_reply", automatic);
    }
    if (message->class == INBOUND_UNSUBSCRIBE) {
        JsonObject *request = json_object_new();
        json_object_set_string_member(request, "token", message->token);
        json_object_set_boolean_member(request, "in_words", message->asks_to_stop);
        json_object_set_object_member(object, "unsubscribe", request);
    }
    if (message->truncated)
        json_object_set_boolean_member(object, "truncated", TRUE);
    return object;
}

static void print_line(Cli *cli, const char *name, const char *value)
{
    g_autofree char *line = text_one_line(value);
    g_autofree char *safe = text_escape(line, 0);
    if (safe[0] != '\0')
        fprintf(cli->out, "%-12s%s\n", name, safe);
}

/* "9 (…)", "unclear (…)", and a line for each person. */
static void print_answer(Cli *cli, const InboundMessage *message)
{
    const ScoreRead *score = &message->score;
    g_autofree char *value = score->verdict == SCORE_CLEAR ? g_strdup_printf("%d", score->value) : g_strdup(score_verdict_name(score->verdict));
    g_autofree char *line = g_strdup_printf("%s (%s)", value, score->evidence);
    print_line(cli, "score", score->verdict != SCORE_NONE ? line : "");
    for (guint i = 0; i < message->introduced->len; i++) {
        const IntroducedPerson *person = g_ptr_array_index(message->introduced, i);
        g_autofree char *text = g_strdup_printf("%s %s %s (%s, by %s)", person->name, person->address, person->phone,
                                                person->certain ? "certain" : "likely", introduced_how_name(person->how));
        print_line(cli, "introduces", text);
    }
    print_line(cli, "introduces", message->introduced_more ? "and more" : "");
    print_line(cli, "answer", message->referral_answer != REFERRAL_OPEN ? referral_answer_name(message->referral_answer) : "");
}

static void print_details(Cli *cli, const InboundMessage *message)
{
    for (guint i = 0; i < message->bounces->len; i++) {
        const BounceRecipient *bounce = g_ptr_array_index(message->bounces, i);
        g_autofree char *text =
            g_strjoin(" ", bounce_kind_name(bounce->kind), bounce->recipient, bounce->status, bounce->diagnostic, NULL);
        print_line(cli, "bounce", text);
    }
    if (message->absent_until_ms != 0) {
        g_autofree char *until = timestamp_format(message->absent_until_ms);
        print_line(cli, "back", until);
    }
    print_answer(cli, message);
    print_line(cli, "token", message->token);
    for (guint i = 0; i < message->attachments->len; i++) {
        const InboundAttachment *attachment = g_ptr_array_index(message->attachments, i);
        g_autofree char *text =
            g_strdup_printf("%s (%s, %" G_GINT64_FORMAT " bytes)", attachment->name, attachment->type, attachment->size);
        print_line(cli, "attached", text);
    }
    if (message->truncated)
        print_line(cli, "truncated", "larger than what is read");
}

static void print_message(Cli *cli, const char *file, const InboundMessage *message)
{
    g_autofree char *class = g_strdup_printf("%s (%s)", inbound_class_name(message->class), message->evidence);
    g_autofree char *from =
        message->from[0] != '\0' ? g_strdup_printf("%s <%s>", message->from_name, message->from) : g_strdup("");
    print_line(cli, "file", file);
    print_line(cli, "class", class);
    print_line(cli, "from", g_strstrip(from));
    print_line(cli, "subject", message->subject);
    print_line(cli, "message-id", message->message_id);
    print_details(cli, message);
    terminal_print_text(cli->out, message->text, TEXT_INDENT, cli->columns);
}

/* At most what is looked at, and one byte more, which tells that there was more. */
static gboolean read_stream(FILE *stream, GByteArray *bytes)
{
    guint8 buffer[64 * 1024];
    gsize length = 0;
    while (bytes->len <= READ_MAX_MESSAGE && (length = fread(buffer, 1, sizeof(buffer), stream)) > 0)
        g_byte_array_append(bytes, buffer, (guint)length);
    return ferror(stream) == 0;
}

static gboolean load(const char *file, GByteArray *bytes)
{
    if (g_str_equal(file, "-"))
        return read_stream(stdin, bytes);
    FILE *stream = fopen(file, "rbe");
    if (stream == NULL)
        return FALSE;
    gboolean ok = read_stream(stream, bytes);
    int reason = errno;
    fclose(stream);
    errno = reason;
    return ok;
}

static int read_file(Cli *cli, const char *file, gint64 now_ms)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (!load(file, bytes)) {
        g_autofree char *shown = text_escape(file, 0);
        return cli_failed(cli, "%s: %s", shown, g_strerror(errno));
    }
    /* GByteArray of nothing has no data */
    g_autoptr(InboundMessage) message = mail_read(bytes->len > 0 ? (const char *)bytes->data : "", bytes->len, now_ms);
    if (cli->json) {
        g_autofree char *name = text_make_valid(file, -1);
        cli_print_json(cli, message_read_object(name, message));
    } else {
        print_message(cli, file, message);
    }
    return CLI_DONE;
}

int command_read(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, G_MAXUINT, &status);
    gint64 now_ms = clock_system_now_ms();
    for (char **file = rest; file != NULL && *file != NULL; file++) {
        if (file != rest && !cli->json)
            fputc('\n', cli->out);
        if (read_file(cli, *file, now_ms) != CLI_DONE)
            status = CLI_FAILED;
    }
    return status;
}
