"""Files of NumPy for tests/io/npy/test_npy.c: prints golden_arrays.h. Needs NumPy.

    python3 tests/golden/arrays.py > tests/io/npy/golden_arrays.h
"""
import io

import numpy as np


def bytes_of(array, **how):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, **how)
    return out.getvalue()


def show(name, content):
    numbers = [str(b) for b in content]
    print(f"static const unsigned char {name}[] = {{")
    for i in range(0, len(numbers), 24):
        print("    " + ", ".join(numbers[i:i + 24]) + ",")
    print("};")


numbers = np.array([[1.5, -2, 1e-7], [65504, np.inf, 0]])  # 1e-7 is subnormal as float16
whole = np.arange(24).reshape(2, 3, 4) - 5
print("/* Made by tests/golden/arrays.py. */\n#pragma once\n")
print("/* clang-format off */")
show("npy_half", bytes_of(numbers.astype("<f2")))
show("npy_big_single", bytes_of(numbers.astype(">f4"), version=(2, 0)))
show("npy_double", bytes_of(numbers, version=(3, 0)))
show("npy_fortran_short", bytes_of(np.asfortranarray(whole.astype("<i2"))))
show("npy_big_long", bytes_of(whole.astype(">i8")))
show("npy_unsigned", bytes_of(np.array([0, 1, 2**64 - 1], dtype="<u8")))
show("npy_truth", bytes_of(np.array([True, False, True])))
show("npy_scalar", bytes_of(np.array(7, dtype="i1")))
show("npy_objects", bytes_of(np.array([{}, None], dtype=object)))
show("npy_texts", bytes_of(np.array(["ab", "c"])))
show("npy_records", bytes_of(np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")])))
for name, save in (("npz_stored", np.savez), ("npz_deflated", np.savez_compressed)):
    out = io.BytesIO()
    save(out, x=numbers.astype("<f4"), y=np.array([3, 1], dtype="<i4"))
    show(name, out.getvalue())
