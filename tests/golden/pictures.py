"""Prints tests/io/image/golden_pictures.h: small files of every format, and what is in them.

Pillow 9.4 and, where it cannot write something, the lines below make the files; what is expected is
their source, or what Pillow reads. Transparent pixels are laid on white by numpy.
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

H, W = 3, 5
rng = np.random.default_rng(1)
RGB = rng.integers(0, 256, (H, W, 3)).astype(np.uint8)
GREY = (np.arange(H * W).reshape(H, W) * 17).astype(np.uint8)
INDEX = (np.arange(H * W).reshape(H, W) % 6).astype(np.uint8)
COLOURS = rng.integers(0, 256, (6, 3)).astype(np.uint8)
ALPHA = rng.integers(0, 256, (H, W)).astype(np.uint8)
DEEP = rng.integers(0, 65536, (H, W, 3)).astype(np.uint16)
FACTS = {'oriented': 1, 'deep': 4, 'transparent': 8, 'frames': 16, 'inks': 32}
entries, refused = [], []


def add(name, data, expected, *facts, classes=None):
    expected = np.asarray(expected)
    expected = expected[:, :, None] if expected.ndim == 2 else expected
    entries.append((name, bytes(data), expected.astype(np.uint8), sum(FACTS[f] for f in facts),
                    classes))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def laid(colours, alpha):
    a = alpha.astype(int)
    a = a[:, :, None] if colours.ndim == 3 else a
    return (colours * a + 255 * (255 - a) + 127) // 255


def with_palette(colours=COLOURS):
    image = Image.fromarray(INDEX, 'P')
    image.putpalette(colours.tobytes())
    return image


def exif(orientation):
    e = Image.Exif()
    e[0x0112] = orientation
    return e


def turned(image, orientation):
    image = image.copy()
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def deep_png(a, colour):
    rows = b''.join(b'\0' + row.astype('>u2').tobytes() for row in a)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', W, H, 16, colour, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def pngs():
    add('png rgb', saved(Image.fromarray(RGB), 'PNG'), RGB)
    add('png grey', saved(Image.fromarray(GREY), 'PNG'), GREY, classes=GREY)
    add('png palette', saved(with_palette(), 'PNG'), COLOURS[INDEX], classes=INDEX)
    greys = np.repeat(np.array([[9], [50], [90], [120], [200], [255]], np.uint8), 3, 1)
    add('png palette of greys', saved(with_palette(greys), 'PNG'), greys[INDEX][:, :, 0],
        classes=INDEX)
    rgba, la = np.dstack([RGB, ALPHA]), np.dstack([GREY, ALPHA])
    add('png rgba', saved(Image.fromarray(rgba), 'PNG'), laid(RGB, ALPHA), 'transparent')
    add('png grey and opacity', saved(Image.fromarray(la, 'LA'), 'PNG'), laid(GREY, ALPHA),
        'transparent', classes=GREY)
    add('png opaque rgba', saved(Image.fromarray(np.dstack([RGB, ALPHA * 0 + 255])), 'PNG'), RGB)
    add('png rgb of 16 bits', deep_png(DEEP, 2), (DEEP + 128.0) // 257, 'deep')
    add('png grey of 16 bits', deep_png(DEEP[:, :, 0], 0), (DEEP[:, :, 0] + 128.0) // 257, 'deep')
    other = Image.fromarray(255 - RGB)
    add('png of two frames', saved(Image.fromarray(RGB), 'PNG', save_all=True,
                                   append_images=[other]), RGB, 'frames')
    for o in range(1, 9):
        add(f'png with orientation {o}', saved(Image.fromarray(RGB), 'PNG', exif=exif(o)),
            turned(Image.fromarray(RGB), o), *['oriented'] * (o > 1))


def webps():
    image, rgba = Image.fromarray(RGB), Image.fromarray(np.dstack([RGB, ALPHA]))
    add('webp without loss', saved(image, 'WEBP', lossless=True), RGB, classes=RGB)
    add('webp rgba', saved(rgba, 'WEBP', lossless=True, exact=True), laid(RGB, ALPHA), 'transparent')
    lossy = saved(image, 'WEBP', quality=80)
    add('webp with loss', lossy, opened(lossy))
    film = saved(image, 'WEBP', save_all=True, append_images=[Image.fromarray(255 - RGB)],
                 lossless=True)
    add('webp of two frames', film, RGB, 'frames')
    add('webp with orientation 6', saved(image, 'WEBP', lossless=True, exif=exif(6)),
        turned(image, 6), 'oriented')


def bmp(bits, rows, palette=b'', masks=b'', coding=0, height=H, header=40):
    head = struct.pack('<IiiHHIIiiII', header, W, height, 1, bits, coding, 0, 0, 0,
                       len(palette) // 4, 0) + masks
    at = 14 + len(head) + len(palette)
    rows = b''.join(r + b'\0' * (-len(r) % 4) for r in rows)
    return b'BM' + struct.pack('<IHHI', at + len(rows), 0, 0, at) + head + palette + rows


def bmps():
    bgr = RGB[:, :, ::-1]
    add('bmp rgb', saved(Image.fromarray(RGB), 'BMP'), RGB)
    add('bmp grey', saved(Image.fromarray(GREY), 'BMP'), GREY, classes=GREY)
    add('bmp palette', saved(with_palette(), 'BMP'), COLOURS[INDEX], classes=INDEX)
    bits = INDEX % 2
    add('bmp of 1 bit', saved(Image.fromarray(bits.astype(bool)), 'BMP'), bits * 255, classes=bits)
    masks = struct.pack('<IIII', 0xff0000, 0xff00, 0xff, 0xff000000)
    rows = [r.tobytes() for r in np.dstack([bgr, ALPHA])[::-1]]
    add('bmp rgba', bmp(32, rows, masks=masks + b'\0' * 52, coding=3, header=108),
        laid(RGB, ALPHA), 'transparent')
    rows = [r.tobytes() for r in np.dstack([bgr, ALPHA * 0])[::-1]]
    add('bmp rgba without any', bmp(32, rows, masks=masks + b'\0' * 52, coding=3, header=108), RGB)
    add('bmp from the top', bmp(24, [r.tobytes() for r in bgr], height=-H), RGB)
    packed = ((RGB[:, :, 0] >> 3).astype(int) << 11 | (RGB[:, :, 1] >> 2).astype(int) << 5
              | RGB[:, :, 2] >> 3)
    wide = np.dstack([np.rint((RGB[:, :, c] >> d) * 255.0 / m)
                      for c, d, m in ((0, 3, 31), (1, 2, 63), (2, 3, 31))])
    rows = [r.astype('<u2').tobytes() for r in packed[::-1]]
    add('bmp 5-6-5', bmp(16, rows, masks=struct.pack('<III', 0xf800, 0x7e0, 0x1f), coding=3), wide)
    palette = b''.join(bytes(c[::-1]) + b'\0' for c in COLOURS)
    nibbles = [bytes([r[0] << 4 | r[1], r[2] << 4 | r[3], r[4] << 4]) for r in INDEX[::-1]]
    add('bmp of 4 bits', bmp(4, nibbles, palette), COLOURS[INDEX], classes=INDEX)
    unused = np.dstack([bgr, np.zeros((H, W), np.uint8)])
    add('bmp of 32 bits without opacity', bmp(32, [r.tobytes() for r in unused[::-1]]), RGB)
    rows = b''.join(r.tobytes() + b'\0' for r in bgr[::-1])
    add('bmp of OS/2', b'BM' + struct.pack('<IHHI', 26 + len(rows), 0, 0, 26)
        + struct.pack('<IHHHH', 12, W, H, 1, 24) + rows, RGB)


def gifs():
    plain = saved(with_palette(), 'GIF', interlace=0)
    add('gif', plain, COLOURS[INDEX], classes=INDEX)
    large = np.tile(INDEX, (6, 4))  # Pillow interlaces none below 16 x 16
    large[:, 7] = 3
    image = Image.fromarray(large, 'P')
    image.putpalette(COLOURS.tobytes())
    add('gif with interlace', saved(image, 'GIF', interlace=1), COLOURS[large])
    clear = COLOURS[INDEX]
    clear[INDEX == 2] = 255
    add('gif with transparency', saved(with_palette(), 'GIF', transparency=2), clear, 'transparent',
        classes=INDEX)
    other = Image.fromarray(INDEX[::-1].copy(), 'P')
    other.putpalette(COLOURS.tobytes())
    add('gif of two frames', saved(with_palette(), 'GIF', save_all=True, append_images=[other]),
        COLOURS[INDEX], 'frames')
    at = plain.index(b',\0\0\0\0' + struct.pack('<HH', W, H))
    small = bytearray(plain)
    small[6:10] = struct.pack('<HH', W + 2, H + 2)
    small[at + 1:at + 5] = struct.pack('<HH', 2, 1)
    shown = np.full((H + 2, W + 2, 3), 255, np.uint8)
    shown[1:H + 1, 2:] = COLOURS[INDEX]
    add('gif with a frame in its screen', small, shown, 'transparent')


def tiff(a, photometric, order='<', tile=None, planar=1, extra=None, orientation=1, colormap=None,
         compression=1, sample_format=1):
    """Hand-made: a[h, w, c] in one strip, in tiles, or in planes."""
    a = a[:, :, None] if a.ndim == 2 else a
    kind = a.dtype.newbyteorder(order)
    height, width, n = a.shape
    parts = [a] if planar == 1 else [a[:, :, c:c + 1] for c in range(n)]
    if tile:
        whole = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, n), a.dtype)
        whole[:height, :width] = a
        parts = [whole[y:y + tile, x:x + tile] for y in range(0, whole.shape[0], tile)
                 for x in range(0, whole.shape[1], tile)]
    parts = [p.astype(kind).tobytes() for p in parts]
    parts = [zlib.compress(p) for p in parts] if compression == 8 else parts
    data, places = b'', []
    for p in parts:
        places.append(8 + len(data))
        data += p + b'\0' * (len(p) % 2)
    bits = a.dtype.itemsize * 8
    tags = {256: ('I', [width]), 257: ('I', [height]), 258: ('H', [bits] * n),
            259: ('H', [compression]), 262: ('H', [photometric]), 274: ('H', [orientation]),
            277: ('H', [n]), 284: ('H', [planar]), 339: ('H', [sample_format] * n)}
    tags.update({322: ('I', [tile]), 323: ('I', [tile]), 324: ('I', places),
                 325: ('I', [len(p) for p in parts])} if tile else
                {273: ('I', places), 278: ('I', [height]), 279: ('I', [len(p) for p in parts])})
    tags.update({338: ('H', [extra])} if extra is not None else {})
    tags.update({320: ('H', colormap)} if colormap is not None else {})
    directory, at = b'', 8 + len(data)
    tail, tail_at = b'', at + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(order + kind * len(values), *values)
        if len(packed) > 4:
            place = struct.pack(order + 'I', tail_at + len(tail))
            tail += packed
        else:
            place = packed + b'\0' * (4 - len(packed))
        directory += struct.pack(order + 'HHI', tag, 3 if kind == 'H' else 4, len(values)) + place
    start = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(order + 'I', at)
    return (start + data + struct.pack(order + 'H', len(tags)) + directory
            + struct.pack(order + 'I', 0) + tail)


def tiffs():
    for compression in ('raw', 'tiff_lzw', 'tiff_adobe_deflate', 'packbits'):
        add(f'tiff rgb, {compression}', saved(Image.fromarray(RGB), 'TIFF', compression=compression),
            RGB)
    add('tiff grey', saved(Image.fromarray(GREY), 'TIFF'), GREY, classes=GREY)
    add('tiff palette', saved(with_palette(), 'TIFF'), COLOURS[INDEX], classes=INDEX)
    bits = INDEX % 2
    add('tiff of 1 bit', saved(Image.fromarray(bits.astype(bool)), 'TIFF'), bits * 255, classes=bits)
    add('tiff rgba', tiff(np.dstack([RGB, ALPHA]), 2, extra=2), laid(RGB, ALPHA), 'transparent')
    for extra, grey in ((2, GREY), (1, GREY * (ALPHA / 255.0))):
        la = np.dstack([grey.astype(np.uint8), ALPHA])
        shown = laid(GREY, ALPHA) if extra == 2 else np.minimum(255, la[:, :, 0] + 255 - ALPHA)
        add(f'tiff of grey and opacity, {extra}', tiff(la, 1, extra=extra), shown, 'transparent')
    ink = np.dstack([RGB, ALPHA])
    shown = np.rint((255.0 - RGB) * (255.0 - ALPHA[:, :, None]) / 255)
    add('tiff of inks', saved(Image.fromarray(ink, 'CMYK'), 'TIFF'), shown, 'inks')
    for order in '<>':
        add(f'tiff rgb of 16 bits {order}', tiff(DEEP, 2, order), (DEEP + 128.0) // 257, 'deep')
    add('tiff grey of 16 bits', tiff(DEEP[:, :, 0], 1), (DEEP[:, :, 0] + 128.0) // 257, 'deep')
    add('tiff, white is 0', tiff(GREY, 0), 255 - GREY)
    large = rng.integers(0, 256, (20, 35, 3)).astype(np.uint8)
    add('tiff in tiles', tiff(large, 2, tile=16), large)
    deep = rng.integers(0, 65536, (20, 35)).astype(np.uint16)
    add('tiff of 16 bits in tiles', tiff(deep, 1, '>', tile=16), (deep + 128.0) // 257, 'deep')
    add('tiff of 16 bits, white is 0', tiff(deep, 0), 255 - (deep + 128.0) // 257, 'deep')
    add('tiff in planes', tiff(RGB, 2, planar=2), RGB)
    add('tiff in planes of 16 bits', tiff(DEEP, 2, planar=2, compression=8), (DEEP + 128.0) // 257,
        'deep')
    for o in (3, 6, 8):
        add(f'tiff with orientation {o}', tiff(RGB, 2, orientation=o), turned(Image.fromarray(RGB), o),
            'oriented')
    add('tiff of two pages', saved(Image.fromarray(RGB), 'TIFF', save_all=True,
                                   append_images=[Image.fromarray(GREY)]), RGB, 'frames')


def jpegs():
    image = Image.fromarray(np.repeat(np.repeat(RGB, 6, 0), 6, 1))
    for name, options in (('4:4:4', {'subsampling': 0}), ('4:2:0', {'subsampling': 2}),
                          ('progressive', {'progressive': True})):
        data = saved(image, 'JPEG', **options)
        add(f'jpeg {name}', data, opened(data))
    data = saved(image.convert('L'), 'JPEG')
    add('jpeg grey', data, opened(data))
    data = saved(image.convert('CMYK'), 'JPEG')
    add('jpeg of inks', data, np.asarray(Image.open(io.BytesIO(data)).convert('RGB')), 'inks')
    for o in range(1, 9):
        data = saved(image, 'JPEG', exif=exif(o), quality=50)
        add(f'jpeg with orientation {o}', data,
            np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))),
            *['oriented'] * (o > 1))


def refuse(name, data, message, classes=False):
    refused.append((name, bytes(data), message, classes))


def others():
    refuse('tiff of floats', tiff(RGB.astype(np.float32), 2, sample_format=3),
           'is a TIFF of 32-bit floating-point numbers, expected unsigned ones of 8 or 16 bits')
    refuse('tiff of signed numbers', tiff(GREY.astype(np.int16), 1, sample_format=2),
           'is a TIFF of 16-bit signed numbers')
    four, five = np.dstack([RGB, ALPHA]), np.dstack([RGB, ALPHA, GREY])
    refuse('tiff of near infrared', tiff(four, 2, extra=0), 'is a TIFF of 4 channels, expected grey')
    refuse('tiff without saying of what', tiff(four, 2), 'is a TIFF of 4 channels, expected grey')
    refuse('tiff of five channels', tiff(five, 1, extra=0), 'is a TIFF of 5 channels, expected grey')
    refuse('tiff of deep grey and opacity', tiff(np.dstack([DEEP[:, :, 0], DEEP[:, :, 1]]), 1, extra=2),
           'is a TIFF of 2 channels, expected grey')
    deep = DEEP[:, :, 0]
    for kind, data in (('tiff', tiff(deep, 1)), ('png', deep_png(deep, 0)), ('png', deep_png(DEEP, 2))):
        refuse(f'{kind} of deep classes', data, 'is a mask of 16 bits, expected numbers', True)
    refuse('tiff of clear classes', tiff(four, 2, extra=2), 'is a mask in transparent colours', True)
    refuse('bmp in runs', bmp(8, [b'\3\1\0\0'], COLOURS.tobytes(), coding=1),
           'is a compressed BMP, which is not read; convert it to PNG')
    refuse('bmp of 2 bits', bmp(2, [b'\0\0\0\0'] * 3), 'neither 1, 4, 8, 16, 24 nor 32 bits')


def text_of(data):
    lines = [data[i:i + 44].hex() for i in range(0, len(data), 44)]
    return '\n     '.join(f'"{line}"' for line in lines) or '""'


for make in (pngs, webps, bmps, gifs, tiffs, jpegs, others):
    make()
print('/* Made by tests/golden/pictures.py: small files of every format, mostly by Pillow. */')
print('#pragma once\n\n/* clang-format off */')
print('/* All bytes as hexadecimal text; classes "": not a mask. */')
print('static const struct golden_picture {\n    const char *name, *file;')
print('    int width, height, channels;\n    unsigned facts;')
print('    const char *pixels, *classes;\n} golden_pictures[] = {')
for name, data, expected, facts, classes in entries:
    h, w, c = expected.shape
    classes = b'' if classes is None else classes.astype(np.uint8).tobytes()
    print(f'    {{"{name}",\n     {text_of(data)},\n     {w}, {h}, {c}, {facts},')
    print(f'     {text_of(expected.tobytes())},\n     {text_of(classes)}}},')
print('};')
print('\n/* What is refused; classes: as a mask. */')
print('static const struct golden_refused {\n    const char *name, *file, *message;\n    int classes;')
print('} golden_refused[] = {')
for name, data, message, classes in refused:
    print(f'    {{"{name}",\n     {text_of(data)},\n     "{message}", {int(classes)}}},')
print('};')
