#!/usr/bin/python3
"""Networks of job files as ONNX files: the checker of python3-onnx accepts them, and onnxruntime computes from them
what dltrain computes.

  /usr/bin/python3 tests/golden/onnx_parity.py ONNX_OUTPUTS COMPARE.js [--size PIXELS] [--gflop MOST] [--back DLTRAIN]
      JOB.ini...

ONNX_OUTPUTS is the program of support/onnx_outputs.c, COMPARE.js node/onnx_compare.js. Every net of every file is
written with random weights, as it is and with batch norm folded, except those of more than MOST GFLOP a sample. Nets
called refused_... must be refused, all others must not be, unless they find boxes: operators of src/core/ops/detect and
convolutions of each image of a list have no counterpart in ONNX. With --back the program makes a job and its weights of
each file, and of these an ONNX file again, which must compute the same; what the job language has no word for, and
class indices as inputs, may be refused. Where a file is called operators.ini, all files together
must hold every operator that dltrain says it can write. Ends with 77, which ctest takes for "skipped", where onnx,
node or onnxruntime are missing.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="", flush=True)
    return done.returncode


def check(path):
    """What the checker says against a file, or None."""
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # it has several kinds of its own
        return str(error).split("\n")[0]
    return None


def bring_back(program, path, folder):
    """The file as a job, and that as NAME.back.onnx: what is wrong, or None."""
    stem = path[:-len(".onnx")]
    done = subprocess.run([program, "convert", path, stem + ".ini"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        print(done.stdout, end="")
        may = done.returncode == 65 and ("no counterpart" in done.stdout or "expected floats, [batch" in done.stdout)
        return None if may else done.stdout
    done = subprocess.run([program, "convert", stem + ".ini", stem + ".back.onnx"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, cwd=folder)
    return done.stdout if done.returncode else None


def is_of_boxes(path):
    """Is a net refused for an operator of boxes?"""
    detect = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/core/ops/detect")
    words = [os.path.basename(p)[:-len(".c")] for p in glob.glob(detect + "/*.c")]
    with open(path) as f:
        text = f.read()
    return "lists of images" in text or any(": %s: ONNX has no operators for it" % word in text for word in words)


def compare_file(args, job, words):
    """How many things are wrong with the networks of one file."""
    n_wrong = 0
    with tempfile.TemporaryDirectory(prefix="dltrain_") as folder:
        if run(args.program, job, folder, str(args.size), str(args.gflop)):
            return 1
        for path in sorted(glob.glob(folder + "/*.onnx")):
            wrong = check(path)
            if wrong:
                print("%s: %s" % (os.path.basename(path), wrong))
                n_wrong += 1
            if args.back and not path.endswith(".folded.onnx"):
                wrong = bring_back(args.back, path, folder)
                if wrong:
                    print("%s: not back: %s" % (os.path.basename(path), wrong))
                    n_wrong += 1
        for path in glob.glob(folder + "/*.json"):
            with open(path) as f:
                words.update(json.load(f)["ops"])
        stems = {os.path.basename(p).split(".onnx")[0] for p in glob.glob(folder + "/*.onnx")}
        refused = {os.path.basename(p)[:-len(".refused")] for p in glob.glob(folder + "/*.refused")
                   if not is_of_boxes(p)}
        for stem in stems | refused:
            if (stem in refused) != stem.split(".")[2].startswith("refused_"):
                print("%s: %s" % (stem, "refused" if stem in refused else "not refused"))
                n_wrong += 1
        if stems:
            code = run(shutil.which("node") or "node", args.compare, folder)
            if code == 77:
                sys.exit(77)
            n_wrong += code != 0
    return n_wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("compare")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--gflop", type=float, default=0)
    parser.add_argument("--back", default="")
    parser.add_argument("jobs", nargs="+")
    args = parser.parse_args()
    args.back = args.back and os.path.abspath(args.back)
    if not shutil.which("node"):
        print("skipped: there is no node")
        return 77
    words = set()
    n_wrong = sum(compare_file(args, job, words) for job in args.jobs)
    if any(os.path.basename(job) == "operators.ini" for job in args.jobs):
        known = subprocess.run([args.program, "--words"], stdout=subprocess.PIPE, text=True, check=True)
        for word in sorted(set(known.stdout.split()) - words):
            print("no network here has %s" % word)
            n_wrong += 1
    print("%d wrong" % n_wrong)
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
