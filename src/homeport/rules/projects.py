"""What makes a folder a project, and what its manifest says of its name and framework.

A manifest of a new kind: its name in `MANIFESTS`, its reader in `_READERS`.
"""

from __future__ import annotations

from homeport.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

VERSION_CONTROL = (".git", ".hg", ".svn", ".jj")
MANIFESTS = (
    "package.json",
    "deno.json",
    "deno.jsonc",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "requirements.txt",
    "manage.py",
    "Cargo.toml",
    "go.mod",
    "composer.json",
    "Gemfile",
    "mix.exs",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
)
"""Package manifests, the one that names a project best first. No Makefile and no CMakeLists.txt: every subfolder of a
project may have one, and neither names anything."""
SUFFIXES = (".csproj", ".fsproj", ".vbproj", ".sln")
"""Manifests of .NET are named after what they describe."""

_WIDE = frozenset(
    ("", "/", "/home", "/Users", "/root", "/tmp", "/var", "/var/tmp", "/private/tmp", "/usr", "/usr/local", "/etc")  # noqa: S108
) | frozenset(
    ("/opt", "/srv", "/mnt", "/media", "/run", "/dev", "/proc", "/sys", "/boot", "/bin", "/lib", "/sbin"),
)
_INSIDES = frozenset(("node_modules", "bower_components", "site-packages", "dist-packages", ".venv", ".git", ".hg"))
_LONGEST_NAME = 214


class Manifest(NamedTuple):
    """What a manifest says. `counts`: whether it makes its folder a project of its own."""

    name: str | None
    frameworks: frozenset[str]
    counts: bool = True


def start(folder: str) -> str:
    """Where the search begins: inside of node_modules, .git and their like, the project around them."""
    parts = folder.split("/")
    cut = next((index for index, part in enumerate(parts) if part in _INSIDES), None)
    return folder if cut is None else "/".join(parts[:cut]) or "/"


def is_wide(folder: str, home: str | None) -> bool:
    """Whether a folder holds everybody's things, so that a marker in it is a stray: `/`, /tmp, /etc, a home, …"""
    if folder in _WIDE or folder == home:
        return True
    parent, _, _ = folder.rpartition("/")
    return parent in ("/home", "/Users")


def is_marker(name: str) -> bool:
    """Whether a file or folder of this name can make its folder a project."""
    return name in _MARKERS or name.endswith(SUFFIXES)


def order(names: Iterable[str]) -> list[str]:
    """Markers, the most telling first: manifests in their order, then .NET's, then version control."""
    return sorted(names, key=lambda name: (_MARKERS.get(name, len(MANIFESTS)), name))


_MARKERS = {name: rank for rank, name in enumerate(MANIFESTS)}
_MARKERS |= {name: len(MANIFESTS) + 1 + rank for rank, name in enumerate(VERSION_CONTROL)}


def branch_of_head(text: str) -> str | None:
    """The branch in the text of .git/HEAD (gitrepository-layout(5)); None when detached.

    A repository with reftable keeps its real HEAD elsewhere and writes `refs/heads/.invalid` here: also None.
    """
    first, _, _ = text.partition("\n")
    if not first.startswith("ref:"):
        return None
    ref = first[4:].strip()
    name = ref.removeprefix("refs/heads/").removeprefix("refs/")
    return name if name and name != ".invalid" else None


def framework_of(manifests: Iterable[Manifest]) -> str | None:
    """The one framework that all manifests of a folder lead to; None when there is none, or several of a rank."""
    found = frozenset[str]().union(*(manifest.frameworks for manifest in manifests))
    for rank in _RANKS:
        here = found & rank
        if here:
            return next(iter(here)) if len(here) == 1 else None
    return None


def read(name: str, text: str) -> Manifest:
    """What the manifest called `name` says; nothing where it is broken or of a kind that names nothing."""
    reader = _READERS.get(name)
    if reader is None:
        reader = _dotnet if name.endswith(SUFFIXES) else _silent
    try:
        found = reader(text)
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        # Somebody's broken or hostile file. It still marks the folder; it only tells nothing.
        return Manifest(None, frozenset())
    if name.endswith(SUFFIXES):
        found = found._replace(name=name.rpartition(".")[0])
    return found._replace(name=_name(found.name))


