"""DADA: proxies of the items and their samples as two domains that two networks are to tell apart, and cannot.

The criterion is in `criterion`. The items of the source are the classes, their pictures the samples,
whatever their domain. Three optimisers of one schedule: the model's (`finetune.optim`), and Adam for the networks and
for the proxies. The losses read the head's output before the final L2, published with `finetune.model.output:
layernorm`.

Where the published method is unsound, a param selects its behaviour and another one is the default:
- `networks.domain_norm` each: with `domain_output_norm` the logits of each domain are centred by that domain's own
  mean, so no domain can be told from another, and the network stays at chance. joint: one batch of all domains. As
  the domain network then works, `adversarial_weight` is 0.01 instead of 1, at which the proxy loss stalls.
- `mix.unit` false: samples of length 22 and proxies of length 3 are mixed, so that the mixture is a sample but for
  shares near 1. true: unit vectors are mixed, and a share means what it says.
- `mix.draw` batch: one share for a whole batch shows the networks one kind of mixture at a time. sample: all kinds.
- `sampler` random: a class may come several times and weighs more, a pair may be one picture twice. distinct: neither,
  where an item has two pictures.
- `discriminator_epochs` 1: the model learns nothing in the first epoch; `head_epochs`: holds the backbone fixed, meant
  for pretrained ones. Both are 0. Batch norms that are not frozen move their statistics meanwhile.
"""

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from pipeline.models.embedder import plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.dada.batches import ItemSampler
from pipeline.recipes.dada.criterion import Criterion
from pipeline.recipes.dada.game import Phase, Players, discriminator_optimizer, phase_of, play, proxy_optimizer
from pipeline.recipes.dada.mixing import draw_shares
from pipeline.recipes.dada.params import CriterionParams
from pipeline.training.context import TrainingContext
from pipeline.training.optim import build_optimizer, scale_lr
from pipeline.training.sampled import SampledRecipe
from pipeline.training.schedule import lagging_factor


class Params(CriterionParams):
    """Batches, turns and phases of the game, with the criterion's weights. The module says which defaults differ."""

    batch_size: Annotated[int, Field(ge=2)]
    samples_per_class: Annotated[int, Field(ge=1)]
    sampler: Literal["distinct", "random"]
    discriminator_steps: Annotated[int, Field(ge=1)]
    generator_steps: Annotated[int, Field(ge=1)]
    discriminator_epochs: Annotated[int, Field(ge=0)]
    head_epochs: Annotated[int, Field(ge=0)]

    @field_validator("samples_per_class")
    @classmethod
    def _divides(cls, samples: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size")
        if batch_size is not None and batch_size % samples:
            raise ValueError(f"should divide batch_size ({batch_size})")
        return samples


class DadaRecipe(SampledRecipe):
    """One model against two networks. Draws are made from torch's global generator, which the loop seeds a batch."""

    def __init__(self, context: TrainingContext, params: Params) -> None:
        self.params = params
        sampler = ItemSampler(
            context.table,
            batch_size=params.batch_size,
            samples_per_class=params.samples_per_class,
            sampler=params.sampler,
            seed=context.seed,
        )
        super().__init__(context, sampler)
        self.criterion = Criterion(params, len(sampler.classes), self.embedder.head.shape[0])
        self.networks["criterion"] = self.criterion
        self.optimizers |= {
            "discriminators": discriminator_optimizer(self.criterion),
            "proxies": proxy_optimizer(self.criterion),
            "model": build_optimizer(self.embedder.parameters(), context.params.optim),
        }

    def step(self, batch: tuple[Tensor, Tensor], epoch: float) -> dict[str, float]:
        """The turns of both sides on one batch; reports the losses before the last turn of each."""
        images, labels = self.to_device(batch)
        params, common = self.params, self.context.params
        factor = lagging_factor(
            common.optim, epoch, common.epochs, lag=max(params.discriminator_epochs, params.head_epochs)
        )
        for optimizer in self.optimizers.values():
            scale_lr(optimizer, factor)
        phase = phase_of(
            math.floor(epoch), discriminator_epochs=params.discriminator_epochs, head_epochs=params.head_epochs
        )
        self.embedder.train()
        return play(
            self.criterion,
            Players(**self.optimizers),
            lambda: self.project(
                images, len(labels), backbone_learns=phase is Phase.ALL, head_learns=phase is not Phase.DISCRIMINATORS
            ),
            labels,
            lambda: draw_shares(labels, params.mix),
            discriminator_steps=params.discriminator_steps,
            generator_steps=params.generator_steps,
            learns=self._learns(phase),
            backward=self.context.backward,
        )

    def _learns(self, phase: Phase) -> list[nn.Parameter]:
        match phase:
            case Phase.DISCRIMINATORS:
                return []
            case Phase.HEAD:
                return list(self.embedder.head.parameters())
            case Phase.ALL:
                return [parameter for parameter in self.embedder.parameters() if parameter.requires_grad]


def build(context: TrainingContext, params: Params) -> DadaRecipe:
    """The recipe on `context`. Raises UserError when the source has too few items or pictures for a batch."""
    return DadaRecipe(context, params)


def check(common: FinetuneParams, params: Params) -> None:  # noqa: ARG001  as every recipe
    """Raise UserError for a model that cannot be had."""
    plan_embedder(common.model)
