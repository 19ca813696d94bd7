"""Tests of `chicago_crime/serve/`."""
