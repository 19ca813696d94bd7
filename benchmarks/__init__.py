"""How fast and how large: programs that measure. What they need and what they last showed is in README.md."""
