/*
 * Suppressions as people write them. Pure but for suppression_put().
 */
#include "cli/suppression_words.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "mail/address.h"

enum { DETAIL_MAX_BYTES = 4000, SHOWN_BYTES = 60 };

static char *whole_domain(const char *word, GError **error)
{
    g_autofree char *somebody = g_strconcat("somebody", word, NULL);
    g_autofree char *address = address_canonical(somebody, NULL);
    if (address != NULL)
        return g_strconcat("@", address_domain(address), NULL);
    g_autofree char *shown = text_quote(word, SHOWN_BYTES);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is no domain; write for example @example.com", shown);
    return NULL;
}

char *suppression_address(const char *word, GError **error)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(word));
    if (trimmed[0] == '@')
        return whole_domain(trimmed, error);
    if (trimmed[0] != '\0' && strchr(trimmed, '@') == NULL && strchr(trimmed, '.') != NULL) {
        g_autofree char *shown = text_escape(trimmed, SHOWN_BYTES);
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "\"%s\" is no address; write somebody@%s, or @%s for everybody of that domain", shown, shown, shown);
        return NULL;
    }
    return address_canonical(trimmed, error);
}

const char *suppression_reason(const char *word, GError **error)
{
    const char *const *reasons = suppression_reasons();
    for (gsize i = 0; reasons[i] != NULL; i++)
        if (g_ascii_strcasecmp(word, reasons[i]) == 0)
            return reasons[i];
    g_autofree char *shown = text_quote(word, SHOWN_BYTES);
    g_autofree char *fault = g_strdup_printf("%s is no reason", shown);
    g_autofree char *message = cli_suggest(fault, word, reasons);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return NULL;
}

char *suppression_detail(const char *text, GError **error)
{
    g_autofree char *line = text_one_line(text);
    for (const char *p = line; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p))) {
            g_autofree char *shown = text_quote(line, SHOWN_BYTES);
            g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s has control characters; write plain text", shown);
            return NULL;
        }
    if (strlen(line) <= DETAIL_MAX_BYTES)
        return g_steal_pointer(&line);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "the text is longer than %d bytes; write a shorter one",
                DETAIL_MAX_BYTES);
    return NULL;
}

gboolean suppression_is_wish(const Suppression *suppression)
{
    return g_str_equal(suppression->reason, "unsubscribe") || g_str_equal(suppression->reason, "complaint");
}

gboolean suppression_put(Store *store, const Suppression *suppression, SuppressionResult *ret_result, GError **error)
{
    g_autoptr(Suppression) before = NULL;
    g_autoptr(Suppression) after = NULL;
    if (!store_suppression_find(store, suppression->address, &before, error) ||
        !store_suppression_add(store, suppression, error) ||
        (before != NULL && !store_suppression_find(store, suppression->address, &after, error)))
        return FALSE;
    if (before == NULL)
        *ret_result = SUPPRESSION_ADDED;
    else
        *ret_result = g_str_equal(before->reason, after->reason) ? SUPPRESSION_UNCHANGED : SUPPRESSION_CHANGED;
    return TRUE;
}

JsonObject *suppression_object(const Suppression *suppression)
{
    JsonObject *object = json_object_new();
    if (suppression->is_erased)
        json_object_set_null_member(object, "address");
    else
        json_object_set_string_member(object, "address", suppression->address);
    json_object_set_string_member(object, "reason", suppression->reason);
    json_object_set_string_member(object, "detail", suppression->detail);
    json_add_time(object, "at", suppression->at_ms);
    json_object_set_boolean_member(object, "erased", suppression->is_erased);
    return object;
}
