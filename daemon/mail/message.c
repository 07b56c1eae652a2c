/*
 * The value types of mail/: making and freeing them, the names of their enumerations, and the form in which a message read
 * travels from the child that read it to the daemon.
 *
 * Pure; any thread. inbound_message_from_variant() runs in the process that holds the store and reads what a child sent that
 * hostile bytes may have taken over: each field is held to the same limits that mail_read() keeps.
 */
#include "mail/message.h"

#include <string.h>

#include "mail/address.h"
#include "mail/departure.h"
#include "mail/error.h"
#include "mail/introduced.h"
#include "mail/read.h"
#include "mail/score.h"

static const char *const class_names[] = {
    [INBOUND_REPLY] = "reply",         [INBOUND_AUTO_REPLY] = "auto-reply",   [INBOUND_BOUNCE] = "bounce",
    [INBOUND_COMPLAINT] = "complaint", [INBOUND_UNSUBSCRIBE] = "unsubscribe", [INBOUND_OTHER] = "other",
};
static const char *const kind_names[] = {
    [BOUNCE_UNKNOWN] = "unknown", [BOUNCE_HARD] = "hard", [BOUNCE_SOFT] = "soft", [BOUNCE_DELAYED] = "delayed"};
static const char *const verdict_names[] = {[SCORE_NONE] = "none", [SCORE_UNCLEAR] = "unclear", [SCORE_CLEAR] = "clear"};
static const char *const how_names[] = {
    [INTRODUCED_TEXT] = "text", [INTRODUCED_CC] = "cc", [INTRODUCED_VCARD] = "vcard", [INTRODUCED_FORWARD] = "forward"};
static const char *const answer_names[] = {
    [REFERRAL_OPEN] = "open", [REFERRAL_REFUSED] = "refused", [REFERRAL_LATER] = "later"};

static const char *const departure_names[] = {[DEPARTURE_NONE] = "none",
                                              [DEPARTURE_LEFT] = "left",
                                              [DEPARTURE_SUCCESSOR] = "successor",
                                              [DEPARTURE_NEW_ADDRESS] = "new-address"};

void composed_message_clear(ComposedMessage *message)
{
    g_clear_pointer(&message->bytes, g_bytes_unref);
    g_clear_pointer(&message->subject, g_free);
    g_clear_pointer(&message->text, g_free);
}

const char *inbound_class_name(InboundClass class)
{
    g_assert((guint)class < G_N_ELEMENTS(class_names));
    return class_names[class];
}

const char *bounce_kind_name(BounceKind kind)
{
    g_assert((guint)kind < G_N_ELEMENTS(kind_names));
    return kind_names[kind];
}

const char *score_verdict_name(ScoreVerdict verdict)
{
    g_assert((guint)verdict < G_N_ELEMENTS(verdict_names));
    return verdict_names[verdict];
}

const char *introduced_how_name(IntroducedHow how)
{
    g_assert((guint)how < G_N_ELEMENTS(how_names));
    return how_names[how];
}

const char *referral_answer_name(ReferralAnswer answer)
{
    g_assert((guint)answer < G_N_ELEMENTS(answer_names));
    return answer_names[answer];
}

void bounce_recipient_free(BounceRecipient *recipient)
{
    if (recipient == NULL)
        return;
    g_free(recipient->recipient);
    g_free(recipient->status);
    g_free(recipient->diagnostic);
    g_free(recipient);
}

void inbound_attachment_free(InboundAttachment *attachment)
{
    if (attachment == NULL)
        return;
    g_free(attachment->name);
    g_free(attachment->type);
    g_free(attachment);
}

void introduced_person_free(IntroducedPerson *person)
{
    if (person == NULL)
        return;
    g_free(person->name);
    g_free(person->address);
    g_free(person->phone);
    g_free(person->company);
    g_free(person->evidence);
    g_free(person);
}

const char *departure_kind_name(DepartureKind kind)
{
    g_assert((guint)kind < G_N_ELEMENTS(departure_names));
    return departure_names[kind];
}

gboolean departure_kind_parse(const char *name, DepartureKind *ret_kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(departure_names); i++)
        if (g_strcmp0(name, departure_names[i]) == 0) {
            *ret_kind = (DepartureKind)i;
            return TRUE;
        }
    return FALSE;
}

void departure_clear(Departure *departure)
{
    g_clear_pointer(&departure->address, g_free);
    g_clear_pointer(&departure->name, g_free);
    g_clear_pointer(&departure->evidence, g_free);
    departure->kind = DEPARTURE_NONE;
}

gboolean inbound_message_is_unreadable(const InboundMessage *message)
{
    return *message->from == '\0' && *message->subject == '\0' && *message->message_id == '\0' &&
           message->references[0] == NULL && message->date_ms == 0;
}

