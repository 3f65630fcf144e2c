#include "dist/shm.h"

#include <sys/statvfs.h>

double shm_left(void) {
    struct statvfs room;

    return statvfs("/dev/shm", &room) ? -1 : (double)room.f_bavail * (double)room.f_frsize;
}
