/* Pieces of pictures beside the whole, decoded and then cut; sizes from headers. */
#include "io/jpeg.h"

#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "io/image/golden_pictures.h"
#include "io/image/golden_pieces.h"
#include "io/image/image_resample.h"

enum { N_PICTURES = sizeof golden_pictures / sizeof *golden_pictures };

static int draw(uint64_t *at, int n) {
    return (int)rng_below(rng_key(7, RNG_TEST, 0, 0), (*at)++, (uint64_t)n);
}

/* How a JPEG is written; read by `arrange`. */
static struct {
    int across, down; /* pixels of a sample of chroma; 0: grey */
    bool in_scans, in_planes;
    int restart;
} form;

static void arrange(struct jpeg_compress_struct *jpeg) {
    static jpeg_scan_info scans[3];

    jpeg_set_quality(jpeg, 90, TRUE);
    jpeg->comp_info[0].h_samp_factor = form.across ? form.across : 1;
    jpeg->comp_info[0].v_samp_factor = form.across ? form.down : 1;
    if (form.in_scans)
        jpeg_simple_progression(jpeg);
    if (form.in_planes && form.across) {
        for (int i = 0; i < 3; i++)
            scans[i] = (jpeg_scan_info){.comps_in_scan = 1, .component_index = {i}, .Se = 63};
        jpeg->scan_info = scans;
        jpeg->num_scans = 3;
    }
    jpeg->restart_interval = (unsigned)form.restart;
}

/* A JPEG as `form` says, of waves and noise, with an orientation; malloc'd. */
static unsigned char *make_jpeg(int width, int height, int orientation, size_t *n) {
    const int channels = form.across ? 3 : 1;
    unsigned char *pixels = malloc((size_t)(width * height * channels));
    const unsigned char exif[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0, 'I', 'I',
                                  '*',  0,    8, 0,  0,   0,   1,   0,   0x12, 1, 3,   0,
                                  1,    0,    0, 0,  0,   0,   0,   0,   0,    0, 0,   0};
    uint64_t at = 0;

    assert_non_null(pixels);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                pixels[(y * width + x) * channels + c] =
                    (unsigned char)((x * (5 + c) + y * (3 + 2 * c)) % 200 + draw(&at, 56));
    write_jpeg_as(in_scratch("p.jpg"), width, height, channels == 3 ? JCS_RGB : JCS_GRAYSCALE,
                  pixels, arrange);
    free(pixels);
    unsigned char *bytes = read_bytes(in_scratch("p.jpg"), n), *with = malloc(*n + sizeof exif);
    assert_non_null(with);
    memcpy(with, bytes, 2);
    memcpy(with + 2, exif, sizeof exif);
    with[2 + 28] = (unsigned char)orientation;
    memcpy(with + 2 + sizeof exif, bytes + 2, *n - 2);
    *n += sizeof exif;
    free(bytes);
    return with;
}

/* A box of whole pixels that stays as large as it is. */
static struct image_piece cut_of(int left, int top, int width, int height) {
    return (struct image_piece){left,  top,    width, height, left,  top,
                                width, height, width, height, false, false};
}

static struct image_piece random_cut(uint64_t *at, int width, int height) {
    const int w = 1 + draw(at, width), h = 1 + draw(at, height);

    return cut_of(draw(at, width - w + 1), draw(at, height - h + 1), w, h);
}

/* The piece of what was decoded whole, resized as importers do. */
static void expect_piece(const struct image *whole, const struct image_piece *p,
                         unsigned char *out) {
    const size_t c = (size_t)whole->channels, row = (size_t)p->bound_width * c;
    struct image cut = {
        .width = p->bound_width, .height = p->bound_height, .channels = whole->channels};
    struct err err = {0};

    cut.pixels = malloc(row * (size_t)p->bound_height);
    assert_non_null(cut.pixels);
    for (int y = 0; y < p->bound_height; y++)
        memcpy(cut.pixels + (size_t)y * row,
               whole->pixels +
                   ((size_t)(p->bound_top + y) * (size_t)whole->width + (size_t)p->bound_left) * c,
               row);
    assert_int_equal(image_resize(&cut, p->out_width, p->out_height, IMAGE_STRETCH, out, &err), 0);
    image_release(&cut);
}

