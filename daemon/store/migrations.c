/*
 * The schema, as the numbered steps that lead to it. A step that was ever released is never changed: a new one is added.
 *
 * The keys say what must always hold: a step is decided once (outbox: contact, rule, round, step), an enrolment's round exists
 * once, an inbound message has its effects once (inbound: account, fingerprint), an address is one contact's. Times are UTC
 * ms, 0 for none; text is never NULL; attributes are JSON objects. Columns *_key hold text folded for comparing without case.
 * Partial indexes keep what is looked up all the time (due, active, tried lately) as small as what it returns.
 */
#include "store/schema.h"

#define SCHEMA_1_PEOPLE \
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);" \
    "CREATE TABLE company (" \
    "    id {identity}," \
    "    name TEXT NOT NULL," \
    "    name_key TEXT NOT NULL UNIQUE CHECK (name_key <> '')," \
    "    time_zone TEXT NOT NULL DEFAULT ''," \
    "    attributes TEXT NOT NULL DEFAULT '{}');" \
    "CREATE TABLE contact (" \
    "    id {identity}," \
    "    email TEXT NOT NULL UNIQUE CHECK (email <> '')," \
    "    domain TEXT NOT NULL," /* "@example.com" */ \
    "    first_name TEXT NOT NULL," \
    "    last_name TEXT NOT NULL," \
    "    company_id BIGINT REFERENCES company (id)," \
    "    stage TEXT NOT NULL," \
    "    stage_key TEXT NOT NULL," \
    "    stage_since_ms BIGINT NOT NULL," \
    "    customer_since_ms BIGINT NOT NULL," \
    "    time_zone TEXT NOT NULL," \
    "    language TEXT NOT NULL," \
    "    language_key TEXT NOT NULL," \
    "    owner TEXT NOT NULL," \
    "    owner_key TEXT NOT NULL," \
    "    source TEXT NOT NULL," \
    "    source_key TEXT NOT NULL," \
    "    attributes TEXT NOT NULL," \
    "    score DOUBLE PRECISION," /* NULL: none */ \
    "    paused_until_ms BIGINT NOT NULL DEFAULT 0," \
    "    last_contacted_ms BIGINT NOT NULL DEFAULT 0," /* kept by outbox.c: newest sending_ms of what was, or may have been, sent */ \
    "    reconsider_ms BIGINT NOT NULL DEFAULT 0," \
    "    created_ms BIGINT NOT NULL);" \
    "CREATE INDEX contact_stage ON contact (stage_key);" \
    "CREATE INDEX contact_company ON contact (company_id) WHERE company_id IS NOT NULL;" \
    "CREATE INDEX contact_customer ON contact (customer_since_ms) WHERE customer_since_ms <> 0;" \
    "CREATE INDEX contact_reconsider ON contact (reconsider_ms, id) WHERE reconsider_ms > 0;" \
    "CREATE TABLE alias (" \
    "    address TEXT NOT NULL PRIMARY KEY CHECK (address <> '')," \
    "    domain TEXT NOT NULL," \
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE);" \
    "CREATE INDEX alias_contact ON alias (contact_id, address);" \
    "CREATE VIEW contact_address (contact_id, address, domain) AS" \
    "    SELECT id, email, domain FROM contact UNION ALL SELECT contact_id, address, domain FROM alias;" \
    "CREATE TABLE tag (" \
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE," \
    "    name_key TEXT NOT NULL CHECK (name_key <> '')," \
    "    name TEXT NOT NULL," \
    "    PRIMARY KEY (contact_id, name_key));" \
    "CREATE INDEX tag_name ON tag (name_key, contact_id);" \
    "CREATE TABLE mark (id {identity}, contact_id BIGINT NOT NULL UNIQUE REFERENCES contact (id) ON DELETE CASCADE);" \
    "CREATE TABLE suppression (" \
    "    address TEXT NOT NULL PRIMARY KEY CHECK (address <> '')," /* or "@domain" */ \
    "    reason TEXT NOT NULL," \
    "    detail TEXT NOT NULL," \
    "    at_ms BIGINT NOT NULL);"

#define SCHEMA_1_HISTORY \
    "CREATE TABLE interaction (" \
    "    id {identity}," \
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE," \
    "    at_ms BIGINT NOT NULL," \
    "    kind TEXT NOT NULL CHECK (kind IN ('sent', 'reply', 'auto-reply', 'bounce', 'complaint', 'unsubscribe', 'skipped'," \
    "        'stage', 'note', 'call', 'meeting', 'task', 'referral', 'other'))," \
    "    account TEXT NOT NULL," \
    "    rule TEXT NOT NULL," \
    "    step TEXT NOT NULL," \
    "    subject TEXT NOT NULL," \
    "    text TEXT NOT NULL," \
    "    full_text TEXT NOT NULL," \
    "    message_id TEXT NOT NULL," \
    "    detail TEXT NOT NULL);" \
    "CREATE INDEX interaction_contact ON interaction (contact_id, id);" \
    "CREATE TABLE referral (" \
    "    id {identity}," \
    "    referrer_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE," \
    "    contact_id BIGINT REFERENCES contact (id) ON DELETE SET NULL," /* the friend, once they are a contact */ \
    "    address TEXT NOT NULL CHECK (address <> '')," \
    "    name TEXT NOT NULL," \
    "    state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'contacted', 'customer', 'lost'))," \
    "    evidence TEXT NOT NULL," \
    "    message_id TEXT NOT NULL," \
    "    rule TEXT NOT NULL," \
    "    at_ms BIGINT NOT NULL," \
    "    UNIQUE (referrer_id, address));" \
    "CREATE INDEX referral_contact ON referral (contact_id) WHERE contact_id IS NOT NULL;" \
    "CREATE INDEX referral_address ON referral (address);"

