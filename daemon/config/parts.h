/*
 * The parts of a configuration that have a file of their own. Private to config/.
 */
#pragma once

#include "config/config.h"
#include "config/reader.h"

/* KEY_CUSTOM parsers: field is an Account***, Rule***, Window*. */
void account_parse_list(Reader *reader, config_setting_t *setting, gpointer field);
void rule_parse_list(Reader *reader, config_setting_t *setting, gpointer field);
void window_parse(Reader *reader, config_setting_t *setting, gpointer field);

/* field is a Condition***: the group of a rule's when or unless. */
void condition_parse_group(Reader *reader, config_setting_t *setting, gpointer field);

/* "smtps://host:port" of one of the two schemes (TLS from the start, STARTTLS) into the endpoint; notes faults. */
void url_parse(Reader *reader, const config_setting_t *setting, const char *tls_scheme, const char *starttls_scheme,
               guint16 tls_port, guint16 starttls_port, Endpoint *endpoint);

/* Refuses numbers that libconfig would silently read as others, in every file that settings under root come from. */
void numbers_check(Reader *reader, config_setting_t *root);

/* TRUE for 127/8, ::1 and localhost. */
gboolean url_is_loopback(const char *host);

/* The stage as the pipeline spells it; NULL and a fault for one that it does not have. */
const char *stage_parse(Reader *reader, const config_setting_t *setting, const char *stage);

void account_free(Account *account);
void rule_free(Rule *rule);
