/* GIF by giflib: the first frame, on its screen. Source: GIF89a Specification, CompuServe 1990. */
#include "io/image/image_private.h"

#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BLOCKS = 1 << 16 };

static int gif_take(GifFileType *gif, GifByteType *to, int n) {
    struct image_file *left = gif->UserData;
    const size_t some = (size_t)n < left->len ? (size_t)n : left->len;

    memcpy(to, left->bytes, some);
    left->bytes += some;
    left->len -= some;
    return (int)some;
}

/* Go to the next frame. 1: there is one; 0: there is none; -1: giflib says why. *transparent is its
 * transparent index, or -1. */
static int next_frame(GifFileType *gif, int *transparent) {
    *transparent = NO_TRANSPARENT_COLOR;
    for (int i = 0; i < MOST_BLOCKS; i++) {
        GifRecordType type;
        GifByteType *block;
        int code;

        if (DGifGetRecordType(gif, &type) == GIF_ERROR)
            return -1;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_ERROR ? -1 : 1;
        if (type == TERMINATE_RECORD_TYPE)
            return 0;
        if (type != EXTENSION_RECORD_TYPE)
            continue;
        if (DGifGetExtension(gif, &code, &block) == GIF_ERROR)
            return -1;
        while (block) {
            GraphicsControlBlock control;

            if (code == GRAPHICS_EXT_FUNC_CODE &&
                DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
                *transparent = control.TransparentColor;
            if (DGifGetExtensionNext(gif, &block) == GIF_ERROR)
                return -1;
        }
    }
    return -1;
}

/* Rows of an interlaced frame come in four passes. */
static int take_rows(GifFileType *gif, const GifImageDesc *frame, struct image *out) {
    static const int first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};

    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++)
        for (int y = frame->Interlace ? first[pass] : 0; y < frame->Height;
             y += frame->Interlace ? step[pass] : 1) {
            unsigned char *row =
                out->pixels + (size_t)(frame->Top + y) * (size_t)out->width + (size_t)frame->Left;

            if (DGifGetLine(gif, row, frame->Width) == GIF_ERROR)
                return -1;
        }
    return 0;
}

static int fail(const struct image_file *file, const GifFileType *gif, struct err *err) {
    const char *text = GifErrorString(gif->Error);

    if (gif->Error == D_GIF_ERR_NOT_ENOUGH_MEM)
        return image_no_memory(file->name, err);
    return image_broken(file, &image_gif, text ? text : "it ends too early", err);
}

/* Where the frame does not cover the screen, the screen is transparent: one index more, if there is
 * one. Classes have no such index: -1. */
static int paint_screen(const GifFileType *gif, const ColorMapObject *map, enum image_mode mode,
                        int *transparent, struct image *out) {
    const GifImageDesc *frame = &gif->Image;
    const size_t area = (size_t)out->width * (size_t)out->height;

    if (frame->Left == 0 && frame->Top == 0 && frame->Width == out->width &&
        frame->Height == out->height)
        return 0;
    if (mode == IMAGE_CLASSES || (*transparent < 0 && map->ColorCount == 256))
        return -1;
    if (*transparent < 0)
        *transparent = map->ColorCount;
    memset(out->pixels, *transparent, area);
    return 0;
}

static void take_palette(const ColorMapObject *map, int transparent, unsigned char (*palette)[4]) {
    for (int i = 0; i < map->ColorCount && i < 256; i++) {
        palette[i][0] = map->Colors[i].Red;
        palette[i][1] = map->Colors[i].Green;
        palette[i][2] = map->Colors[i].Blue;
        palette[i][3] = 255;
    }
    if (transparent >= 0)
        memset(palette[transparent], 0, 4);
}

static int broken_header(const struct image_file *file, struct err *err) {
    return image_broken(file, &image_gif, "its header is wrong, or missing", err);
}

static int no_image(const struct image_file *file, struct err *err) {
    return image_broken(file, &image_gif, "it has no image", err);
}

/* A frame may reach over its screen. */
static int screen_width(const GifFileType *gif) {
    const int right = gif->Image.Left + gif->Image.Width;

    return gif->SWidth > right ? gif->SWidth : right;
}

static int screen_height(const GifFileType *gif) {
    const int bottom = gif->Image.Top + gif->Image.Height;

    return gif->SHeight > bottom ? gif->SHeight : bottom;
}

static int decode_frame(GifFileType *gif, const struct image_file *file, enum image_mode mode,
                        struct image *out, struct err *err) {
    unsigned char palette[256][4] = {{0}};
    int transparent, other;
    const int found = next_frame(gif, &transparent);
    const GifImageDesc *frame = &gif->Image;
    const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;

    if (found < 0)
        return fail(file, gif, err);
    if (!found)
        return no_image(file, err);
    if (!map)
        return image_broken(file, &image_gif, "it has no palette", err);
    if (image_init(out, file->name, screen_width(gif), screen_height(gif), 1, err))
        return -1;
    if (paint_screen(gif, map, mode, &transparent, out))
        return image_broken(file, &image_gif, "its frame does not cover its screen", err);
    if (take_rows(gif, frame, out))
        return fail(file, gif, err);
    take_palette(map, transparent, palette);
    const int n = transparent >= map->ColorCount ? transparent + 1 : map->ColorCount;
    out->palette = true;
    if (mode != IMAGE_CLASSES && image_colours(out, palette, n, file->name, err))
        return -1;
    out->facts |= next_frame(gif, &other) > 0 ? IMAGE_FRAMES : 0U;
    return 0;
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    struct image_file left = *file;
    int error = 0, status;
    GifFileType *gif = DGifOpen(&left, gif_take, &error);

    if (!gif)
        return broken_header(file, err);
    status = decode_frame(gif, file, mode, out, err);
    DGifCloseFile(gif, &error);
    return status;
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "GIF87a", 6) || image_begins(file, 0, "GIF89a", 6);
}

/* By the palette of all frames; one that has none is in colour. */
static int frame_header(GifFileType *gif, const struct image_file *file, struct image_header *out,
                        struct err *err) {
    const ColorMapObject *map = gif->SColorMap;
    int transparent;
    const int found = next_frame(gif, &transparent);

    if (found < 0)
        return fail(file, gif, err);
    if (!found)
        return no_image(file, err);
    const bool grey = map && image_grey_palette(&map->Colors[0].Red, map->ColorCount, 3);
    *out = (struct image_header){screen_width(gif), screen_height(gif), grey ? 1 : 3, 1};
    return 0;
}

static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    struct image_file left = *file;
    int error = 0, status;
    GifFileType *gif = DGifOpen(&left, gif_take, &error);

    if (!gif)
        return broken_header(file, err);
    status = frame_header(gif, file, out, err);
    DGifCloseFile(gif, &error);
    return status;
}

const struct image_format image_gif = {"GIF", is, decode, header, NULL};
