"""One typed, frozen description of a run: what a command line, a TOML or JSON file and a run folder all say.

    command line ─┐
    TOML or JSON ─┼─> RunConfig ─> recipe
    Python ───────┘

A name that does not exist, a number out of range or two settings that contradict each other is a ConfigError, raised
before any data is opened.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from likely.config.setting import Setting, declared, reference
from likely.config.settings_document import SettingsDocument
from likely.config.value_types import (
    Activation,
    Augmentations,
    Count,
    Labels,
    Patterns,
    Positive,
    Seconds,
    Text,
    Widths,
)
from likely.errors import ConfigError
from likely.registry import ENGINES, HEADS, LOSSES, NETWORKS, PRESETS, OneOf

_OUTPUT, _LEARNING, _NETWORK = "Output", "Learning", "Network"


class RunConfig(SettingsDocument):
    """What to learn from, how, and where to write; None leaves a choice to the preset or the data.

    Args:
        {settings}
    Raises:
        ConfigError: if a name, a value or a combination does not exist.
    Example:
        >>> RunConfig(data="digits", epochs=2).epochs
        2.0
        >>> RunConfig(preset="fats")
        Traceback (most recent call last):
        likely.errors.ConfigError: preset must be one of 'fast', 'balanced', 'best'; got 'fats'. Did you mean 'fast'?
    """

    data: Annotated[
        Text,
        Setting(
            "The name of a data set (digits, fashion-mnist, ...), a folder of class folders or IDX files, a table, or "
            ".npz.",
            form="a name or path",
            metavar="DATA",
        ),
    ] = "digits"
    data_folder: Annotated[
        str | None,
        Setting("Folder with the files of a named data set (also LIKELY_DATA).", metavar="FOLDER", option="data"),
    ] = None
    label: Annotated[
        str | None,
        Setting(
            "Table column with the labels or targets.",
            "None guesses from the column names and reports the choice.",
            default="label, target, class or y",
            metavar="COLUMN",
        ),
    ] = None
    image: Annotated[
        str | None,
        Setting(
            "Table column with paths or bytes of images.",
            "None looks for such a column and reports the choice.",
            default="the one that holds images",
            metavar="COLUMN",
        ),
    ] = None
    group: Annotated[
        Text | None,
        Setting(
            "Table column of groups: rows with the same value are related, drawn together and count once.",
            "Guarantees count one row per group.",
            metavar="COLUMN",
        ),
    ] = None
    group_by_folder: Annotated[
        bool, Setting("Images in the same subfolder of a class folder are related, like rows of one group.")
    ] = False
    skip_bad: Annotated[bool, Setting("Skip images that can't be read.", "Without it they are an error.")] = False
    corrections: Annotated[
        Text | None,
        Setting(
            "Corrected labels, as in the corrections.csv of likely check.", "For training rows only.", metavar="FILE"
        ),
    ] = None
    test_last: Annotated[
        Text | None,
        Setting(
            "Table column of numbers or dates: evaluate on its latest rows, not on random ones.",
            "They are about a fifth of all rows. Equal values stay on one side; the column remains an input.",
            metavar="COLUMN",
        ),
    ] = None
    task: Annotated[
        Literal["auto", "classification", "regression"],
        Setting("Classification or regression; auto decides from the data."),
    ] = "auto"
    out: Annotated[
        Text | None,
        Setting("The run folder.", default="the first free runs/DATA-N", metavar="RUN", panel=_OUTPUT),
    ] = None
    overwrite: Annotated[bool, Setting("Replace the files of an earlier run in its folder.", panel=_OUTPUT)] = False
    preset: Annotated[
        str,
        OneOf(PRESETS),
        Setting("How long to train and how large the network is.", panel=_LEARNING, estimators="both"),
    ] = "fast"
    epochs: Annotated[
        Positive | None,
        Setting(
            "Passes over the training rows; may be a fraction.",
            "None leaves them to the preset and the size of the data.",
            panel=_LEARNING,
            estimators="both",
        ),
    ] = None
    time_limit: Annotated[
        Seconds | None,
        Setting(
            "Train and calibrate for at most this long, within 10% and 3 s, with a network that fits: 30s, 2m, 1h. "
            "Starting, reading, test figures and the report are not counted.",
            "Nor is time in which the process was stopped. With the preset fast and no epochs it also chooses the "
            "width of the conv net.",
            form="seconds, or text such as `2m`",
            metavar="TIME",
            panel=_LEARNING,
            estimators="both",
            python="Seconds of training and calibration, kept within a tenth and three seconds; reading X is not "
            'counted, nor time in which the process was stopped. With the preset "fast" and no epochs it also chooses '
            "how wide a conv net is.",
        ),
    ] = None
    early_stopping: Annotated[
        bool,
        Setting(
            "Stop when a held-out loss no longer falls.",
            "A further part of the rows is held out for it.",
            panel=_LEARNING,
            estimators="both",
        ),
    ] = False
    class_weight: Annotated[
        Literal["balanced"] | dict[str, Positive] | None,
        Setting(
            "Weight of each label in training; probabilities are corrected for it.",
            '"balanced" lets all labels count the same in sum; labels without a number have weight 1. Probabilities '
            "stay true to the data.",
            form='"balanced", or labels and their weights, such as { Shirt = 2.0 }',
            metavar="balanced|LABEL=W,...",
            panel=_LEARNING,
        ),
    ] = None
    events: Annotated[
        dict[str, Labels],
        Setting(
            "Name a set of labels to store in the model and answer; may be repeated.",
            form='names of lists of labels, such as { footwear = ["Sandal", "Sneaker"] }',
            metavar="NAME=LABEL,...",
            panel=_OUTPUT,
            option="event",
            estimators="classifier",
            python='Named sets of labels, {"footwear": ["Sandal", "Sneaker"]}, that the model keeps.',
        ),
    ] = Field(default_factory=dict)
    learning_rate: Annotated[
        Positive | None,
        Setting(
            "Peak learning rate of the schedule.", "None leaves it to the preset.", panel=_LEARNING, estimators="both"
        ),
    ] = None
    batch_size: Annotated[
        Count | None,
        Setting("Rows per step.", "None leaves them to the size of the data.", panel=_LEARNING, estimators="both"),
    ] = None
    optimizer: Annotated[
        Literal["sgd", "adam"] | None,
        Setting(
            "The update rule.",
            "None leaves it to the preset and the network.",
            panel=_LEARNING,
            estimators="both",
            python='"sgd" or "adam", None leaves it to the preset and the network; or a function of the parameters '
            "that learn, or of the module's `parameter_groups()`, that makes a torch optimizer. The schedule then "
            "rises to that optimizer's own learning rate, unless `learning_rate` is given.",
        ),
    ] = None
    augment: Annotated[
        Augmentations | None,
        Setting(
            "Change training images: hflip, shift, cutout; or none.",
            "A data set may declare horizontal flips harmless; the presets balanced and best then also cut out a "
            "square.",
            default="what the data set declares harmless",
            form='a list of names, such as ["hflip", "cutout"]',
            metavar="NAME,...",
            panel=_LEARNING,
            estimators="both",
            python='How training images are changed: "hflip", "shift", "cutout", several of them, or "none"; or a '
            'function of a prepared batch. None flips if `hflip` says that this is harmless; "balanced" and "best" '
            "then also cut a square out.",
        ),
    ] = None
    init_from: Annotated[
        Text | None,
        Setting(
            "Begin with the parameters of a model.likely or a safetensors file.",
            "Or of a run folder. The last layer is reinitialized if there are labels that the file does not know.",
            metavar="FILE",
            panel=_LEARNING,
            estimators="both",
            python="A `model.likely`, a run folder or a local safetensors file whose parameters training begins with; "
            "the last layer is reinitialized if there are labels that the file does not know. Guarantees rest on rows "
            "that the file's network has not seen, or are refused.",
        ),
    ] = None
    init_keep: Annotated[
        Literal["all", "parameters"],
        Setting(
            "What to keep of that model: all (labels and standardization too) or only its parameters.",
            "The new rows may lack some of its labels.",
            panel=_LEARNING,
            estimators="both",
        ),
    ] = "all"
    freeze: Annotated[
        Patterns,
        Setting(
            "Parameters that do not learn, as name patterns such as blocks.0.* (likely inspect prints the names).",
            form='a list of patterns, such as ["blocks.0.*"]',
            metavar="PATTERN,...",
            panel=_LEARNING,
            estimators="both",
        ),
    ] = ()
    loss: Annotated[
        str,
        OneOf(LOSSES),
        Setting(
            "What training lowers.",
            panel=_LEARNING,
            estimators="classifier",
            python='"cross_entropy" or "squared_error"; or a function of label distributions (n, k) and scores (n, k) '
            "before the head, tensors of the engine's library, to one value per row (n,), which torch or JAX "
            "differentiates; or a `likely.functional.losses.Loss`, which may bring its gradient.",
        ),
    ] = "cross_entropy"
    seed: Annotated[int, Field(ge=0, lt=2**63), Setting("Random seed.", panel=_LEARNING)] = 0
    network: Annotated[
        str,
        OneOf(NETWORKS, also=("auto",)),
        Setting(
            "auto: conv for images, mlp for rows of numbers.",
            panel=_NETWORK,
            estimators="both",
            python='"auto" (conv for images, MLP for rows), "conv", "mlp" or "linear"; or a factory of modules: a '
            "function of n_classes (or of n_classes and a sample of prepared rows), or an object with "
            "`build(n_classes, sample)`. The module maps prepared rows, images (n, c, h, w) in [0, 1] or standardized "
            "numbers (n, d), to scores (n, k), without a softmax. The inputs of its last linear layer serve as "
            "features for familiarity, unless it has `scores_and_features(x)`.",
        ),
    ] = "auto"
    hidden: Annotated[
        Widths | None,
        Setting(
            "Widths of the MLP's hidden layers, such as 256 or 512,256.",
            "None leaves their widths to the preset.",
            form="a list of whole numbers, such as [256] or [512, 256]",
            metavar="WIDTHS",
            panel=_NETWORK,
            estimators="both",
        ),
    ] = None
    activation: Annotated[
        Activation | None, Setting("Activation between the layers of the MLP.", panel=_NETWORK, estimators="both")
    ] = None
    head: Annotated[
        str,
        OneOf(HEADS, without=("sigmoid", "identity")),
        Setting("From scores to probabilities.", panel=_NETWORK, estimators="classifier"),
    ] = "softmax"
    image_size: Annotated[
        Annotated[int, Field(gt=0, le=1024)] | None,
        Setting(
            "Resize the images of class folders to this side.",
            "In pixels; None requires images of one size.",
            metavar="SIDE",
            panel=_NETWORK,
            estimators="both",
            python="Height and width to which images given as files or by Pillow are resized.",
        ),
    ] = None
    pad_to: Annotated[
        Count | None,
        Setting(
            "Pad square images to this side.",
            "In pixels, with zeros.",
            metavar="SIDE",
            panel=_NETWORK,
            estimators="classifier",
        ),
    ] = None
    engine: Annotated[
        str,
        OneOf(ENGINES, also=("auto",)),
        Setting(
            "What computes the gradient.",
            "numpy does it by hand; auto takes the best one that can train the network.",
            panel=_NETWORK,
            estimators="both",
        ),
    ] = "auto"
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Setting("Device for torch.", panel=_NETWORK, estimators="both")
    ] = "auto"
    dtype: Annotated[Literal["float32", "float64"], Setting("Dtype of parameters and arithmetic.", panel=_NETWORK)] = (
        "float32"
    )
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Setting(
            "Precision of the conv net's products in training.",
            "auto takes bfloat16 where the processor multiplies in it natively. Parameters and answers stay float32.",
            panel=_NETWORK,
        ),
    ] = "auto"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name in ("hidden", "activation"):
            if getattr(self, name) is not None and self.network not in ("auto", "mlp"):
                raise ConfigError(
                    f"{name} must come with the network 'mlp'; got network={self.network!r}, which has no such "
                    f"setting. Try network='mlp', or omit {name}."
                )
        if self.class_weight is not None and self.head != "softmax":
            raise ConfigError(
                f"class_weight must come with the head 'softmax'; got head={self.head!r}. Only for softmax can "
                "probabilities be corrected for it exactly. Try head='softmax'."
            )
        return self


RunConfig.__doc__ = (RunConfig.__doc__ or "").format(
    settings=reference({name: setting.meaning for name, setting in declared(RunConfig).items()})
)