def _name(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    value = value.strip()
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON may spell half of a surrogate pair, which is no character
        value = value.encode("utf-8", "replace").decode()
    return value if 0 < len(value) <= _LONGEST_NAME else None


_META = {
    "next": "Next.js",
    "nuxt": "Nuxt",
    "@sveltejs/kit": "SvelteKit",
    "astro": "Astro",
    "gatsby": "Gatsby",
    "@remix-run/dev": "Remix",
    "@react-router/dev": "React Router",
    "@angular/core": "Angular",
    "react-scripts": "Create React App",
    "@vue/cli-service": "Vue CLI",
    "@nestjs/core": "NestJS",
    "@docusaurus/core": "Docusaurus",
    "vitepress": "VitePress",
    "@11ty/eleventy": "Eleventy",
    "@strapi/strapi": "Strapi",
}
_BASE = {
    "vite": "Vite",
    "express": "Express",
    "fastify": "Fastify",
    "koa": "Koa",
    "hono": "Hono",
    "@hapi/hapi": "hapi",
}
_PYTHON = {"django": "Django", "flask": "Flask", "fastapi": "FastAPI", "streamlit": "Streamlit", "gradio": "Gradio"}
_PYTHON |= {"tornado": "Tornado", "sanic": "Sanic", "litestar": "Litestar", "pyramid": "Pyramid", "bottle": "Bottle"}
_STARLETTE = {"starlette": "Starlette", "aiohttp": "aiohttp"}
_RUST = {"actix-web": "Actix Web", "axum": "axum", "rocket": "Rocket", "warp": "warp", "poem": "Poem"}
_GO = {"gin-gonic/gin": "Gin", "labstack/echo": "Echo", "gofiber/fiber": "Fiber", "go-chi/chi": "chi"}
_PHP = {"laravel/framework": "Laravel", "symfony/framework-bundle": "Symfony", "slim/slim": "Slim"}
_RUBY = {"rails": "Rails", "hanami": "Hanami", "jekyll": "Jekyll"}
_SINATRA = {"sinatra": "Sinatra"}
_JAVA = {"org.springframework.boot": "Spring Boot", "io.quarkus": "Quarkus", "io.micronaut": "Micronaut"}
_OTHER = ("Phoenix", "ASP.NET Core", "Fresh")

_RANKS = (
    frozenset((*_META.values(), *_PYTHON.values(), *_RUST.values(), *_GO.values(), *_PHP.values(), *_RUBY.values()))
    | frozenset((*_JAVA.values(), *_OTHER)),
    frozenset((*_BASE.values(), *_STARLETTE.values(), *_SINATRA.values())),
)
"""A framework of the first rank is built upon those of the second, and hides them."""


def _pick(table: dict[str, str], names: Iterable[str]) -> frozenset[str]:
    return frozenset(table[name] for name in names if name in table)


def _package_json(text: str) -> Manifest:
    import json

    top = json.loads(text)
    names = [*top.get("dependencies", {}), *top.get("devDependencies", {})]
    # {"type": "module"} alone is a note to Node about one folder, as built packages have in dist/.
    return Manifest(top.get("name"), _pick(_META | _BASE, names), counts=not top.keys() <= {"type", "sideEffects"})


def _deno(text: str) -> Manifest:
    import json

    top = json.loads(text)
    imports = " ".join(str(target) for target in top.get("imports", {}).values())
    return Manifest(top.get("name"), frozenset(("Fresh",)) if "jsr:@fresh/core" in imports else frozenset())


def _requirement(line: str) -> str:
    """The normalised name of a PEP 508 requirement."""
    line = line.strip().lower()
    end = next((index for index, c in enumerate(line) if not (c.isalnum() or c in "-_.")), len(line))
    return line[:end].replace("_", "-")


def _python(names: Iterable[str]) -> frozenset[str]:
    return _pick(_PYTHON | _STARLETTE, names)


def _pyproject(text: str) -> Manifest:
    import tomllib

    top: dict[str, Any] = tomllib.loads(text)
    project, poetry = top.get("project", {}), top.get("tool", {}).get("poetry", {})
    names = [_requirement(line) for line in project.get("dependencies", ())]
    names += [name.lower() for name in poetry.get("dependencies", {})]
    # A file of nothing but tools' settings still marks the folder: monorepos have one at their top.
    return Manifest(project.get("name") or poetry.get("name"), _python(names))


def _requirements(text: str) -> Manifest:
    return Manifest(None, _python(_requirement(line) for line in text.split("\n")))


def _pipfile(text: str) -> Manifest:
    import tomllib

    return Manifest(None, _python(name.lower() for name in tomllib.loads(text).get("packages", {})))


def _manage(text: str) -> Manifest:
    django = "DJANGO_SETTINGS_MODULE" in text
    return Manifest(None, frozenset(("Django",)) if django else frozenset(), counts=django)


def _cargo(text: str) -> Manifest:
    import tomllib

    top = tomllib.loads(text)
    return Manifest(top.get("package", {}).get("name"), _pick(_RUST, top.get("dependencies", {})))


def _go(text: str) -> Manifest:
    name, found = None, set()
    for line in text.split("\n"):
        words = line.split("//")[0].split()
        if words[:1] == ["module"] and len(words) > 1:
            parts = words[1].strip('"').split("/")
            versioned = len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit()
            name = parts[-2] if versioned else parts[-1]
        for word in words[:2]:
            found |= {
                shown for path, shown in _GO.items() if f"github.com/{path}" in word and "// indirect" not in line
            }
    return Manifest(name, frozenset(found))


def _composer(text: str) -> Manifest:
    import json

    top = json.loads(text)
    return Manifest(top.get("name"), _pick(_PHP, top.get("require", {})))


def _gemfile(text: str) -> Manifest:
    names = []
    for line in text.split("\n"):
        words = line.replace("(", " ").replace(",", " ").split()
        if len(words) > 1 and words[0] == "gem":
            names.append(words[1].strip("\"'"))
    return Manifest(None, _pick(_RUBY | _SINATRA, names))


def _mix(text: str) -> Manifest:
    code = " ".join(line.partition("#")[0] for line in text.split("\n"))
    return Manifest(None, frozenset(("Phoenix",)) if "{:phoenix," in code else frozenset())


def _without_comments(text: str, opening: str, closing: str) -> str:
    """One pass: what stands between the marks, or after an opening one that nothing closes, is left out."""
    first, *rest = text.split(opening)
    return first + "".join(piece.partition(closing)[2] for piece in rest)


def _pom(text: str) -> Manifest:
    code = _without_comments(text, "<!--", "-->")
    return Manifest(None, frozenset(shown for group, shown in _JAVA.items() if f"<groupId>{group}</groupId>" in code))


def _gradle(text: str) -> Manifest:
    lines = [line.partition("//")[0] for line in _without_comments(text, "/*", "*/").split("\n")]
    code = "\n".join(lines)
    # In quotes: a plugin's id or the group of a dependency.
    found = {shown for group, shown in _JAVA.items() if any(f"{q}{group}" in code for q in "\"'")}
    return Manifest(None, frozenset(found))


def _dotnet(text: str) -> Manifest:
    code = _without_comments(text, "<!--", "-->")
    return Manifest(None, frozenset(("ASP.NET Core",)) if 'Sdk="Microsoft.NET.Sdk.Web"' in code else frozenset())


def _silent(text: str) -> Manifest:  # noqa: ARG001
    return Manifest(None, frozenset())


_READERS: dict[str, Callable[[str], Manifest]] = {
    "package.json": _package_json,
    "deno.json": _deno,
    "pyproject.toml": _pyproject,
    "requirements.txt": _requirements,
    "Pipfile": _pipfile,
    "manage.py": _manage,
    "Cargo.toml": _cargo,
    "go.mod": _go,
    "composer.json": _composer,
    "Gemfile": _gemfile,
    "mix.exs": _mix,
    "pom.xml": _pom,
    "build.gradle": _gradle,
    "build.gradle.kts": _gradle,
}
