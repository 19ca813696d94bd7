"""Benchmarks of speed, memory and robustness; `docs/performance.md` has the latest results."""
