/*
 * Bare libcurl: what a thread a connection can send, with nothing else done about a message. The delivery bench's yardstick.
 *
 *     smtp_threads PORT CONNECTIONS MESSAGES SIZE
 *
 * Sends MESSAGES of about SIZE octets, each different, to 127.0.0.1 and prints the seconds that took. Exit status 1: one was not taken.
 */
#include <curl/curl.h>
#include <glib.h>
#include <string.h>

#define LINE "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor\r\n"

typedef struct {
    char *url;
    char *body; /* the same for all, behind the headers */
    gint left;  /* atomic: messages nobody has taken */
    gint failed;
} Run;

typedef struct {
    GString *text;
    gsize given;
} Message;

static size_t on_read(char *buffer, size_t size, size_t count, void *user)
{
    Message *message = user;
    gsize take = MIN(size * count, message->text->len - message->given);
    memcpy(buffer, message->text->str + message->given, take);
    message->given += take;
    return take;
}

static void write_message(GString *text, const char *body, gint number)
{
    g_string_printf(text,
                    "From: Anna Berg <anna@example.com>\r\nTo: <p%d@firm.example>\r\nMessage-ID: <%d@example.com>\r\n"
                    "Subject: Message %d\r\n\r\nDear number %d,\r\n%s",
                    number, number, number, number, body);
}

static CURL *open_handle(const Run *run, Message *message)
{
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, run->url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<anna@example.com>");
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, message);
    return curl;
}

static gpointer send_all(gpointer data)
{
    Run *run = data;
    Message message = {.text = g_string_new(NULL)};
    CURL *curl = open_handle(run, &message);
    gint number;
    while ((number = g_atomic_int_add(&run->left, -1)) > 0) {
        g_autofree char *to = g_strdup_printf("<p%d@firm.example>", number);
        struct curl_slist *recipients = curl_slist_append(NULL, to);
        write_message(message.text, run->body, number);
        message.given = 0;
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
        if (curl_easy_perform(curl) != CURLE_OK)
            g_atomic_int_inc(&run->failed);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, NULL);
        curl_slist_free_all(recipients);
    }
    curl_easy_cleanup(curl);
    g_string_free(message.text, TRUE);
    return NULL;
}

static char *make_body(gint64 size)
{
    GString *body = g_string_new(NULL);
    while (body->len + strlen(LINE) < (gsize)size)
        g_string_append(body, LINE);
    return g_string_free(body, FALSE);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        g_printerr("usage: smtp_threads PORT CONNECTIONS MESSAGES SIZE\n");
        return 2;
    }
    Run run = {.url = g_strdup_printf("smtp://127.0.0.1:%s/example.com", argv[1]),
               .body = make_body(g_ascii_strtoll(argv[4], NULL, 10)),
               .left = (gint)g_ascii_strtoll(argv[3], NULL, 10)};
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    gint64 began_us = g_get_monotonic_time();
    for (gint64 i = g_ascii_strtoll(argv[2], NULL, 10); i > 0; i--)
        g_ptr_array_add(threads, g_thread_new("smtp", send_all, &run));
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    g_print("%.6f\n", (double)(g_get_monotonic_time() - began_us) / G_USEC_PER_SEC);
    curl_global_cleanup();
    g_free(run.url);
    g_free(run.body);
    return run.failed ? 1 : 0;
}
