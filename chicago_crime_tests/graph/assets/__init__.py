"""Tests of `chicago_crime/graph/assets/`."""
