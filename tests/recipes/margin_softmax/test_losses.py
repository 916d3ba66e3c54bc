"""Margin losses by hand, against pytorch-metric-learning, and where the published ones failed."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning import losses as pml
from torch import nn

from pipeline.recipes.margin_softmax.adaptive import AdaCos, AdaFace, CurricularFace
from pipeline.recipes.margin_softmax.centres import MarginSoftmax, draw_classes
from pipeline.recipes.margin_softmax.margins import ArcFace, Clam, CosFace, LiArcFace, SphereFace

N_CLASSES, WIDTH = 5, 6
COUNTS = np.array([3, 9, 4, 20, 3])
MAKE = {
    "arcface": lambda **options: ArcFace(N_CLASSES, WIDTH, margin=0.5, **options),
    "clam": lambda **options: Clam(N_CLASSES, WIDTH, counts=COUNTS, margin_min=0.2, margin_max=0.5, **options),
    "liarcface": lambda **options: LiArcFace(N_CLASSES, WIDTH, margin=0.5, **options),
    "cosface": lambda **options: CosFace(N_CLASSES, WIDTH, margin=0.35, **options),
    "sphereface": lambda **options: SphereFace(N_CLASSES, WIDTH, margin=3.0, **options),
    "normalized_softmax": lambda **options: MarginSoftmax(N_CLASSES, WIDTH, **options),
    "adacos": lambda **options: AdaCos(N_CLASSES, WIDTH, dynamic=True, **options),
    "curricularface": lambda **options: CurricularFace(N_CLASSES, WIDTH, margin=0.5, **options),
    "adaface": lambda **options: AdaFace(N_CLASSES, WIDTH, margin=0.5, h=0.333, momentum=0.5, **options),
}
LABELS = torch.tensor([0, 3, 3, 1, 4, 2])


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def draw(n=6):
    return torch.randn(n, WIDTH, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MAKE["arcface"], lambda **sizes: pml.ArcFaceLoss(margin=math.degrees(0.5), scale=30, **sizes)),
        (
            lambda: MAKE["arcface"](centres=3),
            lambda **sizes: pml.SubCenterArcFaceLoss(margin=math.degrees(0.5), scale=30, sub_centers=3, **sizes),
        ),
        (
            lambda: MAKE["arcface"](centres=2),
            lambda **sizes: pml.SubCenterArcFaceLoss(margin=math.degrees(0.5), scale=30, sub_centers=2, **sizes),
        ),
        (MAKE["cosface"], lambda **sizes: pml.CosFaceLoss(margin=0.35, scale=30, **sizes)),
        (MAKE["sphereface"], lambda **sizes: pml.SphereFaceLoss(margin=3, scale=30, **sizes)),
        (MAKE["normalized_softmax"], lambda **sizes: pml.NormalizedSoftmaxLoss(temperature=1 / 30, **sizes)),
    ],
    ids=["arcface", "subcenter3", "subcenter2", "cosface", "sphereface", "normalized_softmax"],
)
def test_values_and_gradients_of_pytorch_metric_learning(ours, theirs):
    loss, reference = ours().double(), theirs(num_classes=N_CLASSES, embedding_size=WIDTH)
    reference.W = nn.Parameter(loss.weight.detach().T.clone())
    embeddings = draw()
    made, expected = loss(embeddings, LABELS), reference(embeddings, LABELS)
    assert made.item() == pytest.approx(expected.item(), abs=1e-12)
    found = torch.autograd.grad(made, [embeddings, loss.weight])
    wanted = torch.autograd.grad(expected, [embeddings, reference.W])
    torch.testing.assert_close(found[0], wanted[0], atol=1e-9, rtol=0)
    torch.testing.assert_close(found[1], wanted[1].T, atol=1e-9, rtol=0)


# Two classes at right angles, and an embedding at 60 and 30 degrees of them, of length 2.
THETA = math.pi / 3
BY_HAND = {
    "arcface": (ArcFace(2, 2, margin=0.3, scale=10.0), 10 * math.cos(THETA + 0.3), 10 * math.cos(math.pi / 6)),
    "liarcface": (LiArcFace(2, 2, margin=0.3, scale=10.0), 10 * (1 - 2 / 3 - 0.6 / math.pi), 10 * (1 - 1 / 3)),
    "cosface": (CosFace(2, 2, margin=0.3, scale=10.0), 10 * (0.5 - 0.3), 10 * math.cos(math.pi / 6)),
    # m theta = 240 degrees: beyond the first half turn.
    "sphereface": (SphereFace(2, 2, margin=4.0, scale=10.0), 20 * (0.5 - 2), 20 * math.cos(math.pi / 6)),
    "normalized_softmax": (MarginSoftmax(2, 2, scale=10.0), 10 * 0.5, 10 * math.cos(math.pi / 6)),
    # The other class is nearer than the own one with its margin; t moves from 0 by a hundredth of 1/2.
    "curricularface": (
        CurricularFace(2, 2, margin=0.3, scale=10.0),
        10 * math.cos(THETA + 0.3),
        10 * math.cos(math.pi / 6) * (0.005 + math.cos(math.pi / 6)),
    ),
    # A batch of one moves neither mean nor deviation: u = 0.5 (2 - 20) / 100.001.
    "adaface": (
        AdaFace(2, 2, margin=0.3, h=0.5, momentum=1.0, scale=10.0),
        10 * (math.cos(THETA + 0.3 * 9 / 100.001) - 0.3 + 0.3 * 9 / 100.001),
        10 * math.cos(math.pi / 6),
    ),
    "clam": (
        Clam(2, 2, counts=np.array([7, 1]), margin_min=0.1, margin_max=0.4, scale=10.0),
        10 * math.cos(THETA + 0.1),
        10 * math.cos(math.pi / 6),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_logits_by_hand(name):
    loss, own, other = BY_HAND[name]
    with torch.no_grad():
        loss.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.5]]))
    embedding = torch.tensor([[2 * math.cos(THETA), 2 * math.sin(THETA)]])
    assert loss.logits(embedding, torch.tensor([0])).tolist()[0] == pytest.approx([own, other], rel=1e-5)


def test_scale_of_adacos_by_hand():
    loss = AdaCos(3, 2, dynamic=True)
    assert loss.scale.item() == pytest.approx(math.sqrt(2) * math.log(2))
    with torch.no_grad():
        loss.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    loss(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]))
    # Other classes at cosines 0 and -1, and twice at 0; the own angles are 0.
    mean = (1 + math.exp(-math.sqrt(2) * math.log(2)) + 2) / 2
    assert loss.scale.item() == pytest.approx(math.log(mean), rel=1e-4)


def test_margins_of_classes_of_one_size():
    loss = Clam(3, WIDTH, counts=np.array([4, 4, 4]), margin_min=0.2, margin_max=0.5)
    assert loss.margins.tolist() == pytest.approx([0.5] * 3)
    with pytest.raises(ValueError, match="counts of"):
        Clam(4, WIDTH, counts=np.array([4, 4, 4]), margin_min=0.2, margin_max=0.5)


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("half", [False, True])
def test_embeddings_on_a_centre_have_a_gradient(name, sign, half):
    loss = MAKE[name]()
    embeddings = (sign * loss.weight.detach()[LABELS]).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        made = loss(embeddings, LABELS)
    made.backward()
    assert embeddings.grad.isfinite().all()
    assert loss.weight.grad.isfinite().all()


@pytest.mark.parametrize("name", MAKE)
def test_a_batch_of_one_gives_no_nan(name):
    loss = MAKE[name]()
    embeddings = draw(1)
    for _ in range(2):
        made = loss.double()(embeddings, LABELS[:1])
        made.backward()
        assert made.isfinite()
    assert all(value.isfinite().all() for value in [embeddings.grad, *loss.state_dict().values()])


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("centres", [2, 4])
def test_any_number_of_centres_and_the_nearest_counts(name, centres):
    many, embeddings = MAKE[name](centres=centres).double(), draw()
    cosines = F.normalize(embeddings) @ F.normalize(many.weight.view(N_CLASSES, centres, WIDTH), dim=2).mT
    expected = torch.stack([each.max(dim=1).values for each in cosines], dim=1)
    torch.testing.assert_close(many.cosines(embeddings), expected)
    one = MAKE[name]().double()
    with torch.no_grad():
        many.weight.copy_(one.weight.repeat_interleave(centres, dim=0))
    assert many(embeddings, LABELS).item() == pytest.approx(one(embeddings, LABELS).item())


@pytest.mark.parametrize("name", [name for name in MAKE if name not in ("adaface", "sphereface")])
def test_only_directions_count(name):
    embeddings = draw()
    loss = MAKE[name]().double()
    state = {key: value.clone() for key, value in loss.state_dict().items()}
    first = loss(embeddings, LABELS).item()
    loss.load_state_dict(state)
    assert loss(embeddings * torch.rand(len(LABELS), 1).add(0.1), LABELS).item() == pytest.approx(first)


@pytest.mark.parametrize("name", MAKE)
def test_margins_make_the_own_logit_harder(name):
    loss, plain = MAKE[name]().double().eval(), MAKE["normalized_softmax"]().double()
    plain.load_state_dict({"weight": loss.weight})
    embeddings = F.normalize(draw())
    own = [made.logits(embeddings, LABELS).gather(1, LABELS[:, None]) / made.scale for made in (loss, plain)]
    difference = own[0] - own[1]
    if name in ("adacos", "normalized_softmax"):
        assert difference.abs().max() < 1e-9
    elif name == "liarcface":  # its scale of angles is another one
        assert (own[0] < 1 - plain.cosines(embeddings).acos().gather(1, LABELS[:, None]) * 2 / math.pi).all()
    else:
        assert (difference < 0).all()


@pytest.mark.parametrize("name", ["adacos", "curricularface", "adaface"])
def test_state_is_saved_and_stands_still_in_eval_mode(name):
    loss, other = MAKE[name]().double(), MAKE[name]().double()
    start = {key: value.clone() for key, value in loss.state_dict().items()}
    loss.eval()(draw(), LABELS)
    assert all(value.equal(start[key]) for key, value in loss.state_dict().items())
    loss.train()(draw(), LABELS)
    assert any(not value.equal(start[key]) for key, value in loss.state_dict().items())
    other.load_state_dict(loss.state_dict())
    embeddings = draw()
    assert loss(embeddings, LABELS).equal(other(embeddings, LABELS))


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("centres", [1, 3])
def test_a_softmax_over_some_classes(name, centres):
    loss, embeddings, labels = MAKE[name](centres=centres).double().eval(), draw(3), torch.tensor([4, 1, 4])
    logits = loss.logits(embeddings, labels)
    classes = torch.tensor([1, 3, 4])
    torch.testing.assert_close(loss.logits(embeddings, labels, classes), logits[:, classes])
    expected = F.cross_entropy(logits[:, classes], torch.tensor([2, 0, 2]))
    made = loss(embeddings, labels, classes)
    assert made.item() == pytest.approx(expected.item())
    made.backward()
    moved = loss.weight.grad.view(N_CLASSES, -1).abs().sum(dim=1) > 0
    assert not moved[[0, 2]].any()
    assert moved[classes].all()


def test_which_classes_are_compared():
    labels = torch.tensor([7, 2, 7, 900])
    drawn = draw_classes(labels, 1000, 50)
    assert len(drawn) == 50
    assert drawn.equal(drawn.unique())
    assert set(labels.tolist()) <= set(drawn.tolist())
    torch.manual_seed(3)
    first = draw_classes(labels, 1000, 50)
    assert not first.equal(draw_classes(labels, 1000, 50))
    torch.manual_seed(3)
    assert draw_classes(labels, 1000, 50).equal(first)
    assert draw_classes(labels, 1000, 2).tolist() == [2, 7, 900], "as many as the batch needs"
    assert draw_classes(labels, 1000, 5000).tolist() == list(range(1000))
