/*
 * Reading messages (mail_read(): parse, classify, new text) beside GMime's own full decode of the same bytes: all header fields, all parts,
 * texts in UTF-8. A line a kind: its name, octets of a message, messages a second of GMime, of ours; medians of rounds that alternate.
 *
 *   parse ROUNDS
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mail/read.h"

enum { MESSAGES = 400, SENTENCES_MAX = 400 };

#define NOW_MS G_GINT64_CONSTANT(1795514400000)
#define HEAD                                                                                                               \
    "Received: from mx.kunde.example (mx.kunde.example [192.0.2.1]) by mx.example.com with ESMTPS id 4abc; Tue, 24 Nov 2026 09:00:03 +0100 (CET)\r\n" \
    "Received: from mail.kunde.example by mx.kunde.example with LMTP id x; Tue, 24 Nov 2026 09:00:02 +0100\r\n"            \
    "Authentication-Results: mx.example.com; dkim=pass header.d=kunde.example; spf=pass; dmarc=pass header.from=kunde.example\r\n" \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=kunde.example; s=s1; h=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=abcdefgh\r\n" \
    "From: =?utf-8?Q?K=C3=A5re_Nordmann?= <kare@kunde.example>\r\nTo: Anna Berg <anna@example.com>\r\n"

typedef struct {
    const char *name;
    GString *(*make)(GRand *random, guint number);
} Kind;

static void add_words(GString *out, GRand *random, gsize octets, const char *prefix, const char *end)
{
    static const char *const words[] = {"the", "offer", "we", "talked", "about", "på", "møte", "torsdag", "price", "seats", "delivery", "is", "fine", "with", "us", "and",
                                        "please", "send", "contract", "until", "Friday", "since", "our", "people", "want", "to", "begin", "in", "January", "or", "later"};
    gsize start = out->len;
    while (out->len - start < octets) {
        g_string_append(out, prefix);
        for (gsize line = out->len; out->len - line < 64;)
            g_string_append_printf(out, "%s ", words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
        g_string_append_printf(out, ".%s", end);
    }
}

static void add_head(GString *out, guint number, const char *subject)
{
    g_string_append_printf(out, HEAD "Subject: %s\r\nMessage-ID: <m%u@kunde.example>\r\nIn-Reply-To: <a%u@example.com>\r\n"
                                     "References: <r%u@example.com> <a%u@example.com>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0100\r\nMIME-Version: 1.0\r\n",
                           subject, number, number, number, number);
}

static GString *make_plain(GRand *random, guint number)
{
    GString *out = g_string_new(NULL);
    add_head(out, number, "Re: The offer");
    g_string_append(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    add_words(out, random, 4096 - MIN(out->len, 4000), "", "\r\n");
    return out;
}

static GString *make_reply(GRand *random, guint number)
{
    GString *out = g_string_new(NULL);
    add_head(out, number, "=?utf-8?Q?SV=3A_Tilbud_p=C3=A5_l=C3=B8sning?=");
    g_string_append(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    add_words(out, random, 600, "", "\r\n");
    g_string_append(out, "\r\nMvh\r\nKåre\r\n\r\ntir. 24. nov. 2026 kl. 09:00 skrev Anna Berg <anna@example.com>:\r\n\r\n");
    add_words(out, random, 4096 - MIN(out->len, 4000), "> ", "\r\n");
    return out;
}

/* Text and HTML of the same reply, and a file. */
static GString *make_mixed(GRand *random, guint number)
{
    GString *out = g_string_new(NULL);
    g_autofree guchar *file = g_malloc(6000);
    for (guint i = 0; i < 6000; i++)
        file[i] = (guchar)g_rand_int_range(random, 0, 256);
    g_autofree char *base64 = g_base64_encode(file, 6000);
    add_head(out, number, "Re: The offer");
    g_string_append(out, "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    add_words(out, random, 1500, "", "\r\n");
    g_string_append(out, "\r\nOn Tue, Nov 24, 2026 at 9:00 AM Anna Berg <anna@example.com> wrote:\r\n\r\n");
    add_words(out, random, 2500, "> ", "\r\n");
    g_string_append(out, "--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><div>");
    add_words(out, random, 1500, "<p>", "</p>\r\n");
    g_string_append(out, "</div><div class=\"gmail_quote\"><blockquote>");
    add_words(out, random, 2500, "<p>", "</p>\r\n");
    g_string_append(out, "</blockquote></div></body></html>\r\n--a--\r\n--m\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    for (gsize i = 0; i < strlen(base64); i += 76)
        g_string_append_printf(out, "%.76s\r\n", base64 + i);
    g_string_append(out, "--m--\r\n");
    return out;
}

static GString *make_html(GRand *random, guint number)
{
    GString *out = g_string_new(NULL);
    add_head(out, number, "Re: The offer");
    g_string_append(out, "Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p {margin: 0}</style></head><body><div class=WordSection1>");
    add_words(out, random, 1500, "<p class=MsoNormal>", "<o:p></o:p></p>\r\n");
    g_string_append(out, "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>From:</b> Anna</p></div>");
    add_words(out, random, 4000, "<p class=MsoNormal>", "<o:p></o:p></p>\r\n");
    g_string_append(out, "</div></body></html>\r\n");
    return out;
}

static GString *make_bounce(GRand *random, guint number)
{
    GString *out = g_string_new("Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example (Mail Delivery System)\r\nSubject: Undelivered Mail Returned to Sender\r\nTo: anna@example.com\r\n"
                                "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n");
    g_string_append_printf(out, "This is the mail system at host mail.example.\r\n\r\n<kari%u@kunde.example>: host mx.kunde.example[192.0.2.1] said: 550 5.1.1\r\n    User unknown (in reply to RCPT TO command)\r\n"
                                "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\nFinal-Recipient: rfc822; kari%u@kunde.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                                "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <a%u@example.com>\r\nFrom: anna@example.com\r\n\r\n", number, number, number);
    add_words(out, random, 2500, "", "\r\n");
    g_string_append(out, "--b--\r\n");
    return out;
}

static GString *make_absence(GRand *random, guint number)
{
    GString *out = g_string_new(NULL);
    add_head(out, number, "Automatisk svar: Tilbud");
    g_string_append(out, "Auto-Submitted: auto-replied\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                         "Jeg er p=E5 ferie og tilbake mandag 7. desember 2026.\r\n");
    add_words(out, random, 600, "", "\r\n");
    return out;
}

/* ---- the two readings -------------------------------------------------------------------------------------------------- */

static gsize decoded; /* so that nothing is left out as unused */

static void decode_object(GMimeObject *unused_parent, GMimeObject *object, gpointer data)
{
    (void)unused_parent;
    (void)data;
    GMimeHeaderList *headers = g_mime_object_get_header_list(object);
    for (int i = 0; i < g_mime_header_list_get_count(headers); i++)
        decoded += strlen(g_mime_header_get_value(g_mime_header_list_get_header_at(headers, i)));
    if (GMIME_IS_TEXT_PART(object)) {
        g_autofree char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(object));
        decoded += text != NULL ? strlen(text) : 0;
    } else if (GMIME_IS_PART(object)) {
        GMimeStream *stream = g_mime_stream_mem_new();
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(object)), stream);
        decoded += (gsize)g_mime_stream_length(stream);
        g_object_unref(stream);
    }
}

static void read_with_gmime(const GString *bytes)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes->str, bytes->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    decode_object(NULL, GMIME_OBJECT(message), NULL);
    g_mime_message_foreach(message, decode_object, NULL);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}

