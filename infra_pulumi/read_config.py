"""Reading the stack's configuration, and telling all that is wrong with it, with the commands that mend it.

Here belongs getting keys from Pulumi and writing messages. What keys there are, and what they may hold, is in
`config.py`.
"""

from collections.abc import Mapping
from difflib import get_close_matches

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config import OWN, Config


class ConfigError(pulumi.RunError):
    """The configuration is wrong; the message names every key that is, and the command that mends it.

    Pulumi prints it without a traceback.
    """


def load_config() -> Config:
    """Read and judge the configuration of the stack.

    Raises:
        ConfigError: keys are wrong, missing or unknown.
    """
    given = {**get_config_env(), **CONFIG.get()}  # `pulumi.Config` gives single keys, and would let a misspelt one pass
    taken = {key: value for key, value in given.items() if key.startswith(OWN) or key in _keys().values()}
    problems = []
    token = OWN + "kaggleToken"
    if token in taken:
        if not is_config_secret(token):
            problems.append(_problem("kaggle_token", "it is in the clear, in the stack's file: set it as a secret"))
        if not taken[token].strip():
            problems.append(_problem("kaggle_token", "it is empty"))
        taken[token] = pulumi.Output.secret(taken[token])
    try:
        config = Config.model_validate({**taken, "stack": pulumi.get_stack()})
    except ValidationError as error:
        problems += [_told(each) for each in error.errors()]
    if problems:
        raise ConfigError(f"The configuration of the stack {pulumi.get_stack()} is wrong:\n" + "\n".join(problems))
    return config


def _keys() -> Mapping[str, str]:
    """The fields of the configuration: name -> key."""
    return {name: str(field.validation_alias) for name, field in Config.model_fields.items()}


def _told(error: ErrorDetails) -> str:
    key = str(error["loc"][0])
    names = {key: name for name, key in _keys().items()}
    if key not in names:
        near = get_close_matches(key, names, 1)
        hint = f"; {near[0].removeprefix(OWN)} is one" if near else ""
        return f"  {key.removeprefix(OWN)}: there is no such key{hint}\n      pulumi config rm {key}"
    if error["type"] == "missing":
        return _problem(names[key], "it is not set")
    why = str(error["msg"])
    why = why.removeprefix("Value error, ") if error["type"] == "value_error" else why[0].lower() + why[1:]
    if error["type"] == "string_pattern_mismatch":
        why = "it does not fit"
    return _problem(names[key], f"{error['input']!r}: {why}")


def _problem(name: str, what: str) -> str:
    """One key that is wrong: what is wrong with it, what it is for, and the command that mends it."""
    field = Config.model_fields[name]
    key = str(field.validation_alias).removeprefix(OWN)
    example = (field.examples or [""])[0]
    command = f"pulumi config set {key} {example}"
    if name == "stack":
        command = f"pulumi stack rename {example}"
    elif name == "operators":
        command = f"pulumi config set {example}"
    elif name == "kaggle_token":
        command = f"pulumi config set --secret {key}"
    return f"  {key}: {what}\n      {field.description}\n      {command}"
