"""What comes in: header, gate, line accounting and manifests."""
