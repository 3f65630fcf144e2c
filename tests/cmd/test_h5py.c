/* Files as h5py writes them, with what this program does not write. Skipped where Python has no
 * h5py.
 */
#include "cmd/torch_case.h"

static const char *python;

static void is_said(const char *text, bool said) {
    struct program_run run = program_run("$DLTRAIN data info e.h5");

    if (run.code || !strstr(run.out, text) == said)
        fail_msg("exit code %d, '%s' is %s\n%s%s", run.code, text, said ? "not said" : "said",
                 run.out, run.err);
    program_release(&run);
}

static void write_labels(const char *type) {
    program_write("e.py",
                  "import h5py, numpy as np\n"
                  "f = h5py.File('e.h5', 'w')\n"
                  "f['t/images'] = np.zeros((6, 4, 4, 3), 'uint8')\n"
                  "f.create_dataset('t/labels', data=np.arange(6) %% 2, dtype=%s)\n",
                  type);
    program_expect(0, NULL, "%s e.py", python);
}

static void names_of_an_enumeration_are_said_not_to_be_read(void **state) {
    (void)state;
    write_labels("h5py.enum_dtype({'cat': 0, 'dog': 1}, basetype='u1')");
    is_said("/t/labels: the names of its enumeration are not read; the names of classes are", true);
    write_labels("bool");
    is_said("enumeration", false);
}

/* However h5py packs them, numbers are the same. */
static void packed_numbers_are_those_of_plain_ones(void **state) {
    char plain[64] = "", *at;

    (void)state;
    for (int k = 0; k < 3; k++) {
        program_write("e.py",
                      "import h5py, numpy as np\n"
                      "f = h5py.File('e.h5', 'w')\n"
                      "x = np.random.default_rng(1).integers(0, 9, (60, 8, 8, 3)) * 20\n"
                      "f.create_dataset('t/images', data=x.astype('u1'), chunks=(7, 8, 8, 3)%s)\n"
                      "f['t/labels'] = np.arange(60) %% 2\n",
                      k == 0   ? ""
                      : k == 1 ? ", compression='lzf', shuffle=True"
                               : ", compression='gzip'");
        program_expect(0, NULL, "%s e.py", python);
        struct program_run run = program_run("$DLTRAIN data info e.h5");
        at = strstr(run.out, "fingerprint: ");
        if (run.code || !at)
            fail_msg("exit code %d\n%s%s", run.code, run.out, run.err);
        if (!k)
            snprintf(plain, sizeof plain, "%.29s", at);
        assert_int_equal(strncmp(at, plain, 29), 0);
        program_release(&run);
    }
}

static void lists_of_bytes_are_pictures(void **state) {
    (void)state;
    program_write(
        "e.py",
        "import h5py, numpy as np, io, zlib, struct\n"
        "def part(kind, data):\n"
        "    return struct.pack('>I', len(data)) + kind + data + "
        "struct.pack('>I', zlib.crc32(kind + data))\n"
        "def png(w, h):\n"
        "    rows = b''.join(b'\\0' + bytes(w) for y in range(h))\n"
        "    return (b'\\x89PNG\\r\\n\\x1a\\n' + part(b'IHDR', struct.pack('>IIBBBBB', w, h, "
        "8, 0, 0, 0, 0)) + part(b'IDAT', zlib.compress(rows)) + part(b'IEND', b''))\n"
        "f = h5py.File('e.h5', 'w')\n"
        "d = f.create_dataset('image_bytes', (5,), dtype=h5py.vlen_dtype(np.uint8))\n"
        "for i in range(5):\n"
        "    d[i] = np.frombuffer(png(4 + i, 3), 'u1')\n"
        "f['targets'] = np.arange(5)\n"
        "f['filenames'] = ['a%%d.png' %% i for i in range(5)]\n");
    program_expect(0, NULL, "%s e.py", python);
    is_said("of 5 looked at: 5 PNG; 4x3 to 8x3, median 6x3 pixels", true);
    is_said("/image_bytes: bytes are taken for files of pictures, of which sample 0 is a PNG",
            true);
    is_said("no fields", false); /* filenames are known for what they are */
    program_expect(0, NULL, "$DLTRAIN data verify e.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_an_enumeration_are_said_not_to_be_read),
        cmocka_unit_test(packed_numbers_are_those_of_plain_ones),
        cmocka_unit_test(lists_of_bytes_are_pictures),
    };

    python = torch_python("h5py");
    return python ? cmocka_run_group_tests(tests, program_setup, program_teardown) : 77;
}
