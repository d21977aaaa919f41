#!/usr/bin/env python3
"""Renders the templates of cases.txt with ansible-core 2.19 and writes ansible.json: pairs of a template and its result.

Run in a virtual environment with `ansible-core==2.19.*`, the collections of the package `ansible` (ansible.utils and
community.general), netaddr, jmespath, passlib and `bcrypt<4.1`:

    python3 generate.py

A template that Ansible refuses has the result {"fault": true}. The folder of the files is written as FOLDER.
"""

import json
import os
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "files"
os.environ["ANSIBLE_DEPRECATION_WARNINGS"] = "0"
os.environ["ANSIBLE_CASE"] = "from outside"
os.environ["ANSIBLE_SYSTEM_WARNINGS"] = "0"
os.environ["TZ"] = "UTC"

from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import Templar, trust_as_template  # noqa: E402


def plain(value):
    """As JSON has it; tuples and sets of Python are lists."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value).replace(str(FILES), "FOLDER")
    raise TypeError(f"{type(value)} is no value")


def main():
    init_plugin_loader()
    loader = DataLoader()
    loader.set_basedir(str(FILES))
    variables = yaml.safe_load((HERE / "vars.yaml").read_text())
    variables["ansible_search_path"] = [str(FILES)]
    variables["playbook_dir"] = str(FILES)
    variables["groups"] = {"all": ["web1", "web2", "db1"], "web": ["web1", "web2"]}
    pairs = []
    for line in (HERE / "cases.txt").read_text().splitlines():
        if not line.strip() or line.startswith("##"):
            continue
        text = line.replace("⏎", "\n")
        templar = Templar(loader=loader, variables=variables)
        try:
            result = plain(templar.template(trust_as_template(text)))
        except Exception as error:
            if "-v" in sys.argv:
                print(text, "\n    ", str(error).splitlines()[0][:160], file=sys.stderr)
            result = {"fault": True}
        pairs.append([text, result])
    rows = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
    (HERE / "ansible.json").write_text(f"[\n{rows}\n]\n")
    print(len(pairs), "cases")


main()
