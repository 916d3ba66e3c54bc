"""RPF's training, and that of its base ASEN++: triplets of pictures over an attribute that the network is told.

Public GitHub projects of RPF (from region to patch) and of ASEN++ (Dong et al., "Fine-Grained Fashion Similarity
Prediction by Attribute-Specific Embedding Learning", TIP 2021). The classes are the values of attributes. The first
branch (region; global of ASEN++) sees the whole picture and learns alone at first, then with the second one (patch;
local), which sees the crop that the first one's attention points at. The draws are in `sampler`, the losses in
`losses`; docs/rpf.md has the published settings, and what is mended.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from pipeline.base.errors import UserError
from pipeline.base.names import DATASET
from pipeline.base.runtime import RuntimeParams
from pipeline.images.loading import Conditioned
from pipeline.models.attributes.build import build_attribute_network, plan_attribute_network
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.rpf.losses import alignment, cosine_triplet, einfonce, weighted
from pipeline.recipes.rpf.params import SECTION, Params
from pipeline.recipes.rpf.sampler import AttributeTriplets
from pipeline.recipes.rpf.start import Start
from pipeline.recipes.rpf.validation import AttributeMap
from pipeline.table.attributes import with_attributes
from pipeline.training.context import TrainingContext
from pipeline.training.face import START
from pipeline.training.optim import build_optimizer
from pipeline.training.processes import gather, on_shares, share_of
from pipeline.training.sampled import SampledRecipe
from pipeline.training.schedule import lr_factor

READS_ATTRIBUTES = True


class Phase(NamedTuple):
    """Epochs `start` to `end` (excluded): the first branch learns alone, or both do, at factors of the run's rate.

    `name` is that of its optimiser: what that of an earlier phase gathered is of other rates.
    """

    name: str
    start: int
    end: int
    lr_factors: tuple[float, ...]


class RpfRecipe(SampledRecipe):
    """One network, and an optimiser a phase. Dropout is drawn from torch's generator, which the loop seeds a batch."""

    def __init__(self, context: TrainingContext, params: Params) -> None:
        self.params = params
        _check_together(context.params, params)
        drawn = {"triplets": params.triplets, "batch_size": params.batch_triplets, "strict": params.strict_negatives}
        sampler = AttributeTriplets(_entries(context), **drawn, seed=context.seed)
        share_of(context.fabric).chosen(sampler.smallest)  # too many processes are told before the last batch
        if sampler.left_out:
            context.say(f"attributes: {sampler.left_out}")
        start = None if params.init_from is None else Start.read(Path(params.init_from))
        attributes = sampler.known if start is None else start.attributes_of(sampler.known)
        super().__init__(
            replace(context, table=sampler.entries),
            sampler,
            lambda model: build_attribute_network(start.trunk(model) if start else model, params.network, attributes),
        )
        if start is not None:
            start.load_into(self.embedder)
        self.facts[START] = None if start is None else start.digest
        self.attributes = torch.from_numpy(sampler.attributes)  # of each class
        self.phases = phases_of(context.params, params)
        branches = list(self.embedder.parameter_groups().values())
        for phase in self.phases:
            rates = [context.params.optim.lr * factor for factor in phase.lr_factors]
            groups = [{"params": learned, "lr": lr} for learned, lr in zip(branches, rates, strict=False)]
            self.optimizers[phase.name] = build_optimizer(groups, context.params.optim)

    def step(self, batch: tuple[Conditioned, Tensor], epoch: float) -> dict[str, float]:
        """One optimiser step; reports the losses before it, those of two branches without their weights."""
        inputs, labels = self.to_device(batch)
        optim = self.context.params.optim
        phase = next(phase for phase in self.phases if epoch < phase.end)
        self.embedder.train()
        losses = self._losses(self.branches(inputs, len(labels), both=len(phase.lr_factors) > 1), labels)
        factor = lr_factor(optim, epoch - phase.start, phase.end - phase.start)
        return self.learn(losses, factor, optimizer=phase.name)

    def branches(self, inputs: Conditioned, n: int, *, both: bool) -> list[Tensor | None]:
        """Embeddings (n, F) float32 of region, patch and background, of the roles behind one another, with gradients.

        `inputs` are this process's share of each role of the `n` pictures; None: what the network does not give. As
        published each role has a pass of its own, and batch norms see it by itself.
        """
        fabric = self.context.fabric
        roles = [Conditioned(*role) for role in zip(*(part.chunk(3) for part in inputs), strict=True)]
        with fabric.autocast(), on_shares(fabric):
            made = [self.embedder.outputs(one, both=both)[:3] for one in ([inputs] if self.params.joined else roles)]
        whole = [None if parts[0] is None else torch.cat(parts).float() for parts in zip(*made, strict=True)]
        return [
            rows if rows is None else torch.cat([gather(role, n // 3, fabric) for role in rows.chunk(3)])
            for rows in whole
        ]

    def validation(self, rows: pd.DataFrame, runtime: RuntimeParams) -> AttributeMap:
        """Mean average precision over the attributes of the pictures that are held out; the last phase has the best."""
        context = self.context
        entries = with_attributes(rows, context.attributes)
        options = {"batch_size": runtime.batch_size, "workers": runtime.workers, "first": self.phases[-1].start}
        return AttributeMap(entries, context.raw, self.embedder, context.fabric, **options)

    def _losses(self, branches: list[Tensor | None], labels: Tensor) -> dict[str, Tensor]:
        params, (region, patch, background) = self.params, branches
        first = cosine_triplet(region, margin=params.margin)
        if patch is None:
            return {"loss": params.weights.region * first}
        second = cosine_triplet(patch, margin=params.margin)
        if background is None:
            between = alignment(region, patch)
        else:
            attributes = self.attributes.to(labels.device)[labels]
            options = {"temperature": params.temperature, "alpha": params.alpha}
            between = einfonce(region, patch, background, labels, attributes, **options)
        return weighted(first, second, between, params.weights)


def phases_of(common: FinetuneParams, params: Params) -> list[Phase]:
    """The phases of a run of `common.epochs`; of a network of one branch there is one."""
    if params.network.second is None:
        return [Phase("first", 0, common.epochs, (1.0,))]
    first = [Phase("first", 0, params.region_epochs, (1.0,))] if params.region_epochs else []
    factors = (params.region_lr_factor, params.patch_lr_factor)
    return [*first, Phase("both", params.region_epochs, common.epochs, factors)]


def build(context: TrainingContext, params: Params) -> RpfRecipe:
    """The recipe on `context`.

    Raises UserError when too little is known of the pictures, and for what `check` refuses.
    """
    return RpfRecipe(context, params)


def check(common: FinetuneParams, params: Params) -> None:
    """Raise UserError for a network or a model to start from that cannot be had, and params that do not go together."""
    _check_together(common, params)
    start = None if params.init_from is None else Start.read(Path(params.init_from))
    if start is None:
        plan_attribute_network(common.model, params.network, ("any",))
    else:
        start.check(plan_attribute_network(start.trunk(common.model), params.network, start.attributes))


def _check_together(common: FinetuneParams, params: Params) -> None:
    """Raise UserError for params that do not go together."""
    model, second = common.model, params.network.second
    if model.norm_features or model.output != "none":
        name = "norm_features" if model.norm_features else "output"
        raise UserError(
            f"finetune.model.{name}: recipe rpf has no head to normalise for; set it to false, output to none"
        )
    if model.embedding_dim is not None:
        raise UserError(
            f"finetune.model.embedding_dim: {model.embedding_dim}, but recipe rpf has no head; set it to null, and "
            f"{SECTION}.network.embedding_dim for the width of a branch"
        )
    if second is not None and params.region_epochs >= common.epochs:
        branch = "patch" if params.network.family == "rpf" else "local"
        raise UserError(
            f"{SECTION}.region_epochs: {params.region_epochs} of {common.epochs} epochs leave none in which both "
            f"branches learn; lower it, or set {SECTION}.network.{branch}: null for the first one alone"
        )


def _entries(context: TrainingContext) -> pd.DataFrame:
    """Rows of the source's pictures to train on with attribute and value each."""
    entries = context.table if context.attributes is None else with_attributes(context.table, context.attributes)
    if context.attributes is None or entries.empty:
        sets = ", ".join(sorted(context.table[DATASET].unique()))
        raise UserError(
            f"finetune.recipe: rpf learns attributes, and {sets} tells none of its pictures to train on; choose "
            "data.sets that do, or name columns in pipeline/datasets/table/params.yaml:attributes"
        )
    return entries
