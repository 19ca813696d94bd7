"""Tests of `chicago_crime/sql/`."""