static void assert_piece(const char *what, const unsigned char *bytes, size_t n,
                         enum image_mode mode, const struct image_piece *p,
                         const struct image *whole, struct image_room *room) {
    const size_t len = (size_t)p->out_width * (size_t)p->out_height * (mode == IMAGE_GREY ? 1 : 3);
    unsigned char *found = malloc(len), *expected = malloc(len);
    struct err err = {0};

    assert_non_null(found);
    assert_non_null(expected);
    expect_piece(whole, p, expected);
    if (image_decode_piece(bytes, n, what, mode, p, room, found, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < len; i++)
        if (found[i] != expected[i])
            fail_msg("%s: %dx%d of %dx%d at %d, %d as %dx%d: byte %zu is %d, expected %d", what,
                     p->bound_width, p->bound_height, whole->width, whole->height, p->bound_left,
                     p->bound_top, p->out_width, p->out_height, i, found[i], expected[i]);
    free(found);
    free(expected);
}

/* Random pieces of one file, as they are and at another size. */
static void check_file(const char *what, const unsigned char *bytes, size_t n, int pieces,
                       struct image_room *room) {
    static uint64_t at;

    for (int k = 0; k < pieces; k++) {
        const enum image_mode mode = k % 4 == 3 ? IMAGE_GREY : IMAGE_COLOUR;
        struct image whole = {0};
        struct err err = {0};

        if (image_decode(bytes, n, what, mode, &whole, &err))
            fail_msg("%s", err.msg);
        struct image_piece p = random_cut(&at, whole.width, whole.height);
        assert_piece(what, bytes, n, mode, &p, &whole, room);
        p.out_width = 1 + draw(&at, 40);
        p.out_height = 1 + draw(&at, 40);
        assert_piece(what, bytes, n, mode, &p, &whole, room);
        p = cut_of(0, 0, whole.width, whole.height);
        assert_piece(what, bytes, n, mode, &p, &whole, room);
        image_release(&whole);
    }
}

/* Everything that says how chroma lies, where bits lie, and how the picture lies. */
static void a_piece_of_a_jpeg_is_what_the_whole_has_there(void **state) {
    static const int samplings[][2] = {{0, 0}, {1, 1}, {2, 1}, {2, 2}, {4, 1}, {1, 2}, {4, 2}};
    static const int sizes[][2] = {{97, 75}, {64, 48}, {131, 33}, {17, 90}, {1, 1}, {3, 41}};
    struct image_room room = {0};
    char what[64];

    (void)state;
    for (int s = 0; s < 7; s++)
        for (int kind = 0; kind < 4; kind++)
            for (int i = 0; i < 6; i++) {
                const int orientation = 1 + (s + kind + i) % 8;
                size_t n;

                form.across = samplings[s][0];
                form.down = samplings[s][1];
                form.in_scans = kind == 1;
                form.restart = kind == 2 ? 3 : 0;
                form.in_planes = kind == 3;
                snprintf(what, sizeof what, "%dx%d, kind %d, %dx%d, orientation %d", form.across,
                         form.down, kind, sizes[i][0], sizes[i][1], orientation);
                unsigned char *bytes = make_jpeg(sizes[i][0], sizes[i][1], orientation, &n);
                check_file(what, bytes, n, 12, &room);
                free(bytes);
            }
    image_room_release(&room);
}

/* libjpeg guesses the bits that no scan of a progressive file has brought: from more than a part.
 */
static void a_piece_of_an_unfinished_jpeg_is_what_the_whole_has_there(void **state) {
    struct image_room room = {0};
    size_t n;

    (void)state;
    form.across = form.down = 2;
    form.in_scans = true;
    form.in_planes = false;
    form.restart = 0;
    unsigned char *bytes = make_jpeg(97, 75, 1, &n);
    int scans = 0;
    for (size_t i = 0; i + 1 < n; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xda && ++scans == 2) {
            memcpy(bytes + i, "\xff\xd9", 2);
            n = i + 2;
        }
    assert_true(scans >= 2);
    check_file("unfinished", bytes, n, 20, &room);
    free(bytes);
    image_room_release(&room);
}

/* Bytes of hexadecimal text, malloc'd. */
static unsigned char *unhex(const char *text, size_t *n) {
    unsigned char *bytes = malloc(strlen(text) / 2);

    assert_non_null(bytes);
    *n = strlen(text) / 2;
    for (size_t i = 0; i < *n; i++) {
        const char digits[] = {text[2 * i], text[2 * i + 1], 0};
        bytes[i] = (unsigned char)strtol(digits, NULL, 16);
    }
    return bytes;
}

static void a_piece_of_every_format_is_what_the_whole_has_there(void **state) {
    struct image_room room = {0};

    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        size_t n;
        unsigned char *bytes = unhex(golden_pictures[i].file, &n);

        check_file(golden_pictures[i].name, bytes, n, 8, &room);
        free(bytes);
    }
    image_room_release(&room);
}

