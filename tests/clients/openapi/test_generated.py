"""Clients that are made from the document read and write without loss."""

import json
import pathlib

import pytest

from conftest import node

HERE = pathlib.Path(__file__).parent


def test_openapi_python_client(tools, document, server, tmp_path):
    out = tmp_path / "generated_client"
    told = tools.python(
        "openapi-python-client", "generate", "--meta", "none",
        "--path", document, "--output-path", out,
    )
    # What it cannot make it leaves out, with a warning.
    assert "Warning" not in told, told
    script = HERE / "round_trip.py"
    tools.python("python", "-B", script, PYTHONPATH=str(tmp_path), **server.environment())


@pytest.mark.parametrize("generator", ["openapi-typescript", "hey-api"])
def test_typescript(tools, document, server, tmp_path, generator):
    if generator == "openapi-typescript":
        made = tmp_path / "schema.d.ts"
        tools.node("openapi-typescript/bin/cli.js", document, "--output", made)
    else:
        made = tmp_path / "client"
        run = ["--input", document, "--output", made, "--no-log-file"]
        tools.node("@hey-api/openapi-ts/bin/run.js", *run, cwd=tmp_path)
    for name in (f"{generator}.ts", "round-trip.ts"):
        (tmp_path / name).write_text((HERE / name).read_text())
    (tmp_path / "node_modules").symlink_to(tools.modules)
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    options = {
        "strict": True,
        "exactOptionalPropertyTypes": False,
        "skipLibCheck": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
        "outDir": "out",
        "rootDir": ".",
    }
    config = {"compilerOptions": options, "files": [f"{generator}.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    tools.node("typescript/bin/tsc", "--project", tmp_path)
    # Imports have no endings, as bundlers like them, so the result is run through one's resolver.
    tools.run(
        [*node(), "--import", HERE / "resolve.mjs", tmp_path / "out" / f"{generator}.js"],
        **server.environment(),
    )
