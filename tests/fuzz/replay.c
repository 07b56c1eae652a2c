/*
 * Runs a fuzzer over the files of a folder, in place of libFuzzer: `fuzz_read FOLDER`. A fault ends the program; else the last line counts
 * one test as passed. Fails where the folder holds nothing.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint replay(const char *folder)
{
    g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
    guint count = 0;
    for (const char *name; names != NULL && (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *bytes = NULL;
        gsize size = 0;
        if (!g_file_get_contents(path, &bytes, &size, NULL))
            continue;
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    guint count = argc == 2 ? replay(argv[1]) : 0;
    if (count == 0) {
        fprintf(stderr, "%s: no inputs at %s\n", argv[0], argc == 2 ? argv[1] : "no folder");
        return 1;
    }
    printf("%s: %u inputs\n1 passed\n", argv[1], count);
    return 0;
}
