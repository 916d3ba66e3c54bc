"""The published implementation's numbers in this project's terms: params, weights, draws, dropout masks."""

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.base.params import parse_section
from pipeline.recipes.dada.criterion import Criterion
from pipeline.recipes.dada.mixing import Draws
from pipeline.recipes.dada.recipe import Params
from support.project import default_params

# Layer of the reference -> place in the network.
NETWORKS = {
    "uni": ("domain_network", {"fc1": 0, "bn1": 1, "fc2": 3, "bn2": 4}),
    "cls": ("class_network", {"fc1": 0, "bn1": 1, "fc2": 4, "bn2": 5, "fc3": 8, "bn3": 9}),
}
DROPOUTS = (3, 7)

Arrays = dict[str, np.ndarray]


def tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float64))


def params_of(arrays: Arrays) -> Params:
    """The params that the `cfg_*` of a file mean, the published ones where it is silent."""
    cfg = {name.removeprefix("cfg_"): value.item() for name, value in arrays.items() if name.startswith("cfg_")}
    section = default_params()["recipes"]["dada"]
    section |= {
        "class_share": cfg["d_dis_ratio"],
        "discrepancy_weight": cfg["d_discrepancy_ratio"],
        "adversarial_weight": cfg["dis_gamma"],
        "normalize": cfg.get("normal", True),
        "discrepancy": "l1" if cfg.get("dis_mode") == "l1" else "nuclear",
    }
    section["proxies"] |= {
        "weight": cfg["oproxy_ratio"],
        "lr": cfg.get("loss_adv_proxy_lr", 0.04),
        "alpha_positive": cfg["loss_oproxy_pos_alpha"],
        "alpha_negative": cfg["loss_oproxy_neg_alpha"],
        "delta_positive": cfg["loss_oproxy_pos_delta"],
        "delta_negative": cfg["loss_oproxy_neg_delta"],
        "sum_over": "proxies" if cfg.get("proxy_dim", 0) else "samples",
    }
    section["mix"] |= {
        "same_class": cfg["pos_class_mix"],
        "mode": cfg.get("mix_mode", "random"),
        "shift": cfg["shift_scale"],
        "unit": False,
        "draw": "batch",
    }
    section["networks"] |= {
        "lr": cfg.get("loss_adv_classifier_lr", 0.0005),
        "weight_decay": cfg.get("dis_decay", 0.0004),
        "activation": "leaky_relu" if cfg.get("active_func") == "leaky" else "relu",
        "dropout": cfg["dropout"],
        "domain_hidden": len(arrays["w_uni_fc1_weight"]),
        "domain_norm": "each",
        "domain_output_norm": cfg["fd2_bn"],
        "class_hidden": [len(arrays["w_cls_fc1_weight"]), len(arrays["w_cls_fc2_weight"])],
        "class_output_norm": cfg["fc2_bn"],
    }
    return parse_section(section, "recipes.dada", Params)


class Masks(nn.Module):
    """Dropout with recorded masks, one a call."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self.masks = p, []

    def forward(self, rows: Tensor) -> Tensor:
        return rows * self.masks.pop(0) / (1 - self.p)


def build(arrays: Arrays, dtype: torch.dtype = torch.float64) -> Criterion:
    """The criterion with the weights of a file, and recorded dropout where there is any."""
    params = params_of(arrays)
    criterion = Criterion(params, *arrays["proxies"].shape)
    state = {"proxies": tensor(arrays["proxies"])}
    if "mix_w" in arrays:
        state["mixture.weight"] = tensor(arrays["mix_w"])
    for name in arrays:
        if name.startswith("w_"):
            state[place(name.removeprefix("w_"))] = tensor(arrays[name])
    missing, unexpected = criterion.load_state_dict(state, strict=False)
    assert not unexpected
    assert all("running" in name or "num_batches" in name for name in missing), missing
    if params.networks.dropout:
        for index in DROPOUTS:
            criterion.class_network[index] = Masks(params.networks.dropout)
    return criterion.to(dtype)


def place(name: str) -> str:
    """`cls_fc1_weight` -> the parameter's name in the criterion."""
    network, layer, kind = name.split("_")
    ours, layers = NETWORKS[network]
    return f"{ours}.{layers[layer]}.{kind}"


def record(criterion: Criterion, arrays: Arrays, prefix: str) -> None:
    """Let the next evaluation use the dropout masks `<prefix>_dropmask_cls_*`."""
    for index, layer in zip(DROPOUTS, (1, 2), strict=True):
        dropout = criterion.class_network[index]
        if isinstance(dropout, Masks):
            dropout.masks = [
                torch.from_numpy(arrays[f"{prefix}_dropmask_cls_{domain}_{layer}"]).to(criterion.proxies.dtype)
                for domain in ("samples", "mix")
            ]


def draws(same_class: float, domain: float, classes: float, dtype: torch.dtype = torch.float64) -> Draws:
    return Draws(*(torch.full((1, 1), float(share), dtype=dtype) for share in (same_class, domain, classes)))


def close(actual: Tensor | float, expected: np.ndarray, tolerance: float = 1e-9) -> None:
    """Within the tolerance of the files: relative to the largest entry."""
    actual = actual.detach().double().numpy() if isinstance(actual, Tensor) else np.asarray(actual)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * max(1e-3, np.abs(expected).max())
