"""Tests of `chicago_crime/storage/google/`."""
