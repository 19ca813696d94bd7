"""Fills in the placeholders of `cloud-init.yaml`, the machine's startup configuration.

The placeholders are @IMAGE@, the image's name; @SECRET@, the version of the secret with further settings, or nothing;
@ENVIRONMENT@, the settings as an environment file; and @COMPOSE@, `docker-compose.yaml`. The last two are base64
(`encoding: b64`), so they cannot break the YAML.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from env_file import as_lines

COMPOSE = Path(__file__).parent.parent / "docker-compose.yaml"
TEMPLATE = Path(__file__).with_name("cloud-init.yaml")


def render(image: str, environment: Mapping[str, str], secret: str = "") -> str:
    """Return the file with its placeholders filled in.

    Raises:
        KeyError: it has an unknown placeholder.
    """
    values = {
        "IMAGE": image,
        "SECRET": secret,
        "ENVIRONMENT": base64.b64encode(as_lines(environment).encode()).decode(),
        "COMPOSE": base64.b64encode(COMPOSE.read_bytes()).decode(),
    }
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], TEMPLATE.read_text())
