/*
 * Whom a reply names: vCards, people in Cc, the text, and the sender of a message that is sent on, in this order, so that the strongest
 * evidence makes the entry. Runs in the child that meets the mail server (and in `nurture read`).
 *
 * Pure; any thread.
 */
#include "mail/introduced.h"

#include <string.h>

#include "introduced_cue.h"
#include "introduced_own.h"
#include "mail/address.h"
#include "name_words.h"
#include "people_list.h"
#include "people_spans.h"
#include "vcard.h"

/* ---- vCards ------------------------------------------------------------------------------------------------------------ */

static void read_cards(PeopleList *list, const GPtrArray *parts)
{
    for (guint i = 0; i < parts->len && i < INTRODUCED_MAX_CARDS; i++) {
        g_autoptr(GPtrArray) cards = vcard_read(parts->pdata[i], INTRODUCED_MAX_CARDS);
        for (guint n = 0; n < cards->len; n++) {
            const Vcard *card = cards->pdata[n];
            g_autofree char *address = address_canonical(card->address, NULL);
            gboolean reachable = (address != NULL && !sender_shares_domain(list->sender, address)) || *card->phone != '\0';
            if (sender_is_name(list->sender, card->name))
                continue;
            people_add(list, &(Finding){.name = card->name, .address = address, .phone = card->phone, .company = card->company,
                                        .evidence = card->name, .how = INTRODUCED_VCARD, .certain = reachable});
        }
    }
}

/* ---- people in copy ---------------------------------------------------------------------------------------------------- */

/* The sentence of the text that names them by first name or address; NULL: none does. Caller frees. */
static char *sentence_about(const char *text, const char *name, const char *address)
{
    g_autofree char *first = g_strndup(name, strcspn(name, " "));
    g_autofree char *local = g_strndup(address, strcspn(address, "@.+_-"));
    g_autofree char *folded_first = name_fold(first), *folded_local = name_fold(local);
    g_auto(GStrv) sentences = g_strsplit_set(text, "\n.!?", 200);
    for (char **sentence = sentences; *sentence != NULL; sentence++) {
        g_auto(GStrv) words = g_strsplit_set(*sentence, " ,;:()\"'/-\t", 200);
        for (char **word = words; *word != NULL; word++) {
            g_autofree char *folded = name_fold(*word);
            if (strlen(folded) >= 2 && (g_str_equal(folded, folded_first) || g_str_equal(folded, folded_local)))
                return g_strdup(*sentence);
        }
    }
    return NULL;
}

/* The name that the text gives to an address without one. Caller frees. */
static char *name_in_text(const PeopleList *list, const char *text, const char *address)
{
    g_autoptr(GPtrArray) names = people_find_names(text, 100);
    g_autofree char *local = g_strndup(address, strcspn(address, "@"));
    g_autofree char *folded = name_fold(local);
    for (guint i = 0; i < names->len; i++) {
        const NameSpan *name = names->pdata[i];
        if (strlen(name->folded) >= 2 && g_str_has_prefix(folded, name->folded) && !sender_is_name(list->sender, name->text))
            return g_strdup(name->text);
    }
    return g_strdup("");
}

/* The address alone in copy says that somebody shall read along; the words say who they are. */
static void add_copied(PeopleList *list, const char *text, const InboundMailbox *mailbox, gboolean must_be_named)
{
    g_autofree char *told = *mailbox->name == '\0' || strchr(mailbox->name, '@') != NULL ? name_in_text(list, text, mailbox->address) : g_strdup(mailbox->name);
    g_autofree char *sentence = sentence_about(text, told, mailbox->address);
    guint cues = sentence != NULL ? introduced_cues(sentence) : 0, all = introduced_cues(text);
    gboolean colleague = sender_shares_domain(list->sender, mailbox->address);
    gboolean introduced = sentence != NULL && ((cues | all) & (CUE_INTRODUCES | CUE_RECOMMENDS)) != 0;

    if ((cues & (CUE_OTHER_MATTER | CUE_FORBIDS)) != 0 || (colleague && (sentence == NULL || ((cues | all) & CUE_MEETS) == 0)) ||
        (must_be_named && !introduced) || (sentence == NULL && (all & CUE_OTHER_MATTER) != 0))
        return;
    people_add(list, &(Finding){.name = told, .address = mailbox->address, .evidence = sentence, .how = INTRODUCED_CC, .certain = introduced && !colleague});
}

