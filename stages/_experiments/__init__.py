"""Driving DVC: its queue, its overrides, what a run depends on."""