/* Whatever the size and the place of the box. */
static void resizing_is_that_of_pillow(void **state) {
    unsigned char pixels[13 * 11 * 3], out[256 * 3];
    struct image_room room = {0};
    struct err err = {0};
    size_t n, len;

    (void)state;
    for (int i = 0; i < 13 * 11 * 3; i++) {
        const int x = i / 3 % 13, y = i / 39, c = i % 3;

        pixels[i] = (unsigned char)(x * x * 37 + y * 91 + x * y * 11 + c * 53);
    }
    assert_int_equal(image_write_png(in_scratch("g.png"), 13, 11, 3, pixels, &err), 0);
    unsigned char *bytes = read_bytes(in_scratch("g.png"), &n);
    for (size_t i = 0; i < sizeof golden_pieces / sizeof *golden_pieces; i++) {
        const struct golden_piece *g = &golden_pieces[i];
        const struct image_piece p = {
            g->left, g->top, g->right - g->left, g->bottom - g->top, 0,           0,
            13,      11,     g->width,           g->height,          g->mirrored, false};
        unsigned char *expected = unhex(g->bytes, &len);

        assert_int_equal(len, 3 * g->width * g->height);
        assert_int_equal(image_decode_piece(bytes, n, "g", IMAGE_COLOUR, &p, &room, out, &err), 0);
        assert_memory_equal(out, expected, len);
        free(expected);
    }
    image_room_release(&room);
    free(bytes);
}

