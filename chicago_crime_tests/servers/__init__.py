"""Servers that tests run against, in place of services that no test can reach: each usable by itself too."""
