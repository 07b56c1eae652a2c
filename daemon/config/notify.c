/*
 * Whom to tell of replies, and when: the key notify, of accounts and rules, and digest, of accounts.
 */
#include "base/text.h"
#include "config/parts.h"

enum { DIGEST_DEFAULT_MIN = 8 * 60, DAY_MIN = 24 * 60 };

typedef struct {
    char *at;
} DigestKeys;

Notify notify_parse(Reader *reader, const config_setting_t *setting)
{
    static const char *const words[] = {"none", "digest", "at once", NULL};
    static const Notify values[] = {NOTIFY_NONE, NOTIFY_DIGEST, NOTIFY_AT_ONCE};
    int choice = reader_choice(reader, setting, words);
    return choice >= 0 ? values[choice] : NOTIFY_UNSAID;
}

int digest_time_parse(Reader *reader, config_setting_t *setting)
{
    static const Key keys[] = {KEY_NEEDED(KEY_TEXT, "at", DigestKeys, at, "at = \"08:00\""), KEY_END};
    DigestKeys found = {NULL};
    if (!setting || !reader_read_group(reader, setting, keys, &found) || !found.at)
        return DIGEST_DEFAULT_MIN;
    g_autofree char *at = found.at;
    int minute = window_minute(at);
    if (minute >= 0 && minute < DAY_MIN)
        return minute;
    g_autofree char *shown = text_escape(at, 60);
    reader_fault(reader, setting, "digest: at: \"%s\" is no time of day; write it as \"08:00\"", shown);
    return DIGEST_DEFAULT_MIN;
}
