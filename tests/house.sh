#!/bin/sh
# The rules of the house that a compiler does not check: who includes whom, who prints, who exits.
#   house.sh SOURCE_FOLDER
# Then each rule is broken once in a copy, to see that it can fail.
set -u

# Every include of our own: by its path below src, and of a room that the includer may know. Rooms of
# core and io are folders of theirs; what several operators share may know what an operator is.
check_directions() {
    grep -rEH '^ *# *include *"' src | sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/' | awk '
        function room(path, part, n) { # src/core/ops/parts/norm.c -> core/ops/parts
            n = split(path, part, "/")
            if (part[2] == "core" && part[3] == "ops" && n > 4)
                return part[2] "/" part[3] "/" part[4]
            return (part[2] == "core" || part[2] == "io") && n > 3 ? part[2] "/" part[3] : part[2]
        }
        BEGIN {
            base = " core/base "
            math = base "core/math "
            knows["core/base"] = " "
            knows["core/lang"] = knows["core/math"] = base
            knows["core/ops/parts"] = knows["core/learn"] = math
            knows["core/ops"] = math "core/ops/parts "
            knows["core/ops/fused"] = knows["core/ops/detect"] = knows["core/ops"] "core/ops "
            knows["core/graph"] = knows["core/ops/fused"] "core/ops/fused core/lang "
            core = knows["core/graph"] "core/graph core/learn "
            knows["dist"] = knows["io/file"] = knows["io/h5"] = knows["io/augment"] = base
            knows["io/regions"] = base
            knows["io/image"] = base "io/file "
            knows["io/npy"] = base "io/file "
            knows["io/weights"] = base "io/file io/h5 "
            knows["io/dataset"] = knows["io/weights"] "io/image "
            knows["io/runlog"] = base "io/file "
            knows["io/loader"] = base "io/dataset io/augment io/image "
            knows["io/import"] = base "io/file io/image io/dataset io/npy "
            io = " io/file io/npy io/h5 io/augment io/image io/dataset io/weights io/runlog io/loader "
            knows["job"] = core "dist" io
            knows["train"] = knows["job"] "job "
            knows["report"] = core "io/file io/image io/runlog job train "
            knows["export"] = core "io/file io/weights "
            knows["cmd"] = knows["main.c"] = knows["train"] "io/import io/regions train report export cmd "
        }
        {
            from = room($1)
            to = room("src/" $2)
            contract = from == "core/ops/parts" && $2 == "core/ops/op.h"
            if (!(from in knows))
                print $1 ": " from " is no room of the house"
            else if (index($2, "/") == 0 || (getline line < ("src/" $2)) < 0)
                print $1 " includes \"" $2 "\", expected its path below src"
            else if (from != to && index(knows[from], " " to " ") == 0 && !contract)
                print $1 " includes \"" $2 "\": " from " must not know " to
            close("src/" $2)
        }'
}

