"""Outlines as arrays of points (N, 2) in body units: x to the wearer's left, y down, the base of the neck at (0, 0)."""

import numpy as np

Points = np.ndarray
STEPS = 10


def path(start: tuple[float, float], *segments: tuple[float, ...]) -> Points:
    """Points along a path: a segment (x, y) is a line, (cx, cy, x, y) a quadratic curve with control point (cx, cy)."""
    points = [np.array([start], dtype=float)]
    for segment in segments:
        begin, end = points[-1][-1], np.array(segment[-2:], dtype=float)
        if len(segment) == 2:
            points.append(end[None])
        else:
            t = np.linspace(0, 1, STEPS + 1)[1:, None]
            control = np.array(segment[:2], dtype=float)
            points.append((1 - t) ** 2 * begin + 2 * t * (1 - t) * control + t**2 * end)
    return np.concatenate(points)


def mirror(points: Points) -> Points:
    """The same points on the other side of the body."""
    return points * (-1.0, 1.0)


def moved(points: Points, x: float, y: float) -> Points:
    """The same points further to the right and down."""
    return points + (x, y)  # noqa: RUF005 - arithmetic


def both(points: Points) -> tuple[Points, Points]:
    """The points of the right side and their mirror image on the left."""
    return points, mirror(points)


def whole(half: Points) -> Points:
    """The closed outline whose right half runs from the top centre to the bottom centre."""
    return np.concatenate([half, mirror(half)[::-1]])


def symmetric(start: tuple[float, float], *segments: tuple[float, ...]) -> Points:
    """The closed outline whose right half is the path from `start`, at the top centre, to the bottom centre."""
    return whole(path(start, *segments))


def tube(spine: Points, width: np.ndarray | float) -> Points:
    """Closed outline of a tube around `spine` (K, 2) with half-widths `width` (K,) or one for all."""
    along = np.gradient(spine, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) * np.broadcast_to(width, len(spine))[:, None]
    return np.concatenate([spine + normal, (spine - normal)[::-1]])


def ellipse(centre: tuple[float, float], rx: float, ry: float, begin: float = 0.0, end: float = 360.0) -> Points:
    """An arc of an ellipse, degrees clockwise from the right."""
    angle = np.radians(np.linspace(begin, end, 4 * STEPS))
    return np.stack([centre[0] + rx * np.cos(angle), centre[1] + ry * np.sin(angle)], axis=1)


def rectangle(x0: float, y0: float, x1: float, y1: float, corner: float = 0.0) -> Points:
    """A rectangle; `corner` is the radius of its corners."""
    if not corner:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=float)
    r = corner
    return path(
        (x0 + r, y0), (x1 - r, y0), (x1, y0, x1, y0 + r), (x1, y1 - r), (x1, y1, x1 - r, y1),
        (x0 + r, y1), (x0, y1, x0, y1 - r), (x0, y0 + r), (x0, y0, x0 + r, y0),
    )  # fmt: skip


def limb(joint: Points, angle: float, bend: float, upper: float, lower: float) -> Points:
    """Spine (21, 2) of an arm or leg: from `joint`, `angle` away from straight down, `bend` more after the middle.

    A quadratic curve through the elbow or knee, which lies `upper` from the joint and `lower` from the end.
    """
    middle = joint + upper * np.array([np.sin(angle), np.cos(angle)])
    end = middle + lower * np.array([np.sin(angle + bend), np.cos(angle + bend)])
    control = 2 * middle - (joint + end) / 2
    t = np.linspace(0, 1, 2 * STEPS + 1)[:, None]
    return (1 - t) ** 2 * joint + 2 * t * (1 - t) * control + t**2 * end
