#include "io/h5/h5_private.h"

#include <stdio.h>

void h5_version(char text[H5_VERSION_TEXT]) {
    unsigned major = 0, minor = 0, release = 0;

    h5_lock();
    H5get_libversion(&major, &minor, &release);
    h5_unlock();
    snprintf(text, H5_VERSION_TEXT, "%u.%u.%u", major, minor, release);
}
