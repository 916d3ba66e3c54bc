"""Logits, losses, gradients and state of all margin losses against the numbers of MDFE, in float64 and in float32."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.golden import golden

from pipeline.recipes.margin_softmax.adaptive import AdaCos, AdaFace, CurricularFace
from pipeline.recipes.margin_softmax.margins import ArcFace, Clam, LiArcFace

N_CLASSES, WIDTH = 7, 16
PRECISIONS = (torch.float64, torch.float32)


@pytest.fixture(params=PRECISIONS, ids=str)
def precision(request):
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


@pytest.fixture(scope="module")
def arrays():
    return golden("heads", "mdfe")


def close(found, expected, precision, share=1e-4):
    """Within the tolerances that were published with the numbers."""
    atol = 1e-9 if precision == torch.float64 else share * np.abs(expected).max()
    np.testing.assert_allclose(found.detach().double().numpy(), expected, rtol=0, atol=atol)


def start(arrays, make, centres, **options):
    """The loss with the published centres, given names of hyper-parameters and their values."""
    made = make(N_CLASSES, WIDTH, centres=centres, **options)
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(arrays["weight_k3" if centres == 3 else "weight"]))
    return made


def check_batch(arrays, name, loss, batch, precision, at=()):
    """One batch through `loss`; the expected arrays are those of `name`, at the place `at`."""
    embeddings = torch.tensor(arrays[batch][at], dtype=precision, requires_grad=True)
    labels = torch.from_numpy(arrays["seq_labels" if at else "labels"][at])
    loss.weight.grad = None
    logits = loss.logits(embeddings, labels)
    made = F.cross_entropy(logits, labels)
    made.backward()
    close(logits, arrays[f"{name}_logits"][at], precision)
    close(made, arrays[f"{name}_loss"][at], precision)
    share = 3e-4 if name.startswith("liarcface") else 1e-4
    close(embeddings.grad, arrays[f"{name}_grad_emb"][at], precision, share)
    if f"{name}_grad_weight" in arrays:
        close(loss.weight.grad, arrays[f"{name}_grad_weight"], precision, share)


STATELESS = {
    "arcface0": (ArcFace, 1, ("margin", "scale")),
    "arcface1": (ArcFace, 1, ("margin", "scale")),
    "subcenter0": (ArcFace, 3, ("margin", "scale")),
    "subcenter1": (ArcFace, 3, ("margin", "scale")),
    "liarcface0": (LiArcFace, 1, ("margin", "scale")),
    "liarcface1": (LiArcFace, 1, ("margin", "scale")),
    "dynm0": (Clam, 1, ("margin_max", "margin_min", "scale")),
    "dynm1": (Clam, 1, ("margin_max", "margin_min", "scale")),
    "dynm_k3": (Clam, 3, ("margin_max", "margin_min", "scale")),
    "adaface_norms": (AdaFace, 1, ("margin", "scale", "h", "momentum")),
}


@pytest.mark.parametrize("name", STATELESS)
def test_one_batch(arrays, name, precision):
    make, centres, names = STATELESS[name]
    given = arrays["dynm0_hp" if name == "dynm_k3" else f"{name}_hp"].tolist()
    options = dict(zip(names, given, strict=False))
    if make is Clam:
        options["counts"] = arrays["class_counts"]
    loss = start(arrays, make, centres, **options)
    assert loss.weight.dtype == precision
    check_batch(arrays, name, loss, "emb_k3" if centres == 3 else "emb", precision)
    if f"{name}_margins" in arrays:
        close(loss.margins, arrays[f"{name}_margins"], precision)


@pytest.mark.parametrize("name", ["curricular", "adaface0", "adaface1", "adacos_dyn", "adacos_fixed"])
def test_three_batches_in_a_row(arrays, name, precision):
    if name.startswith("adacos"):
        loss, state = start(arrays, AdaCos, 1, dynamic=name == "adacos_dyn"), {"scale": f"{name}_s"}
    elif name == "curricular":
        margin, scale = arrays["curricular_hp"].tolist()
        loss, state = start(arrays, CurricularFace, 1, margin=margin, scale=scale), {"t": "curricular_t"}
    else:
        options = dict(zip(("margin", "scale", "h", "momentum"), arrays[f"{name}_hp"].tolist(), strict=True))
        loss, state = start(arrays, AdaFace, 1, **options), {kind: f"{name}_batch_{kind}" for kind in ("mean", "std")}
    for at in range(3):
        check_batch(arrays, name, loss, "seq_emb", precision, (at,))
        for buffer, array in state.items():
            close(loss.state_dict()[buffer], arrays[array][at], precision)


def test_the_branch_beyond_pi_is_among_the_numbers(arrays):
    for name in ("arcface0", "arcface1"):
        margin, scale = arrays[f"{name}_hp"].tolist()
        loss = start(arrays, ArcFace, 1, margin=margin, scale=scale).double()
        cosines = loss.cosines(torch.from_numpy(arrays["emb"]))
        own = cosines[torch.arange(9), torch.from_numpy(arrays["labels"])]
        assert int((own <= np.cos(np.pi - margin)).sum()) == arrays[f"{name}_n_fallback"]
