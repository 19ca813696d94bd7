"""Tests of `chicago_crime/resources/`."""
