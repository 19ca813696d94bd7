"""Tests of `chicago_crime/dashboard/`."""
