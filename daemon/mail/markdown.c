/*
 * Markdown: md4c reads it once, and its events go to the writers of HTML and of plain text at the same time. Pure, any
 * thread.
 *
 * Text comes from md4c in pieces, cut at entities and at marks that mean nothing. They are gathered in `run` until
 * something else than text follows; then addresses in it become links, and what is veiled is put back.
 */
#include "mail/markdown.h"

#include <libxml/HTMLparser.h>
#include <md4c.h>
#include <string.h>

#include "mail/markdown_links.h"
#include "mail/markdown_writers.h"

enum { PARSER_FLAGS = MD_FLAG_NOHTML | MD_FLAG_NOINDENTEDCODEBLOCKS };

typedef struct {
    GString *html;
    TextWriter *text;
    GString *run; /* of text, decoded, values veiled */
    gboolean in_link;
    char *url;         /* of the link under way; NULL: it has none that may be used */
    guint image_depth; /* the run is what stands for the image */
    char *image_url;
    MarkdownImages *images; /* NULL: images that are files are not known */
} Renderer;

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void append_veiled(GString *out, char c)
{
    const char bytes[MARKDOWN_VEILED_BYTES] = {(char)0xF3, (char)0xB0, (char)(0x80 | c >> 6), (char)(0x80 | (c & 0x3F))};
    g_string_append_len(out, bytes, sizeof(bytes));
}

void markdown_veil(const char *value, GString *out)
{
    const char *end = value + strlen(value);
    for (const char *p = value; p < end; p++) {
        gboolean outer_space = *p == ' ' && (p == value || p + 1 == end || p[1] == ' ');
        if (markdown_unveil_at(p, end)) { /* one that only looks veiled */
            g_string_append(out, "\xEF\xBF\xBD");
            p += MARKDOWN_VEILED_BYTES - 1;
        } else if (*p == '\n' || (*p == '\r' && p[1] != '\n')) {
            append_veiled(out, '\n');
        } else if (g_ascii_ispunct(*p) || outer_space) {
            append_veiled(out, *p);
        } else if (!g_ascii_iscntrl(*p)) {
            g_string_append_c(out, *p);
        } else if (*p == '\t') {
            append_veiled(out, ' ');
        }
    }
}

static void append_unveiled(GString *out, const char *text, gsize length)
{
    const char *end = text + length;
    while (text < end) {
        const char *mark = memchr(text, 0xF3, (gsize)(end - text));
        g_string_append_len(out, text, (mark ? mark : end) - text);
        text = mark ? mark : end;
        char veiled = mark ? markdown_unveil_at(mark, end) : '\0';
        if (veiled) {
            g_string_append_c(out, veiled);
            text += MARKDOWN_VEILED_BYTES;
        } else if (mark) {
            g_string_append_c(out, *text++);
        }
    }
}

/* ---- entities and URLs -------------------------------------------------------------------------------------------- */

/* "&amp;", "&#8211;", "&ndash;" */
static void append_entity(GString *out, const char *entity, gsize size)
{
    g_autofree char *name = size > 2 ? g_strndup(entity + 1, size - 2) : g_strdup("");
    guint64 c = 0;
    if (name[0] == '#') {
        gboolean is_hex = name[1] == 'x' || name[1] == 'X';
        c = g_ascii_strtoull(name + (is_hex ? 2 : 1), NULL, is_hex ? 16 : 10);
    } else {
        const htmlEntityDesc *known = htmlEntityLookup(BAD_CAST name);
        c = known ? known->value : 0;
    }
    if (c >= 0x20 && c != 0x7F && c <= 0x10FFFF && g_unichar_validate((gunichar)c))
        g_string_append_unichar(out, (gunichar)c);
    else
        g_string_append_len(out, entity, (gssize)size);
}

/* The attribute decoded and unveiled. Caller frees. */
static char *attribute_text(const MD_ATTRIBUTE *attribute)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; attribute->size > 0 && attribute->substr_offsets[i] < attribute->size; i++) {
        const char *part = attribute->text + attribute->substr_offsets[i];
        gsize size = attribute->substr_offsets[i + 1] - attribute->substr_offsets[i];
        if (attribute->substr_types[i] == MD_TEXT_ENTITY)
            append_entity(text, part, size);
        else
            append_unveiled(text, part, size);
    }
    return g_string_free(text, FALSE);
}

/* The URL in a form that can be written anywhere; NULL where it is not of a scheme that a mail links to. Caller frees. */
static char *usable_url(const MD_ATTRIBUTE *attribute)
{
    static const char *const schemes[] = {"http://", "https://", "mailto:", "tel:"};
    g_autofree char *text = g_strstrip(attribute_text(attribute));
    gboolean is_bare = g_ascii_strncasecmp(text, "www.", 4) == 0;
    gboolean is_known = is_bare;
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        is_known = is_known || (g_ascii_strncasecmp(text, schemes[i], strlen(schemes[i])) == 0 && text[strlen(schemes[i])]);
    if (!is_known)
        return NULL;
    GString *url = g_string_new(is_bare ? "http://" : "");
    for (const char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p) || strchr(" \"<>\\^`{|}", *p))
            g_string_append_printf(url, "%%%02X", (guint)*p);
        else
            g_string_append_c(url, *p);
    }
    return g_string_free(url, FALSE);
}

