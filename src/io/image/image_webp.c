/* WebP by libwebp. */
#include "io/image/image_private.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

enum { LOSSLESS = 2 }; /* of WebPBitstreamFeatures.format */

/* The first frame of several, as it is shown. */
static int first_frame(const WebPData *data, struct image *out) {
    WebPAnimDecoder *frames =
        WebPAnimDecoderNew(data, NULL); /* asks for red, green, blue, opacity */
    const size_t bytes = (size_t)out->width * (size_t)out->height * 4;
    WebPAnimInfo info;
    uint8_t *pixels;
    int when, status = -1;

    if (frames && WebPAnimDecoderGetInfo(frames, &info) &&
        (int64_t)info.canvas_width == out->width && (int64_t)info.canvas_height == out->height &&
        WebPAnimDecoderGetNext(frames, &pixels, &when)) {
        memcpy(out->pixels, pixels, bytes);
        status = 0;
    }
    WebPAnimDecoderDelete(frames);
    return status;
}

static int webp_orientation(const WebPData *data) {
    WebPDemuxer *demux = WebPDemux(data);
    WebPChunkIterator chunk;
    int orientation = 1;

    if (demux && WebPDemuxGetChunk(demux, "EXIF", 1, &chunk)) {
        orientation = image_exif(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demux);
    return orientation;
}

static int broken_header(const struct image_file *file, struct err *err) {
    return image_broken(file, &image_webp, "its header is wrong, or missing", err);
}

static int decode(const struct image_file *file, enum image_mode mode, struct image *out,
                  struct err *err) {
    const WebPData data = {file->bytes, file->len};
    WebPBitstreamFeatures f;
    int status;

    (void)mode;
    if (WebPGetFeatures(file->bytes, file->len, &f) != VP8_STATUS_OK)
        return broken_header(file, err);
    const int n = f.has_alpha || f.has_animation ? 4 : 3;
    if (image_init(out, file->name, f.width, f.height, n, err))
        return -1;
    const int stride = f.width * n;
    const size_t bytes = (size_t)stride * (size_t)f.height;
    if (f.has_animation)
        status = first_frame(&data, out);
    else if (n == 4)
        status = WebPDecodeRGBAInto(file->bytes, file->len, out->pixels, bytes, stride) ? 0 : -1;
    else
        status = WebPDecodeRGBInto(file->bytes, file->len, out->pixels, bytes, stride) ? 0 : -1;
    if (status)
        return image_broken(file, &image_webp, "its pixels are damaged, or end too early", err);
    out->lossy = f.format != LOSSLESS;
    out->orientation = webp_orientation(&data);
    out->facts |= f.has_animation ? IMAGE_FRAMES : 0U;
    return 0;
}

static bool is(const struct image_file *file) {
    return image_begins(file, 0, "RIFF", 4) && image_begins(file, 8, "WEBP", 4);
}

/* The format has no grey. */
static int header(const struct image_file *file, struct image_header *out, struct err *err) {
    const WebPData data = {file->bytes, file->len};
    WebPBitstreamFeatures f;

    if (WebPGetFeatures(file->bytes, file->len, &f) != VP8_STATUS_OK)
        return broken_header(file, err);
    *out = (struct image_header){f.width, f.height, 3, webp_orientation(&data)};
    return 0;
}

const struct image_format image_webp = {"WebP", is, decode, header, NULL};
