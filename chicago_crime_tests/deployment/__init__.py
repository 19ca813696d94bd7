"""Tests of containers, workflows and the set-up of the machine."""
