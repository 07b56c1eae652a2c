/*
 * Files that travel with messages: opened below the templates' folder and nowhere else, bounded one by one and together, and kept
 * encoded. What a symbolic link leads to must lie in the folder as well. Built on the loop, read-only afterwards.
 */
#include "engine/enclosures.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALL_MAX_BYTES = 100 * 1000 * 1000 }; /* of all files of a set */

struct Enclosures {
    char *folder;
    gint64 max_bytes, read_bytes;
    GHashTable *files[ENCLOSURE_IMAGE + 1]; /* by use: path -> MailFile* */
};

static void file_free(gpointer file)
{
    mail_file_free(file);
}

Enclosures *enclosures_new(const char *folder, gint64 max_bytes)
{
    Enclosures *enclosures = g_new0(Enclosures, 1);
    enclosures->folder = g_strdup(folder);
    enclosures->max_bytes = max_bytes;
    for (gsize use = 0; use < G_N_ELEMENTS(enclosures->files); use++)
        enclosures->files[use] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_free);
    return enclosures;
}

void enclosures_free(Enclosures *enclosures)
{
    if (!enclosures)
        return;
    for (gsize use = 0; use < G_N_ELEMENTS(enclosures->files); use++)
        g_hash_table_unref(enclosures->files[use]);
    g_free(enclosures->folder);
    g_free(enclosures);
}

const MailFile *enclosures_find(const Enclosures *enclosures, const char *path, EnclosureUse use)
{
    return g_hash_table_lookup(enclosures->files[use], path);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* The path with all symbolic links followed, where it ends below the folder; NULL else, and what is wrong. */
static char *resolve(const Enclosures *enclosures, const char *path, char **ret_fault)
{
    g_autofree char *whole = g_build_filename(enclosures->folder, path, NULL);
    char *folder = realpath(enclosures->folder, NULL);
    char *file = folder ? realpath(whole, NULL) : NULL;
    int cause = errno;
    gsize length = folder ? strlen(folder) : 0;
    gboolean is_below = file && strncmp(file, folder, length) == 0 && file[length] == '/';
    if (!file)
        *ret_fault = g_strdup_printf("%s; put the file into %s", g_strerror(cause), enclosures->folder);
    else if (!is_below)
        *ret_fault = g_strdup_printf("is a link to a place outside of %s; copy the file there", enclosures->folder);
    char *resolved = is_below ? g_strdup(file) : NULL;
    free(folder);
    free(file);
    return resolved;
}

static char *too_large(const Enclosures *enclosures)
{
    return g_strdup_printf(
        "is larger than %.1f MB; make it smaller, put a link in its place, or raise sending.max_attachment",
        (double)enclosures->max_bytes / 1e6);
}

/* Up to one octet more than may be. */
static GByteArray *read_bounded(const Enclosures *enclosures, int fd, char **ret_fault)
{
    GByteArray *bytes = g_byte_array_new();
    gsize limit = (gsize)enclosures->max_bytes + 1;
    for (;;) {
        guint8 buffer[64 * 1024];
        ssize_t got = read(fd, buffer, MIN(sizeof(buffer), limit - bytes->len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            *ret_fault = g_strdup_printf("%s; make it readable for nurtured's user", g_strerror(errno));
        if (got <= 0)
            return bytes;
        g_byte_array_append(bytes, buffer, (guint)got);
    }
}

static GByteArray *read_file(Enclosures *enclosures, const char *resolved, char **ret_fault)
{
    struct stat status;
    int fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY); /* a FIFO keeps nobody waiting */
    if (fd < 0) {
        *ret_fault = g_strdup_printf("%s; make it readable for nurtured's user", g_strerror(errno));
        return NULL;
    }
    g_autoptr(GByteArray) bytes = NULL;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        *ret_fault = g_strdup("is not a file; name one");
    else if (status.st_size > enclosures->max_bytes)
        *ret_fault = too_large(enclosures);
    else
        bytes = read_bounded(enclosures, fd, ret_fault);
    close(fd);
    if (bytes && !*ret_fault && (gint64)bytes->len > enclosures->max_bytes)
        *ret_fault = too_large(enclosures);
    else if (bytes && !*ret_fault && bytes->len == 0)
        *ret_fault = g_strdup("is empty; name one that has something in it");
    return *ret_fault ? NULL : g_steal_pointer(&bytes);
}

/* ---- keeping --------------------------------------------------------------------------------------------------------- */

/* What the file is, by its name and its first octets. Caller frees. */
static char *type_of(const char *name, const GByteArray *bytes)
{
    g_autofree char *content = g_content_type_guess(name, bytes->data, bytes->len, NULL);
    g_autofree char *type = content ? g_content_type_get_mime_type(content) : NULL;
    return type ? g_steal_pointer(&type) : g_strdup("application/octet-stream");
}

/* NULL, and what is wrong, for what mail programs show not as an image. */
static MailFile *make_file(const char *path, EnclosureUse use, const GByteArray *bytes, char **ret_fault)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *type =
        use == ENCLOSURE_IMAGE ? g_strdup(mail_image_type(bytes->data, bytes->len)) : type_of(name, bytes);
    if (type)
        return mail_file_new(name, type, bytes->data, bytes->len);
    *ret_fault = g_strdup("is not an image that mail programs show; save it as PNG, JPEG or GIF");
    return NULL;
}

char *enclosures_read(Enclosures *enclosures, const char *path, EnclosureUse use)
{
    char *fault = NULL;
    if (enclosures_find(enclosures, path, use))
        return NULL;
    g_autofree char *resolved = resolve(enclosures, path, &fault);
    g_autoptr(GByteArray) bytes = resolved ? read_file(enclosures, resolved, &fault) : NULL;
    if (bytes && (gint64)bytes->len > ALL_MAX_BYTES - enclosures->read_bytes)
        return g_strdup_printf(
            "is too much: all files of %s together are larger than 100 MB, and are kept in memory; put links in their place",
            enclosures->folder);
    MailFile *file = bytes ? make_file(path, use, bytes, &fault) : NULL;
    if (!file)
        return fault;
    enclosures->read_bytes += (gint64)file->size;
    g_hash_table_insert(enclosures->files[use], g_strdup(path), file);
    return NULL;
}
