"""Tests of `chicago_crime/assets/`."""