static void read_with_ours(const GString *bytes)
{
    g_autoptr(InboundMessage) message = mail_read(bytes->str, bytes->len, NOW_MS);
    decoded += strlen(message->text);
}

/* Of this process: neither reading waits for anything, and what else the machine does is not theirs. */
static double processor_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Messages a second. */
static double time_of(void (*read)(const GString *bytes), const GPtrArray *messages)
{
    double began = processor_s();
    for (guint i = 0; i < messages->len; i++)
        read(messages->pdata[i]);
    return messages->len / (processor_s() - began);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const Kind *kind, guint rounds)
{
    GRand *random = g_rand_new_with_seed(20261124);
    GPtrArray *messages = g_ptr_array_new();
    g_autofree double *theirs = g_new(double, rounds), *ours = g_new(double, rounds);
    gsize octets = 0;
    for (guint i = 0; i < MESSAGES; i++) {
        GString *message = kind->make(random, i);
        octets += message->len;
        g_ptr_array_add(messages, message);
    }
    time_of(read_with_gmime, messages), time_of(read_with_ours, messages); /* patterns are compiled once */
    for (guint i = 0; i < rounds; i++) {
        theirs[i] = time_of(read_with_gmime, messages);
        ours[i] = time_of(read_with_ours, messages);
    }
    qsort(theirs, rounds, sizeof *theirs, compare);
    qsort(ours, rounds, sizeof *ours, compare);
    printf("%s\t%zu\t%.0f\t%.0f\n", kind->name, octets / MESSAGES, theirs[rounds / 2], ours[rounds / 2]);
    for (guint i = 0; i < messages->len; i++)
        g_string_free(messages->pdata[i], TRUE);
    g_ptr_array_free(messages, TRUE);
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    static const Kind kinds[] = {{"a letter of 4 kB", make_plain},       {"an answer of 4 kB with its quote", make_reply},
                                 {"an answer as text and HTML, with a file", make_mixed}, {"an answer of Outlook, HTML alone", make_html},
                                 {"a bounce", make_bounce},              {"an automatic answer", make_absence}};
    gint64 rounds = argc == 2 ? g_ascii_strtoll(argv[1], NULL, 10) : 0;
    if (rounds < 1 || rounds > 1000) {
        fprintf(stderr, "usage: parse ROUNDS\n");
        return 2;
    }
    g_mime_init();
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        measure(&kinds[i], (guint)rounds);
    return decoded > 0 ? 0 : 1;
}