/* Numbers of taps around the steps of a kernel, and what lies behind a row is not looked at. */
static void kernels_give_the_same_bits(void **state) {
    enum { N = 37, TAPS = 23, LEN = 3 * (N + TAPS) + 16, OUT = 3 * N + 1 };
    unsigned char rows[TAPS * LEN], expected[4][OUT], found[4][OUT];
    const unsigned char *row[4] = {rows, rows + LEN, rows + 2 * LEN, rows + 3 * LEN};
    unsigned char *const to[4] = {expected[0], expected[1], expected[2], expected[3]};
    unsigned char *const at_last[4] = {found[0], found[1], found[2], found[3]};
    int first[N], n[N];
    int32_t weight[N * 24] = {0};
    const struct image_taps taps = {24, first, n, weight};
    uint64_t at = 0;

    (void)state;
    for (int i = 0; i < TAPS * LEN; i++)
        rows[i] = (unsigned char)(i % 5 ? draw(&at, 256) : 255);
    for (int i = 0; i < N; i++) {
        first[i] = i;
        n[i] = 1 + i % TAPS;
        for (int k = 0; k < n[i]; k++) /* the sum is 2^22, or a little more */
            weight[i * 24 + k] = (1 << IMAGE_WEIGHT_BITS) / n[i] + k % 2 * (i % 3);
    }
    for (int channels = 1; channels <= 3; channels += 2) {
        image_kernels_plain.across(row, channels, &taps, N, to);
        image_kernels()->across(row, channels, &taps, N, at_last);
        for (int r = 0; r < 4; r++)
            assert_memory_equal(found[r], expected[r], (size_t)(N * channels));
    }
    for (size_t len = 1; len < 180; len += 13)
        for (int i = 0; i < N; i++) {
            unsigned char one[LEN] = {0}, other[LEN] = {0};

            image_kernels_plain.down(rows, LEN, weight + i * 24, n[i], len, one);
            image_kernels()->down(rows, LEN, weight + i * 24, n[i], len, other);
            assert_memory_equal(one, other, LEN);
            assert_int_equal(one[len], 0);
        }
}

/* Resize(64) and then CenterCrop(40), in one. */
static void resized_and_then_cut_is_a_box_between_pixels(void **state) {
    const double step_x = 97.0 / 83, step_y = 75.0 / 64;
    const struct image_piece p = {.left = 21 * step_x,
                                  .top = 12 * step_y,
                                  .width = 40 * step_x,
                                  .height = 40 * step_y,
                                  .bound_width = 97,
                                  .bound_height = 75,
                                  .out_width = 40,
                                  .out_height = 40,
                                  .mirrored = true};
    unsigned char resized[83 * 64 * 3], found[40 * 40 * 3];
    struct image whole = {0};
    struct image_room room = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    form.across = form.down = 2;
    form.in_scans = false;
    unsigned char *bytes = make_jpeg(97, 75, 1, &n);
    assert_int_equal(image_decode(bytes, n, "a", IMAGE_COLOUR, &whole, &err), 0);
    assert_int_equal(image_resize(&whole, 83, 64, IMAGE_STRETCH, resized, &err), 0);
    if (image_decode_piece(bytes, n, "a", IMAGE_COLOUR, &p, &room, found, &err))
        fail_msg("%s", err.msg);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 40; x++)
            assert_memory_equal(found + 3 * (y * 40 + 39 - x),
                                resized + 3 * ((y + 12) * 83 + x + 21), 3);
    image_release(&whole);
    image_room_release(&room);
    free(bytes);
}

static void headers_say_the_size(void **state) {
    int width, height, channels;
    struct err err = {0};

    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const struct golden_picture *g = &golden_pictures[i];
        size_t n;
        unsigned char *bytes = unhex(g->file, &n);

        if (image_size(bytes, n, g->name, &width, &height, &channels, &err))
            fail_msg("%s", err.msg);
        if (width != g->width || height != g->height || channels != g->channels)
            fail_msg("%s: %dx%d, %d channels", g->name, width, height, channels);
        free(bytes);
    }
    form.across = form.down = 1;
    for (int o = 1; o <= 8; o++) {
        size_t n;
        unsigned char *bytes = make_jpeg(24, 16, o, &n);

        assert_int_equal(image_size(bytes, n, "a", &width, &height, &channels, &err), 0);
        assert_int_equal(width, o < 5 ? 24 : 16);
        assert_int_equal(height, o < 5 ? 16 : 24);
        assert_int_equal(image_size(bytes, 20, "b.jpg", &width, &height, &channels, &err), -1);
        assert_contains(err.msg, "b.jpg: broken JPEG: ");
        free(bytes);
    }
    assert_int_equal(
        image_size((const unsigned char *)"nothing", 7, "c", &width, &height, &channels, &err), -1);
    assert_contains(err.msg, "c: is no JPEG, PNG");
    assert_int_equal(err.kind, ERR_DATA);
}

