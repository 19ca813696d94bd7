"""The dashboard: seven pages in the browser, served locally without internet access.

Each page has a module in `pages/` that queries a published snapshot (`data.py`) with the filters of a request
(`filters.py`, `page_request.py`) and returns a `View`: numbers, charts, and tables with the same numbers. `app.py`
serves it.
"""
