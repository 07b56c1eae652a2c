/*
 * The schema, as the numbered steps that lead to it. A step that was ever released is never changed: a new one is added.
 *
 * The keys say what must always hold: a step is decided once (outbox: contact, rule, round, step), an enrolment's round exists
 * once, an inbound message has its effects once (inbound: fingerprint, account), an address is one contact's. Times are UTC
 * ms, 0 for none; text is never NULL; attributes are JSON objects. Columns *_key hold text folded for comparing without case.
 * Partial indexes keep what is looked up all the time (due, active, tried lately) as small as what it returns.
 */
#include "store/schema.h"

static const char people_1[] =
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE company ("
    "    id {identity},"
    "    name TEXT NOT NULL,"
    "    name_key TEXT NOT NULL UNIQUE CHECK (name_key <> ''),"
    "    time_zone TEXT NOT NULL DEFAULT '',"
    "    attributes TEXT NOT NULL DEFAULT '{}');"
    "CREATE TABLE contact ("
    "    id {identity},"
    "    email TEXT NOT NULL UNIQUE CHECK (email <> ''),"
    "    domain TEXT NOT NULL," /* "@example.com" */
    "    first_name TEXT NOT NULL,"
    "    last_name TEXT NOT NULL,"
    "    company_id BIGINT REFERENCES company (id),"
    "    stage TEXT NOT NULL,"
    "    stage_key TEXT NOT NULL,"
    "    stage_since_ms BIGINT NOT NULL,"
    "    customer_since_ms BIGINT NOT NULL,"
    "    time_zone TEXT NOT NULL,"
    "    language TEXT NOT NULL,"
    "    language_key TEXT NOT NULL,"
    "    owner TEXT NOT NULL,"
    "    owner_key TEXT NOT NULL,"
    "    source TEXT NOT NULL,"
    "    source_key TEXT NOT NULL,"
    "    attributes TEXT NOT NULL,"
    "    score DOUBLE PRECISION," /* NULL: none */
    "    paused_until_ms BIGINT NOT NULL DEFAULT 0,"
    "    last_contacted_ms BIGINT NOT NULL DEFAULT 0," /* kept by outbox.c: newest sending_ms of what was, or may have been, sent */
    "    reconsider_ms BIGINT NOT NULL DEFAULT 0,"
    "    created_ms BIGINT NOT NULL);"
    "CREATE INDEX contact_stage ON contact (stage_key);"
    "CREATE INDEX contact_company ON contact (company_id) WHERE company_id IS NOT NULL;"
    "CREATE INDEX contact_customer ON contact (customer_since_ms) WHERE customer_since_ms <> 0;"
    "CREATE INDEX contact_reconsider ON contact (reconsider_ms, id) WHERE reconsider_ms > 0;"
    "CREATE TABLE alias ("
    "    address TEXT NOT NULL PRIMARY KEY CHECK (address <> ''),"
    "    domain TEXT NOT NULL,"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE);"
    "CREATE INDEX alias_contact ON alias (contact_id, address);"
    "CREATE VIEW contact_address (contact_id, address, domain) AS"
    "    SELECT id, email, domain FROM contact UNION ALL SELECT contact_id, address, domain FROM alias;"
    "CREATE TABLE tag ("
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    name_key TEXT NOT NULL CHECK (name_key <> ''),"
    "    name TEXT NOT NULL,"
    "    PRIMARY KEY (contact_id, name_key));"
    "CREATE INDEX tag_name ON tag (name_key, contact_id);"
    "CREATE TABLE mark (id {identity}, contact_id BIGINT NOT NULL UNIQUE REFERENCES contact (id) ON DELETE CASCADE);"
    "CREATE TABLE suppression ("
    "    address TEXT NOT NULL PRIMARY KEY CHECK (address <> '')," /* or "@domain" */
    "    reason TEXT NOT NULL,"
    "    detail TEXT NOT NULL,"
    "    at_ms BIGINT NOT NULL);";