InboundMessage *inbound_message_new(void)
{
    InboundMessage *message = g_new0(InboundMessage, 1);
    char **const texts[] = {&message->evidence,    &message->from,       &message->from_name,           &message->subject,
                            &message->message_id,  &message->in_reply_to, &message->text,               &message->full_text,
                            &message->token,       &message->fingerprint, &message->original_message_id,
                            &message->authentication_results, &message->score.evidence,
                            &message->departure.address, &message->departure.name, &message->departure.evidence,
                            &message->original_reply_to};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = g_strdup("");
    message->class = INBOUND_OTHER;
    message->score.value = -1;
    message->raw = g_bytes_new_static("", 0);
    message->to = g_new0(char *, 1);
    message->references = g_new0(char *, 1);
    message->bounces = g_ptr_array_new_with_free_func((GDestroyNotify)bounce_recipient_free);
    message->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)inbound_attachment_free);
    message->introduced = g_ptr_array_new_with_free_func((GDestroyNotify)introduced_person_free);
    return message;
}

void inbound_message_free(InboundMessage *message)
{
    if (message == NULL)
        return;
    g_free(message->evidence);
    g_free(message->from);
    g_free(message->from_name);
    g_strfreev(message->to);
    g_free(message->subject);
    g_free(message->message_id);
    g_free(message->in_reply_to);
    g_strfreev(message->references);
    g_free(message->text);
    g_free(message->full_text);
    g_ptr_array_unref(message->bounces);
    g_free(message->original_message_id);
    g_free(message->token);
    g_free(message->authentication_results);
    g_ptr_array_unref(message->attachments);
    g_free(message->score.evidence);
    g_ptr_array_unref(message->introduced);
    departure_clear(&message->departure);
    g_free(message->original_reply_to);
    g_free(message->fingerprint);
    g_bytes_unref(message->raw);
    g_free(message);
}

GVariant *inbound_message_to_variant(const InboundMessage *message)
{
    g_auto(GVariantBuilder) bounces, attachments, introduced;

    g_variant_builder_init(&bounces, G_VARIANT_TYPE("a(syss)"));
    for (guint i = 0; i < message->bounces->len; i++) {
        const BounceRecipient *bounce = g_ptr_array_index(message->bounces, i);
        g_variant_builder_add(&bounces, "(syss)", bounce->recipient, (guchar)bounce->kind, bounce->status, bounce->diagnostic);
    }
    g_variant_builder_init(&attachments, G_VARIANT_TYPE("a(ssx)"));
    for (guint i = 0; i < message->attachments->len; i++) {
        const InboundAttachment *attachment = g_ptr_array_index(message->attachments, i);
        g_variant_builder_add(&attachments, "(ssx)", attachment->name, attachment->type, attachment->size);
    }
    g_variant_builder_init(&introduced, G_VARIANT_TYPE("a(ssssybs)"));
    for (guint i = 0; i < message->introduced->len; i++) {
        const IntroducedPerson *person = g_ptr_array_index(message->introduced, i);
        g_variant_builder_add(&introduced, "(ssssybs)", person->name, person->address, person->phone, person->company,
                              (guchar)person->how, person->certain, person->evidence);
    }
    return g_variant_new("(ysss^assss^asxssa(syss)sxsbsa(ssx)(yis)(a(ssssybs)by)(ysss)ssb@ay)", (guchar)message->class, message->evidence, message->from,
                         message->from_name, message->to, message->subject, message->message_id, message->in_reply_to,
                         message->references, message->date_ms, message->text, message->full_text, &bounces,
                         message->original_message_id, message->absent_until_ms, message->token, message->asks_to_stop,
                         message->authentication_results, &attachments, (guchar)message->score.verdict, message->score.value,
                         message->score.evidence, &introduced, message->introduced_more, (guchar)message->referral_answer,
                         (guchar)message->departure.kind, message->departure.address, message->departure.name,
                         message->departure.evidence, message->original_reply_to,
                         message->fingerprint, message->truncated,
                         g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, message->raw, TRUE));
}

/* ---- reading one that another process made ------------------------------------------------------------------------------ */

/* Takes the tuple's members in their order; bad is the number (from 1) of the first that is beyond a limit. */
typedef struct {
    GVariant *tuple;
    gsize next;
    gsize bad;
} TupleReader;

static void refuse(TupleReader *reader)
{
    if (reader->bad == 0)
        reader->bad = reader->next;
}

static GVariant *tuple_next(TupleReader *reader)
{
    return g_variant_get_child_value(reader->tuple, reader->next++);
}

/* One line: no control character but the tabulator. */
static gboolean is_line(const char *text, gsize max_bytes)
{
    gsize len = 0;

    for (; text[len] != '\0'; len++)
        if (len >= max_bytes || ((guchar)text[len] < ' ' && text[len] != '\t') || text[len] == 0x7f)
            return FALSE;
    return TRUE;
}

