/*
 * Reading a received message: takes it apart, reads its header fields and texts, and has it classified. Pure; safe for
 * any bytes.
 */
#include "mail/read.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/classify.h"
#include "mail/departure.h"
#include "mail/introduced.h"
#include "mail/parts.h"
#include "mail/score.h"
#include "mail/token.h"

enum { LONG_LETTER = 1500, TELEPHONE_DIGITS = 7 };

static void take(char **field, char *text)
{
    g_free(*field);
    *field = text;
}

/* At most READ_MAX_TEXT octets, cut between characters. Caller frees. */
static char *bounded_text(const char *text, gboolean *truncated)
{
    gsize length = strlen(text);
    if (length <= READ_MAX_TEXT)
        return g_strdup(text);
    *truncated = TRUE;
    const char *end = g_utf8_find_prev_char(text, text + READ_MAX_TEXT + 1);
    return g_strndup(text, end ? (gsize)(end - text) : 0);
}

/* ---- addresses ------------------------------------------------------------------------------------------------------- */

static char *canonical_or_empty(const char *address)
{
    g_autofree char *valid = text_make_valid(address ? address : "", -1);
    char *canonical = address_canonical(valid, NULL);
    return canonical ? canonical : g_strdup("");
}

/* GMime loses what follows an encoded word that is padded with "=": where there are such words, the name is what
 * stands before the address in the value as we decode it. Caller frees. */
static char *sender_name(const MailParts *parts, const char *name)
{
    g_autofree char *value = mail_parts_header(parts, "From");
    const char *open = strrchr(value, '<');
    gboolean encoded = name != NULL && mail_parts_is_encoded(parts, "From");

    if (!encoded || open == NULL || open == value)
        return text_make_valid(name != NULL ? name : "", -1);
    g_autofree char *phrase = g_strstrip(g_strndup(value, (gsize)(open - value)));
    gsize length = strlen(phrase);
    gboolean quoted = length >= 2 && phrase[0] == '"' && phrase[length - 1] == '"';
    return quoted ? g_strndup(phrase + 1, length - 2) : g_steal_pointer(&phrase);
}

static void read_sender(const MailParts *parts, InboundMessage *message)
{
    InternetAddressList *list = parts->message ? g_mime_message_get_from(parts->message) : NULL;
    for (int i = 0; list && i < internet_address_list_length(list); i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (!INTERNET_ADDRESS_IS_MAILBOX(address))
            continue;
        const char *name = internet_address_get_name(address);
        gboolean alone = internet_address_list_length(list) == 1;
        g_autofree char *whole = alone ? sender_name(parts, name) : text_make_valid(name != NULL ? name : "", -1);
        g_autofree char *line = text_one_line(whole);
        take(&message->from, canonical_or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address))));
        take(&message->from_name, text_escape(line, 500));
        return;
    }
}

static void add_recipients(GPtrArray *to, InternetAddressList *list)
{
    for (int i = 0; list && i < internet_address_list_length(list) && to->len < READ_MAX_RECIPIENTS; i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (!INTERNET_ADDRESS_IS_MAILBOX(address))
            continue;
        char *canonical = canonical_or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)));
        if (*canonical && !g_ptr_array_find_with_equal_func(to, canonical, g_str_equal, NULL))
            g_ptr_array_add(to, canonical);
        else
            g_free(canonical);
    }
}

static void read_recipients(const MailParts *parts, InboundMessage *message)
{
    static const char *const more[] = {"Bcc", "Delivered-To", "X-Original-To"}; /* Bcc stands in the sender's own copy */
    GPtrArray *to = g_ptr_array_new();
    if (parts->message) {
        add_recipients(to, g_mime_message_get_to(parts->message));
        add_recipients(to, g_mime_message_get_cc(parts->message));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(more); i++) {
        g_autofree char *value = mail_parts_header(parts, more[i]);
        InternetAddressList *list = internet_address_list_parse(NULL, value);
        add_recipients(to, list);
        if (list)
            g_object_unref(list);
    }
    g_ptr_array_add(to, NULL);
    g_strfreev(message->to);
    message->to = (char **)g_ptr_array_free(to, FALSE);
}