static const char history_1[] =
    "CREATE TABLE interaction ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    at_ms BIGINT NOT NULL,"
    "    kind TEXT NOT NULL CHECK (kind IN ('sent', 'reply', 'auto-reply', 'bounce', 'complaint', 'unsubscribe', "
    "'skipped',"
    "        'stage', 'note', 'call', 'meeting', 'task', 'referral', 'other')),"
    "    account TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    subject TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    full_text TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    detail TEXT NOT NULL);"
    "CREATE INDEX interaction_contact ON interaction (contact_id, id);"
    "CREATE TABLE referral ("
    "    id {identity},"
    "    referrer_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    contact_id BIGINT REFERENCES contact (id) ON DELETE SET NULL," /* the friend, once they are a contact */
    "    address TEXT NOT NULL CHECK (address <> ''),"
    "    name TEXT NOT NULL,"
    "    state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'contacted', 'customer', 'lost')),"
    "    evidence TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    at_ms BIGINT NOT NULL,"
    "    UNIQUE (referrer_id, address));"
    "CREATE INDEX referral_contact ON referral (contact_id) WHERE contact_id IS NOT NULL;"
    "CREATE INDEX referral_address ON referral (address);";

static const char work_1[] =
    "CREATE TABLE enrolment ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    rule TEXT NOT NULL,"
    "    round BIGINT NOT NULL CHECK (round >= 1),"
    "    state TEXT NOT NULL CHECK (state IN ('active', 'done', 'ended')),"
    "    stage TEXT NOT NULL,"
    "    anchor_ms BIGINT NOT NULL,"
    "    next_step TEXT NOT NULL,"
    "    due_ms BIGINT NOT NULL,"
    "    last_step_ms BIGINT NOT NULL,"
    "    history_mark BIGINT NOT NULL,"
    "    enrolled_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL,"
    "    end_reason TEXT NOT NULL,"
    "    UNIQUE (contact_id, rule, round));"
    "CREATE INDEX enrolment_due ON enrolment (due_ms, id) WHERE state = 'active' AND due_ms > 0;"
    "CREATE INDEX enrolment_active ON enrolment (rule, contact_id) WHERE state = 'active';"
    "CREATE TABLE outbox ("
    "    id {identity},"
    "    enrolment_id BIGINT NOT NULL REFERENCES enrolment (id) ON DELETE CASCADE,"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    account TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    round BIGINT NOT NULL CHECK (round >= 1),"
    "    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'failed', 'uncertain', 'held', "
    "'cancelled', 'skipped')),"
    "    planned_ms BIGINT NOT NULL,"
    "    due_ms BIGINT NOT NULL,"
    "    attempts BIGINT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    message_key TEXT NOT NULL,"
    "    in_reply_to TEXT NOT NULL,"
    "    reference_ids TEXT NOT NULL,"
    "    subject TEXT NOT NULL,"
    "    reason TEXT NOT NULL,"
    "    created_ms BIGINT NOT NULL,"
    "    sending_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL,"
    "    UNIQUE (contact_id, rule, round, step),"
    "    CHECK (state NOT IN ('sending', 'sent', 'uncertain') OR (message_key <> '' AND sending_ms > 0)));"
    "CREATE UNIQUE INDEX outbox_message ON outbox (message_key) WHERE message_key <> '';"
    "CREATE INDEX outbox_due ON outbox (account, due_ms, id) WHERE state IN ('queued', 'deferred') AND due_ms > 0;"
    "CREATE INDEX outbox_open ON outbox (due_ms, id) WHERE state NOT IN ('sent', 'cancelled', 'skipped');"
    "CREATE INDEX outbox_tried ON outbox (account, sending_ms) WHERE sending_ms > 0;"
    "CREATE INDEX outbox_contacted ON outbox (contact_id, sending_ms) WHERE state IN ('sending', 'sent', 'uncertain');"
    "CREATE INDEX outbox_enrolment ON outbox (enrolment_id, sending_ms);"
    "CREATE INDEX outbox_state ON outbox (state, account);"
    "CREATE TABLE mailbox_cursor ("
    "    account TEXT NOT NULL,"
    "    folder TEXT NOT NULL,"
    "    uidvalidity BIGINT NOT NULL,"
    "    last_uid BIGINT NOT NULL,"
    "    updated_ms BIGINT NOT NULL,"
    "    PRIMARY KEY (account, folder));"
    "CREATE TABLE inbound ("
    "    account TEXT NOT NULL,"
    "    fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),"
    "    at_ms BIGINT NOT NULL,"
    "    PRIMARY KEY (account, fingerprint));"
    "CREATE TABLE rule_known (name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, changed_ms BIGINT NOT NULL);"
    "CREATE TABLE account (name TEXT NOT NULL PRIMARY KEY, pause_reason TEXT NOT NULL, changed_ms BIGINT NOT NULL);";

