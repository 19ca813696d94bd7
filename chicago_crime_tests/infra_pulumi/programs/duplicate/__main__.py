"""A program that gives two resources one name."""

from pulumi_gcp import storage

storage.Bucket("twice", location="us-central1")
storage.Bucket("twice", location="us-central1")
