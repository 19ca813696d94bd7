"""Tests of the whole graph: real data, damage, crashes, engines, the UI."""
