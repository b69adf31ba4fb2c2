"""The components of the default variant: what each is for, and how to train without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hsigeo.progress import Progress
from hsigeo.training.consensus import ConsensusPlan, train_consensus
from hsigeo.training.linear_evidence import LinearPlan
from hsigeo.training.plain import PlainPlan, train_plain
from hsigeo.training.recipes import RECIPES, Recipe
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.scene_scatter import ScatterPlan
from hsigeo.training.trained import Trained

__all__ = ["COMPONENTS", "WHOLE", "Component", "plain_variant"]

PROTOTYPES_PER_CLASS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Component:
    """Something that can be taken out of the default.

    Parameters
    ----------
    name
        Short, for a command line.
    instead
        What is trained in its place.
    contributes
        What it is there for, in one sentence; whether it does is what an ablation measures.
    recipe
        Trains without it.
    """

    name: str
    instead: str
    contributes: str
    recipe: Recipe


def plain_variant(steps: int | None = None) -> Component:
    """The architecture in its simplest form, trained for so many steps; `None` is all it usually takes."""
    usual = steps is None
    return Component(
        name="plain",
        instead="the variant `plain`" + ("" if usual else f", {steps} steps"),
        contributes="Everything added since the first form: bands as tokens, mean, memory and head, all by descent.",
        recipe=partial(train_plain, plan=PlainPlan(steps=steps)),
    )


def _few_prototypes(samples: LabelledSpectra, *, seed: int, progress: Progress | None = None) -> Trained:
    plan = ConsensusPlan(prototypes=PROTOTYPES_PER_CLASS * len(samples.classes))
    return train_consensus(samples, seed=seed, progress=progress, plan=plan)


def _without(name: str, instead: str, contributes: str, plan: ConsensusPlan) -> Component:
    recipe = partial(train_consensus, plan=plan)
    return Component(name=name, instead=instead, contributes=contributes, recipe=recipe)


WHOLE = Component(
    name="default", instead="nothing taken out", contributes="The default as it is.", recipe=partial(train_consensus)
)

COMPONENTS: tuple[Component, ...] = (
    _without(
        "attention",
        "every token always has its full say",
        "Tokens that contradict the rest lose their say, so dead or misread bands decide nothing.",
        ConsensusPlan(attention=False),
    ),
    _without(
        "memory",
        "the linear evidence alone",
        "The prototype memory separates what no linear border can: classes of several kinds, and outliers.",
        ConsensusPlan(linear_percent=100),
    ),
    _without(
        "linear",
        "the memory alone",
        "Linear evidence weighs all bands at once; few labels suffice for it, and a memory of few shapes cannot do it.",
        ConsensusPlan(linear_percent=0),
    ),
    _without(
        "clustering",
        "prototypes drawn at random",
        "k-means places the prototypes so that few of them stand for all training pixels.",
        ConsensusPlan(clustered=False),
    ),
    Component(
        name="many-prototypes",
        instead="ten prototypes per class",
        contributes="Some 256 prototypes preserve borders of classes that ten per class would round off.",
        recipe=_few_prototypes,
    ),
    _without(
        "slope",
        "reflectance and its logarithm",
        "The slope of the logarithm is insensitive to brightness, so shade and sun look the same.",
        ConsensusPlan(channels=2),
    ),
    _without(
        "log-and-slope",
        "reflectance alone",
        "Logarithm and slope turn a change of illumination into a shift, or remove it.",
        ConsensusPlan(channels=1),
    ),
    _without(
        "compact",
        "as many columns as there are training pixels",
        "An embedding of 32 numbers keeps noise out of the distance to prototypes.",
        ConsensusPlan(width=1 << 20),
    ),
    _without(
        "windows",
        "one token per band",
        "Windows of 8 bands are judged as a whole, so a dead stretch is rejected and a single noisy band is not.",
        ConsensusPlan(window=1),
    ),
    _without(
        "short-windows",
        "tokens of 32 bands",
        "With windows of 8 bands, little of a spectrum is lost when one of them is rejected.",
        ConsensusPlan(window=32),
    ),
    _without(
        "linear-components",
        "linear evidence of the reflectance alone",
        "A second discriminant, on the embedding, sees logarithm and slope, and errs on other pixels than the first.",
        ConsensusPlan(linear=LinearPlan(components_percent=0)),
    ),
    _without(
        "light-shrinkage",
        "covariance of the reflectance with the full shrinkage of Ledoit and Wolf",
        "Only part of that shrinkage keeps the narrow features in which similar classes differ.",
        ConsensusPlan(linear=LinearPlan(shrinkage_percent=100, aimed_percent=100)),
    ),
    _without(
        "scene",
        "labelled pixels alone",
        "Unlabelled pixels of the scene show how spectra vary within a material, of which few labels say little.",
        ConsensusPlan(scatter=ScatterPlan(percent=0)),
    ),
    _without(
        "calibration",
        "linear evidence without calibration",
        "The linear evidence is only as confident as held-out pixels justify, so it does not outvote the memory.",
        ConsensusPlan(linear=LinearPlan(calibrated=False)),
    ),
    Component(
        name="gated",
        instead="the variant `gated`",
        contributes="Closed form instead of descent: what the default has over the network with learnt attention.",
        recipe=RECIPES["gated"],
    ),
)
"""In the order of a spectrum's way through the network; whole variants last."""
