"""Runs a PySpark program with Spark, as a Dataproc machine does: python spark_driver.py MAIN.py [ARGUMENTS].

`test_conventions.py` checks that programs import nothing that such a machine lacks.
"""

import os
import runpy
import sys

from chicago_crime.storage.local.sail import embedded_server

if __name__ == "__main__":
    sys.path.pop(0)  # the folder of the test servers
    sys.argv.pop(0)
    with embedded_server() as os.environ["SPARK_REMOTE"]:
        runpy.run_path(sys.argv[0], run_name="__main__")
