/*
 * Encoded words, leniently: within quotes and words, with spaces in them, in lower case, without padding or with too
 * much of it, with a language behind the charset (RFC 2231, 5), a character spread over two of them.
 *
 * Pure; any thread; linear.
 */
#include "parse_header.h"

#include <string.h>

#include "base/text.h"
#include "parse_charset.h"

enum { RAW_MAX = 64 * 1024, CHARSET_MAX = 40, WORD_MAX = 2000 /* RFC 2047 allows 75 */ };

/* One encoded word within a value. */
typedef struct {
    const char *charset, *text;
    gsize charset_len, text_len;
    char encoding;
    const char *end;
} Word;

/* Decoded bytes of one charset that wait for their conversion. */
typedef struct {
    GString *out, *bytes;
    char charset[CHARSET_MAX + 1]; /* "": none was declared */
} Decoder;

/* The charset and the encoding of "=?charset*language?q?text?="; where the text begins, NULL where this is no such word. */
static const char *read_word_head(const char *p, const char *end, Word *word)
{
    if (end - p < 8 || p[0] != '=' || p[1] != '?')
        return NULL;
    const char *mark = memchr(p + 2, '?', (gsize)MIN(end - p - 2, CHARSET_MAX * 2));
    if (mark == NULL || mark == p + 2 || end - mark < 5 || mark[2] != '?')
        return NULL;
    word->charset = p + 2;
    word->charset_len = (gsize)(mark - word->charset);
    const char *language = memchr(word->charset, '*', word->charset_len);
    if (language != NULL)
        word->charset_len = (gsize)(language - word->charset);
    word->encoding = g_ascii_tolower(mark[1]);
    return word->charset_len <= CHARSET_MAX && (word->encoding == 'q' || word->encoding == 'b') ? mark + 3 : NULL;
}

static gboolean read_word(const char *p, const char *end, Word *word)
{
    word->text = read_word_head(p, end, word);
    const char *close = word->text != NULL ? g_strstr_len(word->text, MIN(end - word->text, WORD_MAX), "?=") : NULL;
    if (close == NULL)
        return FALSE;
    word->text_len = (gsize)(close - word->text);
    word->end = close + 2;
    return TRUE;
}

static void decode_q(const Word *word, GString *bytes)
{
    for (gsize i = 0; i < word->text_len; i++) {
        char c = word->text[i];
        gboolean room = i + 2 < word->text_len;
        int high = room ? g_ascii_xdigit_value(word->text[i + 1]) : -1,
            low = room ? g_ascii_xdigit_value(word->text[i + 2]) : -1;
        if (c == '=' && high >= 0 && low >= 0) {
            g_string_append_c(bytes, (char)(high * 16 + low));
            i += 2;
        } else {
            g_string_append_c(bytes, c == '_' ? ' ' : c);
        }
    }
}

static void decode_b(const Word *word, GString *bytes)
{
    gint state = 0;
    guint save = 0;
    g_autofree guchar *out = g_malloc(word->text_len / 4 * 3 + 6);
    gsize len = g_base64_decode_step(word->text, word->text_len, out, &state, &save);

    /* padding that was left out */
    if (state != 0)
        len += g_base64_decode_step("==", 2, out + len, &state, &save);
    g_string_append_len(bytes, (const char *)out, (gssize)len);
}

static void flush(Decoder *decoder)
{
    gboolean cut = FALSE;

    if (decoder->bytes->len == 0)
        return;
    g_autofree char *text = parse_charset_to_utf8(decoder->bytes->str, decoder->bytes->len,
                                                  *decoder->charset != '\0' ? decoder->charset : NULL, RAW_MAX, &cut);
    g_string_append(decoder->out, text);
    g_string_truncate(decoder->bytes, 0);
}

static void set_charset(Decoder *decoder, const char *charset, gsize len)
{
    if (strlen(decoder->charset) == len && g_ascii_strncasecmp(decoder->charset, charset, len) == 0)
        return;
    flush(decoder);
    memcpy(decoder->charset, charset, len);
    decoder->charset[len] = '\0';
}

static void add_plain(Decoder *decoder, const char *text, gsize len)
{
    set_charset(decoder, "", 0);
    g_string_append_len(decoder->bytes, text, (gssize)len);
}

static void add_word(Decoder *decoder, const Word *word)
{
    set_charset(decoder, word->charset, word->charset_len);
    if (word->encoding == 'q')
        decode_q(word, decoder->bytes);
    else
        decode_b(word, decoder->bytes);
}

/* Behind the white space at p, where an encoded word follows: between two of them it is none. */
static const char *next_word(const char *p, const char *end, Word *word)
{
    const char *next = p;
    while (next < end && g_ascii_isspace(*next))
        next++;
    return read_word(next, end, word) ? next : NULL;
}

static void decode_words(Decoder *decoder, const char *raw, gsize len)
{
    const char *end = raw + len;
    Word word;

    for (const char *p = raw; p < end;) {
        const char *mark = g_strstr_len(p, end - p, "=?");
        if (mark == NULL)
            mark = end;
        add_plain(decoder, p, (gsize)(mark - p));
        p = mark;
        if (p < end && !read_word(p, end, &word)) {
            add_plain(decoder, p, 2);
            p += 2;
            continue;
        }
        for (const char *next = p < end ? p : NULL; next != NULL; next = next_word(p, end, &word)) {
            add_word(decoder, &word);
            p = word.end;
        }
    }
    flush(decoder);
}

/* Single spaces, no controls. */
static char *one_line(const char *text, gsize max_bytes)
{
    g_autofree char *line = text_one_line(text);
    char *out = line;

    for (const char *p = line; *p != '\0'; p++)
        if ((guchar)*p >= ' ' && *p != 0x7f)
            *out++ = *p;
    *out = '\0';
    return g_strndup(line, parse_charset_cut(line, (gsize)(out - line), max_bytes));
}

char *parse_header_decode(const char *raw, gsize max_bytes)
{
    gsize len = MIN(strlen(raw), (gsize)RAW_MAX);
    Decoder decoder = {0};

    decoder.out = g_string_sized_new(len);
    decoder.bytes = g_string_sized_new(len);
    decode_words(&decoder, raw, len);
    char *line = one_line(decoder.out->str, max_bytes);
    g_string_free(decoder.out, TRUE);
    g_string_free(decoder.bytes, TRUE);
    return line;
}