static const char people_2[] =
    "ALTER TABLE contact ADD COLUMN hold_until_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE contact ADD COLUMN hold_reason TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE contact ADD COLUMN last_reply_ms BIGINT NOT NULL DEFAULT 0;" /* kept by history.c, as the next */
    "ALTER TABLE contact ADD COLUMN last_talk_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE contact ADD COLUMN told_mark BIGINT NOT NULL DEFAULT 0;" /* id of the last interaction that colleagues were marked for */
    "UPDATE contact SET"
    "    last_reply_ms = coalesce((SELECT max(i.at_ms) FROM interaction i"
    "        WHERE i.contact_id = contact.id AND i.kind = 'reply'), 0),"
    "    last_talk_ms = coalesce((SELECT max(i.at_ms) FROM interaction i WHERE i.contact_id = contact.id"
    "        AND (i.kind IN ('call', 'meeting') OR (i.kind = 'sent' AND i.rule = ''))), 0)"
    " WHERE id IN (SELECT contact_id FROM interaction"
    "        WHERE kind IN ('reply', 'call', 'meeting') OR (kind = 'sent' AND rule = ''));";

/* SQLite changes a CHECK by a new table. The counter of ids comes along, since a number given twice could lie below an enrolment's
 * history_mark, where no stop event is seen. */
static const char history_2[] =
    "CREATE TABLE interaction_2 ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    at_ms BIGINT NOT NULL,"
    "    kind TEXT NOT NULL CHECK (kind IN ('sent', 'reply', 'auto-reply', 'bounce', 'complaint', 'unsubscribe', "
    "'skipped',"
    "        'stage', 'note', 'call', 'meeting', 'task', 'referral', 'other', 'tag')),"
    "    account TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    subject TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    full_text TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    detail TEXT NOT NULL);"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'interaction_2', seq FROM sqlite_sequence WHERE name = 'interaction';"
    "INSERT INTO interaction_2"
    "    (id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail)"
    "    SELECT id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail"
    "    FROM interaction ORDER BY id;"
    "DROP TABLE interaction;"
    "ALTER TABLE interaction_2 RENAME TO interaction;"
    "CREATE INDEX interaction_contact ON interaction (contact_id, id);";

static const char work_2[] =
    "ALTER TABLE outbox ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN is_task BIGINT NOT NULL DEFAULT 0 CHECK (is_task IN (0, 1));"
    "ALTER TABLE outbox ADD COLUMN approval TEXT NOT NULL DEFAULT 'none' CHECK (approval IN ('none', 'awaited', 'given'));"
    "DROP INDEX outbox_due;"
    "CREATE INDEX outbox_due ON outbox (account, priority, due_ms, id)"
    "    WHERE state IN ('queued', 'deferred') AND due_ms > 0;"
    "CREATE INDEX outbox_oldest ON outbox (account, due_ms, id) WHERE state IN ('queued', 'deferred') AND due_ms > 0;"
    "DROP INDEX outbox_contacted;"
    "CREATE INDEX outbox_contacted ON outbox (contact_id, sending_ms)"
    "    WHERE state IN ('sending', 'sent', 'uncertain') AND is_task = 0;";

/* Of people who were erased: base/ids.h's HMAC of the address instead of the address. */
static const char people_erased[] = "CREATE TABLE suppression_erased ("
                                    "    digest TEXT NOT NULL PRIMARY KEY CHECK (digest <> ''),"
                                    "    reason TEXT NOT NULL,"
                                    "    at_ms BIGINT NOT NULL);";

/* What the breaker counts, account by account. */
static const char history_trouble[] =
    "CREATE INDEX interaction_trouble ON interaction (account, at_ms) WHERE kind IN ('bounce', 'complaint');";

