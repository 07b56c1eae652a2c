/*
 * What the tests of composing share: an ordinary message, and reading by Python's strict parser (strict_parse.py).
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "mail/compose.h"

static inline ComposeInput plain_input(const RenderedTemplate *rendered)
{
    return (ComposeInput){.rendered = rendered,
                          .from_name = "Anna Berg",
                          .from_address = "anna@example.com",
                          .to_name = "",
                          .to_address = "kare@example.no",
                          .reply_to = "",
                          .message_id = "abc123@example.com",
                          .in_reply_to = "",
                          .references = "",
                          .date_ms = 1795508100250,
                          .organisation = "Berg & Sons",
                          .postal_address = "Storgata 1, 0155 Oslo",
                          .language = "en"};
}

/* ---- Python's strict parser --------------------------------------------------------------------------------------- */

typedef struct {
    GString *lines;
    const char *headers;
} Cases;

static inline JsonNode *pair(const char *name, const char *address)
{
    JsonArray *array = json_array_new();
    json_array_add_string_element(array, name);
    json_array_add_string_element(array, address);
    return json_node_init_array(json_node_alloc(), array);
}

static inline void add_files(JsonArray *array, const GPtrArray *files, const char *place)
{
    for (guint i = 0; files && i < files->len; i++) {
        const MailFile *file = files->pdata[i];
        JsonObject *object = json_object_new();
        g_autofree char *base64 = g_strndup(g_bytes_get_data(file->base64, NULL), g_bytes_get_size(file->base64));
        json_object_set_string_member(object, "place", place);
        json_object_set_string_member(object, "name", file->name);
        json_object_set_string_member(object, "type", file->type);
        json_object_set_string_member(object, "id", file->content_id);
        json_object_set_string_member(object, "base64", base64);
        json_object_set_int_member(object, "size", (gint64)file->size);
        json_array_add_object_element(array, object);
    }
}

/* In the order in which they stand in the message. */
static inline JsonArray *files_of(const ComposeInput *input)
{
    JsonArray *array = json_array_new();
    if (input->rendered->html)
        add_files(array, input->rendered->images, "inline");
    add_files(array, input->attachments, "attachment");
    return array;
}

static inline void add_case(Cases *cases, const ComposeInput *input, const char *from_name, const char *to_name,
                     const char *subject)
{
    ComposedMessage message = {0};
    g_autoptr(GError) error = NULL;
    if (!mail_compose(input, &message, &error))
        fail_msg("%s", error->message);
    assert_string_equal(message.subject, subject);
    assert_non_null(strstr(message.text, input->organisation));
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *raw = g_base64_encode(g_bytes_get_data(message.bytes, NULL), g_bytes_get_size(message.bytes));
    g_auto(GStrv) names = g_strsplit(cases->headers, " ", -1);
    JsonArray *headers = json_array_new();
    for (char **name = names; *name; name++)
        json_array_add_string_element(headers, *name);
    if (!input->rendered->html && !input->attachments)
        json_array_add_string_element(headers, "Content-Transfer-Encoding");
    json_object_set_string_member(object, "raw", raw);
    json_object_set_member(object, "from", pair(from_name, input->from_address));
    json_object_set_member(object, "to", pair(to_name, input->to_address));
    json_object_set_string_member(object, "subject", subject);
    json_object_set_string_member(object, "text", message.text);
    json_object_set_array_member(object, "headers", headers);
    if (input->rendered->html)
        json_object_set_string_member(object, "html", input->rendered->html);
    else
        json_object_set_null_member(object, "html");
    json_object_set_array_member(object, "files", files_of(input));
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
    g_autofree char *line = json_line(root);
    g_string_append_printf(cases->lines, "%s\n", line);
    composed_message_clear(&message);
}

static inline void check_in_python(const Cases *cases)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL;
    if (!g_file_test("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE) ||
        !g_file_test("tests/unit/mail/strict_parse.py", G_FILE_TEST_EXISTS)) {
        print_message("there is no /usr/bin/python3, or this is not run from the top of the checkout\n");
        skip();
    }
    g_autoptr(GSubprocess) python = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                                     "/usr/bin/python3", "tests/unit/mail/strict_parse.py", NULL);
    assert_non_null(python);
    assert_true(g_subprocess_communicate_utf8(python, cases->lines->str, NULL, &output, NULL, &error));
    print_message("%s", output);
    assert_int_equal(g_subprocess_get_exit_status(python), 0);
}
