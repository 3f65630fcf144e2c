/* What dltrain predict writes, read by others: Python's csv and json, and h5dump. */
#include "cmd/predicted.h"

static const char check[] =
    "import csv, json, sys\n"
    "rows = list(csv.DictReader(open('p.csv', newline='')))\n"
    "lines = [json.loads(line) for line in open('p.jsonl')]\n"
    "assert len(rows) == len(lines) == 17, (len(rows), len(lines))\n"
    "for row, line in zip(rows, lines):\n"
    "    assert row['file'] == line['file'], row\n"
    "    if 'error' in line:\n"
    "        assert row['error'] == line['error'] and row['class_1'] == '', row\n"
    "        continue\n"
    "    assert row['error'] == ''\n"
    "    for k in (1, 2):\n"
    "        assert row['class_%d' % k] == line['top'][k - 1]['class'], row\n"
    "        assert float(row['p_%d' % k]) == line['top'][k - 1]['p'], row\n"
    "assert sum('error' in line for line in lines) == 1\n"
    "assert any('\"' in row['file'] and ',' in row['file'] for row in rows)\n";

static void python_reads_csv_and_json_alike(void **state) {
    (void)state;
    program_write("check.py", "%s", check);
    program_expect(
        0, NULL,
        "mkdir odd && cp photos/test/*/*.png odd && echo x > \"odd/a, \\\"b\\\".png\" && "
        "for e in csv jsonl; do $DLTRAIN predict runs/photo odd -o p.$e --skip-broken; "
        "done; python3 check.py");
}

static void h5dump_reads_classes_probabilities_and_names(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN predict runs/photo photos/test -o p.h5 && "
                   "$DLTRAIN predict runs/photo photos.h5:test -o l.h5 && "
                   "$DLTRAIN predict runs/cell cells.h5:all -o m.h5");
    expect_text("h5dump -d /file p.h5", "photos/test/dark/33.png");
    expect_text("h5dump -H -d /p p.h5", "( 16, 2 )");
    expect_text("h5dump -H -d /class p.h5", "H5T_STD_I32LE");
    expect_text("h5dump -a /class/classes p.h5", "\"bright\", \"dark\"");
    expect_text("h5dump -H -d /label l.h5", "( 16 )");
    expect_text("h5dump -H -d /class m.h5", "( 8, 16, 16 )");
}

int main(void) {
    if (system("python3 -c 0 && h5dump --version > /dev/null")) {
        puts("skipped: python3 or h5dump is not there");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_reads_csv_and_json_alike),
        cmocka_unit_test(h5dump_reads_classes_probabilities_and_names),
    };

    return cmocka_run_group_tests(tests, predicted_setup, program_teardown);
}
