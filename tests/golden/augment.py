"""Numbers for tests/io/augment/test_pixels.c and test_rand.c, from torchvision.

Each line is an operation with the sum of the resulting image [h, w, c], of values from 0 to 1, and
its sum weighted by (7 * i) % 13 of element i.
"""
import torch
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode, autoaugment


def image(h, w, divisor=1):
    values = [(i * 37 + (i // 7) * 11 + 5) % 256 // divisor for i in range(h * w * 3)]
    return torch.tensor(values, dtype=torch.uint8).reshape(h, w, 3).permute(2, 0, 1)


def show(name, result):
    result = result.float() / 255 if result.dtype == torch.uint8 else result
    v = result.permute(1, 2, 0).reshape(-1).double()
    weights = torch.tensor([(7 * i) % 13 for i in range(len(v))], dtype=torch.double)
    print(f'    {{"{name}", {v.sum():.5f}, {(v * weights).sum():.5f}}},')


def pixels(h=12, w=10):
    b = image(h, w)
    f = b.float() / 255
    show("brightness", F.adjust_brightness(f, 1.4))
    show("contrast", F.adjust_contrast(f, 0.6))
    show("saturation", F.adjust_saturation(f, 1.8))
    show("sharpness", F.adjust_sharpness(f, 1.7))
    show("hue", F.adjust_hue(f, 0.2))
    show("hue back", F.adjust_hue(f, -0.4))
    show("gray", F.rgb_to_grayscale(f, 3))
    show("posterize", F.posterize(b, 3))
    show("solarize", F.solarize(f, 0.6))
    show("autocontrast", F.autocontrast(f * 0.5 + 0.2))
    show("equalize, 32x32, bytes / 3", F.equalize(image(32, 32, 3)))
    show("gaussian_blur", F.gaussian_blur(f, [5, 5], [1.3, 1.3]))


def operations(title, space, bin_, h=12, w=10):
    print(title)
    b = image(h, w)
    for name, (magnitudes, signed) in space.items():
        magnitude = float(magnitudes[bin_]) if magnitudes.ndim else 0.0
        x = b if name in ("Posterize", "Equalize") else b.float() / 255
        if name == "Solarize":
            magnitude /= 255
        for sign in (1, -1) if signed else (1,):
            show(
                name + (" back" if sign < 0 else ""),
                autoaugment._apply_op(x, name, sign * magnitude, InterpolationMode.NEAREST, None),
            )


pixels()
operations("rand_augment", autoaugment.RandAugment()._augmentation_space(31, (12, 10)), 9)
operations("trivial_augment", autoaugment.TrivialAugmentWide()._augmentation_space(31), 5)
