"""What is wrong with a folder of class folders, to the end: no fault hides another one."""

from pathlib import Path

from likely.data.check.file_findings import about_files
from likely.data.check.files import FileFacts, look_at_files
from likely.data.check.findings import Finding, Place, about
from likely.data.check.thumbnail_dataset import LookedAt, looked_at
from likely.data.corrections import relative_path
from likely.data.images.class_folder import ClassFolder, FolderScan, scan_class_folder
from likely.data.images.decode_many import Reading
from likely.data.images.open_class_folder import LAYOUT


def look_at_folder(folder: Path, how: Reading, *, group_by_folder: bool = False) -> LookedAt:
    """The images of class folders, and all that keeps `open_class_folder` from opening them; errors: `part_folders`."""
    scan = scan_class_folder(folder, group_by_folder=group_by_folder)
    if scan.without_classes:
        messages = [f"{path} must hold class folders; got a folder without any." for path in scan.without_classes]
        return LookedAt(None, None, [Finding("layout", "error", message, LAYOUT) for message in messages], None)
    seen = look_at_files(scan.images, how.progress)
    found = [*_about_classes(scan, seen), *about_files(folder, scan.images, seen, how), *_left_out(scan)]
    return looked_at(str(folder), scan.images, seen, scan.labels, found, how)


def _about_classes(scan: FolderScan, seen: list[FileFacts]) -> list[Finding]:
    """Class folders that can't be learned from or evaluated on, as `open_class_folder` refuses them."""
    files = list(zip(scan.images, seen, strict=True))
    there = {(file.part, file.label) for file, _ in files}
    readable = {(file.part, file.label) for file, one in files if one.error is None}
    damaged = [of for of in scan.classes if (of.part, of.label) in there - readable]
    damaged = [of for of in damaged if of.part == "train" or not any(part == of.part for part, _ in readable)]

    def places(folders: list[ClassFolder]) -> list[Place]:
        return [_place(scan, of.path, of) for of in folders]

    found = [
        *about(
            "same-name",
            "error",
            places(scan.same_name),
            "class folder of the same name|class folders of the same names, with accents written in two ways",
            "Merge the folders.",
        ),
        *about(
            "empty-class",
            "error",
            places(scan.empty),
            "class folder holds no image|class folders hold no image",
            "Add images or remove the folder.",
        ),
        *about(
            "unreadable-class",
            "error",
            places(damaged),
            "class folder holds no image that can be read|class folders hold no image that can be read",
            "Copy the images again, or remove the folder.",
        ),
        *about(
            "unseen-class",
            "error",
            places(scan.unseen),
            "class folder of val or test is missing in train and cannot be evaluated|class folders of val or test are "
            "missing in train and cannot be evaluated",
            "Add training images or remove the class.",
        ),
        *about(
            "unreadable-folder",
            "error",
            [_place(scan, Path(found.name), of) for of, found in scan.unreadable],
            "folder can't be read|folders can't be read",
            "Check their permissions.",
        ),
    ]
    if len(scan.labels) == 1:
        only = scan.labels[0]
        message = f"There is only one class, {only!r}."
        advice = "Add images of another class, in a second folder."
        found.append(Finding("one-class", "error", message, advice, [[Place(only, "label", "train")]]))
    return found


def _left_out(scan: FolderScan) -> list[Finding]:
    """Files that are taken for no images: perhaps they are some, in a format that is not read; links to classes."""
    return [
        *about(
            "no-image",
            "note",
            [_place(scan, path) for path in scan.others.others],
            "file in class folders is skipped because of its suffix|files in class folders are skipped because of "
            "their suffix",
            " ".join(scan.others.readers) or "If they are images, save them as PNG or JPEG.",
        ),
        *about(
            "without-labels",
            "note",
            [_place(scan, path) for path in scan.left_out],
            "folder of images without labels is skipped|folders of images without labels are skipped",
            "Ask for them with likely predict.",
        ),
        *about(
            "no-class",
            "note",
            [_place(scan, path) for path in scan.loose],
            "image lies in no class folder and is skipped|images lie in no class folder and are skipped",
            "Move what is to be learned from into the folder of its class.",
        ),
        *about(
            "link",
            "note",
            [_place(scan, path) for path in scan.links],
            "link to another class is skipped|links to other classes are skipped",
            "If a class has two names, move the images to one of them.",
        ),
    ]


def _place(scan: FolderScan, path: Path, of: ClassFolder | None = None) -> Place:
    part, label = ("", "") if of is None else (of.part, of.label)
    return Place(relative_path(str(path), str(scan.folder)), "path", part, label=label)
