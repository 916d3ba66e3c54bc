"""UDMA's fine-tuning: pairs of pictures of an item, and a loss and a miner of pytorch-metric-learning."""
