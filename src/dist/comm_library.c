/* comm_library.c - which MPI this is. */
#include "dist/comm_mpi.h"

#include <stdio.h>
#include <string.h>

void comm_library(char library[COMM_TEXT], char standard[COMM_TEXT]) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int len, version = 0, subversion = 0;

    MPI_Get_library_version(text, &len);
    MPI_Get_version(&version, &subversion);
    text[strcspn(text, "\n")] = 0; /* MPICH's goes on with its options */
    for (char *c = text; *c; c++)
        if (*c == '\t')
            *c = ' ';
    snprintf(library, COMM_TEXT, "%.*s", COMM_TEXT - 1, text);
    snprintf(standard, COMM_TEXT, "%d.%d", version, subversion);
}
