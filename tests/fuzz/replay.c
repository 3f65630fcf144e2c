/* replay.c - a fuzzer's main where libFuzzer has none: every file of the folders named, once. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void replay(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t len;

    fuzz_check(file && !fseek(file, 0, SEEK_END), "the input is a file");
    len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(len ? len : 1); /* of just this size: one byte beyond is noticed */
    fuzz_check(bytes && fread(bytes, 1, len, file) == len, "the input is read");
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
}

int main(int argc, char **argv) {
    int n = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        char path[4096];

        fuzz_check(folder != NULL, "the corpus is a folder");
        for (struct dirent *e; (e = readdir(folder));) {
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            replay(path);
            n++;
        }
        closedir(folder);
    }
    printf("%d inputs\n", n);
    return n ? 0 : 1;
}
