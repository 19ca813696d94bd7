"""What programs get: the JSON interface and the MCP server, over the same answers as the pages."""
