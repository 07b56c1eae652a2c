/*
 * Which folders of a mailbox are read: a text, an array of texts, or a list of texts and groups, which say more about one.
 */
#include "config/parts.h"

typedef struct {
    char *name;
    config_setting_t *unknown;
} FolderKeys;

/* What becomes of mail from people who are not known: nothing, or they do. */
static const char *const unknown_words[] = {"ignore", "prospect", NULL};
enum { UNKNOWN_PROSPECT = 1 };

typedef struct {
    GPtrArray *names, *prospects; /* char* */
} Found;

static void add_folder(Reader *reader, const config_setting_t *where, const char *name, gboolean prospect, Found *found)
{
    guint ignored;
    plain_check(reader, where, "a folder's name", name);
    if (g_ptr_array_find_with_equal_func(found->names, name, g_str_equal, &ignored)) {
        reader_fault(reader, where, "the folder stands in folders twice; leave one of the two out");
        return;
    }
    g_ptr_array_add(found->names, g_strdup(name));
    if (prospect)
        g_ptr_array_add(found->prospects, g_strdup(name));
}

static void read_group(Reader *reader, config_setting_t *setting, Found *found)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "name", FolderKeys, name, "\"INBOX\""),
        KEY_KEPT("unknown", FolderKeys, unknown, "\"ignore\" or \"prospect\""),
        KEY_END,
    };
    FolderKeys group = {0};
    reader_read_group(reader, setting, keys, &group);
    int unknown = group.unknown ? reader_choice(reader, group.unknown, unknown_words) : 0;
    if (group.name)
        add_folder(reader, setting, group.name, unknown == UNKNOWN_PROSPECT, found);
    g_free(group.name);
}

static void read_element(Reader *reader, config_setting_t *setting, Found *found)
{
    if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
        read_group(reader, setting, found);
        return;
    }
    const char *name = reader_text(reader, setting, FOLDERS_EXAMPLE);
    if (name)
        add_folder(reader, setting, name, FALSE, found);
}

static char **end_names(GPtrArray *names)
{
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

void folders_parse(Reader *reader, config_setting_t *setting, ImapSettings *imap)
{
    Found found = {.names = g_ptr_array_new(), .prospects = g_ptr_array_new()};
    int type = setting ? config_setting_type(setting) : CONFIG_TYPE_NONE;
    if (!setting)
        g_ptr_array_add(found.names, g_strdup("INBOX"));
    else if (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST)
        for (int i = 0; i < config_setting_length(setting); i++)
            read_element(reader, config_setting_get_elem(setting, (unsigned)i), &found);
    else
        read_element(reader, setting, &found);
    if (setting && (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST) && config_setting_length(setting) == 0)
        reader_fault(reader, setting, "imap.folders is empty; write folders = [ \"INBOX\" ]");
    imap->folders = end_names(found.names);
    imap->prospect_folders = end_names(found.prospects);
}