/*
 * What is written for every message, without a list of three or more in a CHECK or in an index's condition: SQLite makes a table of such
 * a list each time that a row is written, 4 us a list, and a message met 26 of them. And with fewer indexes that its states touch.
 */
static const char work_3[] =
    "CREATE TABLE enrolment_3 ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    rule TEXT NOT NULL,"
    "    round BIGINT NOT NULL CHECK (round >= 1),"
    "    state TEXT NOT NULL CHECK (state = 'active' OR state = 'done' OR state = 'ended'),"
    "    stage TEXT NOT NULL,"
    "    anchor_ms BIGINT NOT NULL,"
    "    next_step TEXT NOT NULL,"
    "    due_ms BIGINT NOT NULL,"
    "    last_step_ms BIGINT NOT NULL,"
    "    history_mark BIGINT NOT NULL,"
    "    enrolled_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL,"
    "    end_reason TEXT NOT NULL,"
    "    UNIQUE (contact_id, rule, round));"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'enrolment_3', seq FROM sqlite_sequence WHERE name = 'enrolment';"
    "INSERT INTO enrolment_3 SELECT id, contact_id, rule, round, state, stage, anchor_ms, next_step, due_ms, last_step_ms,"
    "        history_mark, enrolled_ms, ended_ms, end_reason FROM enrolment ORDER BY id;"
    "CREATE TABLE outbox_3 ("
    "    id {identity},"
    "    enrolment_id BIGINT NOT NULL REFERENCES enrolment_3 (id) ON DELETE CASCADE,"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    account TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    round BIGINT NOT NULL CHECK (round >= 1),"
    "    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'sent' OR state = 'deferred'"
    "        OR state = 'failed' OR state = 'uncertain' OR state = 'held' OR state = 'cancelled' OR state = 'skipped'),"
    "    planned_ms BIGINT NOT NULL,"
    "    due_ms BIGINT NOT NULL,"
    "    attempts BIGINT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    message_key TEXT NOT NULL,"
    "    in_reply_to TEXT NOT NULL,"
    "    reference_ids TEXT NOT NULL,"
    "    subject TEXT NOT NULL,"
    "    reason TEXT NOT NULL,"
    "    created_ms BIGINT NOT NULL,"
    "    sending_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL,"
    "    priority BIGINT NOT NULL DEFAULT 0,"
    "    is_task BIGINT NOT NULL DEFAULT 0 CHECK (is_task IN (0, 1)),"
    "    approval TEXT NOT NULL DEFAULT 'none' CHECK (approval = 'none' OR approval = 'awaited' OR approval = 'given'),"
    "    UNIQUE (contact_id, rule, round, step),"
    "    CHECK ((state <> 'sending' AND state <> 'sent' AND state <> 'uncertain') OR (message_key <> '' AND sending_ms > 0)));"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_3', seq FROM sqlite_sequence WHERE name = 'outbox';"
    "INSERT INTO outbox_3 SELECT id, enrolment_id, contact_id, account, rule, step, round, state, planned_ms, due_ms, attempts,"
    "        message_id, message_key, in_reply_to, reference_ids, subject, reason, created_ms, sending_ms, ended_ms, priority, is_task,"
    "        approval FROM outbox ORDER BY id;"
    "DROP TABLE outbox;"
    "DROP TABLE enrolment;"
    "ALTER TABLE enrolment_3 RENAME TO enrolment;"
    "ALTER TABLE outbox_3 RENAME TO outbox;"
    "CREATE INDEX enrolment_due ON enrolment (due_ms, id) WHERE state = 'active' AND due_ms > 0;"
    "CREATE INDEX enrolment_active ON enrolment (rule, contact_id) WHERE state = 'active';"
    "CREATE UNIQUE INDEX outbox_message ON outbox (message_key) WHERE message_key <> '';"
    "CREATE INDEX outbox_due ON outbox (account, priority, due_ms, id)"
    "    WHERE state IN ('queued', 'deferred') AND due_ms > 0;"
    "CREATE INDEX outbox_oldest ON outbox (account, due_ms, id) WHERE state IN ('queued', 'deferred') AND due_ms > 0;"
    "CREATE INDEX outbox_open ON outbox (due_ms, id) WHERE state <> 'sent' AND state <> 'cancelled' AND state <> 'skipped';"
    "CREATE INDEX outbox_tried ON outbox (account, sending_ms) WHERE sending_ms > 0;"
    "CREATE INDEX outbox_contacted ON outbox (contact_id, sending_ms) WHERE sending_ms > 0;"
    "CREATE INDEX outbox_enrolment ON outbox (enrolment_id);"
    "CREATE INDEX outbox_state ON outbox (state, account);";

