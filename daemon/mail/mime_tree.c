/*
 * The parts of a message: mixed( related( alternative( text, HTML ), image… ), attachment… ), of which only the levels that are needed
 * are written. Pure, any thread.
 *
 * A boundary begins with "=_", which stands in no text that is quoted-printable or base64, and begins no line that is sent as it is: no
 * part holds one. The letter behind it tells the level, so that none is the beginning of another.
 */
#include "mail/mime_tree.h"

#include <string.h>

#include "mail/mime_body.h"
#include "mail/mime_file.h"

enum { BOUNDARY_CHARS = 24, HEADERS_ROOM = 1024 };

/* A tree under writing. */
typedef struct {
    GString *out;
    const MimeTree *tree;
    char digest[BOUNDARY_CHARS + 1];
} Writer;

static gboolean has_files(const GPtrArray *files)
{
    return files && files->len > 0;
}

static void begin_multipart(const Writer *writer, const char *subtype, const char *parameters, char level)
{
    g_string_append_printf(writer->out, "Content-Type: multipart/%s;%s boundary=\"=_%c%s\"\r\n\r\n--=_%c%s\r\n", subtype,
                           parameters, level, writer->digest, level, writer->digest);
}

static void append_boundary(const Writer *writer, char level, const char *end)
{
    g_string_append_printf(writer->out, "\r\n--=_%c%s%s\r\n", level, writer->digest, end);
}

static void append_text(const Writer *writer, const char *subtype, const char *text)
{
    MimeBodyEncoding encoding = mime_body_choose(text);
    g_string_append_printf(writer->out, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                           subtype, mime_body_encoding_name(encoding));
    mime_body_append(writer->out, text, encoding);
}

static void append_alternative(const Writer *writer)
{
    if (!writer->tree->html) {
        append_text(writer, "plain", writer->tree->text);
        return;
    }
    begin_multipart(writer, "alternative", "", 'a');
    append_text(writer, "plain", writer->tree->text);
    append_boundary(writer, 'a', "");
    append_text(writer, "html", writer->tree->html);
    append_boundary(writer, 'a', "--");
}

static void append_files(const Writer *writer, const GPtrArray *files, MimeFilePlace place, char level)
{
    for (guint i = 0; i < files->len; i++) {
        append_boundary(writer, level, "");
        mime_file_append(writer->out, files->pdata[i], place);
    }
    append_boundary(writer, level, "--");
}

static void append_related(const Writer *writer)
{
    if (!writer->tree->html || !has_files(writer->tree->images)) {
        append_alternative(writer);
        return;
    }
    begin_multipart(writer, "related", " type=\"multipart/alternative\";\r\n", 'r');
    append_alternative(writer);
    append_files(writer, writer->tree->images, MIME_FILE_INLINE, 'r');
}

void mime_tree_append(GString *out, const MimeTree *tree)
{
    Writer writer = {.out = out, .tree = tree};
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, tree->key, -1);
    memcpy(writer.digest, digest, BOUNDARY_CHARS);
    if (!has_files(tree->attachments)) {
        append_related(&writer);
        return;
    }
    begin_multipart(&writer, "mixed", "", 'm');
    append_related(&writer);
    append_files(&writer, tree->attachments, MIME_FILE_ATTACHED, 'm');
}

gsize mime_tree_room(const MimeTree *tree)
{
    gsize text = strlen(tree->text) + (tree->html ? strlen(tree->html) : 0);
    return HEADERS_ROOM + 2 * text + mime_file_room(tree->images) + mime_file_room(tree->attachments);
}
