#define _XOPEN_SOURCE 700 /* nftw */
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[256];

void fuzz_check(int holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

void fuzz_must(int rc, const struct err *err) {
    fuzz_check(!rc, err->msg);
}

void fuzz_check_error(const struct err *err) {
    const int known = err->kind == ERR_USAGE || err->kind == ERR_DATA || err->kind == ERR_IO ||
                      err->kind == ERR_STOPPED || err->kind == ERR_CONFIG;

    fuzz_check(known && err->msg[0], "a refusal has a kind and a message");
}

char *fuzz_text(const uint8_t *bytes, size_t len) {
    char *text = malloc(len + 1);

    fuzz_check(text != NULL, "there is memory for the text");
    memcpy(text, bytes, len);
    text[len] = 0;
    return text;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static void remove_folder(void) {
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(void) {
    const char *above = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/dltrain_XXXXXX", above ? above : "/tmp");
    fuzz_check(mkdtemp(folder) != NULL, "there is a folder for files");
    atexit(remove_folder);
}

const char *fuzz_path(const char *name) {
    static char path[sizeof folder + 64];

    if (!folder[0])
        make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *fuzz_file(const char *name, const uint8_t *bytes, size_t len) {
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");

    fuzz_check(file && fwrite(bytes, 1, len, file) == len && !fclose(file), "the file is written");
    return path;
}
