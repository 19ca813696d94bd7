"""Tests of `chicago_crime.analysis`, against independent implementations and published examples."""
