"""Tests of `chicago_crime/sources/`."""