static const char history_3[] =
    "CREATE TABLE interaction_3 ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    at_ms BIGINT NOT NULL,"
    "    kind TEXT NOT NULL CHECK (kind = 'sent' OR kind = 'reply' OR kind = 'auto-reply' OR kind = 'bounce'"
    "        OR kind = 'complaint' OR kind = 'unsubscribe' OR kind = 'skipped' OR kind = 'stage' OR kind = 'note' OR kind = 'call'"
    "        OR kind = 'meeting' OR kind = 'task' OR kind = 'referral' OR kind = 'other' OR kind = 'tag'),"
    "    account TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    subject TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    full_text TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    detail TEXT NOT NULL);"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'interaction_3', seq FROM sqlite_sequence WHERE name = 'interaction';"
    "INSERT INTO interaction_3"
    "    SELECT id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail"
    "    FROM interaction ORDER BY id;"
    "DROP TABLE interaction;"
    "ALTER TABLE interaction_3 RENAME TO interaction;"
    "CREATE INDEX interaction_contact ON interaction (contact_id, id);"
    "CREATE INDEX interaction_trouble ON interaction (account, at_ms) WHERE kind IN ('bounce', 'complaint');";

/* Which of a step's variants it was; '' for a step without. */
static const char history_variants[] = "ALTER TABLE interaction ADD COLUMN variant TEXT NOT NULL DEFAULT '';";
static const char work_variants[] = "ALTER TABLE outbox ADD COLUMN variant TEXT NOT NULL DEFAULT '';";

/* What is still to be done in the folders for sent mail. Rows in doubt before there was a search are searched for, too. */
static const char sent_work[] =
    "CREATE TABLE sent_copy ("
    "    id {identity},"
    "    outbox_id BIGINT NOT NULL UNIQUE REFERENCES outbox (id) ON DELETE CASCADE,"
    "    account TEXT NOT NULL,"
    "    at_ms BIGINT NOT NULL,"
    "    tries BIGINT NOT NULL DEFAULT 0,"
    "    octets BIGINT NOT NULL CHECK (octets > 0),"
    "    content TEXT NOT NULL);"
    "CREATE INDEX sent_copy_next ON sent_copy (account, tries, id, octets);"
    "CREATE TABLE sent_search ("
    "    outbox_id BIGINT NOT NULL PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,"
    "    tries BIGINT NOT NULL,"
    "    due_ms BIGINT NOT NULL);" /* 0: no more */
    "CREATE INDEX sent_search_due ON sent_search (due_ms) WHERE due_ms > 0;"
    "INSERT INTO sent_search (outbox_id, tries, due_ms)"
    "    SELECT id, 0, sending_ms FROM outbox WHERE state = 'uncertain';";

/* The newest message that an account wrote to itself, and what the last one that ended said. */
static const char canary_1[] =
    "CREATE TABLE canary ("
    "    account TEXT NOT NULL PRIMARY KEY,"
    "    message_id TEXT NOT NULL,"
    "    sent_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL DEFAULT 0,"
    "    failed BIGINT NOT NULL DEFAULT 0 CHECK (failed IN (0, 1)),"
    "    reason TEXT NOT NULL DEFAULT '',"
    "    results TEXT NOT NULL DEFAULT '');";

/* The score that a person gave, and the last request for a referral; why they are paused. */
static const char people_scores[] =
    "ALTER TABLE contact ADD COLUMN score_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE contact ADD COLUMN score_count BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE contact ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE contact ADD COLUMN asked_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE contact ADD COLUMN asked_rule TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE contact ADD COLUMN asked_round BIGINT NOT NULL DEFAULT 0;";