static void assert_piece_refused(const unsigned char *bytes, size_t n, const struct image_piece *p,
                                 const char *message) {
    struct image_room room = {0};
    struct err err = {0};
    unsigned char out[64 * 64 * 3];

    if (image_decode_piece(bytes, n, "x.jpg", IMAGE_COLOUR, p, &room, out, &err) == 0)
        fail_msg("accepted, expected \"%s\"", message);
    assert_int_equal(err.kind, ERR_DATA);
    assert_contains(err.msg, "x.jpg: ");
    assert_contains(err.msg, message);
    image_room_release(&room);
}

static void what_breaks_a_piece_is_said(void **state) {
    const struct image_piece top = cut_of(0, 0, 64, 8), all = cut_of(0, 0, 64, 64);
    struct image_piece odd = cut_of(3, 3, 62, 8);
    struct image_room room = {0};
    struct err err = {0};
    unsigned char out[64 * 64 * 3];
    size_t n;

    (void)state;
    form.across = form.down = 2;
    form.in_scans = form.in_planes = false;
    form.restart = 0;
    unsigned char *bytes = make_jpeg(64, 64, 1, &n);
    assert_piece_refused(bytes, n, &odd,
                         "is 64x64 pixels, which do not hold the piece of 62x8 pixels at 3, 3");
    odd = cut_of(0, 0, 8, 8);
    odd.width = 9;
    assert_piece_refused(bytes, n, &odd, "the piece of 9x8 pixels at 0, 0");
    odd = cut_of(0, 0, 0, 8);
    assert_piece_refused(bytes, n, &odd, "the piece of 0x8 pixels");
    assert_piece_refused((const unsigned char *)"", 0, &all, "is empty, expected an image");
    assert_piece_refused((const unsigned char *)"\0\0\0\0", 4, &all, "is nothing but zeros");
    assert_piece_refused(bytes, n / 2, &all, "broken JPEG: ");
    assert_piece_refused(bytes, 30, &all, "broken JPEG: ");
    /* a tail that nobody needs */
    if (image_decode_piece(bytes, n / 2, "cut", IMAGE_COLOUR, &top, &room, out, &err))
        fail_msg("%s", err.msg);
    image_room_release(&room);
    free(bytes);
}

/* Of smooth pictures, which photos are. */
static void a_reduced_piece_is_near(void **state) {
    unsigned char pixels[160 * 120 * 3], exact[20 * 15 * 3], found[20 * 15 * 3];
    struct image_piece p = cut_of(0, 0, 160, 120);
    struct image_room room = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    for (int i = 0; i < 160 * 120 * 3; i++)
        pixels[i] = (unsigned char)(40 + (i / 3 % 160 + i / 480 + i % 3 * 20) / 2);
    form.across = form.down = 2;
    write_jpeg_as(in_scratch("r.jpg"), 160, 120, JCS_RGB, pixels, arrange);
    unsigned char *bytes = read_bytes(in_scratch("r.jpg"), &n);
    for (int reduction = 2; reduction <= 8; reduction *= 2) {
        p.out_width = 160 / reduction > 20 ? 20 : 160 / reduction;
        p.out_height = 15;
        p.width = 20 * reduction;
        p.height = 15 * reduction;
        p.bound_width = 20 * reduction;
        p.bound_height = 15 * reduction;
        p.reduced = false;
        assert_int_equal(image_piece_reduction(&p), 1);
        assert_int_equal(image_decode_piece(bytes, n, "r", IMAGE_COLOUR, &p, &room, exact, &err),
                         0);
        p.reduced = true;
        assert_int_equal(image_piece_reduction(&p), reduction);
        assert_int_equal(image_decode_piece(bytes, n, "r", IMAGE_COLOUR, &p, &room, found, &err),
                         0);
        for (int i = 0; i < 20 * 15 * 3; i++)
            if (abs(exact[i] - found[i]) > 4)
                fail_msg("1/%d: byte %d is %d, exactly %d", reduction, i, found[i], exact[i]);
    }
    image_room_release(&room);
    free(bytes);
}

