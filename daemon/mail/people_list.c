/*
 * People found, each once: what later findings say of somebody is added to what is known. Pure; any thread.
 */
#include "people_list.h"

#include <string.h>

#include "base/text.h"
#include "name_words.h"
#include "people_spans.h"

/* Whether two names may be one person's: the same, or one a first name and the other begins with it. */
static gboolean is_same_name(const char *a, const char *b)
{
    g_autofree char *fold_a = name_fold(a), *fold_b = name_fold(b);
    if (*fold_a == '\0' || *fold_b == '\0')
        return FALSE;
    if (g_str_equal(fold_a, fold_b))
        return TRUE;
    const char *longer = strchr(a, ' ') != NULL ? a : b, *single = longer == a ? b : a;
    if (strchr(longer, ' ') == NULL || strchr(single, ' ') != NULL)
        return FALSE;
    g_autofree char *first = g_strndup(longer, strcspn(longer, " "));
    g_autofree char *fold_first = name_fold(first), *fold_single = name_fold(single);
    return g_str_equal(fold_first, fold_single);
}

IntroducedPerson *people_find(const PeopleList *list, const char *name, const char *address)
{
    for (guint i = 0; *address != '\0' && i < list->people->len; i++) {
        IntroducedPerson *person = list->people->pdata[i];
        if (g_str_equal(person->address, address))
            return person;
    }
    for (guint i = 0; i < list->people->len; i++) {
        IntroducedPerson *person = list->people->pdata[i];
        gboolean apart = *address != '\0' && *person->address != '\0';
        if (!apart && is_same_name(person->name, name))
            return person;
    }
    return NULL;
}

/* One line of at most max octets without controls. Caller frees. */
static char *bounded_line(const char *text, gsize max)
{
    g_autofree char *valid = text_make_valid(text, -1);
    g_autofree char *line = text_one_line(valid);
    return text_escape(line, max - strlen("…"));
}

static void fill(char **field, char *value)
{
    gboolean better = **field == '\0' || (strchr(*field, ' ') == NULL && strchr(value, ' ') != NULL);
    if (*value == '\0' || !better) {
        g_free(value);
        return;
    }
    g_free(*field);
    *field = value;
}

/* "s.carter@…" of Sam Carter, unless the text gives it to Sarah. */
static gboolean is_spelled_as_sender(const PeopleList *list, const char *name, const char *address)
{
    return sender_is_spelled(list->sender, address) && (*name == '\0' || sender_is_name(list->sender, name));
}

static gboolean is_taken(const PeopleList *list, const char *name, const char *address)
{
    if (*address != '\0')
        return !g_str_equal(address, list->sender->address) && !address_is_role(address) && !is_spelled_as_sender(list, name, address) &&
               !(*name != '\0' && strchr(name, ' ') != NULL && sender_is_name(list->sender, name));
    return *name != '\0' && !sender_is_name(list->sender, name) && !sender_wrote_to(list->sender, name);
}

IntroducedPerson *people_add(PeopleList *list, const Finding *finding)
{
    const char *address = finding->address != NULL ? finding->address : "";
    g_autofree char *name = name_clean(finding->name != NULL ? finding->name : "");
    g_autofree char *phone = people_phone(finding->phone != NULL ? finding->phone : "");
    g_autofree char *company = name_clean(finding->company != NULL ? finding->company : "");

    if (!is_taken(list, name, address))
        return NULL;
    IntroducedPerson *person = people_find(list, name, address);
    if (person == NULL && list->people->len >= INTRODUCED_MAX) {
        list->more = TRUE;
        return NULL;
    }
    if (person == NULL) {
        person = g_new0(IntroducedPerson, 1);
        *person = (IntroducedPerson){g_strdup(""), g_strdup(""), g_strdup(""), g_strdup(""), finding->how, FALSE, g_strdup("")};
        g_ptr_array_add(list->people, person);
    }
    fill(&person->name, g_steal_pointer(&name));
    fill(&person->address, g_strdup(address));
    fill(&person->phone, g_steal_pointer(&phone));
    fill(&person->company, g_steal_pointer(&company));
    if (*person->evidence == '\0')
        fill(&person->evidence, bounded_line(finding->evidence != NULL ? finding->evidence : "", INTRODUCED_MAX_EVIDENCE));
    person->certain |= finding->certain;
    return person;
}
