"""Filling in `cloud-init.yaml`, which says what the machine does when it starts.

Here belongs replacing its placeholders. There are only these: @IMAGE@, the image's address; @ENVIRONMENT@, the settings
as the content of an environment file; @COMPOSE@, the content of `docker-compose.yaml`. The latter two are in base64, as
cloud-init's `encoding: b64` takes them: no line of theirs can break the file.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from env_file import as_lines

COMPOSE = Path(__file__).parent.parent / "docker-compose.yaml"


def render(template: str, image: str, environment: Mapping[str, str]) -> str:
    """The file with its placeholders filled in.

    Raises:
        ValueError: it has a placeholder that is none of these.
    """
    values = {
        "IMAGE": image,
        "ENVIRONMENT": _base64(as_lines(environment)),
        "COMPOSE": _base64(COMPOSE.read_text()),
    }
    unknown = set(re.findall(r"@([A-Z_]+)@", template)) - set(values)
    if unknown:
        raise ValueError(f"cloud-init.yaml has placeholders that nothing is known for: {', '.join(sorted(unknown))}")
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], template)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
