/* What a file is that is no image of a format that is read. */
#include "io/image/image_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONVERT ", which is not read; convert it to JPEG or PNG"

static const struct {
    size_t at, len;
    const char *text, *is;
} kinds[] = {
    {4, 8, "ftypavif", "AVIF" CONVERT},
    {4, 8, "ftypavis", "AVIF" CONVERT},
    {4, 7, "ftyphei", "HEIC" CONVERT},
    {4, 7, "ftyphev", "HEIC" CONVERT},
    {4, 8, "ftypmif1", "HEIC" CONVERT},
    {4, 8, "ftypmsf1", "HEIC" CONVERT},
    {4, 4, "ftyp", "a film (MP4, MOV), expected an image"},
    {4, 8, "jP  \r\n\x87\n", "JPEG 2000" CONVERT},
    {0, 4, "\xff\x4f\xff\x51", "JPEG 2000" CONVERT},
    {4, 8, "JXL \r\n\x87\n", "JPEG XL" CONVERT},
    {0, 2, "\xff\x0a", "JPEG XL" CONVERT},
    {0, 5, "%PDF-", "PDF" CONVERT},
    {0, 4, "%!PS", "PostScript" CONVERT},
    {0, 4, "8BPS", "PSD (Photoshop)" CONVERT},
    {0, 4, "\x76\x2f\x31\x01", "OpenEXR" CONVERT},
    {0, 4, "\0\0\1\0", "an icon (ICO)" CONVERT},
    {0, 10, "#?RADIANCE", "Radiance HDR" CONVERT},
    {128, 4, "DICM", "DICOM" CONVERT},
    {0, 6, "\x93NUMPY", "a NumPy array, expected an image"},
    {0, 8, "\x89HDF\r\n\x1a\n", "HDF5, expected an image"},
    {0, 4, "PK\3\4", "a ZIP archive, expected an image; unpack it"},
    {0, 2, "\x1f\x8b", "packed by gzip, expected an image; unpack it"},
    {0, 24, "version https://git-lfs.",
     "a pointer of Git LFS, not the image; fetch it with "
     "git lfs pull"},
    {0, 8, "\0\5\x16\7\0\2\0\0", "what macOS keeps beside a file (AppleDouble), not the image"},
};

/* Text, in its first 512 bytes, whatever the case. */
static bool mentions(const struct image_file *file, const char *word) {
    const size_t n = strlen(word), last = file->len < 512 ? file->len : 512;

    for (size_t i = 0; i + n <= last; i++)
        if (strncasecmp((const char *)file->bytes + i, word, n) == 0)
            return true;
    return false;
}

static bool all_zero(const struct image_file *file) {
    for (size_t i = 0; i < file->len; i++)
        if (file->bytes[i])
            return false;
    return true;
}

static bool is_netpbm(const struct image_file *file) {
    return file->len > 3 && file->bytes[0] == 'P' && strchr("1234567", file->bytes[1]) &&
           strchr(" \t\r\n", file->bytes[2]);
}

const char *image_kind(const struct image_file *file, char *text, size_t room) {
    if (!file->len)
        return "empty, expected an image";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (image_begins(file, kinds[i].at, kinds[i].text, kinds[i].len))
            return kinds[i].is;
    if (mentions(file, "<svg"))
        return "SVG" CONVERT;
    if (mentions(file, "<html") || mentions(file, "<!doctype html"))
        return "a page of HTML, not the image: its download has failed";
    if (is_netpbm(file))
        return "PNM (PPM, PGM, PBM)" CONVERT;
    if (all_zero(file))
        return "nothing but zeros, not an image: its copy or download was cut off";
    size_t used =
        (size_t)snprintf(text, room, "no JPEG, PNG, WebP, BMP, GIF or TIFF: it begins with");
    for (size_t i = 0; i < 4 && i < file->len && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, " %02x", file->bytes[i]);
    return text;
}
