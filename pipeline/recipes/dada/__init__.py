"""DADA: proxies and samples as two domains, their mixture as a third, and two networks that tell them apart."""
