"""Draws from a numpy Generator that several files share."""


def pick(rng, options):
    return options[int(rng.integers(len(options)))]