/* ---- ids ------------------------------------------------------------------------------------------------------------- */

/* The ids between angle brackets, or, for programs that leave these out, the words with an @. Appends to ids. */
static void add_ids(GPtrArray *ids, const char *value)
{
    for (const char *p = value; *p && ids->len < READ_MAX_REFERENCES;) {
        gsize skip = strspn(p, " \t<>,;\"'()");
        p += skip;
        gsize length = strcspn(p, " \t<>,;\"'()");
        if (length > 2 && length < 500 && memchr(p, '@', length)) {
            g_autofree char *raw = g_strndup(p, length);
            g_ptr_array_add(ids, text_escape(raw, 0));
        }
        p += length;
    }
}

static void read_ids(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *own = mail_parts_header(parts, "Message-ID");
    g_autofree char *in_reply_to = mail_parts_header(parts, "In-Reply-To");
    g_autofree char *references = mail_parts_header(parts, "References");
    g_autoptr(GPtrArray) first = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) answered = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *all = g_ptr_array_new();
    add_ids(first, own);
    add_ids(answered, in_reply_to);
    add_ids(all, references);
    if (first->len)
        take(&message->message_id, g_strdup(first->pdata[0]));
    if (answered->len)
        take(&message->in_reply_to, g_strdup(answered->pdata[0]));
    for (guint i = 0; i < answered->len && all->len < READ_MAX_REFERENCES; i++)
        if (!g_ptr_array_find_with_equal_func(all, answered->pdata[i], g_str_equal, NULL))
            g_ptr_array_add(all, g_strdup(answered->pdata[i]));
    g_ptr_array_add(all, NULL);
    g_strfreev(message->references);
    message->references = (char **)g_ptr_array_free(all, FALSE);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static void read_date(const MailParts *parts, InboundMessage *message)
{
    GDateTime *date = parts->message ? g_mime_message_get_date(parts->message) : NULL;
    if (date)
        message->date_ms = g_date_time_to_unix(date) * 1000;
}

static void read_token(InboundMessage *message)
{
    char *token = mail_token_find(TOKEN_UNSUBSCRIBE, message->subject);
    for (char **address = message->to; *address && !token; address++)
        token = mail_token_find(TOKEN_UNSUBSCRIBE, *address);
    if (token)
        take(&message->token, token);
}

static void read_original_reply_to(const MailParts *parts, InboundMessage *message)
{
    g_autofree char *value = mail_field(parts->original_headers->str, "Reply-To");
    g_autofree char *valid = text_make_valid(value ? value : "", -1);
    char *address = NULL;
    if (*valid && address_parse(valid, NULL, &address, NULL))
        take(&message->original_reply_to, address);
}

/* The sender and those whom it was sent to are nobody new; of a bounce, who was not reached. */
static void read_departure(InboundMessage *message)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    gboolean is_bounce = message->class == INBOUND_BOUNCE;
    if (!is_bounce && message->class != INBOUND_REPLY && message->class != INBOUND_AUTO_REPLY)
        return;
    g_ptr_array_add(others, message->from);
    for (char **address = message->to; *address; address++)
        g_ptr_array_add(others, *address);
    for (guint i = 0; i < message->bounces->len; i++)
        g_ptr_array_add(others, ((BounceRecipient *)message->bounces->pdata[i])->recipient);
    g_ptr_array_add(others, NULL);
    const BounceRecipient *bounce = is_bounce && message->bounces->len ? message->bounces->pdata[0] : NULL;
    g_autofree char *note = bounce ? g_strconcat(bounce->diagnostic, "\n\n", message->full_text, NULL) : g_strdup(message->text);
    departure_clear(&message->departure);
    message->departure = departure_find(note, (const char *const *)others->pdata);
}

