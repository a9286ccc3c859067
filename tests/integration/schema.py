"""Compares documents with JSON schemas, by the system's Python, which has the package that does it, whoever runs
the tests. Python starts slowly, so each process of the tests has one that compares all its documents."""

import functools
import json
import os
import select
import subprocess

from client import Failure, expect

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf")
SECONDS = 60
COMPARE = """
import functools, json, jsonschema, sys

@functools.cache
def validator(path):
    with open(path, encoding="utf-8") as file:
        wanted = json.load(file)
    jsonschema.Draft202012Validator.check_schema(wanted)
    return jsonschema.Draft202012Validator(wanted)

for line in sys.stdin:
    path, document = json.loads(line)
    print(json.dumps(["/".join(map(str, problem.absolute_path)) + ": " + problem.message[:500]
                      for problem in validator(path).iter_errors(document)]), flush=True)
"""


@functools.cache
def comparer(_):
    """The process that compares; it ends with the one that asks, whose number is the argument."""
    return subprocess.Popen(["/usr/bin/python3", "-c", COMPARE], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def check_schema(name, document):
    """Fails the test unless conf/NAME.schema.json allows the document."""
    process = comparer(os.getpid())
    process.stdin.write(json.dumps([os.path.join(CONF, name + ".schema.json"), document]) + "\n")
    process.stdin.flush()
    answer = select.select([process.stdout], [], [], SECONDS)[0] and process.stdout.readline()
    if not answer:
        raise Failure("what compares with the schema gives no answer: %s" % process.poll())
    expect("what the schema finds wrong", [], json.loads(answer))
