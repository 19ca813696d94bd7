"""JSON API, MCP server, static site and scheduled reports, built on the answers of the pages."""