/* With those of whom no address is known, and how each referral went on. */
static const char referrals_2[] =
    "CREATE TABLE referral_2 ("
    "    id {identity},"
    "    referrer_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    contact_id BIGINT REFERENCES contact (id) ON DELETE SET NULL," /* the friend, once they are a contact */
    "    address TEXT NOT NULL,"
    "    name TEXT NOT NULL,"
    "    state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'contacted', 'customer', 'lost')),"
    "    evidence TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    at_ms BIGINT NOT NULL,"
    "    name_key TEXT NOT NULL DEFAULT '',"
    "    phone TEXT NOT NULL DEFAULT '',"
    "    company TEXT NOT NULL DEFAULT '',"
    "    how TEXT NOT NULL DEFAULT 'text',"
    "    certain BIGINT NOT NULL DEFAULT 0 CHECK (certain IN (0, 1)),"
    "    reason TEXT NOT NULL DEFAULT '',"
    "    basis TEXT NOT NULL DEFAULT '',"
    "    wrote_ms BIGINT NOT NULL DEFAULT 0,"
    "    accepted_ms BIGINT NOT NULL DEFAULT 0,"
    "    accepted_number BIGINT NOT NULL DEFAULT 0,"
    "    contacted_ms BIGINT NOT NULL DEFAULT 0,"
    "    customer_ms BIGINT NOT NULL DEFAULT 0,"
    "    customer_number BIGINT NOT NULL DEFAULT 0,"
    "    ended_ms BIGINT NOT NULL DEFAULT 0);"
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'referral_2', seq FROM sqlite_sequence WHERE name = 'referral';"
    "INSERT INTO referral_2 (id, referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms, accepted_ms)"
    "    SELECT id, referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms,"
    "        CASE WHEN state = 'proposed' OR state = 'declined' THEN 0 ELSE at_ms END FROM referral ORDER BY id;"
    "DROP TABLE referral;"
    "ALTER TABLE referral_2 RENAME TO referral;"
    "CREATE UNIQUE INDEX referral_person ON referral (referrer_id, address) WHERE address <> '';"
    "CREATE UNIQUE INDEX referral_nameless ON referral (referrer_id, name_key, phone) WHERE address = '';"
    "CREATE INDEX referral_contact ON referral (contact_id) WHERE contact_id IS NOT NULL;"
    "CREATE INDEX referral_referrer ON referral (referrer_id, state);"
    "CREATE INDEX referral_address ON referral (address);";
/* What the owners are to do. */
static const char people_tasks[] =
    "CREATE TABLE task ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    outbox_id BIGINT UNIQUE REFERENCES outbox (id) ON DELETE SET NULL," /* the reminder that told of it */
    "    owner TEXT NOT NULL,"
    "    owner_key TEXT NOT NULL,"
    "    text TEXT NOT NULL CHECK (text <> ''),"
    "    source TEXT NOT NULL,"
    "    rule TEXT NOT NULL,"
    "    step TEXT NOT NULL,"
    "    due_ms BIGINT NOT NULL,"
    "    created_ms BIGINT NOT NULL,"
    "    done_ms BIGINT NOT NULL DEFAULT 0);"
    "CREATE INDEX task_open ON task (due_ms, id) WHERE done_ms = 0;"
    "CREATE INDEX task_contact ON task (contact_id);";

/* What was filed and nothing follows from: old conversation, and what a colleague wrote. */
static const char history_silent[] = "ALTER TABLE interaction ADD COLUMN silent BIGINT NOT NULL DEFAULT 0;";

/* What reports read of the histories: all that was no message of a rule. */
static const char history_told[] =
    "CREATE INDEX interaction_told ON interaction (kind, contact_id, id, at_ms, rule, step) WHERE kind <> 'sent' OR rule = '';";

/* By key first, and whether it was filed: what came to one account is known when it comes to another. Of what came before, that is not
 * known. */
