"""The server does what the document says, whatever is asked of it."""

import pathlib

HERE = pathlib.Path(__file__).parent


def test_the_server_keeps_to_the_document(tools, document, server):
    told = tools.python(
        "schemathesis", "--config-file", HERE / "schemathesis.toml",
        "run", document, "--url", server.url, "--no-color",
        cwd=HERE, PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1", **server.environment(),
    )
    # A token that is no good would make every check pass. Only passwords may all have been wrong.
    refused = [line for line in told.splitlines() if line.startswith("401 Unauthorized (")]
    assert refused in ([], ["401 Unauthorized (1 operation):"]), told
