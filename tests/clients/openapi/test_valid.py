"""The document is one that tools accept."""

import pathlib

HERE = pathlib.Path(__file__).parent


def test_openapi_spec_validator(tools, document):
    assert "OK" in tools.python("openapi-spec-validator", document)


def test_redocly(tools, document):
    lint = ["lint", document, "--config", HERE / "redocly.yaml", "--max-problems", "50"]
    told = tools.node("@redocly/cli/bin/cli.js", *lint, REDOCLY_TELEMETRY="off")
    assert "warning" not in told, told


def test_swagger_parser(tools, document):
    script = document.parent / "swagger-parser.cjs"
    script.write_text(
        "require('@apidevtools/swagger-parser').default.validate(process.argv[2]).then(\n"
        "  (api) => console.log(api.openapi),\n"
        "  (error) => { console.error(error); process.exitCode = 1; },\n"
        ");\n"
    )
    told = tools.node(script, document, NODE_PATH=str(tools.modules))
    assert told.strip() == "3.0.3"


def test_spectral(tools, document):
    lint = ["lint", document, "--ruleset", HERE / "spectral.yaml", "--fail-severity", "warn"]
    tools.node("@stoplight/spectral-cli/dist/index.js", *lint)


def test_openapi_generator(tools, document):
    """By the Java program, and the Java, that PyPI has."""
    told = tools.python("openapi-generator-cli", "validate", "-i", document)
    assert "Errors" not in told, told
