"""Tests of containers, workflows and machine set-up."""
