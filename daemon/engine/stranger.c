/*
 * Strangers. Runs on the loop. The owner has asked for this folder by folder; what a mail server found forged, machines, lists and who was
 * suppressed stay strangers.
 */
#include "engine/stranger.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "engine/auth_results.h"
#include "store/suppressions.h"

#define DAY_MS ((gint64)24 * 3600 * 1000)
#define SOURCE "mail"

gboolean stranger_is_unattended(const char *address)
{
    static const char *const words[] = {"noreply", "donotreply", "dontreply", "nepasrepondre", "nichtantworten", "keineantwort", "ikkesvar",
                                        "svarikke", "mailerdaemon", "postmaster", "bounce", "bounces", "notification", "notifications",
                                        "newsletter", "autoreply", "automated"};
    g_autoptr(GString) local = g_string_new(NULL);
    for (const char *p = address; *p && *p != '@' && *p != '+'; p++)
        if (g_ascii_isalnum(*p))
            g_string_append_c(local, g_ascii_tolower(*p));
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(local->str, words[i]) || (i < 8 && strstr(local->str, words[i])))
            return TRUE;
    return FALSE;
}

static gboolean is_flood(EngineCore *core, gint64 now_ms)
{
    if (now_ms - core->adopted_since_ms >= DAY_MS) {
        core->adopted_since_ms = now_ms;
        core->adopted = 0;
    }
    return core->adopted >= STRANGER_MOST_A_DAY;
}

/* What can be told without the store; NULL: nothing speaks against it. */
static const char *why_not(EngineCore *core, const Arrival *arrival)
{
    const InboundMessage *message = arrival->message;
    if (!arrival->adopts_strangers)
        return "from nobody known, and answers nothing that was sent";
    if (message->class != INBOUND_REPLY || !*message->from)
        return "from nobody known, and not written by a person to us";
    if (stranger_is_unattended(message->from))
        return "from nobody known, at an address that nobody reads";
    if (auth_results_deny(message->authentication_results))
        return "from nobody known, and forged: dmarc=fail";
    return is_flood(core, arrival->at_ms) ? "from nobody known, and too many strangers became prospects today" : NULL;
}

static gboolean save(EngineCore *core, const Arrival *arrival, Contact **ret_contact, GError **error)
{
    g_autofree char *first = NULL;
    g_autofree char *last = NULL;
    ContactSaveResult result;
    gint64 id = 0;
    text_split_name(g_str_equal(arrival->message->from_name, arrival->message->from) ? "" : arrival->message->from_name, &first, &last);
    const ContactEdit edit = {.email = arrival->message->from, .first_name = first, .last_name = last, .owner = arrival->account->name, .source = SOURCE};
    const Pipeline *pipeline = &core->config->pipeline;
    if (!store_contact_save(core->store, &edit, pipeline->customer_stage, pipeline->stages[0], arrival->at_ms, &result, &id, error) ||
        !store_contact_get(core->store, id, ret_contact, error))
        return FALSE;
    core->adopted++;
    log_event(LOG_LEVEL_INFO, "contact-added", LOG_TEXT("account", arrival->account->name), LOG_TEXT("contact", arrival->message->from),
              LOG_TEXT("reason", "wrote in; the folder says unknown = \"prospect\""));
    return TRUE;
}

gboolean stranger_adopt(EngineCore *core, const Arrival *arrival, Contact **ret_contact, const char **ret_why, GError **error)
{
    gboolean suppressed = FALSE;
    *ret_contact = NULL;
    *ret_why = why_not(core, arrival);
    if (*ret_why)
        return TRUE;
    if (!store_suppression_check(core->store, arrival->message->from, &suppressed, NULL, error))
        return FALSE;
    if (suppressed) {
        *ret_why = "from nobody known, and suppressed";
        return TRUE;
    }
    return save(core, arrival, ret_contact, error);
}