static void read_copied(PeopleList *list, const char *text, const IntroducedSource *source)
{
    for (guint i = 0; i < source->cc->len; i++)
        add_copied(list, text, source->cc->pdata[i], FALSE);
    for (guint i = 1; i < source->to->len; i++) /* the first is whom they answer */
        add_copied(list, text, source->to->pdata[i], TRUE);
}

/* ---- a message sent on ------------------------------------------------------------------------------------------------- */

/* The sender in the header of a forwarded message: "From: Kari <kari@firma.example>". */
static void read_forward(PeopleList *list, const char *header, gboolean recommended)
{
    static GRegex *from;
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        from = g_regex_new("^[ \\t>*_]{0,6}(?:from|fra|frå|från)[ \\t*_]{0,4}:[ \\t*_]{0,6}([^\\n]{3,300})$", G_REGEX_CASELESS | G_REGEX_MULTILINE | G_REGEX_OPTIMIZE, 0, NULL);
        g_once_init_leave(&once, 1);
    }
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *begin = g_strndup(header, 2000);
    g_autofree char *valid = g_utf8_make_valid(begin, -1);
    if (!g_regex_match(from, valid, 0, &match))
        return;
    g_autofree char *value = g_match_info_fetch(match, 1);
    g_autoptr(GPtrArray) addresses = people_find_addresses(value, 1);
    if (addresses->len == 0)
        return;
    const ContactSpan *address = addresses->pdata[0];
    g_autofree char *name = g_strndup(value, address->start);
    g_autofree char *line = g_match_info_fetch(match, 0);
    people_add(list, &(Finding){.name = name, .address = address->value, .evidence = line, .how = INTRODUCED_FORWARD,
                                .certain = recommended && !sender_shares_domain(list->sender, address->value)});
}

/* A subject that a mail program gives what is sent on. */
static gboolean is_sent_on(const char *subject)
{
    static const char *const prefixes[] = {"fwd:", "fw:", "vs:", "vb:", "videresendt:"};
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strncasecmp(subject, prefixes[i], strlen(prefixes[i])) == 0)
            return TRUE;
    return FALSE;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

/* More people than anybody writes down: whoever pasted the list vouches for none of them. */
static void doubt_all(PeopleList *list)
{
    for (guint i = 0; i < list->people->len; i++)
        ((IntroducedPerson *)list->people->pdata[i])->certain = FALSE;
}

static gboolean has_certain(const PeopleList *list)
{
    for (guint i = 0; i < list->people->len; i++)
        if (((const IntroducedPerson *)list->people->pdata[i])->certain)
            return TRUE;
    return FALSE;
}

void mail_introduced_read(InboundMessage *message, const IntroducedSource *source)
{
    Sender sender;
    if (message->class != INBOUND_REPLY)
        return;
    sender_init(&sender, message, source->to);
    PeopleList list = {.people = message->introduced, .sender = &sender};
    const char *forward = NULL;
    g_autofree char *words = sender_own_words(&sender, message->text, &forward);

    read_cards(&list, source->cards);
    read_copied(&list, words, source);
    people_read_text(&list, words);
    if (forward == NULL && is_sent_on(message->subject))
        forward = message->full_text;
    if (forward != NULL)
        read_forward(&list, forward, (introduced_cues(words) & (CUE_RECOMMENDS | CUE_INTRODUCES)) != 0);
    if (list.more)
        doubt_all(&list);
    message->introduced_more = list.more;
    message->referral_answer = has_certain(&list) ? REFERRAL_OPEN : introduced_answer(words);
    sender_clear(&sender);
}
