"""Prints what Pillow makes of a picture, for src/train/trivial.rs.

    python3 -m venv env && env/bin/pip install pillow==13.0.0
    env/bin/python tests/goldens/pillow_colours.py
"""

from PIL import Image, ImageEnhance, ImageOps

WIDTH, HEIGHT = 37, 23


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


picture = Image.new("RGB", (WIDTH, HEIGHT))
for y in range(HEIGHT):
    for x in range(WIDTH):
        picture.putpixel((x, y), tuple(40 + (x * 7 + y * 13 + c * 29 + x * y) % 150 for c in range(3)))

cases = []
for name, enhancer in [
    ("Brightness", ImageEnhance.Brightness),
    ("Saturation", ImageEnhance.Color),
    ("Contrast", ImageEnhance.Contrast),
    ("Sharpness", ImageEnhance.Sharpness),
]:
    for factor in [0.25, 1.75]:
        cases.append((f"{name}({factor})", enhancer(picture).enhance(factor)))
cases.append(("Posterize(3)", ImageOps.posterize(picture, 3)))
for threshold in [100, 0]:
    cases.append((f"Solarize({threshold})", ImageOps.solarize(picture, threshold)))
cases.append(("AutoContrast", ImageOps.autocontrast(picture)))
cases.append(("Equalize", ImageOps.equalize(picture)))
for name, changed in cases:
    digits = f"{fnv(changed.tobytes()):016x}"
    grouped = "_".join(digits[place : place + 4] for place in range(0, 16, 4))
    print(f"        (Colours::{name}, 0x{grouped}),")
