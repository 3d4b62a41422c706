"""The beginnings of a registry of one's own."""

from __future__ import annotations

import json
import os

from wsbuild.aim.registry import NAME, SHIPPED, VARIABLE
from wsbuild.atomic import write_atomic
from wsbuild.errors import UserError
from wsbuild.shipped import data_path

PLACE = "aim/registry"
RULES = "AIM_coordination-rules.json"
SHIPPED_RULES = ("config", "aim_rules.json")


def make(root: str) -> list[str]:
    """Write the registry and the rules that come with wsbuild to PLACE; gives their paths from the root.

    Raises UserError where there is one already, OSError.
    """
    if os.path.lexists(os.path.join(root, PLACE, NAME)):
        raise UserError(f"{PLACE}/{NAME} is there already", "change it, or remove it first")
    os.makedirs(os.path.join(root, PLACE), exist_ok=True)
    with open(data_path(*SHIPPED), encoding="utf-8") as file:
        data = json.load(file)
    data["crossToolRulesPath"] = f"%{VARIABLE}%/{RULES}"
    with open(data_path(*SHIPPED_RULES), "rb") as rules:
        write_atomic(os.path.join(root, PLACE, RULES), rules.read())
    write_atomic(os.path.join(root, PLACE, NAME), (json.dumps(data, indent=2) + "\n").encode())
    return [f"{PLACE}/{NAME}", f"{PLACE}/{RULES}"]
