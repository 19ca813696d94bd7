"""What programs get (JSON, MCP), the static site, and what is sent, over the same answers as the pages."""
