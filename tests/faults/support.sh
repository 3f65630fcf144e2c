# support.sh: what the rows of scripts/faults share; they source it. A row is a script fault_NAME that does
# harm in many ways, `attempt` by `attempt`, and looks at what is left. It runs in a scratch folder, which is
# gone at the end like the processes, however that comes. With SHORT=1 it takes seconds.
#   SEED   of what is drawn; printed, so that a failure can be had again
#   TRIES  how often what is repeated is repeated
# shellcheck shell=bash disable=SC2034 # what others read
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
build=$(cd "${DLTRAIN_BUILD:-$repository/build/release}" && pwd) || exit 1
export DLTRAIN=$build/dltrain
export SAME=$build/tests/same_tensors
export SHIM=$build/tests/libfault.so
export MPIRUN=${MPIRUN:-mpirun --oversubscribe --allow-run-as-root --bind-to none}
export SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
drawn=$SEED
n_failed=0

# skip WHY: nothing of this row can be tried here.
skip() {
    echo "skipped: $*"
    exit 77
}

# need COMMAND...: skip where one is missing.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "$command is missing"
    done
}

# alone "$@": go on with processes, mounts and a /dev/shm of this row's own, so that what it leaves behind
# can be told from what others do. The first line of a row that needs it.
alone() {
    [ "${ALONE:-}" = yes ] && return
    local flags=(--mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" = 0 ] || flags=(--user --map-root-user "${flags[@]}")
    unshare "${flags[@]}" true 2>/dev/null || skip "no namespaces on this machine"
    # shellcheck disable=SC2016 # of the shell in there
    ALONE=yes exec unshare "${flags[@]}" bash -c 'mount -t tmpfs -o size=512m shm /dev/shm && exec "$0" "$@"' "$0" "$@"
}

clean_up() {
    trap - EXIT
    trap '' INT TERM
    cd /
    local job
    for job in $(jobs -p); do
        kill -9 "$job" 2>/dev/null
    done
    chmod -R u+rwX "$scratch" 2>/dev/null
    rm -rf "$scratch"
}

# begin: a scratch folder with shapes.h5, of 240 and 60 samples, and a TMPDIR of its own.
begin() {
    [ -x "$DLTRAIN" ] || { echo "there is no $DLTRAIN: build it first" >&2; exit 1; }
    scratch=$(mktemp -d /tmp/dltrain_XXXXXX)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir "$scratch/tmp" && cd "$scratch" || exit 1
    export TMPDIR=$scratch/tmp
    "$DLTRAIN" data synth shapes.h5 --train 240 --test 60 >synth.log || exit 1
    echo "seed $SEED"
}

# end: what a row does last.
end() {
    [ "$n_failed" = 0 ]
    exit
}

# short: is it the version of seconds?
short() {
    [ -n "${SHORT:-}" ]
}

# tries LONG SHORT: how often.
tries() {
    if [ -n "${TRIES:-}" ]; then
        echo "$TRIES"
    elif short; then
        echo "$2"
    else
        echo "$1"
    fi
}

# draw N: sets $draw to a number from 0 to N - 1. Knuth's multiplier, whose upper bits are random.
draw() {
    drawn=$(((drawn * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff))
    draw=$(((drawn >> 24) % $1))
}

# attempt KIND COMMAND...: one harm done and looked at; lines of a KIND are one line of the table. What it
# prints is shown where it fails, its last line as the reason.
attempt() {
    local kind=$1 code
    shift
    (set -e && "$@") >attempt.log 2>&1 </dev/null # not as a condition: errors would be passed over
    code=$?
    if [ $code = 0 ]; then
        echo "survived $kind"
    elif [ $code = 77 ]; then
        echo "skipped $kind: $(tail -n 1 attempt.log)"
    else
        echo "FAILED $kind: $(grep . attempt.log | tail -n 1 | cut -c 1-300)"
        echo "    $*"
        tail -n 60 attempt.log | sed 's/^/    /'
        n_failed=$((n_failed + 1))
    fi
}

fail() {
    echo "$*"
    exit 1
}

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "still not so after a while: $*"
        sleep 0.05
    done
}

# within SECONDS COMMAND...: sets $code to what it ends with; out.log and err.log are what it prints, which
# is shown, too. One that hangs is a failure.
within() {
    local seconds=$1
    shift
    code=0
    timeout -k 5 "$seconds" "$@" >out.log 2>err.log || code=$?
    echo "\$ $* -> $code"
    head -c 4000 out.log | tail -n 20
    head -c 8000 err.log
    [ $code != 124 ] || fail "still running after $seconds s: $*"
}

# said N WORDS: err.log has N lines of errors, the last of them with these words.
said() {
    local n
    n=$(grep -c '^dltrain: ' err.log || true)
    [ "$n" = "$1" ] || fail "$n lines of errors, expected $1"
    grep '^dltrain: ' err.log | tail -n 1 | grep -qF -- "$2" || fail "expected an error with '$2'"
}

# nothing_half FOLDER: no file that was to be renamed, and no lock.
nothing_half() {
    local rest
    [ -e "$1" ] || return 0
    rest=$(find "$1" -name '*.tmp*' -o -name 'lock*' -o -name '.*' | tr '\n' ' ')
    [ -z "$rest" ] || fail "what is left in $1: $rest"
}

# losses RUN: of each step as it was written down.
losses() {
    sed -n 's/^{"step":\([0-9]*\),.*"loss":\([^,]*\),"lr".*/\1 \2/p' "runs/$1/metrics.jsonl"
}

# same_bits A B: they ended with the same tensors.
same_bits() {
    "$SAME" "runs/$1/last.h5" "runs/$2/last.h5"
    "$SAME" "runs/$1/best.h5" "runs/$2/best.h5"
}

# same_run A B: likewise, and they wrote down the same steps, each once.
same_run() {
    same_bits "$1" "$2"
    diff <(losses "$1") <(losses "$2") || fail "metrics.jsonl has other steps"
}

# write_job FILE [LINE...]: a small network without batch norm, so that the number of ranks does not matter;
# lines are more sections. Saved in every second step.
write_job() {
    local file=$1
    shift
    cat >"$file" <<JOB
[job]
include = $repository/configs/classify.ini
model = small(classes=10)
steps = 30
[step]
optimizer = sgd(lr=0.02, momentum=0.9)
[net small(image, classes)]
a = image | conv(8, 3, stride=2) | relu | conv(16, 3, stride=2) | relu
fc = a | maxpool(2) | flatten | linear(classes)
[data]
train = shapes.h5:train
validate = shapes.h5:test
augment = image | random_crop(32, pad=2) | random_flip | normalize
batch = 24
[dist]
reduction = reproducible
[checkpoint]
last = 2 steps
[log]
every = 1
JOB
    [ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

# on RANKS: sets on[] to what begins a command on so many ranks; one is a process without mpirun.
on() {
    on=(env)
    # shellcheck disable=SC2206 # its flags are words
    [ "$1" = 1 ] || on=($MPIRUN -np "$1")
}
