"""Tests of `chicago_crime/intake/`."""