# One tag, one owner: struct job is the same thing wherever it is read of.
check_tags() {
    grep -rhoE '^(static )?(struct|enum|union) [a-z_0-9]+ \{' src --include='*.[ch]' |
        sed -E 's/^static //; s/ \{//' | sort | uniq -d | while read -r kind tag; do
        echo "$kind $tag is defined in $(grep -rlE "^(static )?$kind $tag \{" src | tr '\n' ' ')"
    done
}

# Files of at most 450 lines, functions of at most 80: as clang-format leaves them, a function is what
# stands between a name at the left edge and the next brace there.
check_sizes() {
    find src -name '*.[ch]' -exec awk '
        FNR == 1 { first = inside = 0 }
        FNR == 451 { print FILENAME " is longer than 450 lines" }
        !inside && /^[A-Za-z_]/ { first = FNR; header = $0 }
        !inside && first && /\{$/ { inside = 1 }
        !inside && /;$/ { first = 0 }
        /^}/ {
            if (inside && header ~ /\(/ && header !~ /=/ && FNR - first + 1 > 80)
                print FILENAME ":" first ": " FNR - first + 1 " lines: " header
            inside = first = 0
        }' {} +
}

# only HEADER FILES: nobody but FILES includes HEADER (both are expressions).
only() {
    for file in $(grep -rlE "^ *# *include *[<\"]($1)[>\"]" src | grep -vE "^($2)\$"); do
        echo "$file includes $1, which is for $2 alone"
    done
}

check() {
    check_directions
    check_tags
    check_sizes
    only 'mpi\.h' 'src/dist/comm(_[a-z]+)?\.[ch]'
    only 'hwloc[a-z_/]*\.h' 'src/dist/topology\.c'
    only 'hdf5(_hl)?\.h|H5[A-Za-z]*\.h' 'src/io/h5/h5[a-z_]*\.[ch]'
    only 'onnx\.pb-c\.h' 'src/export/onnx\.h'
    only 'zip\.h' 'src/io/npy/npz\.c'
    only 'nifti[a-z0-9_]*\.h' 'src/io/import/volume\.c'
    only 'expat\.h' 'src/io/import/import_voc\.c'
    only 'sndfile\.h' 'src/io/import/import_wav\.c'
    only 'gd(font[a-z]*)?\.h' 'src/report/plot\.c'
    only 'cblas\.h' 'src/core/math/gemm\.[ch]'
    grep -rnE '\<(printf|vprintf|puts|putchar) *\(|\<stdout\>' src/core | sed 's/$/   <- prints/'
    grep -rnE '\<exit *\(' src | grep -v '^src/main\.c:' | sed 's/$/   <- exits/'
    ops=$(sed -n 's/^OP(\(.*\))$/\1/p' src/core/ops/ops.def | paste -sd '|')
    grep -rnE "strcmp\(.*\"($ops)\"" src/core/graph src/train | sed 's/$/   <- asks for a name/'
    grep -rnE '\<skip *\(\)' tests --include='*.[ch]' |
        sed 's/$/   <- skips where ctest does not see it: end the program with 77/'
    sed -n 's/^OP(\(.*\))$/\1/p' src/core/ops/ops.def | while read -r op; do
        [ -e "src/core/ops/$op.c" ] || [ -e "src/core/ops/detect/$op.c" ] ||
            echo "operator $op of ops.def has no src/core/ops/$op.c, nor one in detect/"
        [ -e "tests/core/ops/test_$op.c" ] ||
            echo "operator $op of ops.def has no tests/core/ops/test_$op.c"
    done
}

cd "$1" || exit 1
failures=$(check)
if [ -n "$failures" ]; then
    echo "$failures"
    exit 1
fi

copy=$(mktemp -d /tmp/dltrain_XXXXXX) || exit 1
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/tests/core" && cp -R src "$copy/src" && cp -R tests/core/ops "$copy/tests/core" &&
    cd "$copy" || exit 1

# broken FILE TEXT: the line TEXT at the end of FILE is noticed.
status=0
broken() {
    [ -e "$1" ] || { echo "$1 is not there to be broken"; status=1; }
    cp "$1" saved
    echo "$2" >> "$1"
    [ -n "$(check)" ] || {
        echo "not noticed: '$(echo "$2" | head -n 1)' in $1"
        status=1
    }
    mv saved "$1"
}
broken src/core/base/err.c '#include "core/lang/syntax.h"'
broken src/core/math/conv.c '#include "core/ops/op.h"'
broken src/core/learn/clip.c '#include "core/ops/op.h"'
broken src/core/ops/conv.c '#include "core/graph/graph.h"'
broken src/core/graph/plan.c '#include "dist/comm.h"'
broken src/dist/comm.c '#include "io/h5/h5.h"'
broken src/io/h5/h5.c '#include "dist/comm.h"'
broken src/io/h5/h5.c '#include "io/dataset/dataset.h"'
broken src/core/ops/parts/norm.c '#include "core/ops/bn.h"'
broken src/core/ops/bn.c '#include "core/ops/fused/fused.h"'
broken src/job/job.c '#include "train/step.h"'
broken src/io/loader/loader.c '#include "job/job.h"'
broken src/job/job.c '#include "cmd/command.h"'
broken src/train/trainer.c '#include "report/terminal.h"'
broken src/report/jsonl.c '#include "dist/comm.h"'
broken src/job/job.c '#include "job.h"'
broken src/dist/allreduce/ring.c '#include <mpi.h>'
broken src/dist/place.c '#include <hwloc.h>'
broken src/io/dataset/dataset.c '#include <hdf5.h>'
broken src/core/ops/linear.c '#include <cblas.h>'
broken src/export/export.c '#include "job/job.h"'
broken src/cmd/convert.c '#include <onnx.pb-c.h>'
broken src/io/npy/npy.c '#include <zip.h>'
broken src/io/import/import_csv.c '#include <sndfile.h>'
broken src/io/import/import_csv.c '#include <nifti2_io.h>'
broken src/report/terminal.c '#include <gd.h>'
broken src/core/graph/run.c 'static void f(void) { printf("%d", 1); }'
broken src/core/graph/run.c 'static void f(void) { fputs("x", stdout); }'
broken src/train/trainer.c 'static void f(void) { exit(1); }'
broken src/core/math/conv.c 'struct shape {'
broken src/core/ops/ops.def 'OP(nonsense)'
broken src/core/graph/fuse.c 'static int f(const char *word) { return strcmp(word, "conv"); }'
broken tests/core/ops/test_add.c 'static void f(void **state) { skip(); }'
broken src/core/base/err.c "$(yes '/* one line more */' | head -n 450)"
broken src/core/base/err.c "void f(int a) {$(yes '
    f(a);' | head -n 160)
}"
exit $status
