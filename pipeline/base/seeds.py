"""Seeds for draws that depend only on the run's seed and on where the run stands."""

import numpy as np


def mixed_seed(*parts: int) -> int:
    """One 63-bit seed from several non-negative ints, well mixed: (1, 2) and (2, 1) have nothing in common."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
