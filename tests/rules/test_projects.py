"""What manifests say, and which folders are nobody's project."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules import projects
from homeport.rules.projects import MANIFESTS, branch_of_head, framework_of, is_marker, is_wide, order, read, start

SAMPLES = [
    ("package.json", '{"name": "shop", "dependencies": {"next": "14", "express": "4"}}', "shop", "Next.js"),
    ("package.json", '{"name": "@me/web", "devDependencies": {"vite": "5"}}', "@me/web", "Vite"),
    ("package.json", '{"name": "api", "dependencies": {"vite": "5", "express": "4"}}', "api", None),
    ("package.json", '{"name": "lib"}', "lib", None),
    ("deno.json", '{"name": "@me/d", "imports": {"fresh": "jsr:@fresh/core@^2"}}', "@me/d", "Fresh"),
    ("pyproject.toml", '[project]\nname = "blog"\ndependencies = ["Django>=5", "x"]', "blog", "Django"),
    ("pyproject.toml", '[project]\nname = "a"\ndependencies = ["fastapi[standard]", "starlette"]', "a", "FastAPI"),
    ("pyproject.toml", '[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\nflask = "^3"', "p", "Flask"),
    ("pyproject.toml", "[tool.ruff]\nline-length = 99", None, None),
    ("requirements.txt", "# flask\nFlask == 3 ; python_version > '3'\n-r more.txt", None, "Flask"),
    ("requirements.txt", "django-extensions\n", None, None),
    ("Pipfile", "[packages]\nflask = '*'", None, "Flask"),
    ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')", None, "Django"),
    ("Cargo.toml", '[package]\nname = "srv"\n[dependencies]\naxum = "0.7"', "srv", "axum"),
    ("Cargo.toml", '[workspace]\nmembers = ["a"]', None, None),
    ("go.mod", "module github.com/me/tool/v2 // x\n\nrequire github.com/gin-gonic/gin v1.9.1\n", "tool", "Gin"),
    ("go.mod", "module tool\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.1 // indirect\n)\n", "tool", None),
    ("composer.json", '{"name": "me/app", "require": {"laravel/framework": "^11"}}', "me/app", "Laravel"),
    ("Gemfile", "# gem 'sinatra'\ngem 'rails', '~> 7'\n", None, "Rails"),
    ("mix.exs", "defp deps, do: [{:phoenix, \"~> 1.7\"}]", None, "Phoenix"),
    ("pom.xml", "<groupId>org.springframework.boot</groupId>", None, "Spring Boot"),
    ("pom.xml", "<!-- <groupId>org.springframework.boot</groupId> -->", None, None),
    ("build.gradle", "plugins { id 'org.springframework.boot' version '3' }", None, "Spring Boot"),
    ("build.gradle.kts", '// id("org.springframework.boot")', None, None),
    ("Shop.csproj", '<Project Sdk="Microsoft.NET.Sdk.Web">', "Shop", "ASP.NET Core"),
    ("setup.py", "name='x'", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "name", "framework"), SAMPLES)
def test_a_manifest_names_its_project_and_framework(
    file: str, text: str, name: str | None, framework: str | None
) -> None:
    manifest = read(file, text)
    assert (manifest.name, framework_of([manifest]), manifest.counts) == (name, framework, True)


def test_a_note_to_node_or_a_foreign_manage_py_makes_no_project() -> None:
    assert not read("package.json", '{"type": "module"}').counts
    assert not read("manage.py", "print('mine')").counts
    assert read("package.json", '{"scripts": {}}').counts


def test_half_a_surrogate_pair_is_no_name() -> None:
    assert read("package.json", '{"name": "a\\ud800"}').name == "a?"
    assert read("Shop\udcff.csproj", "").name == "Shop\udcff"


def test_two_frameworks_of_a_rank_are_no_certainty() -> None:
    both = [read("requirements.txt", "flask"), read("package.json", '{"dependencies": {"next": "1"}}')]
    assert framework_of(both) is None
    assert framework_of([]) is None


@pytest.mark.parametrize("file", MANIFESTS)
@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", '{"name": 3, "dependencies": 4}', '{"name": ["x"]}', "[project]\nname = 3",
     "[project]\ndependencies = [3]", "[" * 100_000, "{\"a\":" * 50_000, "a" * 200_000, "<!--" * 50_000, "/*" * 90_000],
)  # fmt: skip
def test_a_broken_manifest_says_nothing(file: str, text: str) -> None:
    manifest = read(file, text)
    assert manifest.name is None or file == "go.mod"


@given(st.sampled_from(MANIFESTS), st.text(max_size=300))
def test_hostile_manifests_never_raise(file: str, text: str) -> None:
    manifest = read(file, text)
    assert manifest.name is None or 0 < len(manifest.name) <= 214


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["name", "dependencies", "devDependencies", "require", "imports", "next", "vite"]), inner, max_size=4),
)  # fmt: skip


@given(st.sampled_from(["package.json", "composer.json", "deno.json"]), json_values)
def test_json_of_any_shape_never_raises(file: str, value: object) -> None:
    framework_of([read(file, json.dumps(value))])


@pytest.mark.parametrize(
    ("head", "branch"),
    [
        ("ref: refs/heads/main\n", "main"),
        ("ref: refs/heads/feature/ä-1\n", "feature/ä-1"),
        ("ref: refs/remotes/origin/x", "remotes/origin/x"),
        ("ref: refs/heads/.invalid\n", None),
        ("7a9d0c1e2f3b4a5968778695a4b3c2d1e0f9a8b7\n", None),
        ("", None),
        ("ref:", None),
    ],
)
def test_the_branch_of_a_head(head: str, branch: str | None) -> None:
    assert branch_of_head(head) == branch


def test_places_of_everybody_are_no_projects() -> None:
    for folder in ("/", "/tmp", "/var/tmp", "/etc", "/root", "/home/ada", "/Users/ada", "/opt", "/somewhere/me"):
        assert is_wide(folder, "/somewhere/me")
    for folder in ("/tmp/x", "/home/ada/x", "/opt/x", "/srv/www", "/app"):
        assert not is_wide(folder, "/somewhere/me")


def test_the_search_begins_outside_of_what_a_project_only_carries() -> None:
    assert start("/w/p/node_modules/x/lib") == "/w/p"
    assert start("/w/p/.venv/lib/python3/site-packages") == "/w/p"
    assert start("/w/p/.git/hooks") == "/w/p"
    assert start("/node_modules") == "/"
    assert start("/w/p/src") == "/w/p/src"


def test_manifests_come_before_version_control() -> None:
    assert order([".git", "x.csproj", "go.mod", "package.json"]) == ["package.json", "go.mod", "x.csproj", ".git"]
    assert is_marker("x.sln")
    assert not is_marker("Makefile")


def test_every_reader_is_of_a_known_manifest() -> None:
    assert set(projects._READERS) <= set(MANIFESTS)
