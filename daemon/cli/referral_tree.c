/*
 * nurture referral tree [EMAIL]: who brought whom, as far down as it goes.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/referral.h"

enum { DEPTH_MAX = 50 };

typedef struct {
    Cli *cli;
    GHashTable *brought; /* gint64* referrer -> GPtrArray of Referral*, borrowed */
    GHashTable *seen;    /* gint64* referrers that were printed */
    GPtrArray *all;      /* Referral*, owned */
} Tree;

static gboolean keep(const Referral *referral, gpointer data)
{
    Tree *tree = data;
    Referral *kept = NULL;
    if (!store_referral_get(tree->cli->store, referral->id, &kept, NULL) || kept == NULL)
        return TRUE;
    g_ptr_array_add(tree->all, kept);
    GPtrArray *of = g_hash_table_lookup(tree->brought, &kept->referrer_id);
    if (of == NULL) {
        of = g_ptr_array_new();
        g_hash_table_insert(tree->brought, &kept->referrer_id, of);
    }
    g_ptr_array_add(of, kept);
    return TRUE;
}

static void print_branch(Tree *tree, gint64 *referrer_id, guint depth);

static void print_referral(Tree *tree, const Referral *referral, guint depth)
{
    if (tree->cli->json) {
        JsonObject *object = referral_object(referral);
        json_object_set_int_member(object, "depth", depth);
        cli_print_json(tree->cli, object);
        return;
    }
    g_autofree char *shown = text_escape(referral_shown(referral), 0);
    g_autofree char *address = text_escape(referral->address, 0);
    fprintf(tree->cli->out, "%*s%s%s%s%s: %s\n", (int)depth * 2, "", shown, referral->name[0] && *address ? " <" : "",
            referral->name[0] ? address : "", referral->name[0] && *address ? ">" : "", referral_state_name(referral->state));
}

static void print_branch(Tree *tree, gint64 *referrer_id, guint depth)
{
    GPtrArray *of = g_hash_table_lookup(tree->brought, referrer_id);
    if (of == NULL || depth > DEPTH_MAX || !g_hash_table_add(tree->seen, referrer_id))
        return;
    for (guint i = 0; i < of->len; i++) {
        Referral *referral = of->pdata[i];
        print_referral(tree, referral, depth);
        if (referral->contact_id != 0)
            print_branch(tree, &referral->contact_id, depth + 1);
    }
}

static void print_root(Tree *tree, Referral *first)
{
    if (g_hash_table_contains(tree->seen, &first->referrer_id))
        return;
    if (!tree->cli->json) {
        g_autofree char *name = text_escape(first->referrer_name, 0);
        fprintf(tree->cli->out, "%s%s%s%s\n", name, *name ? " <" : "", first->referrer, *name ? ">" : "");
    }
    print_branch(tree, &first->referrer_id, 1);
}

/* Whom somebody else brought stands below them. */
static gboolean is_root(const Tree *tree, const Referral *referral)
{
    for (guint i = 0; i < tree->all->len; i++)
        if (((const Referral *)tree->all->pdata[i])->contact_id == referral->referrer_id)
            return FALSE;
    return TRUE;
}

static void print_all(Tree *tree, gint64 root_id)
{
    for (guint i = 0; i < tree->all->len; i++) {
        Referral *referral = tree->all->pdata[i];
        if (root_id != 0 ? referral->referrer_id == root_id : is_root(tree, referral))
            print_root(tree, referral);
    }
}

static int print(Cli *cli, gint64 root_id)
{
    GError *error = NULL;
    const ReferralFilter filter = {0};
    Tree tree = {.cli = cli,
                 .brought = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)g_ptr_array_unref),
                 .seen = g_hash_table_new(g_int64_hash, g_int64_equal),
                 .all = g_ptr_array_new_with_free_func((GDestroyNotify)referral_free)};
    gboolean ok = store_referral_each(cli->store, &filter, keep, &tree, &error);
    if (ok)
        print_all(&tree, root_id);
    if (ok && tree.all->len == 0 && !cli->json)
        cli_note(cli, "no referrals");
    g_hash_table_unref(tree.brought);
    g_hash_table_unref(tree.seen);
    g_ptr_array_unref(tree.all);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int referral_command_tree(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    if (is_empty)
        return CLI_DONE;
    g_autoptr(Contact) root = rest[0] != NULL ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (rest[0] != NULL && root == NULL)
        return cli_failed_by(cli, error);
    return print(cli, root != NULL ? root->id : 0);
}
