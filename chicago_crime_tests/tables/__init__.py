"""Tests of `chicago_crime/tables/`."""
