"""One typed, frozen description of a run: what a command line, a TOML or JSON file and a run folder all say.

    command line ─┐
    TOML or JSON ─┼─> RunConfig ─> recipe
    Python ───────┘

A name that does not exist, a number out of range or two settings that contradict each other is a ConfigError, raised
before any data is opened.
"""

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from likely.config.registry import BACKBONES
from likely.config.setting import declared, reference, setting
from likely.config.settings_document import SettingsDocument
from likely.config.value_types import (
    Activation,
    Augmentations,
    Columns,
    Count,
    EngineName,
    Epochs,
    HeadName,
    Labels,
    LossName,
    NetworkName,
    Patterns,
    Positive,
    PresetName,
    Seconds,
    Share,
    Text,
    Widths,
)
from likely.errors import ConfigError

_SET_BY_TUNING = (
    "optimizer",
    "learning_rate",
    "batch_size",
    "early_stopping",
    "freeze",
    "augment",
    "pad_to",
    "hidden",
    "activation",
    "image_size",
)
"""What is left to `tune="all"`: a number of the descent from a head to all layers, and how images are shown to it."""
_OUTPUT, _LEARNING, _NETWORK = "Output", "Learning", "Network"
_NAMES = 'a list of names, such as ["region"]; on the command line in quotes where one holds a comma'
_text = partial(setting, panel="Tables")
_table = partial(_text, estimators="both")
_learning = partial(setting, panel=_LEARNING, estimators="both")
_network = partial(setting, panel=_NETWORK, estimators="both")


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

    data: Text = setting(
        "digits",
        "The name of a data set (digits, fashion-mnist, ...), a folder of class folders or IDX files, a "
        "table, or .npz.",
        form="a name or path",
        metavar="DATA",
    )
    data_folder: str | None = setting(
        None, "Folder with the files of a named data set (also LIKELY_DATA).", metavar="FOLDER", option="data"
    )
    label: str | None = setting(
        None,
        "Table column with the labels or targets.",
        "None guesses from the column names and reports the choice.",
        otherwise="label, target, class or y",
        metavar="COLUMN",
    )
    image: str | None = setting(
        None,
        "Table column with paths or bytes of images.",
        "None looks for such a column and reports the choice.",
        otherwise="the one that holds images",
        metavar="COLUMN",
    )
    group: Text | None = setting(
        None,
        "Table column of groups: rows with the same value are related, drawn together and count once.",
        "Guarantees count one row per group.",
        metavar="COLUMN",
    )
    ignore: Columns = _table((), "Columns that are not learned from.", form=_NAMES, metavar="COLUMN,...")
    categories: Columns = _table(
        (),
        "Columns whose values are names of categories, even if they are written as numbers.",
        form=_NAMES,
        metavar="COLUMN,...",
        option="category",
    )
    numbers: Columns = _table(
        (),
        "Columns of numbers, even if they look like codes; cells that are not numbers count as missing.",
        form=_NAMES,
        metavar="COLUMN,...",
        option="number",
    )
    keep: Columns = _table(
        (),
        "Columns to learn from although they look like row numbers, names or keys.",
        form=_NAMES,
        metavar="COLUMN,...",
    )
    missing: Columns | None = _table(
        None,
        "The texts that mean a missing value, besides an empty cell.",
        otherwise="NA, NaN, null, None, ? and the like (see the page on tables)",
        form='a list of texts, such as ["NA", "-"]',
        metavar="TEXT,...",
    )
    decimal: Literal["point", "comma"] | None = _table(
        None, "What marks decimals, where 1,234 may mean two numbers.", otherwise="decided by the whole file"
    )
    encoding: Text | None = _text(None, "Encoding of a text file, such as latin-1.", otherwise="utf-8", metavar="NAME")
    header: bool = _text(True, "The first row of a text file names the columns.")
    group_by_folder: bool = setting(
        False, "Images in the same subfolder of a class folder are related, like rows of one group."
    )
    skip_bad: bool = setting(False, "Skip images that can't be read.", "Without it they are an error.")
    corrections: Text | None = setting(
        None, "Corrected labels, as in the corrections.csv of likely check.", "For training rows only.", metavar="FILE"
    )
    test_last: Text | None = setting(
        None,
        "Table column of numbers or dates: evaluate on its latest rows, not on random ones.",
        "They are about as many as test_share says; equal values stay together. The column remains an input.",
        metavar="COLUMN",
    )
    test_share: Share | None = setting(
        None,
        "How much of data without a test part is drawn for one, such as 10%.",
        "These rows teach nothing. None draws no rows of a table with 20 to 4,999, all of which teach and whose "
        "figures are out of fold; of other data 20%. With 0 figures rest on rows held out in the training.",
        otherwise="20%; none of tables below 5,000 rows",
        form="a share, such as 0.1 or `10%`",
        metavar="SHARE",
    )
    task: Literal["auto", "classification", "regression"] = setting(
        "auto", "Classification or regression; auto decides from the data."
    )
    out: Text | None = setting(
        None, "The run folder.", otherwise="the first free runs/DATA-N", metavar="RUN", panel=_OUTPUT
    )
    overwrite: bool = setting(False, "Replace the files of an earlier run in its folder.", panel=_OUTPUT)
    checkpoint_every: Seconds | None = setting(
        None,
        "How often a training is saved to the run folder, so that likely fit --resume goes on: 30s, 2m.",
        "What is younger than that is done again. None takes 30 s, or so much more that saving takes 1% of the time.",
        otherwise="30s",
        form="seconds, or text such as `2m`",
        metavar="TIME",
        panel=_OUTPUT,
    )
    private: bool = setting(
        False,
        "Keep nothing of the data: no test images in the report, no hashes of rows.",
        "Without hashes a model does not notice rows that it was trained on.",
        panel=_OUTPUT,
    )
    explain: bool = setting(
        False, "Say in the report why of every test row that is shown, not of six at most.", panel=_OUTPUT
    )
    preset: PresetName = _learning("fast", "How long to train and how large the network is.")
    epochs: Epochs | None = _learning(
        None,
        "Passes over the training rows, at most; may be a fraction.",
        "Where held-out rows choose the length (tables, and fewer than 5,000 images) training may end sooner, which is "
        "said and noted in the card. None leaves them to the preset and the size of the data.",
    )
    time_limit: Seconds | None = _learning(
        None,
        "Train and calibrate for at most this long, within 10% and 3 s, with a network that fits: 30s, 2m, "
        "1h. Starting, reading, test figures and the report are not counted.",
        "Nor is time in which the process is suspended. With the preset fast and no epochs it also chooses "
        "the width of the conv net.",
        form="seconds, or text such as `2m`",
        metavar="TIME",
    )
    early_stopping: bool = _learning(
        False,
        "Stop when a held-out loss no longer falls: one network, from 5,000 rows on (below, folds choose its length).",
        "A further 4% of the rows is held out for it; on tables that part, in place of the one for the temperature, "
        "chooses the length. With fewer than 5,000 rows and no val part out-of-fold loss chooses the length anyway.",
    )
    members: Count = _learning(
        1,
        "Networks whose mean answers: a deep ensemble of conv nets.",
        "Each is trained on all training rows, from a seed of its own; they are calibrated together.",
        metavar="N",
    )
    extrapolate: bool = setting(
        False,
        "Let predicted numbers of tables leave the range of the training targets by more than a tenth of it.",
        "This limits mixtures, which auto makes for tables; one network that is asked for by name has no limits.",
        panel=_LEARNING,
        estimators="regressor",
    )
    class_weight: Literal["balanced"] | dict[str, Positive] | None = setting(
        None,
        "Weight of each label in training; probabilities are corrected for it.",
        '"balanced" gives all labels the same total weight; labels that are not listed have weight 1. '
        "Probabilities stay true to the data.",
        form='"balanced", or labels and their weights, such as { Shirt = 2.0 }',
        metavar="balanced|LABEL=W,...",
        panel=_LEARNING,
    )
    events: dict[str, Labels] = setting(
        {},
        "Name a set of labels that the model stores and answers; may be repeated.",
        form='names of lists of labels, such as { footwear = ["Sandal", "Sneaker"] }',
        metavar="NAME=LABEL,...",
        panel=_OUTPUT,
        option="event",
        estimators="classifier",
        python='Named sets of labels, {"footwear": ["Sandal", "Sneaker"]}, that the model keeps.',
    )
    learning_rate: Positive | None = _learning(
        None, "Peak learning rate of the schedule.", "None leaves it to the preset."
    )
    batch_size: Count | None = _learning(None, "Rows per step.", "None leaves them to the size of the data.")
    optimizer: Literal["sgd", "adam"] | None = _learning(
        None,
        "The update rule.",
        "None leaves it to the preset and the network.",
        python='"sgd" or "adam", None leaves it to the preset and the network; or a function of the parameters that '
        "learn, or of the module's `parameter_groups()`, that makes a torch optimizer. The schedule then "
        "rises to that optimizer's own learning rate, unless `learning_rate` is given.",
    )
    augment: Augmentations | None = _learning(
        None,
        "Change training images: hflip, shift, cutout, crop, color; or none.",
        "A data set may declare horizontal flips harmless; the presets balanced and best then also cut out a square, "
        "and best moves images a little. Of 1,000 to 4,999 color images the first fold tries flips, alone and with "
        "crops and other colors, and takes what is better by a standard error.",
        otherwise="what the data set declares harmless",
        form='a list of names, such as ["hflip", "cutout"]',
        metavar="NAME,...",
        python='How training images are changed: "hflip", "shift", "cutout", "crop", "color", several of them, or '
        '"none"; or a function of a prepared batch. None flips if `hflip` says that this is harmless; "balanced" and '
        '"best" then also cut a square out, and "best" moves images a little. Of 1,000 to 4,999 color images the first '
        "fold tries flips, alone and with crops and other colors.",
    )
    init_from: Text | None = _learning(
        None,
        "Start from the parameters of a model.likely or a safetensors file.",
        "A run folder works, too. The last layer is reinitialized if there are labels that the file does not know. "
        "Guarantees rest on rows that the file's network has not seen, or are refused.",
        metavar="FILE",
    )
    init_keep: Literal["all", "parameters"] = _learning(
        "all",
        "What to keep of that model: all (labels and standardization too) or only its parameters.",
        "The new rows may lack some of its labels.",
    )
    freeze: Patterns = _learning(
        (),
        "Parameters that do not learn, as name patterns such as blocks.0.* (likely inspect prints the names).",
        "Needs the torch engine.",
        form='a list of patterns, such as ["blocks.0.*"]',
        metavar="PATTERN,...",
    )
    loss: LossName = setting(
        "cross_entropy",
        "The loss that training minimizes.",
        panel=_LEARNING,
        estimators="classifier",
        python='"cross_entropy" or "squared_error"; or a function of label distributions (n, k) and scores (n, k) '
        "before the head, tensors of the engine's library, to one value per row (n,), which torch or JAX "
        "differentiates; or a `likely.functional.losses.Loss`, which may bring its gradient.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = setting(0, "Random seed.", panel=_LEARNING)
    network: NetworkName = _network(
        "auto",
        "auto: a pretrained efficientnet-lite0 for a few thousand color images, else conv for images; for tables "
        "mixture: out-of-fold loss decides among linear, mlp and trees (gradient boosting), and mixes them.",
        "hf:FOLDER is a network of transformers in a local folder. The pretrained networks need the extra photographs; "
        "they stay as they are, and a small head learns. Many rows of more than 500 columns, a time limit, or a "
        "setting that only a descent has, make auto mlp.",
        python='"auto" (a pretrained "efficientnet-lite0" for a few thousand color images, if the extra photographs is '
        'installed; else conv for images; "mixture" for rows of a table, but "mlp" for many rows of more than '
        '500 columns, and with a setting that only a descent has or a time limit), "efficientnet-lite0", '
        '"efficientnet-lite2", "hf:FOLDER" '
        '(a network of transformers in a local folder), "conv", "mlp" or "linear"; "trees" (gradient boosting, for '
        "rows of a table: `epochs` is then the most rounds, `learning_rate` the share of each that is added) or "
        '"mixture" (for rows of a table: out-of-fold loss mixes '
        "linear, MLP and trees); or a factory of modules: a function of n_classes (or of n_classes and a sample of "
        "prepared rows), or "
        "an object with `build(n_classes, sample)`. The module maps prepared rows, images (n, c, h, w) in [0, 1] or "
        "standardized numbers (n, d), to scores (n, k), without a softmax. The inputs of its last linear "
        "layer serve as features for familiarity, unless it has `scores_and_features(x)`.",
    )
    tune: Literal["head", "all"] = setting(
        "head",
        "What learns of a pretrained network: a head on its features, or all layers.",
        "all starts from the tuned head and takes minutes, which it says before; a fifth of the images is held out, "
        "and says whether and for how long.",
        panel=_NETWORK,
        estimators="classifier",
    )
    hidden: Widths | None = _network(
        None,
        "Widths of the MLP's hidden layers, such as 256 or 512,256.",
        "None leaves their widths to the preset.",
        form="a list of whole numbers, such as [256] or [512, 256]",
        metavar="WIDTHS",
    )
    activation: Activation | None = _network(None, "Activation between the layers of the MLP.")
    head: HeadName = setting(
        "softmax", "The function from scores to probabilities.", panel=_NETWORK, estimators="classifier"
    )
    image_size: Annotated[int, Field(gt=0, le=1024)] | None = _network(
        None,
        "Resize the images in files to this side.",
        "In pixels; None resizes images of several sizes to their median, with at most 128 pixels a side.",
        metavar="SIDE",
    )
    pad_to: Count | None = setting(
        None,
        "Pad square images to this side.",
        "In pixels, with zeros.",
        metavar="SIDE",
        panel=_NETWORK,
        estimators="classifier",
    )
    engine: EngineName = _network(
        "auto",
        "What computes the gradient.",
        "numpy uses backpropagation written by hand; auto takes the best one that can train the network.",
    )
    device: Literal["auto", "cpu", "cuda"] = _network("auto", "Device for torch.")
    dtype: Literal["float32", "float64"] = setting("float32", "Dtype of parameters and arithmetic.", panel=_NETWORK)
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto",
        "Precision of the conv net's products in training.",
        "auto takes bfloat16 if the processor supports it natively. Parameters and answers stay float32.",
        panel=_NETWORK,
    )

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
        if self.private and self.explain:
            raise ConfigError(
                "explain must be omitted with private; got both. An explanation shows the row that it is about. Try "
                "omitting explain."
            )
        if self.tune == "all":
            self._agree_on_tuning()
        if self.test_share == 0:
            for name, why in (("test_last", "the latest rows are a test part"), ("init_from", "the file knows rows")):
                if getattr(self, name) is not None:
                    raise ConfigError(f"test_share must be above 0 with {name}; got 0. {why.capitalize()}. Omit it.")
        return self

    def _agree_on_tuning(self) -> None:
        if self.network != "auto" and self.network not in BACKBONES:
            raise ConfigError(
                f"tune='all' must come with {' or '.join(map(repr, BACKBONES))}; got network={self.network!r}. Only "
                "their layers can be tuned. Try network='auto', or omit tune."
            )
        for name in _SET_BY_TUNING:
            if getattr(self, name) not in (None, False, ()):
                raise ConfigError(
                    f"{name} must be omitted with tune='all'; got {getattr(self, name)!r}. All layers learn in steps "
                    f"that suit pretrained weights, from images of the network's own size. Try omitting {name}, or "
                    "tune='head'."
                )


RunConfig.__doc__ = (RunConfig.__doc__ or "").format(
    settings=reference({name: setting.meaning for name, setting in declared(RunConfig).items()})
)
