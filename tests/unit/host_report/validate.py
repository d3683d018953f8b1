#!/usr/bin/python3
"""validate.py WRITER SCHEMA: the outputs of WRITER, read by parsers that are not ours."""
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

SAMPLES = {"empty", "statuses", "diagnosed", "compared", "interrupted", "hostile", "recorded"}

# What the common JUnit schema allows: attributes and children.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"testcase"},
    ),
    "testcase": ({"classname", "name", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def strict_json(text):
    def refuse(name):
        raise ValueError(name + " is no JSON")

    return json.loads(text, parse_constant=refuse)


def check_counts(element):
    for name, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        found = len(list(element.iter(name)))
        assert int(element.get(count)) == found, (element.get("name"), count, found)
    assert int(element.get("tests")) == len(list(element.iter("testcase")))
    assert float(element.get("time")) >= 0


def check_junit(path):
    root = xml.parse(path).getroot()
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.keys()) <= attributes, (element.tag, element.keys())
        assert {child.tag for child in element} <= children, element.tag
        if element.tag in ("testsuites", "testsuite"):
            check_counts(element)
        if element.tag == "testcase":
            outcomes = [c for c in element if c.tag != "system-out"]
            assert len(outcomes) <= 1, element.get("name")


def accepts(validator, document):
    return next(validator.iter_errors(document), None) is None


def check_strictness(validator, report):
    """The schema is only worth something if it refuses what is wrong."""
    assert accepts(validator, {**report, "a_later_name": 1}), "open to names of a later minor"
    assert not accepts(validator, {**report, "format_version": "2.0"})
    for name in report:
        without = {key: value for key, value in report.items() if key != name}
        assert not accepts(validator, without), name + " may not be missing"
    wrong_status = json.loads(json.dumps(report))
    wrong_status["checks"][0]["status"] = "good"
    assert not accepts(validator, wrong_status)
    wrong_time = json.loads(json.dumps(report))
    wrong_time["run"]["duration_ms"] = 1.5
    assert not accepts(validator, wrong_time)
    failure = {"format_version": "1.0", "error": {"exit_code": 2, "message": "unknown check"}}
    assert accepts(validator, failure)


def main():
    writer, schema_path = sys.argv[1:]
    schema = strict_json(pathlib.Path(schema_path).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    line_schema = {"$ref": "#/$defs/jsonl", "$defs": schema["$defs"]}
    line_validator = jsonschema.Draft202012Validator(line_schema)

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([writer, folder], check=True)
        for name in SAMPLES:
            sample = pathlib.Path(folder) / name
            report = strict_json(sample.with_suffix(".json").read_bytes().decode("utf-8"))
            validator.validate(report)
            lines = sample.with_suffix(".jsonl").read_bytes().decode("utf-8").split("\n")
            assert lines.pop() == "", "the last line ends in a newline"
            for line in lines:
                line_validator.validate(strict_json(line))
            check_junit(sample.with_suffix(".xml"))
            if name == "statuses":
                check_strictness(validator, report)
    print(f"{len(SAMPLES)} samples are valid as JSON, JSON lines and JUnit")


if __name__ == "__main__":
    main()
