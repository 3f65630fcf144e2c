# writers.sh: the commands that replace a file, for rows that do harm to each of them.
# shellcheck shell=bash disable=SC2154 # of support.sh

# picture FILE: a BMP of 8 x 8 pixels.
picture() {
    mkdir -p "$(dirname "$1")"
    {
        printf 'BM\xf6\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\x08\0\0\0\x01\0\x18\0\0\0\0\0\xc0\0\0\0'
        printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        head -c 192 /dev/urandom
    } >"$1"
}

# writers_begin: what they read: pictures, data and runs, each as old and as new.
writers_begin() {
    local age class k seed=1
    write_job job.ini '[validate]' 'every = 4 steps' '[picture p]' 'show = image' 'count = 4'
    sed -i 's/^steps = .*/steps = 6/' job.ini
    for age in old new; do
        for class in cats dogs; do
            for k in 1 2 3 4 5 6; do
                picture ${age}_pictures/$class/$k.bmp
            done
        done
        seed=$((seed + 1))
        "$DLTRAIN" data synth $age.h5 --train 60 --test 30 --seed $seed >$age.log || exit 1
        "$DLTRAIN" job.ini --set name=$age --set job.seed=$seed >$age.log 2>&1 || exit 1
    done
    printf '#!/bin/sh\nexec "$DLTRAIN" data split "$1.h5:train" "$2" --folds 3\n' >split_into
    printf '#!/bin/sh\nexec "$DLTRAIN" data import imagefolder "$1_pictures" "$2" --encoded\n' >encode_into
    chmod +x split_into encode_into
}

# writers DO: DO NAME OUT COMMAND... for each; the command's last argument is to be OUT, or a path to it. What the
# command makes of old input is old.OUT, what it makes of new is new.OUT.
writers() {
    writer "$1" import images.h5 "$DLTRAIN" data import imagefolder %_pictures
    writer "$1" "import, encoded" encoded.h5 "$scratch/encode_into" %
    writer "$1" split split.h5 "$scratch/split_into" %
    writer "$1" "predict, h5" out.h5 "$DLTRAIN" predict runs/% shapes.h5:test -o
    writer "$1" "predict, csv" out.csv "$DLTRAIN" predict runs/% shapes.h5:test -o
    writer "$1" "predict, jsonl" out.jsonl "$DLTRAIN" predict runs/% shapes.h5:test -o
    writer "$1" report report.html "$DLTRAIN" report runs/% -o
    writer "$1" "convert, safetensors" net.safetensors "$DLTRAIN" convert runs/%
    writer "$1" "convert, npz" net.npz "$DLTRAIN" convert runs/%
    writer "$1" "convert, h5" net.h5 "$DLTRAIN" convert runs/%
    writer "$1" "convert, onnx" net.onnx "$DLTRAIN" convert runs/%
}

writer() {
    local do=$1 name=$2 out=$3
    shift 3
    "${@//%/old}" "old.$out" >old.log 2>&1 || { cat old.log; exit 1; }
    "${@//%/new}" "new.$out" >new.log 2>&1 || { cat new.log; exit 1; }
    "$do" "$name" "$out" "${@//%/new}"
}

# old_or_new OUT CODE: made/OUT is the one or, where the command has ended well, the other. A page holds times;
# lines are written as they come, and the same command goes on with the rest.
old_or_new() {
    [ "$2" = 0 ] || ! cmp -s "made/$1" "old.$1" || return 0
    case $1:$2 in
    *.html:*) grep -q '</html>' "made/$1" || fail "half a page" ;;
    *.csv:0 | *.jsonl:0) cmp "made/$1" "new.$1" || fail "not the new $1" ;;
    *.csv:* | *.jsonl:*)
        within 60 "$DLTRAIN" predict runs/new shapes.h5:test -o "made/$1" --resume
        cmp "made/$1" "new.$1" || fail "--resume makes another $1"
        ;;
    *) cmp "made/$1" "new.$1" || fail "neither the old nor the new $1" ;;
    esac
}
