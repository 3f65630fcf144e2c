# support.sh: what the tests of this folder share; they source it. A test is a function named by a
# sentence, which fails where one of its commands does. They run in a scratch folder that all hosts see,
# as on a network file system; /mnt is each host's own. Hosts, processes and folders are gone at the end,
# however that comes.
# shellcheck shell=bash
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
build=$(cd "${DLTRAIN_BUILD:-$repository/build/dev}" && pwd) || exit 1
dltrain=$build/dltrain
same=$build/tests/same_tensors
export CLUSTER=dlt$$
n_failed=0

# skip WHY: nothing here can be tested on this machine.
skip() {
    echo "skipped: $*"
    exit 77
}

# need COMMAND...: skip where one is missing.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "$command is missing; scripts/install --cluster"
    done
}

clean_up() {
    trap - EXIT
    trap '' INT TERM
    "$here/hosts" down
    rm -rf "$scratch"
}

# begin N [RATE]: N hosts and a scratch folder with shapes.h5 of 240 and 60 samples, and job.ini.
begin() {
    [ "$(id -u)" = 0 ] || skip "hosts need root"
    need ip tc unshare mpirun
    scratch=$(mktemp -d /tmp/dltrain_XXXXXX)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    cd "$scratch" || exit 1
    "$here/hosts" up "$@" >hosts.log 2>&1 || skip "no hosts on this machine: $(tail -n 1 hosts.log)"
    "$dltrain" data synth shapes.h5 --train 240 --test 60 >synth.log || exit 1
    write_job job.ini
}

# No batch norm, so that the number of ranks does not matter; a rate that the number of steps leaves.
write_job() {
    cat >"$1" <<JOB
[job]
include = $repository/configs/classify.ini
model = small(classes=10)
steps = 20
[step]
optimizer = sgd(lr=0.02, momentum=0.9)
[net small(image, classes)]
a = image | conv(8, 3, stride=2) | relu | conv(16, 3, stride=2) | relu
fc = a | maxpool(2) | flatten | linear(classes)
[data]
train = shapes.h5:train
validate = shapes.h5:test
augment = image | random_crop(32, pad=2) | random_flip | normalize
batch = 25
[checkpoint]
last = 20 steps
[log]
every = 1
JOB
}

# run_tests NAME...: prints what came of each; the exit code is that of the program. What a test prints
# is shown where it fails.
run_tests() {
    local name start code
    for name; do
        start=$SECONDS
        (set -e && "$name") >test.log 2>&1 </dev/null # not as a condition: errors would be passed over
        code=$?
        if [ $code = 0 ]; then
            echo "passed $name ($((SECONDS - start)) s)"
        else
            echo "FAILED $name ($((SECONDS - start)) s)"
            sed 's/^/    /' test.log
            n_failed=$((n_failed + 1))
        fi
    done
    [ "$n_failed" = 0 ]
    exit
}

fail() {
    echo "$*"
    exit 1
}

# expect CODE MESSAGE COMMAND...: it ends so; a MESSAGE that is not empty is in the one line of its errors
# that begins with `dltrain: `.
expect() {
    local code=$1 message=$2 found=0
    shift 2
    "$@" >out.log 2>err.log || found=$?
    echo "\$ $*"
    cat out.log err.log
    [ "$found" = "$code" ] || fail "the exit code is $found, expected $code"
    [ -z "$message" ] || [[ $(grep '^dltrain: ' err.log) == "dltrain: "*"$message"* ]] ||
        fail "expected an error with '$message'"
    [ -z "$message" ] || [ "$(grep -c '^dltrain: ' err.log)" = 1 ] || fail "expected one line of errors"
}

# on_hosts N PER_HOST ARGUMENT...: dltrain on PER_HOST ranks of each of N hosts, for two minutes at most.
on_hosts() {
    timeout --foreground -k 5 120 "$here/hosts" run "$1" "$2" "$dltrain" "${@:3}"
}

# start NAME N PER_HOST ARGUMENT...: the same in the background, $! being mpirun's, until the run of that
# name has done some steps; what it prints is in NAME.log.
start() {
    "$here/hosts" run "$2" "$3" "$dltrain" "${@:4}" --set steps=1000000 --set "name=$1" >"$1.log" 2>&1 &
    until_true 60 trains "$1" 3
}

# ends_with CODE: what is in the background.
ends_with() {
    local code=0
    wait $! || code=$?
    [ $code = "$1" ] || fail "the exit code is $code, expected $1"
}

# steps_of NAME: the last that it has written down.
steps_of() {
    sed -n 's/^{"step":\([0-9]*\),.*/\1/p' "runs/$1/metrics.jsonl" | tail -n 1
}

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "still not so after a while: $*"
        sleep 0.1
    done
}

# trains NAME [STEP]: the run has done this step.
trains() {
    grep -q "^{\"step\":${2:-1}," "runs/$1/metrics.jsonl" 2>/dev/null
}

# processes HOST: dltrain's on that host.
processes() {
    local pid
    for pid in $(ip netns pids "$CLUSTER-$1"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dltrain ] || echo "$pid"
    done
}

nothing_runs_on() {
    [ -z "$(processes "$1")" ]
}

# alike A B: losses and measures of two runs differ by rounding at most.
alike() {
    local name
    for name in "$1" "$2"; do
        grep -oE '"(loss|top1)":[^,}]*' "runs/$name/metrics.jsonl" >"$name.numbers"
        [ -s "$name.numbers" ] || fail "$name has no losses"
    done
    paste -d : "$1.numbers" "$2.numbers" | awk -F : -v a="$1" -v b="$2" '
        $1 != $3 || !($2 - $4 <= 1e-5 * $2 + 1e-6 && $4 - $2 <= 1e-5 * $2 + 1e-6) {
            print "line " NR ": " $1 " is " $2 " in " a ", " $3 " " $4 " in " b
            bad = 1
        }
        END { exit bad }'
}