#define SCHEMA_1_WORK \
    "CREATE TABLE enrolment (" \
    "    id {identity}," \
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE," \
    "    rule TEXT NOT NULL," \
    "    round BIGINT NOT NULL CHECK (round >= 1)," \
    "    state TEXT NOT NULL CHECK (state IN ('active', 'done', 'ended'))," \
    "    stage TEXT NOT NULL," \
    "    anchor_ms BIGINT NOT NULL," \
    "    next_step TEXT NOT NULL," \
    "    due_ms BIGINT NOT NULL," \
    "    last_step_ms BIGINT NOT NULL," \
    "    history_mark BIGINT NOT NULL," \
    "    enrolled_ms BIGINT NOT NULL," \
    "    ended_ms BIGINT NOT NULL," \
    "    end_reason TEXT NOT NULL," \
    "    UNIQUE (contact_id, rule, round));" \
    "CREATE INDEX enrolment_due ON enrolment (due_ms, id) WHERE state = 'active' AND due_ms > 0;" \
    "CREATE INDEX enrolment_active ON enrolment (rule, contact_id) WHERE state = 'active';" \
    "CREATE TABLE outbox (" \
    "    id {identity}," \
    "    enrolment_id BIGINT NOT NULL REFERENCES enrolment (id) ON DELETE CASCADE," \
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE," \
    "    account TEXT NOT NULL," \
    "    rule TEXT NOT NULL," \
    "    step TEXT NOT NULL," \
    "    round BIGINT NOT NULL CHECK (round >= 1)," \
    "    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'failed', 'uncertain', 'held', 'cancelled', 'skipped'))," \
    "    planned_ms BIGINT NOT NULL," \
    "    due_ms BIGINT NOT NULL," \
    "    attempts BIGINT NOT NULL," \
    "    message_id TEXT NOT NULL," \
    "    message_key TEXT NOT NULL," \
    "    in_reply_to TEXT NOT NULL," \
    "    reference_ids TEXT NOT NULL," \
    "    subject TEXT NOT NULL," \
    "    reason TEXT NOT NULL," \
    "    created_ms BIGINT NOT NULL," \
    "    sending_ms BIGINT NOT NULL," \
    "    ended_ms BIGINT NOT NULL," \
    "    UNIQUE (contact_id, rule, round, step)," \
    "    CHECK (state NOT IN ('sending', 'sent', 'uncertain') OR (message_key <> '' AND sending_ms > 0)));" \
    "CREATE UNIQUE INDEX outbox_message ON outbox (message_key) WHERE message_key <> '';" \
    "CREATE INDEX outbox_due ON outbox (account, due_ms, id) WHERE state IN ('queued', 'deferred') AND due_ms > 0;" \
    "CREATE INDEX outbox_open ON outbox (due_ms, id) WHERE state NOT IN ('sent', 'cancelled', 'skipped');" \
    "CREATE INDEX outbox_tried ON outbox (account, sending_ms) WHERE sending_ms > 0;" \
    "CREATE INDEX outbox_contacted ON outbox (contact_id, sending_ms) WHERE state IN ('sending', 'sent', 'uncertain');" \
    "CREATE INDEX outbox_enrolment ON outbox (enrolment_id, sending_ms);" \
    "CREATE INDEX outbox_state ON outbox (state, account);" \
    "CREATE TABLE mailbox_cursor (" \
    "    account TEXT NOT NULL," \
    "    folder TEXT NOT NULL," \
    "    uidvalidity BIGINT NOT NULL," \
    "    last_uid BIGINT NOT NULL," \
    "    updated_ms BIGINT NOT NULL," \
    "    PRIMARY KEY (account, folder));" \
    "CREATE TABLE inbound (" \
    "    account TEXT NOT NULL," \
    "    fingerprint TEXT NOT NULL CHECK (fingerprint <> '')," \
    "    at_ms BIGINT NOT NULL," \
    "    PRIMARY KEY (account, fingerprint));" \
    "CREATE TABLE rule_known (name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, changed_ms BIGINT NOT NULL);" \
    "CREATE TABLE account (name TEXT NOT NULL PRIMARY KEY, pause_reason TEXT NOT NULL, changed_ms BIGINT NOT NULL);"

const Migration schema_migrations[] = {
    {1, SCHEMA_1_PEOPLE SCHEMA_1_HISTORY SCHEMA_1_WORK},
};
const gsize schema_n_migrations = G_N_ELEMENTS(schema_migrations);