static void take_text(TupleReader *reader, char **field, gsize max_bytes)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    gsize len;
    const char *text = g_variant_get_string(child, &len);

    if (len > max_bytes || strchr(text, '\r') != NULL) {
        refuse(reader);
        return;
    }
    g_free(*field);
    *field = g_strndup(text, len);
}

static void take_line(TupleReader *reader, char **field)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    const char *text = g_variant_get_string(child, NULL);

    if (!is_line(text, READ_MAX_HEADER)) {
        refuse(reader);
        return;
    }
    g_free(*field);
    *field = g_strdup(text);
}

static void take_lines(TupleReader *reader, char ***field, gsize max_count)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    gsize count;
    g_autofree const char **lines = NULL;

    if (g_variant_n_children(child) > max_count) {
        refuse(reader);
        return;
    }
    lines = g_variant_get_strv(child, &count);
    for (gsize i = 0; i < count; i++)
        if (!is_line(lines[i], READ_MAX_HEADER))
            refuse(reader);
    g_strfreev(*field);
    *field = g_strdupv((char **)lines);
}

static gint64 take_int64(TupleReader *reader)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    return g_variant_get_int64(child);
}

static gboolean take_boolean(TupleReader *reader)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    return g_variant_get_boolean(child);
}

static void take_class(TupleReader *reader, InboundClass *class)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    guchar value = g_variant_get_byte(child);

    if (value < G_N_ELEMENTS(class_names))
        *class = (InboundClass)value;
    else
        refuse(reader);
}

static void take_bounces(TupleReader *reader, GPtrArray *bounces)
{
    g_autoptr(GVariant) list = tuple_next(reader);
    gsize count = g_variant_n_children(list);

    if (count > READ_MAX_BOUNCES)
        refuse(reader);
    for (gsize i = 0; reader->bad == 0 && i < count; i++) {
        const char *recipient, *status, *diagnostic;
        guchar kind;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_get(item, "(&sy&s&s)", &recipient, &kind, &status, &diagnostic);
        if (kind >= G_N_ELEMENTS(kind_names) || !is_line(recipient, READ_MAX_HEADER) || !is_line(status, READ_MAX_HEADER) ||
            !is_line(diagnostic, READ_MAX_HEADER)) {
            refuse(reader);
            return;
        }
        BounceRecipient *bounce = g_new0(BounceRecipient, 1);
        *bounce = (BounceRecipient){g_strdup(recipient), (BounceKind)kind, g_strdup(status), g_strdup(diagnostic)};
        g_ptr_array_add(bounces, bounce);
    }
}

static void take_attachments(TupleReader *reader, GPtrArray *attachments)
{
    g_autoptr(GVariant) list = tuple_next(reader);
    gsize count = g_variant_n_children(list);

    if (count > READ_MAX_ATTACHMENTS)
        refuse(reader);
    for (gsize i = 0; reader->bad == 0 && i < count; i++) {
        const char *name, *type;
        gint64 size;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_get(item, "(&s&sx)", &name, &type, &size);
        if (size < 0 || !is_line(name, READ_MAX_HEADER) || !is_line(type, READ_MAX_HEADER)) {
            refuse(reader);
            return;
        }
        InboundAttachment *attachment = g_new0(InboundAttachment, 1);
        *attachment = (InboundAttachment){g_strdup(name), g_strdup(type), size};
        g_ptr_array_add(attachments, attachment);
    }
}

static void take_score(TupleReader *reader, ScoreRead *score)
{
    const char *evidence;
    guchar verdict;
    gint32 value;
    g_autoptr(GVariant) child = tuple_next(reader);
    g_variant_get(child, "(yi&s)", &verdict, &value, &evidence);
    gboolean fits = verdict == SCORE_CLEAR ? value >= 0 && value <= 10 : value == -1;

    if (verdict >= G_N_ELEMENTS(verdict_names) || !fits || !is_line(evidence, SCORE_MAX_EVIDENCE)) {
        refuse(reader);
        return;
    }
    g_free(score->evidence);
    *score = (ScoreRead){(ScoreVerdict)verdict, value, g_strdup(evidence)};
}

/* Whether the person is as mail/introduced.h makes them; the address in the form in which addresses are compared. */
static gboolean is_possible_person(const IntroducedPerson *person)
{
    g_autofree char *canonical = *person->address != '\0' ? address_canonical(person->address, NULL) : g_strdup("");
    return (guint)person->how < G_N_ELEMENTS(how_names) && g_strcmp0(canonical, person->address) == 0 &&
           is_line(person->name, INTRODUCED_MAX_NAME) && is_line(person->phone, INTRODUCED_MAX_PHONE) &&
           is_line(person->company, INTRODUCED_MAX_NAME) && is_line(person->evidence, INTRODUCED_MAX_EVIDENCE);
}

