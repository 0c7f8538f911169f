"""Writes decode.json: small picture files of every kind, and the RGB that Pillow makes of each.

Run: python test/golden/pixels/decode.py
Each case: name, file (base64), width, height, rgb (base64 of the [H, W, 3] bytes, zlib-compressed).
The reference is `exif_transpose`, then `convert("RGB")`, transparency composited on white as transformers'
`convert_to_rgb` does. One deviation on purpose: 16-bit grey by its high byte, where Pillow clips at 255.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageOps

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(6)


def photo(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [np.sin(x / 5 + i) * np.cos(y / 7 - i) * 90 + 128 + rng.normal(0, 6, (height, width)) for i in range(3)]
    return Image.fromarray(np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8))


def drawing(width, height):
    image = Image.new("RGB", (width, height), (250, 248, 240))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 6, height // 6, width // 2, height - 3), fill=(200, 30, 60))
    draw.rectangle((width // 2, height // 4, width - 4, height // 2), fill=(20, 90, 200))
    return image


def alpha_of(image):
    ramp = np.tile(np.linspace(0, 255, image.width).round().astype(np.uint8), (image.height, 1))
    out = image.convert("RGBA")
    out.putalpha(Image.fromarray(ramp))
    return out


def save(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows, extra=b"", interlace=0):
    """A PNG written by hand: what Pillow does not write (16-bit RGB, tRNS on RGB, interlace)."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def filtered(array):
    """Rows with filter 0. `array` is [H, bytes a row]."""
    return b"".join(b"\0" + row.tobytes() for row in array)


def adam7(array):
    """Rows of the seven passes of an interlaced 8-bit picture [H, W, C]."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    out = b""
    for y0, x0, dy, dx in passes:
        part = array[y0::dy, x0::dx]
        if part.size:
            out += filtered(part.reshape(part.shape[0], -1))
    return out


def reference(data):
    image = Image.open(io.BytesIO(data))
    if image.mode.startswith("I;16"):
        high = (np.array(image).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(high).convert("RGB")
    image = ImageOps.exif_transpose(image)
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def cases():
    p, d = photo(61, 43), drawing(40, 56)
    yield "png-rgb", save(p, "PNG")
    yield "png-rgba", save(alpha_of(p), "PNG")
    yield "png-la", save(alpha_of(p).convert("LA"), "PNG")
    yield "png-grey", save(p.convert("L"), "PNG")
    yield "png-grey1", save(p.convert("1"), "PNG")
    yield "png-palette", save(d.quantize(7), "PNG")
    yield "png-palette-1bit", save(d.quantize(2), "PNG", bits=1)
    yield "png-palette-2bit", save(d.quantize(4), "PNG", bits=2)
    yield "png-palette-4bit", save(d.quantize(13), "PNG", bits=4)
    yield "png-palette-trns", save(d.quantize(7), "PNG", transparency=bytes([0, 90, 255, 10, 255, 255, 200]))
    yield "png-grey-trns", save(d.convert("L"), "PNG", transparency=d.convert("L").getpixel((1, 1)))
    yield "png-rgb-trns", save(d, "PNG", transparency=(250, 248, 240))
    for depth in (1, 2, 4):
        samples = rng.integers(0, 2**depth, (9, 8))
        bits = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., -depth:].reshape(9, -1)
        yield f"png-grey-{depth}bit", png(8, 9, depth, 0, filtered(np.packbits(bits, axis=-1)))
    wide = rng.integers(0, 65536, (12, 10, 4)).astype(">u2")
    yield "png-16bit-grey", png(10, 12, 16, 0, filtered(wide[..., :1].reshape(12, -1)))
    yield "png-16bit-rgb", png(10, 12, 16, 2, filtered(wide[..., :3].reshape(12, -1)))
    yield "png-16bit-la", png(10, 12, 16, 4, filtered(wide[..., :2].reshape(12, -1)))
    yield "png-16bit-rgba", png(10, 12, 16, 6, filtered(wide.reshape(12, -1)))
    rgb = np.array(p)
    yield "png-interlaced", png(61, 43, 8, 2, adam7(rgb), interlace=1)
    yield "png-interlaced-grey", png(61, 43, 8, 0, adam7(np.array(p.convert("L"))[..., None]), interlace=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "png-exif-6", save(d, "PNG", exif=exif)
    yield "jpeg-444", save(p, "JPEG", quality=90, subsampling=0)
    yield "jpeg-422", save(p, "JPEG", quality=80, subsampling=1)
    yield "jpeg-420", save(p, "JPEG", quality=80, subsampling=2)
    yield "jpeg-progressive", save(p, "JPEG", quality=80, progressive=True)
    yield "jpeg-restart", save(p, "JPEG", quality=70, restart_marker_blocks=2)
    yield "jpeg-grey", save(p.convert("L"), "JPEG", quality=80)
    yield "jpeg-cmyk", save(p.convert("CMYK"), "JPEG", quality=90)
    yield "jpeg-drawing", save(d, "JPEG", quality=60)
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        yield f"jpeg-exif-{orientation}", save(d, "JPEG", quality=90, exif=exif)
    yield "webp-lossy", save(p, "WEBP", quality=70)
    yield "webp-lossless", save(p, "WEBP", lossless=True)
    yield "webp-lossy-alpha", save(alpha_of(p), "WEBP", quality=70)
    yield "webp-lossless-alpha", save(alpha_of(d), "WEBP", lossless=True, exact=True)
    exif[0x0112] = 8
    yield "webp-exif-8", save(d, "WEBP", lossless=True, exif=exif)
    yield "webp-animated", save(d, "WEBP", lossless=True, save_all=True, append_images=[drawing(40, 56).rotate(90)])
    yield "gif", save(d.quantize(9), "GIF")
    yield "gif-transparent", save(d.quantize(9), "GIF", transparency=0)
    yield "gif-interlaced", save(photo(33, 29).quantize(64), "GIF", interlace=1)
    yield "gif-animated", save(d.quantize(9), "GIF", save_all=True, append_images=[d.rotate(180).quantize(9)], duration=80)
    yield "bmp-24", save(p, "BMP")
    yield "bmp-8", save(p.convert("L"), "BMP")
    yield "bmp-palette", save(d.quantize(7), "BMP")
    yield "bmp-1", save(p.convert("1"), "BMP")
    yield "bmp-32", save(alpha_of(d), "BMP")


out = []
for name, data in cases():
    rgb = reference(data)
    out.append({
        "name": name,
        "file": base64.b64encode(data).decode(),
        "width": rgb.width,
        "height": rgb.height,
        "rgb": base64.b64encode(zlib.compress(rgb.tobytes(), 9)).decode(),
    })
text = ",\n".join(json.dumps(case) for case in out)
(HERE / "decode.json").write_text(f"[\n{text}\n]\n")
print(len(out), "cases")
