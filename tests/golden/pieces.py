"""Pieces of pictures beside Pillow's.

    pieces.py            prints tests/io/image/golden_pieces.h
    pieces.py PROGRAM    compares those of image_pieces, byte by byte: files of all kinds, random boxes

Resizing is Image.resize(size, BILINEAR, box) of Pillow 9.4; a JPEG is decoded by the same libjpeg.
Without Pillow it ends with 77.
"""

import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as error:
    print('skipped:', error)
    sys.exit(77)

# box (left, top, right, bottom), width, height, mirrored; of 13x11 pixels by the rule below
CASES = [((0, 0, 13, 11), 5, 4, False), ((0, 0, 13, 11), 3, 14, True), ((2, 1, 9, 10), 11, 12, False),
         ((0.5, 1.25, 11.75, 9.5), 6, 5, False), ((3, 4, 4, 5), 4, 3, True), ((0, 0, 13, 11), 1, 1, False),
         ((1, 0, 13, 11), 12, 3, True)]


def resized(image, box, width, height, mirrored):
    image = image.resize((width, height), Image.BILINEAR, box=box)
    return np.asarray(ImageOps.mirror(image) if mirrored else image)


def header():
    y, x, c = np.ogrid[:11, :13, :3]
    image = Image.fromarray(((x * x * 37 + y * 91 + x * y * 11 + c * 53) % 256).astype(np.uint8))
    print('/* Made by tests/golden/pieces.py: what Pillow makes of 13x11 pixels, (x * x * 37 + y * 91 +'
          '\n * x * y * 11 + c * 53) % 256 in channel c. */\n#pragma once\n')
    print('/* clang-format off */\n/* The box, the size, the bytes as hexadecimal text. */')
    print('static const struct golden_piece {\n    double left, top, right, bottom;')
    print('    int width, height, mirrored;\n    const char *bytes;\n} golden_pieces[] = {')
    for box, width, height, mirrored in CASES:
        text = resized(image, box, width, height, mirrored).tobytes().hex()
        lines = [f'     "{text[i:i + 88]}"' for i in range(0, len(text), 88)]
        print(f'    {{{", ".join(map(str, box))}, {width}, {height}, {mirrored:d},\n'
              + '\n'.join(lines) + '},')
    print('};')


def picture(rng, width, height):
    """Waves and noise."""
    y, x, c = np.ogrid[:height, :width, :3]
    waves = 100 + 60 * np.sin(x / rng.uniform(2, 30) + c) + 60 * np.cos(y / rng.uniform(2, 30) - c)
    return Image.fromarray(np.clip(waves + np.random.normal(0, 20, waves.shape), 0, 255)
                           .astype(np.uint8))


def written(rng, folder, number):
    """A file of a random kind. Returns its path and the picture as Pillow reads it, upright."""
    image = picture(rng, rng.randint(1, 300), rng.randint(1, 300))
    kind = rng.choice(['jpg'] * 6 + ['png', 'webp', 'bmp'])
    path = f'{folder}/{number}.{kind}'
    options = {}
    if kind == 'jpg':
        exif = Image.Exif()
        exif[0x0112] = rng.randint(1, 8)
        options = {'quality': rng.randint(30, 98), 'subsampling': rng.choice([0, 1, 2]),
                   'progressive': rng.random() < 0.3, 'exif': exif}
        image = image.convert('L') if rng.random() < 0.1 else image
    if kind == 'webp':
        options = {'lossless': True}
    image.save(path, **options)
    return path, ImageOps.exif_transpose(Image.open(path)).convert('RGB')


def random_case(rng, width, height):
    """A line for image_pieces, and the same for Pillow: cut and resized, or a box of the whole."""
    w, h = rng.randint(1, width), rng.randint(1, height)
    x, y = rng.randint(0, width - w), rng.randint(0, height - h)
    size = (rng.randint(1, 224), rng.randint(1, 224))
    mirrored = rng.random() < 0.5
    if rng.random() < 0.5:
        return f'{x} {y} {w} {h} {x} {y} {w} {h}', (x, y, w, h), None, size, mirrored
    # quarters: Pillow's boxes are of floats
    x, y, w, h = x + 0.25 * (w > 1), y + 0.5 * (h > 1), w - 0.5 * (w > 1), h - 0.75 * (h > 1)
    return (f'{x} {y} {w} {h} 0 0 {width} {height}', None, (x, y, x + w, y + h), size, mirrored)


def compare(program):
    rng = random.Random(1)
    np.random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        lines, expected = [], []
        for number in range(300):
            path, image = written(rng, folder, number)
            for _ in range(4):
                line, cut, box, size, mirrored = random_case(rng, *image.size)
                part = image.crop((cut[0], cut[1], cut[0] + cut[2], cut[1] + cut[3])) if cut else image
                lines.append(f'{path} 3 {line} {size[0]} {size[1]} {mirrored:d} 0')
                expected.append(resized(part, box or (0, 0, *part.size), *size, mirrored).ravel())
        subprocess.run([program, f'{folder}/out'], input='\n'.join(lines), text=True, check=True,
                       stdout=subprocess.DEVNULL)
        found = np.fromfile(f'{folder}/out', np.uint8)
        at = 0
        for line, piece in zip(lines, expected):
            ours = found[at:at + piece.size].astype(int)
            at += piece.size
            if ours.size != piece.size or (ours != piece).any():
                sys.exit(f'{line}: differs by up to {np.abs(ours - piece).max()}')
        assert at == found.size
        print(f'{len(lines)} pieces are those of Pillow')


if len(sys.argv) > 1:
    compare(sys.argv[1])
else:
    header()
