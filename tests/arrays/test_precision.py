"""Average precision against numbers of the published evaluation, and by hand."""

import pytest
import torch
from support.golden import golden

from pipeline.arrays.precision import average_precisions


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-6)])
def test_published_figures(dtype, tolerance):
    case = {name: torch.as_tensor(array) for name, array in golden("metric", "rpf").items()}
    found = []
    for k in range(int(case["n_attr"])):
        queries, candidates = (case[f"attr{k}_{side}_feat"].to(dtype) for side in ("query", "cand"))
        relevant = case[f"attr{k}_query_value"][:, None] == case[f"attr{k}_cand_value"]
        found.append(average_precisions(queries @ candidates.T, relevant))
        torch.testing.assert_close(found[-1], case[f"attr{k}_ap"], atol=tolerance, rtol=0)
    assert torch.cat(found).mean().item() == pytest.approx(case["overall_map"].item(), abs=tolerance)


def test_by_hand():
    similar = torch.tensor([[0.9, 0.8, 0.7, 0.7]] * 2)
    relevant = torch.tensor([[False, True, False, True], [False] * 4])
    assert average_precisions(similar, relevant).tolist() == pytest.approx([(1 / 2 + 2 / 3) / 2, 0])
    ignored = torch.tensor([[True, False, False, False], [False] * 4])
    assert average_precisions(similar, relevant, ignored).tolist() == pytest.approx([1, 0])
    assert average_precisions(similar, relevant, relevant).tolist() == [0, 0]
