"""Numbers of scipy.ndimage for tests/io/augment/test_volume.c and tests/io/import/test_volume.c:
prints golden_volumes.h. Needs NumPy and SciPy.

    python3 tests/golden/volumes.py > tests/io/augment/golden_volumes.h
"""
import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

SHAPE = (4, 5, 6)
rng = np.random.default_rng(7)
volume = rng.uniform(-1, 1, SHAPE).astype(np.float32)


def show(name, values):
    values = np.asarray(values, dtype=np.float64).ravel()
    print(f"static const float {name}[{values.size}] = {{")
    for i in range(0, values.size, 8):
        print("    " + ", ".join(f"{v:.7g}f" if "." in f"{v:.7g}" or "e" in f"{v:.7g}"
                                 else f"{v:.7g}.0f" for v in values[i:i + 8]) + ",")
    print("};")


def rotated(degrees):
    """Where output voxels come from: out - centre turned by minus the angles, the last first."""
    matrix = Rotation.from_euler("XYZ", -np.array(degrees), degrees=True).as_matrix()
    centre = (np.array(SHAPE) - 1) / 2
    return ndimage.affine_transform(volume.astype(np.float64), matrix, centre - matrix @ centre,
                                    order=1, mode="grid-constant", cval=0)


points = rng.uniform(-1, 1, (10, 3)) * 0.3 + rng.uniform(0, 1, (10, 3)) * (np.array(SHAPE) - 1)
print("/* Made by tests/golden/volumes.py. */\n#pragma once\n")
print("/* clang-format off */")
show("golden_volume", volume)
show("golden_rotated", rotated((10, -20, 30)))
show("golden_rotated_depth", rotated((25, 0, 0)))
show("golden_points", points)
show("golden_fetched", ndimage.map_coordinates(volume.astype(np.float64), points.T, order=1,
                                               mode="grid-constant", cval=0))
show("golden_zoomed", ndimage.zoom(volume.astype(np.float64), (2, 0.8, 1.5), order=1,
                                   mode="nearest", grid_mode=True))
