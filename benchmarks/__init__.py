"""How fast and how large: programs that measure. `docs/performance.md` has what they last showed."""