/* The path of an image that is a file: no scheme, no host, and not from a value, which names no file of ours. NULL for
 * another target. Caller frees. */
static char *image_path(const MD_ATTRIBUTE *attribute)
{
    if (attribute->size == 0) /* "![logo]()", which has no text either */
        return NULL;
    const char *end = attribute->text + attribute->size;
    for (const char *p = attribute->text; p < end; p++)
        if (markdown_unveil_at(p, end))
            return NULL;
    g_autofree char *path = g_strstrip(attribute_text(attribute));
    gsize scheme = strspn(path, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "+-.");
    if (!*path || *path == '#' || path[scheme] == ':' || g_ascii_strncasecmp(path, "www.", 4) == 0)
        return NULL;
    return g_steal_pointer(&path);
}

/* Two files of the same content are one. */
static void note_used(MarkdownImages *images, const MailFile *file)
{
    if (!images->used)
        images->used = g_ptr_array_new();
    for (guint i = 0; i < images->used->len; i++)
        if (g_str_equal(((const MailFile *)images->used->pdata[i])->content_id, file->content_id))
            return;
    g_ptr_array_add(images->used, (gpointer)file);
}

/* "cid:…" of an image that is a file, which is noted; NULL for another target. Caller frees. */
static char *file_url(MarkdownImages *images, const MD_ATTRIBUTE *attribute)
{
    g_autofree char *path = images ? image_path(attribute) : NULL;
    const MailFile *file = path ? images->find(path, images->data) : NULL;
    if (!file) {
        if (path && !images->missing)
            images->missing = g_steal_pointer(&path);
        return NULL;
    }
    note_used(images, file);
    return g_strconcat("cid:", file->content_id, NULL);
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static void write_text(Renderer *renderer, const char *text, gsize length)
{
    if (!memchr(text, 0xF3, length)) {
        html_append_text(renderer->html, text, length);
        text_writer_append(renderer->text, text, length);
        return;
    }
    g_autoptr(GString) plain = g_string_sized_new(length);
    append_unveiled(plain, text, length);
    html_append_text(renderer->html, plain->str, plain->len);
    text_writer_append(renderer->text, plain->str, plain->len);
}

static void write_link(Renderer *renderer, const TextLink *link)
{
    g_autoptr(GString) url = g_string_new(link->is_mail ? "mailto:" : "");
    append_unveiled(url, link->start, (gsize)(link->end - link->start));
    html_begin_link(renderer->html, url->str);
    write_text(renderer, link->start, (gsize)(link->end - link->start));
    html_end_link(renderer->html);
}

/* Writes what has been gathered. The text of an image goes on being gathered until its end. */
static void flush_run(Renderer *renderer)
{
    if (renderer->run->len == 0 || renderer->image_depth > 0)
        return;
    const char *at = renderer->run->str;
    const char *end = at + renderer->run->len;
    TextLink link;
    while (!renderer->in_link && markdown_find_link(at, end, &link)) {
        write_text(renderer, at, (gsize)(link.start - at));
        write_link(renderer, &link);
        at = link.end;
    }
    write_text(renderer, at, (gsize)(end - at));
    g_string_truncate(renderer->run, 0);
}

static void write_code(Renderer *renderer, const char *text, gsize length)
{
    g_autoptr(GString) plain = g_string_sized_new(length);
    append_unveiled(plain, text, length);
    html_append_code(renderer->html, plain->str, plain->len);
    text_writer_append(renderer->text, plain->str, plain->len);
}

static void write_break(Renderer *renderer, const char *html, const char *text)
{
    if (renderer->image_depth > 0) {
        g_string_append_c(renderer->run, ' ');
        return;
    }
    flush_run(renderer);
    g_string_append(renderer->html, html);
    text_writer_append(renderer->text, text, strlen(text));
}

/* ---- links and images --------------------------------------------------------------------------------------------- */

static void begin_link(Renderer *renderer, const MD_SPAN_A_DETAIL *detail)
{
    renderer->in_link = TRUE;
    renderer->url = usable_url(&detail->href);
    if (!renderer->url)
        return;
    html_begin_link(renderer->html, renderer->url);
    text_writer_begin_link(renderer->text);
}

static void end_link(Renderer *renderer)
{
    renderer->in_link = FALSE;
    if (!renderer->url)
        return;
    html_end_link(renderer->html);
    text_writer_end_link(renderer->text, renderer->url);
    g_clear_pointer(&renderer->url, g_free);
}

static void begin_image(Renderer *renderer, const MD_SPAN_IMG_DETAIL *detail)
{
    renderer->image_url = usable_url(&detail->src);
    if (!renderer->image_url)
        renderer->image_url = file_url(renderer->images, &detail->src);
}

static void end_image(Renderer *renderer)
{
    if (--renderer->image_depth > 0)
        return;
    g_autoptr(GString) alternative = g_string_new(NULL);
    append_unveiled(alternative, renderer->run->str, renderer->run->len);
    g_string_truncate(renderer->run, 0);
    if (renderer->image_url)
        html_append_image(renderer->html, renderer->image_url, alternative->str);
    else
        html_append_text(renderer->html, alternative->str, alternative->len);
    text_writer_append(renderer->text, alternative->str, alternative->len);
    g_clear_pointer(&renderer->image_url, g_free);
}

/* ---- md4c's events ------------------------------------------------------------------------------------------------ */

static int on_enter_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    Renderer *renderer = data;
    flush_run(renderer);
    html_enter_block(renderer->html, type, detail);
    text_writer_enter_block(renderer->text, type, detail);
    return 0;
}