static void a_room_keeps_its_memory(void **state) {
    const struct image_piece all = cut_of(0, 0, 97, 75), part = cut_of(30, 20, 40, 40);
    unsigned char out[97 * 75 * 3];
    struct image_room room = {0};
    struct err err = {0};
    size_t n;

    (void)state;
    form.across = form.down = 2;
    unsigned char *bytes = make_jpeg(97, 75, 6, &n);
    const struct image_piece turned = cut_of(0, 0, 75, 97);
    assert_int_equal(image_decode_piece(bytes, n, "a", IMAGE_COLOUR, &turned, &room, out, &err), 0);
    const struct image_room before = room;
    for (int i = 0; i < 3; i++)
        assert_int_equal(image_decode_piece(bytes, n, "a", IMAGE_COLOUR, &part, &room, out, &err),
                         0);
    assert_memory_equal(&room, &before, sizeof room);
    assert_piece_refused(bytes, n, &all, "75x97");
    free(bytes);
    image_room_release(&room);
}

/* Pieces of one JPEG, decoded by several threads at a time. */
struct crowd {
    const unsigned char *bytes;
    size_t n;
    struct image_room room[4];
    unsigned char (*out)[30 * 20 * 3];
};

static void decode_some(void *context, int slot, int64_t begin, int64_t end) {
    struct crowd *c = context;

    for (int64_t i = begin; i < end; i++) {
        struct image_piece p = cut_of((int)(i % 8) * 8, (int)(i / 8) * 6, 30, 20);
        struct err err = {0};

        if (image_decode_piece(c->bytes, i % 5 ? c->n : 40, "t", IMAGE_COLOUR, &p, &c->room[slot],
                               c->out[i], &err))
            memset(c->out[i], 1, sizeof *c->out);
    }
}

static void threads_with_rooms_of_their_own_do_not_meet(void **state) {
    enum { N = 64 };
    struct crowd alone = {0}, crowd = {0};
    struct team *team = NULL;
    struct err err = {0};

    (void)state;
    form.across = form.down = 2;
    unsigned char *bytes = make_jpeg(97, 75, 1, &alone.n);
    alone.out = malloc(N * sizeof *alone.out);
    crowd.out = malloc(N * sizeof *crowd.out);
    assert_non_null(alone.out);
    assert_non_null(crowd.out);
    alone.bytes = crowd.bytes = bytes;
    crowd.n = alone.n;
    decode_some(&alone, 0, 0, N);
    assert_int_equal(team_new(&team, 4, &err), 0);
    team_run_slots(team, N, 4, decode_some, &crowd);
    team_free(team);
    assert_memory_equal(crowd.out, alone.out, N * sizeof *alone.out);
    for (int i = 0; i < 4; i++) {
        image_room_release(&alone.room[i]);
        image_room_release(&crowd.room[i]);
    }
    free(alone.out);
    free(crowd.out);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_of_a_jpeg_is_what_the_whole_has_there),
        cmocka_unit_test(a_piece_of_an_unfinished_jpeg_is_what_the_whole_has_there),
        cmocka_unit_test(a_piece_of_every_format_is_what_the_whole_has_there),
        cmocka_unit_test(resizing_is_that_of_pillow),
        cmocka_unit_test(kernels_give_the_same_bits),
        cmocka_unit_test(resized_and_then_cut_is_a_box_between_pixels),
        cmocka_unit_test(headers_say_the_size),
        cmocka_unit_test(what_breaks_a_piece_is_said),
        cmocka_unit_test(a_reduced_piece_is_near),
        cmocka_unit_test(a_room_keeps_its_memory),
        cmocka_unit_test(threads_with_rooms_of_their_own_do_not_meet),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
