"""README and the guides: links that lead somewhere, code that parses, a complete recipe, and a README people finish."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("README.md"),
        *ROOT.glob(".github/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("keras_lime/tensorboard/*.md"),
    ]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_are_relative_and_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), link
        assert linked.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(linked), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_code_parses(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        ast.parse(block)


def test_every_guide_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for guide in (ROOT / "examples" / "guides").glob("*.md"):
        assert f"(examples/guides/{guide.name})" in readme


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").stat().st_size < 11_000


def test_the_recipe_without_tensorflow_names_every_other_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w-]+", entry)[0] for entry in project["dependencies"]}  # type: ignore[index]
    recipe = re.search(r"^pip install jax (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    assert set(recipe[1].split()) == needed - {"tensorflow"}