static int on_leave_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    Renderer *renderer = data;
    flush_run(renderer);
    html_leave_block(renderer->html, type, detail);
    text_writer_leave_block(renderer->text, type);
    return 0;
}

static int on_enter_span(MD_SPANTYPE type, void *detail, void *data)
{
    Renderer *renderer = data;
    flush_run(renderer);
    if (type == MD_SPAN_IMG && renderer->image_depth++ == 0)
        begin_image(renderer, detail);
    if (renderer->image_depth > 0)
        return 0;
    if (type == MD_SPAN_A)
        begin_link(renderer, detail);
    else
        html_enter_span(renderer->html, type);
    return 0;
}

static int on_leave_span(MD_SPANTYPE type, void *detail, void *data)
{
    (void)detail;
    Renderer *renderer = data;
    flush_run(renderer);
    if (type == MD_SPAN_IMG)
        end_image(renderer);
    else if (renderer->image_depth > 0)
        return 0;
    else if (type == MD_SPAN_A)
        end_link(renderer);
    else
        html_leave_span(renderer->html, type);
    return 0;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *data)
{
    Renderer *renderer = data;
    if (type == MD_TEXT_BR) {
        write_break(renderer, "<br>\n", "\n");
    } else if (type == MD_TEXT_SOFTBR) {
        write_break(renderer, "\n", " ");
    } else if (type == MD_TEXT_CODE && renderer->image_depth == 0) {
        flush_run(renderer);
        write_code(renderer, text, size);
    } else if (type == MD_TEXT_ENTITY) {
        append_entity(renderer->run, text, size);
    } else if (type == MD_TEXT_NULLCHAR) {
        g_string_append(renderer->run, "\xEF\xBF\xBD");
    } else {
        g_string_append_len(renderer->run, text, size);
    }
    return 0;
}

void markdown_render(const char *markdown, MarkdownImages *images, char **ret_text, char **ret_html)
{
    const MD_PARSER parser = {.flags = PARSER_FLAGS,
                              .enter_block = on_enter_block,
                              .leave_block = on_leave_block,
                              .enter_span = on_enter_span,
                              .leave_span = on_leave_span,
                              .text = on_text};
    Renderer renderer = {
        .html = g_string_sized_new(1024), .text = text_writer_new(), .run = g_string_sized_new(256), .images = images};
    int rc = md_parse(markdown, (MD_SIZE)strlen(markdown), &parser, &renderer);
    g_assert(rc == 0); /* it fails for want of memory alone */
    g_string_free(renderer.run, TRUE);
    *ret_html = g_string_free(renderer.html, FALSE);
    *ret_text = text_writer_free_to_text(renderer.text);
}

/* ---- which images ------------------------------------------------------------------------------------------------- */

static int pass_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    (void)type, (void)detail, (void)data;
    return 0;
}

static int collect_image(MD_SPANTYPE type, void *detail, void *data)
{
    char *path = type == MD_SPAN_IMG ? image_path(&((MD_SPAN_IMG_DETAIL *)detail)->src) : NULL;
    if (path)
        g_ptr_array_add(data, path);
    return 0;
}

static int pass_span(MD_SPANTYPE type, void *detail, void *data)
{
    (void)type, (void)detail, (void)data;
    return 0;
}

static int pass_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *data)
{
    (void)type, (void)text, (void)size, (void)data;
    return 0;
}

char **markdown_image_paths(const char *markdown)
{
    const MD_PARSER parser = {.flags = PARSER_FLAGS,
                              .enter_block = pass_block,
                              .leave_block = pass_block,
                              .enter_span = collect_image,
                              .leave_span = pass_span,
                              .text = pass_text};
    GPtrArray *paths = g_ptr_array_new();
    int rc = md_parse(markdown, (MD_SIZE)strlen(markdown), &parser, paths);
    g_assert(rc == 0);
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}
