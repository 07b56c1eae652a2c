/*
 * Files in messages: hundreds of messages with files of random names, types and contents, read by Python's strict parser; what type
 * a file has, what an image is, and that the lines of base64 are as RFC 2045 wants them.
 */
#include "strict.h"

static char *random_name(GRand *random)
{
    static const char *const pieces[] = {"offer", " ",    ".",
                                         "ø",     "报价", "\"",
                                         "\\",    "%41",  "'",
                                         "(",     ")",    ";",
                                         "=",     "*",    "=?utf-8?q?x?=",
                                         "🎉",     ",",    "very long word that goes on ",
                                         "_",     "-",    "\xC3\xA9",
                                         "<",     ">",    "@",
                                         "/"};
    GString *name = g_string_new(NULL);
    gint count = g_rand_int_range(random, 1, g_rand_boolean(random) ? 6 : 40);
    for (gint i = 0; i < count; i++)
        g_string_append(name, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
    g_string_append(name, "x.pdf");
    return g_strstrip(g_string_free(name, FALSE));
}

static MailFile *random_file(GRand *random)
{
    static const char *const types[] = {"application/pdf",
                                        "image/png",
                                        "text/plain",
                                        "text/html",
                                        "application/octet-stream",
                                        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"};
    g_autofree char *raw = random_name(random);
    GString *one_line = g_string_new(NULL);
    for (const char *p = raw; *p; p++) /* runs of spaces are one in a header */
        if (*p != ' ' || one_line->len == 0 || one_line->str[one_line->len - 1] != ' ')
            g_string_append_c(one_line, *p);
    gsize size = (gsize)g_rand_int_range(random, 1, g_rand_boolean(random) ? 200 : 20000);
    g_autofree guchar *bytes = g_malloc(size);
    gboolean is_text = g_rand_boolean(random);
    for (gsize i = 0; i < size; i++)
        bytes[i] = (guchar)(is_text ? g_rand_int_range(random, 32, 126) : g_rand_int_range(random, 0, 256));
    MailFile *file = mail_file_new(one_line->str, types[g_rand_int_range(random, 0, G_N_ELEMENTS(types))], bytes, size);
    g_string_free(one_line, TRUE);
    return file;
}

static void file_free(gpointer file)
{
    mail_file_free(file);
}

static GPtrArray *random_files(GRand *random, gint most)
{
    gint count = g_rand_int_range(random, 0, most + 1);
    if (count == 0 && g_rand_boolean(random))
        return NULL;
    GPtrArray *files = g_ptr_array_new_with_free_func(file_free);
    for (gint i = 0; i < count; i++)
        g_ptr_array_add(files, random_file(random));
    return files;
}

static void test_random_files_through_a_strict_parser(void **state)
{
    (void)state;
    GRand *random = g_rand_new_with_seed(20261124);
    Cases cases = {.lines = g_string_new(NULL),
                   .headers = "From To Subject Date Message-ID MIME-Version Content-Type Content-Language"};
    for (guint i = 0; i < 400; i++) {
        GPtrArray *images = random_files(random, 3);
        g_autoptr(GPtrArray) attachments = random_files(random, 4);
        RenderedTemplate rendered = {.subject = (char *)"Offer",
                                     .text = (char *)"Hi\n--=_m\nsee below\n",
                                     .html = i % 3 ? (char *)"<p>Hi</p>" : NULL,
                                     .images = images};
        ComposeInput input = plain_input(&rendered);
        g_autofree char *id = g_strdup_printf("%u@example.com", i);
        input.message_id = id;
        input.attachments = attachments && attachments->len ? attachments : NULL;
        add_case(&cases, &input, "Anna Berg", "", "Offer");
        g_clear_pointer(&images, g_ptr_array_unref);
    }
    check_in_python(&cases);
    g_string_free(cases.lines, TRUE);
    g_rand_free(random);
}

/* Every length around the ends of lines. */
static void test_lines_of_base64(void **state)
{
    (void)state;
    guchar bytes[300];
    for (gsize i = 0; i < sizeof(bytes); i++)
        bytes[i] = (guchar)(i * 7);
    for (gsize size = 0; size <= sizeof(bytes); size++) {
        g_autoptr(MailFile) file = mail_file_new("x", "image/png", bytes, size);
        g_autofree char *text = g_strndup(g_bytes_get_data(file->base64, NULL), g_bytes_get_size(file->base64));
        g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
        guint count = g_strv_length(lines);
        gsize length = 0;
        assert_true(size == 0 || *lines[count - 1] == '\0'); /* the last one is ended, too */
        for (guint i = 0; i < count; i++)
            assert_true(strlen(lines[i]) == 76 || i + 2 >= count);
        assert_true(count <= size / 57 + 2);
        g_autofree guchar *back = g_base64_decode(text, &length);
        assert_int_equal(length, size);
        assert_memory_equal(back, bytes, size);
    }
}

static void test_types(void **state)
{
    (void)state;
    const struct {
        const char *given, *content, *want;
    } rows[] = {
        {"application/pdf", "%PDF", "application/pdf"},
        {"text/plain", "blåbær", "text/plain; charset=utf-8"},
        {"text/plain", "bl\xe5", "text/plain"},
        {"message/rfc822", "From: x", "application/octet-stream"}, /* base64 may not carry these */
        {"MESSAGE/rfc822", "From: x", "application/octet-stream"},
        {"multipart/mixed", "x", "application/octet-stream"},
        {"", "x", "application/octet-stream"},
        {"pdf", "x", "application/octet-stream"},
        {"a/b/c", "x", "application/octet-stream"},
        {"text/plain\r\nBcc: all@example.com", "x", "application/octet-stream"},
        {"text/plain; name=x", "x", "application/octet-stream"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MailFile) file =
            mail_file_new("x", rows[i].given, (const guchar *)rows[i].content, strlen(rows[i].content));
        assert_string_equal(file->type, rows[i].want);
    }
}

static void test_what_is_an_image(void **state)
{
    (void)state;
    const struct {
        const char *content;
        gsize size;
        const char *want;
    } rows[] = {
        {"\x89PNG\r\n\x1A\n....", 12, "image/png"},
        {"\xFF\xD8\xFF\xE0", 4, "image/jpeg"},
        {"GIF89a..", 8, "image/gif"},
        {"GIF87a", 6, "image/gif"},
        {"GIF88a", 6, NULL},
        {"\x89PNG\r\n\x1A", 7, NULL},
        {"<svg xmlns=", 11, NULL},
        {"", 0, NULL},
        {"%PDF-1.7", 8, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *type = mail_image_type((const guchar *)rows[i].content, rows[i].size);
        assert_string_equal(type ? type : "none", rows[i].want ? rows[i].want : "none");
    }
}

/* A name is data: it leaves neither its header nor its quotes, and other contents have another Content-ID. */
static void test_names_stay_in_their_header(void **state)
{
    (void)state;
    g_autoptr(MailFile) evil =
        mail_file_new("a\r\nBcc: all@example.com\r\n\r\n\"; x=\"y\xff", "application/pdf", (const guchar *)"x", 1);
    g_autoptr(MailFile) other = mail_file_new("x", "application/pdf", (const guchar *)"y", 1);
    g_autoptr(MailFile) same = mail_file_new("y", "image/png", (const guchar *)"y", 1);
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    g_ptr_array_add(files, evil);
    const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"y"};
    ComposeInput input = plain_input(&rendered);
    input.attachments = files;
    ComposedMessage message = {0};
    assert_true(mail_compose(&input, &message, NULL));
    g_autofree char *text = g_strndup(g_bytes_get_data(message.bytes, NULL), g_bytes_get_size(message.bytes));
    assert_null(strstr(text, "\r\nBcc"));
    assert_non_null(strstr(
        text, "filename*0*=utf-8''a%20Bcc%3A%20all%40example.com%20%22%3B%20x%3D%22y;\r\n filename*1*=%EF%BF%BD\r\n"));
    assert_string_not_equal(evil->content_id, other->content_id);
    assert_string_equal(same->content_id, other->content_id);
    composed_message_clear(&message);
}

/* The sender's name of the template, and the names for answers. */
static void test_whose_name_stands_where(void **state)
{
    (void)state;
    const struct {
        const char *from_name, *own, *reply_to_name, *want_from, *want_reply_to;
    } rows[] = {
        {"Anna Berg", NULL, NULL, "From: Anna Berg <anna@example.com>", "Reply-To: Anna Berg <sales@example.com>"},
        {"Anna Berg", NULL, "Sales", "From: Anna Berg <anna@example.com>", "Reply-To: Sales <sales@example.com>"},
        {"Anna Berg", "Anna from Berg", "", "From: Anna from Berg <anna@example.com>",
         "Reply-To: Anna from Berg <sales@example.com>"},
        {"", NULL, "Sales, Oslo", "From: anna@example.com", "Reply-To: \"Sales, Oslo\" <sales@example.com>"},
        {"Anna", "x\r\nBcc: all@example.com", "y\nCc: all@example.com",
         "From: \"x Bcc: all@example.com\" <anna@example.com>", "Reply-To: \"y Cc: all@example.com\" <sales@example.com>"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const RenderedTemplate rendered = {.subject = (char *)"x", .text = (char *)"y", .from_name = (char *)rows[i].own};
        ComposeInput input = plain_input(&rendered);
        input.from_name = rows[i].from_name;
        input.reply_to = "sales@example.com";
        input.reply_to_name = rows[i].reply_to_name;
        ComposedMessage message = {0};
        assert_true(mail_compose(&input, &message, NULL));
        g_autofree char *text = g_strndup(g_bytes_get_data(message.bytes, NULL), g_bytes_get_size(message.bytes));
        g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
        assert_string_equal(lines[0], rows[i].want_from);
        assert_string_equal(lines[2], rows[i].want_reply_to);
        composed_message_clear(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_files_through_a_strict_parser),
        cmocka_unit_test(test_lines_of_base64),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_what_is_an_image),
        cmocka_unit_test(test_names_stay_in_their_header),
        cmocka_unit_test(test_whose_name_stands_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
