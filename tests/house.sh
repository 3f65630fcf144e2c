#!/bin/sh
# The rules of the house that a compiler does not check: who includes whom, who prints, who exits.
#   house.sh SOURCE_FOLDER
# Then each rule is broken once in a copy, to see that it can fail.
set -u

# Every include of our own: by its path below src, and of a room that the includer may know.
check_directions() {
    grep -rEH '^ *# *include *"' src | sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/' | awk '
        function room(path, part, n) { # src/core/ops/conv.c -> core/ops
            n = split(path, part, "/")
            return part[2] == "core" && n > 3 ? part[2] "/" part[3] : part[2]
        }
        BEGIN {
            base = " core/base "
            math = base "core/math "
            knows["core/base"] = " "
            knows["core/lang"] = knows["core/math"] = base
            knows["core/ops"] = knows["core/learn"] = math
            knows["core/graph"] = math "core/ops core/lang "
            knows["dist"] = knows["io"] = math "core/ops core/lang core/learn core/graph "
            knows["train"] = knows["io"] "dist io "
            knows["cmd"] = knows["main.c"] = knows["train"] "train cmd "
        }
        {
            from = room($1)
            to = room("src/" $2)
            if (!(from in knows))
                print $1 ": " from " is no room of the house"
            else if (index($2, "/") == 0 || (getline line < ("src/" $2)) < 0)
                print $1 " includes \"" $2 "\", expected its path below src"
            else if (from != to && index(knows[from], " " to " ") == 0)
                print $1 " includes \"" $2 "\": " from " must not know " to
            close("src/" $2)
        }'
}

# only HEADER FILES: nobody but FILES includes HEADER (both are expressions).
only() {
    for file in $(grep -rlE "^ *# *include *[<\"]($1)[>\"]" src | grep -vE "^($2)\$"); do
        echo "$file includes $1, which is for $2 alone"
    done
}

check() {
    check_directions
    only 'mpi\.h' 'src/dist/comm\.[ch]'
    only 'hdf5(_hl)?\.h|H5[A-Za-z]*\.h' 'src/io/h5[a-z_]*\.[ch]'
    only 'cblas\.h' 'src/core/math/gemm\.[ch]'
    grep -rnE '\<(printf|vprintf|puts|putchar) *\(|\<stdout\>' src/core | sed 's/$/   <- prints/'
    grep -rnE '\<exit *\(' src | grep -v '^src/main\.c:' | sed 's/$/   <- exits/'
    sed -n 's/^OP(\(.*\))$/\1/p' src/core/ops/ops.def | while read -r op; do
        [ -e "src/core/ops/$op.c" ] || echo "operator $op of ops.def has no src/core/ops/$op.c"
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
    cp "$1" saved
    echo "$2" >> "$1"
    [ -n "$(check)" ] || {
        echo "not noticed: '$2' in $1"
        status=1
    }
    mv saved "$1"
}
broken src/core/base/err.c '#include "core/lang/syntax.h"'
broken src/core/math/conv.c '#include "core/ops/op.h"'
broken src/core/learn/clip.c '#include "core/ops/op.h"'
broken src/core/ops/conv.c '#include "core/graph/graph.h"'
broken src/core/graph/plan.c '#include "dist/comm.h"'
broken src/dist/comm.c '#include "io/h5.h"'
broken src/io/h5.c '#include "dist/comm.h"'
broken src/io/loader.c '#include "train/job.h"'
broken src/train/job.c '#include "cmd/command.h"'
broken src/train/job.c '#include "job.h"'
broken src/dist/ring.c '#include <mpi.h>'
broken src/io/dataset.c '#include <hdf5.h>'
broken src/core/ops/linear.c '#include <cblas.h>'
broken src/core/graph/run.c 'static void f(void) { printf("%d", 1); }'
broken src/core/graph/run.c 'static void f(void) { fputs("x", stdout); }'
broken src/train/trainer.c 'static void f(void) { exit(1); }'
broken src/core/ops/ops.def 'OP(nonsense)'
exit $status