static void take_people(TupleReader *reader, GVariant *list, GPtrArray *people)
{
    gsize count = g_variant_n_children(list);

    if (count > INTRODUCED_MAX)
        refuse(reader);
    for (gsize i = 0; reader->bad == 0 && i < count; i++) {
        IntroducedPerson *person = g_new0(IntroducedPerson, 1);
        guchar how;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        g_variant_get(item, "(ssssybs)", &person->name, &person->address, &person->phone, &person->company, &how,
                      &person->certain, &person->evidence);
        person->how = (IntroducedHow)how;
        g_ptr_array_add(people, person);
        if (!is_possible_person(person))
            refuse(reader);
    }
}

static void take_introduced(TupleReader *reader, InboundMessage *message)
{
    g_autoptr(GVariant) child = tuple_next(reader), people = NULL;
    gboolean more;
    guchar answer;

    g_variant_get(child, "(@a(ssssybs)by)", &people, &more, &answer);
    take_people(reader, people, message->introduced);
    message->introduced_more = more;
    if (answer < G_N_ELEMENTS(answer_names))
        message->referral_answer = (ReferralAnswer)answer;
    else
        refuse(reader);
}

/* As mail/departure.h makes it. */
static void take_departure(TupleReader *reader, Departure *departure)
{
    guchar kind;
    Departure found = {0};
    g_autoptr(GVariant) child = tuple_next(reader);
    g_variant_get(child, "(ysss)", &kind, &found.address, &found.name, &found.evidence);
    g_autofree char *canonical = *found.address != '\0' ? address_canonical(found.address, NULL) : g_strdup("");

    departure_clear(departure);
    *departure = found;
    if (kind < G_N_ELEMENTS(departure_names) && g_strcmp0(canonical, found.address) == 0 && is_line(found.name, DEPARTURE_MAX_NAME) &&
        is_line(found.evidence, DEPARTURE_MAX_EVIDENCE))
        departure->kind = (DepartureKind)kind;
    else
        refuse(reader);
}

static void take_raw(TupleReader *reader, InboundMessage *message)
{
    g_autoptr(GVariant) child = tuple_next(reader);
    gsize size = g_variant_get_size(child);

    if (size > INBOUND_MAX_RAW || (size > 0 && !inbound_message_is_unreadable(message))) {
        refuse(reader);
        return;
    }
    g_bytes_unref(message->raw);
    message->raw = g_variant_get_data_as_bytes(child);
}

/* In the order of INBOUND_MESSAGE_VARIANT_TYPE. */
static gboolean take_message(TupleReader *reader, InboundMessage *message)
{
    take_class(reader, &message->class);
    take_line(reader, &message->evidence);
    take_line(reader, &message->from);
    take_line(reader, &message->from_name);
    take_lines(reader, &message->to, READ_MAX_RECIPIENTS);
    take_line(reader, &message->subject);
    take_line(reader, &message->message_id);
    take_line(reader, &message->in_reply_to);
    take_lines(reader, &message->references, READ_MAX_REFERENCES);
    message->date_ms = take_int64(reader);
    take_text(reader, &message->text, READ_MAX_TEXT);
    take_text(reader, &message->full_text, READ_MAX_TEXT);
    take_bounces(reader, message->bounces);
    take_line(reader, &message->original_message_id);
    message->absent_until_ms = take_int64(reader);
    take_line(reader, &message->token);
    message->asks_to_stop = take_boolean(reader);
    take_line(reader, &message->authentication_results);
    take_attachments(reader, message->attachments);
    take_score(reader, &message->score);
    take_introduced(reader, message);
    take_departure(reader, &message->departure);
    take_line(reader, &message->original_reply_to);
    take_line(reader, &message->fingerprint);
    message->truncated = take_boolean(reader);
    take_raw(reader, message);
    return reader->bad == 0;
}

InboundMessage *inbound_message_from_variant(GVariant *variant, GError **error)
{
    g_autoptr(InboundMessage) message = inbound_message_new();
    TupleReader reader = {.tuple = variant};

    /* the normal form is what makes every string valid UTF-8 and every offset lie inside */
    if (!g_variant_is_of_type(variant, G_VARIANT_TYPE(INBOUND_MESSAGE_VARIANT_TYPE)) || !g_variant_is_normal_form(variant)) {
        g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "the record of a message read is not of its form");
        return NULL;
    }
    if (!take_message(&reader, message)) {
        g_set_error(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "field %" G_GSIZE_FORMAT " of the record of a message read is beyond"
                    " its limits", reader.bad);
        return NULL;
    }
    return g_steal_pointer(&message);
}
