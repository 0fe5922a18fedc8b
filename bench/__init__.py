"""The figures of the README, each a command (`python -m bench.NAME`). Ratios in one run, never absolute promises."""
