"""Numbers for tests/io/loader/test_pictures.c, from torchvision on Pillow's images: what its usual
transforms of validation make of pictures of several sizes.

Each line is a size, with the sum of the resulting bytes [224, 224, 3] and their sum weighted by
(i * 31 + 7) % 1009 of byte i.
"""
import numpy as np
from PIL import Image
from torchvision import transforms


def picture(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.int64)
    return Image.fromarray(((3 * x * x + 5 * y * y + 2 * x * y + 4000 * c) // 32 % 256).astype(np.uint8))


def show(width, height, short):
    both = transforms.Compose([transforms.Resize(short), transforms.CenterCrop(224)])
    bytes_ = np.asarray(both(picture(width, height))).reshape(-1).astype(np.int64)
    weights = (np.arange(len(bytes_)) * 31 + 7) % 1009
    print(f"    {{{width}, {height}, {short}, {bytes_.sum()}, {(bytes_ * weights).sum()}}},")


show(500, 375, 256)
show(375, 500, 256)
show(503, 375, 256)  # what is cut off is 59.5 pixels on either side, as 60
show(333, 500, 256)
show(768, 512, 256)
show(100, 80, 256)
show(224, 224, 224)
show(1000, 250, 232)