static const char inbound_filed[] =
    "CREATE TABLE inbound_2 ("
    "    fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),"
    "    account TEXT NOT NULL,"
    "    filed BIGINT NOT NULL DEFAULT 0 CHECK (filed IN (0, 1)),"
    "    at_ms BIGINT NOT NULL,"
    "    PRIMARY KEY (fingerprint, account));"
    "INSERT INTO inbound_2 (fingerprint, account, at_ms) SELECT fingerprint, account, at_ms FROM inbound;"
    "DROP TABLE inbound;"
    "ALTER TABLE inbound_2 RENAME TO inbound;";

/* Who waits for the time of their next step, apart from the wide rows: a step that is decided leaves one stretch of this tree, instead of
 * a page of its own for each row and one of its index. No foreign key, which would want an index more: enrolments.c keeps both together. */
static const char work_due[] = "DROP INDEX enrolment_due;"
                               "CREATE TABLE enrolment_due ("
                               "    due_ms BIGINT NOT NULL,"
                               "    enrolment_id BIGINT NOT NULL,"
                               "    PRIMARY KEY (due_ms, enrolment_id)) {clustered};"
                               "INSERT INTO enrolment_due (due_ms, enrolment_id)"
                               "    SELECT due_ms, id FROM enrolment WHERE state = 'active' AND due_ms > 0 ORDER BY due_ms, id;";

/* What mail says about addresses that will not do any more. */
static const char people_proposals[] =
    "CREATE TABLE proposal ("
    "    id {identity},"
    "    contact_id BIGINT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,"
    "    kind TEXT NOT NULL CHECK (kind IN ('left', 'successor', 'new-address')),"
    "    address TEXT NOT NULL,"
    "    name TEXT NOT NULL,"
    "    evidence TEXT NOT NULL,"
    "    account TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'declined')),"
    "    at_ms BIGINT NOT NULL,"
    "    ended_ms BIGINT NOT NULL DEFAULT 0,"
    "    UNIQUE (contact_id, kind, address));"
    "CREATE INDEX proposal_open ON proposal (id) WHERE state = 'open';";

/* Of each company, kind of event (or "tag:" and the tag): the newest interaction, whose it is, and the newest of anybody else. */
static const char people_events[] =
    "ALTER TABLE company ADD COLUMN events_known BIGINT NOT NULL DEFAULT 0;"
    "CREATE TABLE company_event ("
    "    company_id BIGINT NOT NULL REFERENCES company (id) ON DELETE CASCADE,"
    "    event TEXT NOT NULL,"
    "    newest_id BIGINT NOT NULL,"
    "    contact_id BIGINT NOT NULL,"
    "    other_id BIGINT NOT NULL,"
    "    PRIMARY KEY (company_id, event)) {clustered};";

/* Mails to the accounts' owners about what came in. */
static const char notices_1[] =
    "CREATE TABLE notice ("
    "    id {identity},"
    "    account TEXT NOT NULL,"
    "    is_digest BIGINT NOT NULL CHECK (is_digest IN (0, 1)),"
    "    subject TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    message_id TEXT NOT NULL,"
    "    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'empty')),"
    "    tries BIGINT NOT NULL DEFAULT 0,"
    "    created_ms BIGINT NOT NULL,"
    "    history_mark BIGINT NOT NULL DEFAULT 0);" /* of a digest: the newest interaction that it tells of */
    "CREATE INDEX notice_account ON notice (account, created_ms);"
    "CREATE INDEX notice_waiting ON notice (account, id) WHERE state = 'queued';";

/* Why somebody could be written to: of messages that rules sent. */
static const char history_basis[] = "ALTER TABLE interaction ADD COLUMN basis TEXT NOT NULL DEFAULT '';";

const Migration schema_migrations[] = {
    {1, {people_1, history_1, work_1}},
    {2, {people_2, history_2, work_2}},
    {3, {people_erased}},
    {4, {history_trouble}},
    {5, {work_3, history_3}},
    {6, {history_variants, work_variants}},
    {7, {sent_work}},
    {8, {canary_1}},
    {9, {people_scores, referrals_2}},
    {10, {people_tasks}},
    {11, {history_silent}},
    {12, {history_told}},
    {13, {inbound_filed}},
    {14, {work_due}},
    {15, {people_proposals}},
    {16, {people_events}},
    {17, {notices_1}},
    {18, {history_basis}},
};
const gsize schema_n_migrations = G_N_ELEMENTS(schema_migrations);