/* Behind the empty line that ends the header; NULL: there is none. */
static const char *body_of(const char *bytes, gsize len)
{
    const char *body = g_strstr_len(bytes, (gssize)len, "\r\n\r\n");
    const char *bare = g_strstr_len(bytes, (gssize)(body != NULL ? body - bytes : (gssize)len), "\n\n");
    return bare != NULL ? bare : body;
}

/* The same for copies of one message: what the sender wrote, and nothing that servers add on the way. */
static char *fingerprint_of(const InboundMessage *message, const char *bytes, gsize len)
{
    const char *fields[] = {message->message_id, message->from, message->subject};
    const char *body = body_of(bytes, len), *end = bytes + len;
    g_autoptr(GByteArray) looked_at = g_byte_array_sized_new((guint)len + 1024);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_byte_array_append(looked_at, (const guint8 *)fields[i], (guint)strlen(fields[i]) + 1);
    g_autofree char *date = g_strdup_printf("%" G_GINT64_FORMAT, message->date_ms);
    g_byte_array_append(looked_at, (const guint8 *)date, (guint)strlen(date));
    for (const char *p = body; p != NULL && p < end;) { /* stores differ in line ends */
        const char *line_end = memchr(p, '\n', (gsize)(end - p)), *stop = line_end != NULL ? line_end : end;
        for (const char *part = p; part < stop;) {
            const char *cr = memchr(part, '\r', (gsize)(stop - part));
            g_byte_array_append(looked_at, (const guint8 *)part, (guint)((cr != NULL ? cr : stop) - part));
            part = cr != NULL ? cr + 1 : stop;
        }
        p = stop + 1;
    }
    guchar digest[32];
    gnutls_hash_fast(GNUTLS_DIG_SHA256, looked_at->data, looked_at->len, digest); /* uses what the processor has for it */
    char *hex = g_malloc(2 * sizeof digest + 1);
    for (gsize i = 0; i < sizeof digest; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[2 * sizeof digest] = '\0';
    return hex;
}

/* One line of valid UTF-8 without controls, at most READ_MAX_HEADER octets: what the record of a message may hold
 * (mail/message.h), whatever wrote it. In place. */
static void bound_line(char **field)
{
    gsize plain = 0; /* as nearly all are */
    while ((*field)[plain] >= 0x20 && (*field)[plain] < 0x7f && plain < READ_MAX_HEADER)
        plain++;
    if ((*field)[plain] == '\0')
        return;
    g_autofree char *valid = text_make_valid(*field, -1);
    char *out = valid;
    for (const char *p = valid; *p; p++)
        if ((guchar)*p >= 0x20 && *p != 0x7f)
            *out++ = *p;
    *out = '\0';
    gsize length = MIN(strlen(valid), (gsize)READ_MAX_HEADER);
    while (length > 0 && ((guchar)valid[length] & 0xc0) == 0x80) /* not inside of a character */
        length--;
    take(field, g_strndup(valid, length));
}

static void bound_lines(InboundMessage *message)
{
    char **fields[] = {&message->evidence,    &message->from,  &message->from_name,           &message->subject,
                       &message->message_id,  &message->token, &message->original_message_id, &message->in_reply_to,
                       &message->authentication_results};
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        bound_line(fields[i]);
    for (char **reference = message->references; *reference; reference++)
        bound_line(reference);
    for (guint i = 0; i < message->bounces->len; i++) {
        BounceRecipient *bounce = message->bounces->pdata[i];
        bound_line(&bounce->recipient);
        bound_line(&bounce->status);
        bound_line(&bounce->diagnostic);
    }
    for (guint i = 0; i < message->attachments->len; i++) {
        InboundAttachment *attachment = message->attachments->pdata[i];
        bound_line(&attachment->name);
        bound_line(&attachment->type);
    }
}

/* ---- what a person answers ------------------------------------------------------------------------------------------- */

static void mailbox_free(gpointer data)
{
    InboundMailbox *mailbox = data;
    g_free(mailbox->name);
    g_free(mailbox->address);
    g_free(mailbox);
}

/* The mailboxes of a header. Free with g_ptr_array_unref(). */
static GPtrArray *mailboxes_of(InternetAddressList *list)
{
    GPtrArray *mailboxes = g_ptr_array_new_with_free_func(mailbox_free);
    for (int i = 0; list && i < internet_address_list_length(list) && mailboxes->len < READ_MAX_RECIPIENTS; i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (!INTERNET_ADDRESS_IS_MAILBOX(address))
            continue;
        const char *name = internet_address_get_name(address);
        InboundMailbox *mailbox = g_new0(InboundMailbox, 1);
        *mailbox = (InboundMailbox){text_make_valid(name ? name : "", -1),
                                    canonical_or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)))};
        if (*mailbox->address)
            g_ptr_array_add(mailboxes, mailbox);
        else
            mailbox_free(mailbox);
    }
    return mailboxes;
}

