/*
 * By the C library's resolver, not by GResolver, which crashes on a TXT record that is no UTF-8 (GLib 2.74): whoever answers for a name, or
 * in its name, chooses the bytes. The answer is taken apart by the library, which keeps to its bounds.
 */
#include "engine/dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "base/text.h"

enum {
    ANSWER_OCTETS = NS_MAXMSG,
    WAIT_S = 2, /* for each name server, doubled at the second try */
    TRIES = 2,
    MAX_RECORDS = 100,
    PREFERENCE_OCTETS = 2
};

typedef struct {
    guint preference;
    char *text;
} DnsRecord;

/* FALSE: not a record that can be read. */
typedef gboolean (*DnsReadFunc)(const ns_msg *message, const ns_rr *record, DnsRecord *ret_record);

static gboolean read_txt(const ns_msg *message, const ns_rr *record, DnsRecord *ret_record)
{
    (void)message;
    const guchar *data = ns_rr_rdata(*record);
    gsize left = ns_rr_rdlen(*record);
    g_autoptr(GString) text = g_string_new(NULL);
    while (left > 0) {
        gsize length = *data;
        if (length + 1 > left)
            return FALSE;
        g_string_append_len(text, (const char *)data + 1, (gssize)length);
        data += length + 1;
        left -= length + 1;
    }
    *ret_record = (DnsRecord){.text = text_make_valid(text->str, (gssize)text->len)};
    return TRUE;
}

static gboolean read_mx(const ns_msg *message, const ns_rr *record, DnsRecord *ret_record)
{
    char host[NS_MAXDNAME];
    const guchar *data = ns_rr_rdata(*record);
    if (ns_rr_rdlen(*record) <= PREFERENCE_OCTETS ||
        ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), data + PREFERENCE_OCTETS, host, sizeof host) < 0)
        return FALSE;
    *ret_record = (DnsRecord){.preference = ns_get16(data), .text = text_make_valid(g_str_equal(host, ".") ? "" : host, -1)};
    return TRUE;
}

static int compare_preference(gconstpointer a, gconstpointer b)
{
    const DnsRecord *one = a, *other = b;
    return (one->preference > other->preference) - (one->preference < other->preference);
}

static void clear_record(gpointer data)
{
    g_free(((DnsRecord *)data)->text);
}

/* The texts of the answer's records of that type. */
static GPtrArray *read_answer(const guchar *answer, int length, ns_type type, DnsReadFunc read)
{
    ns_msg message;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    if (ns_initparse(answer, length, &message) != 0)
        return g_steal_pointer(&texts);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(DnsRecord));
    g_array_set_clear_func(records, clear_record);
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && records->len < MAX_RECORDS; i++) {
        ns_rr record;
        DnsRecord found;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0)
            break;
        if (ns_rr_type(record) == type && read(&message, &record, &found))
            g_array_append_val(records, found);
    }
    g_array_sort(records, compare_preference);
    for (guint i = 0; i < records->len; i++)
        g_ptr_array_add(texts, g_steal_pointer(&g_array_index(records, DnsRecord, i).text));
    return g_steal_pointer(&texts);
}

static DnsStatus ask(const char *name, ns_type type, DnsReadFunc read, GPtrArray **ret_texts)
{
    struct __res_state resolver = {0};
    g_autofree guchar *answer = g_malloc(ANSWER_OCTETS);
    if (res_ninit(&resolver) != 0)
        return DNS_NO_ANSWER;
    resolver.retrans = WAIT_S;
    resolver.retry = TRIES;
    int length = res_nquery(&resolver, name, ns_c_in, (int)type, answer, ANSWER_OCTETS);
    int fault = resolver.res_h_errno;
    res_nclose(&resolver);
    if (length < 0)
        return fault == HOST_NOT_FOUND || fault == NO_DATA ? DNS_NONE : DNS_NO_ANSWER;
    g_autoptr(GPtrArray) texts = read_answer(answer, MIN(length, ANSWER_OCTETS), type, read);
    if (texts->len == 0)
        return DNS_NONE;
    *ret_texts = g_steal_pointer(&texts);
    return DNS_FOUND;
}

DnsStatus dns_ask_txt(const char *name, GPtrArray **ret_texts)
{
    return ask(name, ns_t_txt, read_txt, ret_texts);
}

DnsStatus dns_ask_mx(const char *name, GPtrArray **ret_hosts)
{
    return ask(name, ns_t_mx, read_mx, ret_hosts);
}
