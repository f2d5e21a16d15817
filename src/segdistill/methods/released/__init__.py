"""Losses as the authors' own code computes them, where that is neither the canonical form nor a multiple of it.

They stand in no list of methods: only the presets' `variant="as_released"` and the conformance table use them.
"""
