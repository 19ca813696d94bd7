"""Tests of published snapshots."""
