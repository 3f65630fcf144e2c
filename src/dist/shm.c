#include "dist/shm.h"

#include <sys/statvfs.h>

enum { MPI_BYTES = 1 << 20, MPI_SHARE = 16 };

double shm_left(void) {
    struct statvfs room;

    return statvfs("/dev/shm", &room) ? -1 : (double)room.f_bavail * (double)room.f_frsize;
}

size_t shm_needed(size_t bytes) {
    return bytes + bytes / MPI_SHARE + MPI_BYTES;
}
