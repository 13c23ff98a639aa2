"""The house has no circles, not even hidden ones, no name for two things, and little that is loose at its root."""

from graphlib import TopologicalSorter
from pathlib import Path

import grimp

import likely


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("likely", exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # an error names the circle


def test_a_file_name_means_one_thing() -> None:
    """Only commands share their names with what they command."""
    places: dict[str, list[str]] = {}
    for path in Path(likely.__file__).parent.rglob("*.py"):
        if path.stem != "__init__":
            places.setdefault(path.stem, []).append(path.parent.name)
    assert {stem for stem, rooms in places.items() if len([room for room in rooms if room != "cli"]) > 1} == set()


def test_what_is_loose_at_the_root() -> None:
    root = Path(likely.__file__).parent
    assert {path.stem for path in root.glob("*.py")} == {"__init__", "__main__", "errors", "arrays", "atomic"}
