/*
 * Files that travel with messages. Pure; immutable once made, any thread.
 */
#include "mail/file.h"

#include <string.h>

#include "base/text.h"

enum {
    LINE_BYTES = 57,   /* which are 76 columns of base64 (RFC 2045, 6.8) */
    LINE_COLUMNS = 78, /* with CRLF */
    CONTENT_ID_CHARS = 24
};

#define UNKNOWN_TYPE "application/octet-stream"

/* "type/subtype" of RFC 2045's characters, of a kind that base64 may carry. */
static gboolean is_type(const char *type)
{
    const char *slash = strchr(type, '/');
    if (!slash || slash == type || !slash[1] || strlen(type) > 100)
        return FALSE;
    for (const char *p = type; *p; p++)
        if (!g_ascii_isalnum(*p) && p != slash && !strchr("!#$&-^_.+", *p))
            return FALSE;
    return g_ascii_strncasecmp(type, "message/", 8) != 0 && g_ascii_strncasecmp(type, "multipart/", 10) != 0;
}

static char *type_of(const char *type, const guchar *bytes, gsize size)
{
    if (!is_type(type))
        return g_strdup(UNKNOWN_TYPE);
    gboolean is_utf8 = g_str_has_prefix(type, "text/") && g_utf8_validate((const char *)bytes, (gssize)size, NULL);
    return g_strconcat(type, is_utf8 ? "; charset=utf-8" : "", NULL);
}

static GBytes *encode(const guchar *bytes, gsize size)
{
    gsize lines = (size + LINE_BYTES - 1) / LINE_BYTES;
    GString *out = g_string_sized_new(lines * LINE_COLUMNS + 1);
    for (gsize at = 0; at < size; at += LINE_BYTES) {
        gint state = 0, save = 0;
        char line[LINE_COLUMNS + 8];
        gsize length = g_base64_encode_step(bytes + at, MIN(size - at, (gsize)LINE_BYTES), FALSE, line, &state, &save);
        length += g_base64_encode_close(FALSE, line + length, &state, &save);
        g_string_append_len(out, line, (gssize)length);
        g_string_append_len(out, "\r\n", 2);
    }
    return g_string_free_to_bytes(out);
}

MailFile *mail_file_new(const char *name, const char *type, const guchar *bytes, gsize size)
{
    MailFile *file = g_new0(MailFile, 1);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, size);
    digest[CONTENT_ID_CHARS] = '\0';
    file->name = text_make_valid(name, -1);
    file->type = type_of(type, bytes, size);
    file->content_id = g_strdup_printf("image-%s@inline", digest);
    file->base64 = encode(bytes, size);
    file->size = size;
    return file;
}

void mail_file_free(MailFile *file)
{
    if (!file)
        return;
    g_free(file->name);
    g_free(file->type);
    g_free(file->content_id);
    g_bytes_unref(file->base64);
    g_free(file);
}

const char *mail_image_type(const guchar *bytes, gsize size)
{
    static const struct {
        const char *start;
        gsize length;
        const char *type;
    } kinds[] = {{"\x89PNG\r\n\x1A\n", 8, "image/png"},
                 {"\xFF\xD8\xFF", 3, "image/jpeg"},
                 {"GIF87a", 6, "image/gif"},
                 {"GIF89a", 6, "image/gif"}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (size >= kinds[i].length && memcmp(bytes, kinds[i].start, kinds[i].length) == 0)
            return kinds[i].type;
    return NULL;
}