/* FALSE for a long letter that nobody can be reached by: without an address, a telephone's digits or a card, to one person and sent on from
 * none. Who is asked whom they know answers shortly; looking through every long letter for names alone costs ten times what reading it does. */
static gboolean may_introduce(const MailParts *parts, const InboundMessage *message, guint addressed)
{
    const char *text = message->text;
    guint digits = 0;
    if (strnlen(text, LONG_LETTER + 1) <= LONG_LETTER || addressed > 1 || parts->cards->len > 0 || strchr("FfVv", *message->subject) != NULL)
        return TRUE;
    if (strchr(text, '@') != NULL || strstr(text, "(at)") != NULL || strstr(text, "[at]") != NULL)
        return TRUE;
    for (const char *p = text; *p != '\0'; p++)
        digits += g_ascii_isdigit(*p) ? 1 : 0;
    return digits >= TELEPHONE_DIGITS;
}

/* The score and the people in a reply: its new text, and who and what it brings along. */
static void read_answer(const MailParts *parts, InboundMessage *message)
{
    g_autoptr(GPtrArray) to = mailboxes_of(parts->message ? g_mime_message_get_to(parts->message) : NULL);
    g_autoptr(GPtrArray) cc = mailboxes_of(parts->message ? g_mime_message_get_cc(parts->message) : NULL);
    score_read_clear(&message->score);
    message->score = mail_score_read(message->text);
    if (may_introduce(parts, message, to->len + cc->len))
        mail_introduced_read(message, &(IntroducedSource){.to = to, .cc = cc, .cards = parts->cards});
}

InboundMessage *mail_read(const char *bytes, gsize len, gint64 now_ms)
{
    InboundMessage *message = inbound_message_new();
    MailParts parts;
    mail_parts_init(&parts, bytes, len, now_ms);
    message->truncated = parts.truncated;
    read_sender(&parts, message);
    read_recipients(&parts, message);
    read_ids(&parts, message);
    read_date(&parts, message);
    take(&message->subject, mail_parts_header(&parts, "Subject"));
    take(&message->authentication_results, mail_parts_header(&parts, "Authentication-Results"));
    take(&message->full_text, bounded_text(parts.text, &message->truncated));
    read_token(message);
    classify(&parts, message);
    if (message->class == INBOUND_REPLY)
        read_answer(&parts, message);
    if (message->class != INBOUND_REPLY && message->class != INBOUND_UNSUBSCRIBE)
        take(&message->text, g_strdup(message->full_text));
    read_departure(message);
    read_original_reply_to(&parts, message);
    g_ptr_array_unref(message->attachments);
    message->attachments = g_steal_pointer(&parts.attachments);
    bound_lines(message);
    take(&message->fingerprint, fingerprint_of(message, bytes, MIN(len, (gsize)READ_MAX_MESSAGE)));
    mail_parts_clear(&parts);
    return message;
}
