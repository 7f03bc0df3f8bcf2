"""A small moving landscape, computed: the demo's source, so that it needs no data and nobody's permission.

Natural pictures have power spectra near 1/f^2, many sizes of edges, smooth gradients and parallax; so has this: clouds
over a sky, two ranges of hills, a meadow, a row of houses with windows, and a balloon, each passing at its own speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
GRAIN = 1.2  # standard deviation of the camera's noise, 8-bit steps
GRAIN_ROOM = 256  # pixels by which one large field of it is shifted about, in place of new noise for each frame


def fractal(rng: np.random.Generator, shape: tuple[int, ...], slope: float) -> Floats:
    """Periodic noise with amplitude 1/f^slope, zero mean, unit deviation; (height, width) or (width,)."""
    frequencies = [np.fft.fftfreq(n) * n for n in shape]
    grids = np.meshgrid(*frequencies, indexing="ij")
    radius = np.sqrt(sum(g * g for g in grids))
    radius.flat[0] = np.inf  # no constant part
    spectrum = np.fft.fftn(rng.standard_normal(shape)) / radius**slope
    noise = np.fft.ifftn(spectrum).real
    normal: Floats = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    return normal


def mix(low: tuple[int, int, int], high: tuple[int, int, int], weight: NDArray[np.floating]) -> Floats:
    """(H, W, 3) colours between two, by an (H, W) weight of 0 to 1."""
    a, b = np.array(low, np.float32), np.array(high, np.float32)
    mixed: Floats = a + (b - a) * np.clip(weight, 0, 1).astype(np.float32)[..., None]
    return mixed


class Layer:
    """Something that passes at `speed` pixels a frame, a multiple of 0.5: periodic colours, and where they cover what
    lies behind. Only the rows from its top to `until`, a share of the height below which others hide it, are drawn.
    """

    def __init__(self, colours: Floats, cover: Floats, speed: float, until: float = 1.0) -> None:
        height = len(cover)
        top = int(np.argmax(cover.any(axis=1)))
        self.rows, self.speed = slice(top, int(height * until)), speed
        ink = colours[self.rows] * cover[self.rows, :, None]
        gap = 1 - cover[self.rows, :, None]
        # Real motion is seldom a whole number of pixels: a second copy lies half a pixel to the left.
        self.phases = [(ink, gap)] + [tuple((a + np.roll(a, -1, axis=1)) / 2 for a in (ink, gap))] * (speed % 1 > 0)

    def draw(self, picture: Floats, frame: int) -> None:
        """Put this layer over the (H, W, 3) picture, as it stands at a frame."""
        halves = round(2 * self.speed * frame)
        ink, gap = self.phases[halves % 2 if len(self.phases) > 1 else 0]
        start, width, span = halves // 2 % ink.shape[1], picture.shape[1], ink.shape[1]
        first = min(width, span - start)
        target = picture[self.rows]
        for here, there in (
            (slice(0, first), slice(start, start + first)),
            (slice(first, width), slice(0, width - first)),
        ):
            target[:, here] *= gap[:, there]
            target[:, here] += ink[:, there]


def layers(rng: np.random.Generator, width: int, height: int) -> list[Layer]:
    """Back to front, each at least as wide as the picture and seamless from right to left."""
    span = width * 2
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    blank = np.ones((height, span), np.float32)
    sky = Layer(mix((88, 142, 205), (226, 222, 204), rows * 1.9 * blank), blank, 0, until=0.7)

    cloud = fractal(rng, (height, span), 1.6)
    clouds = Layer(
        mix((196, 202, 214), (252, 250, 246), cloud * 0.35 + 0.4), np.clip(cloud - 0.4, 0, 1) * 0.9, 0.5, until=0.6
    )

    scene = [sky, clouds]
    for base, rough, dark, light, speed in (
        (0.46, 0.05, (92, 110, 128), (132, 148, 156), 1.0),
        (0.56, 0.06, (46, 74, 48), (108, 128, 74), 1.5),
    ):
        edge = base + rough * fractal(rng, (span,), 1.3)
        texture = fractal(rng, (height, span), 1.0) * 0.25 + 0.5
        scene.append(Layer(mix(dark, light, texture), np.clip((rows - edge) * height, 0, 1), speed, until=0.78))
    scene.append(houses(rng, width, height, span))

    blades = fractal(rng, (height, span), 0.55) * 0.2 + fractal(rng, (height, span), 1.3) * 0.12
    edge = 0.72 + 0.012 * fractal(rng, (span,), 1.0)
    grass = mix((34, 62, 22), (168, 178, 78), 0.2 + 0.9 * (rows - 0.6) + blades)
    scene.append(Layer(grass, np.clip((rows - edge) * height / 2, 0, 1), 3.5))
    return scene


def houses(rng: np.random.Generator, width: int, height: int, span: int) -> Layer:
    """A row of houses: straight edges, windows and bricks, which show blur and blocking at once."""
    colours = np.zeros((height, span, 3), np.float32)
    cover = np.zeros((height, span), np.float32)
    unit = max(height // 90, 2)
    left = unit * 3
    foot = int(height * 0.76)
    while left < span - unit * 24:
        wide, tall = (int(rng.integers(low, high)) * unit for low, high in ((12, 21), (14, 32)))
        wall = np.float32(rng.uniform(100, 205) + rng.uniform(-28, 28, 3))  # muted, as walls are
        block = colours[foot - tall : foot, left : left + wide]
        y, x = np.mgrid[: block.shape[0], : block.shape[1]]
        joint = (y % max(unit // 2, 3) == 0) | ((x + (y // max(unit // 2, 3)) % 2 * unit) % (unit * 2) == 0)
        block[:] = wall * (1 - 0.16 * joint[..., None]) * (0.82 + 0.3 * x[..., None] / wide)
        window = (y % (unit * 5) > unit * 2) & (x % (unit * 4) > unit) & (y > unit * 2) & (x < wide - unit)
        block[window] = np.array((38, 46, 60), np.float32) + 70 * (rng.random() > 0.5)
        cover[foot - tall : foot, left : left + wide] = 1
        left += wide + int(rng.integers(0, 14)) * unit
    return Layer(colours, cover, 2.5, until=0.78)


def balloon(picture: Floats, frame: int, frames: int) -> None:
    """A striped, shaded ball that drifts across and turns; drawn into the (H, W, 3) picture."""
    height, width, _ = picture.shape
    radius = height * 0.15
    across = frame / max(frames, 1)
    cx, cy = width * (0.2 + 0.55 * across), height * (0.34 - 0.08 * np.sin(across * 3))
    top, low = max(int(cy - radius) - 1, 0), min(int(cy + radius) + 2, height)
    left, right = max(int(cx - radius) - 1, 0), min(int(cx + radius) + 2, width)
    y, x = np.mgrid[top:low, left:right].astype(np.float32)
    u, v = (x - np.float32(cx)) / np.float32(radius), (y - np.float32(cy)) / np.float32(radius)
    inside = 1 - u * u - v * v
    z = np.sqrt(np.clip(inside, 0, 1))
    stripe = 0.5 + 0.5 * np.sin(8 * np.arctan2(u, z + 0.2) + frame * 0.06)
    light = 0.35 + 0.65 * np.clip(0.5 * z - 0.5 * u - 0.6 * v, 0, 1)
    skin = mix((196, 40, 44), (246, 222, 130), (stripe * 6 - 2.5).astype(np.float32)) * light[..., None]
    cover = np.clip(inside * radius / 2, 0, 1)[..., None]
    picture[top:low, left:right] += (skin - picture[top:low, left:right]) * cover


def landscape(width: int, height: int, frames: int, *, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """(height, width, 3) R'G'B' frames; the same pictures for the same arguments."""
    rng = np.random.default_rng(seed)
    scene = layers(rng, width, height)
    grain = (
        rng.standard_normal((height + GRAIN_ROOM, width + GRAIN_ROOM, 1), dtype=np.float32) * np.float32(GRAIN) + 0.5
    )
    picture = np.zeros((height, width, 3), np.float32)
    for frame in range(frames):
        for layer in scene:
            layer.draw(picture, frame)
        balloon(picture, frame, frames)
        top, left = (int(n) for n in rng.integers(0, GRAIN_ROOM, 2))
        noisy = picture + grain[top : top + height, left : left + width]
        yield np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
