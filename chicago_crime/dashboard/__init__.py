"""The dashboard: seven pages in the browser, served from this machine without the internet.

Each page has a module in `pages/` that turns answers from a published snapshot (`data.py`), under the filters of a
request (`filters.py`, `page_request.py`), into a `View`: numbers, charts, and tables with the same numbers. `app.py`
serves it.
"""
