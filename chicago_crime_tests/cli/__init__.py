"""Tests of `chicago_crime/cli/`."""
