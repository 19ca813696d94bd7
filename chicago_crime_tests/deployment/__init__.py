"""Tests of the containers and of the machine's startup scripts."""
