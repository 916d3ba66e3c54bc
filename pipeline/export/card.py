"""The card of an exported model: what goes in and comes out, how it was checked, where it is from, how to use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.export import onnx_file, program
from pipeline.export.compose import DOMAIN, EMBEDDINGS, PICTURES, Chosen, Composed
from pipeline.export.verify import Measured
from pipeline.table.domains import CODES

FILE = "model_card.md"


@dataclass(frozen=True)
class Facts:
    """What a card says beside what the model itself does.

    marks: fingerprints by folder; versions: of packages, by name; training, licences: lines; figures: by metric;
    scope: what they are of.
    """

    opset: int
    tolerance: float
    marks: Mapping[str, str]
    versions: Mapping[str, str]
    training: Sequence[str]
    figures: Mapping[str, float]
    scope: str
    licences: Sequence[str]


def model_card(chosen: Chosen, model: Composed, measured: Measured, facts: Facts) -> str:
    """The text, as Markdown."""
    sections = {
        "Input": _inputs(model),
        "Output": _output(model),
        "Check": _check(model, measured, facts),
        "From": _origin(chosen, facts),
        "Figures": _figures(chosen, facts),
        "Licences": [f"- {line}" for line in facts.licences],
        "Use": _use(model),
    }
    body = "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())
    what = f"`{onnx_file.FILE}` (ONNX, opset {facts.opset}) and `{program.FILE}` (torch.export) are the same network."
    return f"# {chosen.name}, a model of Crosswear\n\n{what}\n\n{body}\n"


def _inputs(model: Composed) -> list[str]:
    wanted, side = model.wanted, str(model.wanted.size)
    shape = f"B, {side}, {side}, 3" if model.resize == "none" else "B, height, width, 3"
    lines = [
        "| name | shape | type | what |",
        "|---|---|---|---|",
        f"| `{PICTURES}` | ({shape}) | uint8 | RGB, upright, on white where it was transparent; B is free, 1 or more |",
    ]
    if DOMAIN in model.inputs:
        lines.append(f"| `{DOMAIN}` | (B,) | int64 | {', '.join(f'{code}: {name}' for name, code in CODES.items())} |")
    return [
        *lines,
        "",
        f"Preprocessing: {_framing(model)}.",
        f"The graph itself divides by 255, subtracts {_numbers(wanted.mean)} and divides by {_numbers(wanted.std)}.",
    ]


def _framing(model: Composed) -> str:
    wanted = model.wanted
    square, inside = f"{wanted.size} x {wanted.size} pixels", ", antialiased, to whole grey levels, inside the graph"
    if model.resize == "squash":
        return f"any size is squashed to {square}, bicubic{inside}"
    how = f"the whole picture is resized to {square}, aspect not kept"
    if wanted.crop_from is not None:
        how = f"the shorter side is resized to {wanted.crop_from} pixels and the centre cropped to {square}"
    return f"{how}, {wanted.interpolation}" + (inside if model.resize == "own" else " by PIL, before the graph")


def _output(model: Composed) -> list[str]:
    length = "as the head gives them: compare by the cosine" if model.raw else "of unit length"
    return [f"`{EMBEDDINGS}`: (B, {model.network.head.shape[0]}) float32, {length}."]


def _check(model: Composed, measured: Measured, facts: Facts) -> list[str]:
    pictures = f"{measured.real} pictures of the test part and noise, in batches of 1 and 3"
    lines = [
        f"Largest deviation of a value from the model in torch, on {pictures} (CPU; more than {facts.tolerance:g} is "
        "not published):",
        "",
        *(f"- {name}: {value:.2g}" for name, value in measured.exports.items()),
    ]
    if measured.chain is not None:
        what = "how the chain itself embeds these pictures"
        by = "" if model.resize == "none" else ", which resizes by PIL: the price of resizing in the graph"
        lines.append(f"- the model from {what}{by}: {measured.chain:.2g}")
    return [*lines, "", "Versions: " + ", ".join(f"{name} {version}" for name, version in facts.versions.items()) + "."]


def _origin(chosen: Chosen, facts: Facts) -> list[str]:
    params, head = chosen.network.params, chosen.network.head
    parts = "signed root of the pooled features, " if head.root else ""
    bias = ", a bias a domain" if head.tells_domains else ""
    trunk = "" if params is None else f"{params.backbone}, pooling {params.pooling}, "
    return [
        f"- Network: {trunk}{parts}a linear head of {head.shape[1]} to {head.shape[0]}{bias}.",
        *(f"- `{folder}`: {mark}" for folder, mark in facts.marks.items()),
        *(f"- Learnt from {line}" for line in facts.training),
        *_views(chosen),
    ]


def _views(chosen: Chosen) -> list[str]:
    if chosen.mix is None:
        return []
    return [
        f"- Catalogue pictures are blended with views of them ({chosen.mix.name}) by `crosswear index`; photos are "
        "embedded by this graph as they are, and it is the embedder of both."
    ]


def _figures(chosen: Chosen, facts: Facts) -> list[str]:
    if not facts.figures:
        return ["metrics/evaluate.json has none of this model."]
    blended = "" if chosen.mix is None else ", its catalogue blended with views"
    rows = [f"| {name} | {value:.4f} |" for name, value in facts.figures.items()]
    by = f"{facts.scope}; by the last run of the stage `evaluate`{blended}."
    return ["| metric | value |", "|---|---|", *rows, "", by]


def _use(model: Composed) -> list[str]:
    wanted = model.wanted
    lines = [
        "import numpy as np, onnxruntime",
        "from PIL import Image, ImageOps",
        "",
        f'session = onnxruntime.InferenceSession("{onnx_file.FILE}")',
        'picture = ImageOps.exif_transpose(Image.open("street.jpg"))  # of 8 bits a channel',
        "if picture.has_transparency_data:",
        '    white = Image.new("RGBA", picture.size, "white")',
        '    picture = Image.alpha_composite(white, picture.convert("RGBA"))',
        'picture = picture.convert("RGB")',
    ]
    if model.resize == "none":
        lines += _by_hand(wanted.size, wanted.crop_from, wanted.interpolation.upper())
    lines.append(f'inputs = {{"{PICTURES}": np.asarray(picture)[None]}}')
    if DOMAIN in model.inputs:
        told = "a photo; of a shop's picture: [1]"
        lines.append(f'inputs["{DOMAIN}"] = np.array([0])  # {told}')
    lines.append(f'embedding = session.run(["{EMBEDDINGS}"], inputs)[0]  # (1, {model.network.head.shape[0]})')
    return ["```python", *lines, "```"]


def _by_hand(size: int, crop_from: int | None, interpolation: str) -> list[str]:
    how = f"Image.Resampling.{interpolation}"
    if crop_from is None:
        return [f"picture = picture.resize(({size}, {size}), {how})"]
    return [
        f"sides = [{crop_from} * side // min(picture.size) for side in picture.size]",
        f"left, top = (round((side - {size}) / 2) for side in sides)",
        f"picture = picture.resize(sides, {how}).crop((left, top, left + {size}, top + {size}))",
    ]


def _numbers(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
