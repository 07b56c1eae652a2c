/*
 * The first three octets of each word of the text are looked up in a table of bits; only where they may be those of some word are the words
 * compared. Pure; any thread; linear.
 */
#include "mail/word_gate.h"

#include <string.h>

enum { KEYS = 32768 };

struct WordGate {
    char **words;
    guint16 *key_of_word;
    guint8 keys[KEYS / 8];
    guint8 letters[256]; /* octet -> what it is in a word: a letter in lower case, a digit, the octet itself beyond ASCII; 0: in none */
};

static guint8 letter_of(guchar c)
{
    return g_ascii_isalnum((char)c) || c >= 0x80 ? (guint8)g_ascii_tolower((char)c) : 0;
}

/* Of the word that begins there, which has two letters at least. */
static guint key_of(const guint8 *letters, const guchar *word)
{
    guint second = letters[word[1]], third = second != 0 ? letters[word[2]] : 0;
    return ((guint)letters[word[0]] * 961 + second * 31 + third) % KEYS;
}

WordGate *word_gate_new(const char *words)
{
    WordGate *gate = g_new0(WordGate, 1);
    for (guint c = 0; c < G_N_ELEMENTS(gate->letters); c++)
        gate->letters[c] = letter_of((guchar)c);
    gate->words = g_strsplit(words, " ", -1);
    gate->key_of_word = g_new(guint16, g_strv_length(gate->words));
    for (guint i = 0; gate->words[i] != NULL; i++) {
        guint key = key_of(gate->letters, (const guchar *)gate->words[i]);
        gate->key_of_word[i] = (guint16)key;
        gate->keys[key / 8] |= (guint8)(1U << key % 8);
    }
    return gate;
}

static gboolean begins_with_any(const WordGate *gate, const char *text, guint key)
{
    for (guint i = 0; gate->words[i] != NULL; i++) {
        if (gate->key_of_word[i] != key)
            continue;
        const char *word = gate->words[i];
        gsize length = strlen(word);
        gboolean alone = word[length - 1] == '_';
        length -= alone ? 1 : 0;
        if (g_ascii_strncasecmp(text, word, length) == 0 && (!alone || gate->letters[(guchar)text[length]] == 0))
            return TRUE;
    }
    return FALSE;
}

gboolean word_gate_is_open(const WordGate *gate, const char *text)
{
    const guint8 *letters = gate->letters;
    for (const guchar *p = (const guchar *)text;;) {
        while (letters[*p] == 0 && *p != '\0')
            p++;
        if (*p == '\0')
            return FALSE;
        guint key = key_of(letters, p);
        if ((gate->keys[key / 8] >> key % 8 & 1) != 0 && begins_with_any(gate, (const char *)p, key))
            return TRUE;
        while (letters[*p] != 0)
            p++;
    }
}
