"""Servers on loopback that replace remote services in tests; each also works by itself."""
