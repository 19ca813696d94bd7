"""Starts a Pulumi program as the `pulumi` command does: `python pulumi_executor.py <folder of the program>`.

Here belongs only what the executor of Pulumi's Python host does, which comes with the `pulumi` command and is on no
package index: hand the settings over, run the program in a stack, print the errors of users without a traceback.
Settings come in the environment: PULUMI_MONITOR, PULUMI_ENGINE, PULUMI_PROJECT, PULUMI_STACK, PULUMI_DRY_RUN,
and PULUMI_CONFIG and PULUMI_CONFIG_SECRET_KEYS, which Pulumi itself reads.
"""

import asyncio
import logging
import os
import runpy
import sys
import traceback

import pulumi
from pulumi import runtime


def main(program: str) -> int:
    """Run the program and give its exit code."""
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(
        runtime.Settings(
            monitor=os.environ["PULUMI_MONITOR"],
            engine=os.environ["PULUMI_ENGINE"],
            project=os.environ["PULUMI_PROJECT"],
            stack=os.environ["PULUMI_STACK"],
            organization="organization",
            dry_run=os.environ["PULUMI_DRY_RUN"] == "true",
            root_directory=program,
        )
    )
    sys.argv = [program]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a failed program leaves tasks behind, as it may

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        asyncio.run(runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{traceback.format_exc()}")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
