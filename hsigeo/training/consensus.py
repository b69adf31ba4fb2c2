"""How the default variant is made: every constant follows from the labelled spectra in closed form.

Shape legend: P pixels, T tokens, I inputs of a token, W width, S shapes, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.consensus import BandConsensus, ConsensusNetwork
from hsigeo.progress import Progress
from hsigeo.training.fit import drawing
from hsigeo.training.linear_evidence import LinearPlan, fit_linear_evidence
from hsigeo.training.recall import choose_prototypes, fit_recall
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.scene_scatter import ScatterPlan, SceneScatter, learn_scatter, whitening_for
from hsigeo.training.trained import Trained
from hsigeo.training.unlabelled import UnlabelledSpectra

__all__ = ["ConsensusPlan", "train_consensus"]

FOLDS = 4
"""Parts of the training spectra that are held out in turn, to see how far a token usually lies from its consensus."""

SLACK = 10.0
"""What contradicts the consensus so many times more than anything held out is damage, not a new material."""

LEAST_USUAL = 2.0
"""Mean square contradiction, in units of the noise: below it nothing is odd, however few the labels."""

LEAST_NOISE, LEAST_SPREAD = 1e-3, 1e-4
"""Floors, in standardised units, for spectra that hardly differ."""

LEAST_RATIO = 1e-8
"""Of a component's variance to the largest: down to it products of pixels leave eight digits of the component."""

MOST_PIXELS = 20_000
"""Training pixels used; of more, a random part, in which rare classes lose nothing."""

STAGES = 3


@dataclass(frozen=True, kw_only=True)
class ConsensusPlan:
    """What the default is made of; other values than these serve to measure what each part is worth.

    Parameters
    ----------
    window
        Bands in a token.
    width
        Length of an embedding; fewer where there are not as many training pixels.
    shapes
        How many of the basis's columns, the strongest, the tokens agree on; at most `width`.
    prototypes
        About how many; all training pixels where there are fewer.
    linear_percent
        The linear evidence's say; 0 leaves it out, and 100 the memory.
    linear
        What the linear evidence is made of.
    scatter
        What unlabelled pixels are asked, where there are any.
    attention
        Whether tokens that contradict the others lose their say.
    clustered
        Whether prototypes are cluster centres, or pixels drawn at random.
    channels
        Reflectance alone (1), with its logarithm (2), with the logarithm's slope as well (3).
    """

    window: int = 8
    width: int = 32
    shapes: int = 32
    prototypes: int = 256
    linear_percent: int = 67
    linear: LinearPlan = field(default_factory=LinearPlan)
    scatter: ScatterPlan = field(default_factory=ScatterPlan)
    attention: bool = True
    clustered: bool = True
    channels: int = 3


def train_consensus(
    samples: LabelledSpectra, *, seed: int, progress: Progress | None = None, plan: ConsensusPlan | None = None
) -> Trained:
    """Make the default variant; takes a second or two for a thousand pixels."""
    plan = plan or ConsensusPlan()
    classes, done = len(samples.classes), iter(range(1, STAGES + 1))

    def report() -> None:
        if progress is not None:
            progress(next(done), STAGES)

    with drawing(seed) as generator, torch.no_grad():
        used = _enough(torch.from_numpy(samples.class_index), classes, generator)
        spectra, target = torch.from_numpy(samples.spectra)[used], torch.from_numpy(samples.class_index)[used]
        sizes = _sizes(plan, pixels=len(used), numbers=3 * plan.window * -(-samples.bands.count // plan.window))
        blank = ConsensusNetwork(bands=samples.bands.count, classes=classes, prototypes=1, **sizes)
        blank.channels.learn(spectra)
        blank.channels.scale[:, plan.channels :] = torch.inf  # a channel left out is 0 everywhere
        tokens = blank.tokens(spectra)
        learn_consensus(blank.consensus, tokens, generator=generator, usual=plan.attention)
        report()
        scatter = _ask_scene(blank, samples.unlabelled, plan.scatter, generator)
        if scatter is not None:
            blank.consensus.whiten(whitening_for(scatter.of_points).float())
            sizes["whitened"] = 1
        points = blank.consensus.embed(tokens)
        prototypes = choose_prototypes(
            points, target, classes, count=plan.prototypes, generator=generator, clustered=plan.clustered
        )
        recall = fit_recall(points, target, classes, prototypes)
        report()
        weights, bias = fit_linear_evidence(
            blank.reflectance(tokens),
            points,
            target,
            classes,
            plan=plan.linear,
            generator=generator,
            aim=None if scatter is None else scatter.of_bands,
        )
        sizes["prototypes"] = len(prototypes)
        network = ConsensusNetwork(bands=samples.bands.count, classes=classes, **sizes)
        network.channels, network.consensus = blank.channels, blank.consensus
        network.memory.prototypes.copy_(prototypes)
        network.memory.reach.fill_(recall.reach)
        network.memory.evidence.copy_(recall.evidence)
        network.linear.weights.copy_(weights)
        network.linear.bias.copy_(bias)
        report()
    return Trained(network=network.eval(), hyperparameters=sizes)


def _ask_scene(
    network: ConsensusNetwork,
    unlabelled: UnlabelledSpectra | None,
    plan: ScatterPlan,
    generator: torch.Generator,
) -> SceneScatter | None:
    """What unlabelled pixels say of how spectra vary; nothing without any."""
    if unlabelled is None:
        return None
    tokens = network.tokens(torch.from_numpy(unlabelled.spectra))
    reflectance, points = network.reflectance(tokens), network.consensus.embed(tokens)
    return learn_scatter(reflectance, points, plan=plan, generator=generator)


def learn_consensus(
    consensus: BandConsensus, tokens: Tensor, *, generator: torch.Generator, usual: bool = True
) -> None:
    """Take mean, basis, noise and what is usual from training tokens (P, T, I).

    Principal components of the tokens; noise is what they leave over, half of it each number's own and half the mean,
    for a few labels do not show all there is.
    """
    _, count, inputs = tokens.shape
    flat = tokens.flatten(1).double()
    mean, basis, variance = _principal(flat, consensus.basis.shape[-1])
    shapes = consensus.shapes
    described = (flat - mean) @ basis[:, :shapes] @ basis[:, :shapes].T
    left_over = (flat - mean - described).square().mean(dim=0)  # (T·I,)
    floor = (left_over.sum() / max(1, flat.shape[1] - shapes)).clamp(min=LEAST_NOISE)
    noise = (0.5 * left_over + 0.5 * left_over.mean() + LEAST_NOISE).view(count, inputs)
    consensus.mean.copy_(mean.view(count, inputs))
    consensus.basis.copy_(basis.view(count, inputs, -1))
    consensus.noise.copy_(noise)
    consensus.spread.copy_((variance[:shapes] - floor).clamp(min=LEAST_SPREAD))
    if usual:
        consensus.usual.copy_(_usual(consensus, tokens, generator))


def _usual(consensus: BandConsensus, tokens: Tensor, generator: torch.Generator) -> Tensor:
    """(T,) how far tokens of training spectra lie from the consensus when it was learnt without them, with slack."""
    fold = torch.randperm(len(tokens), generator=generator) % FOLDS
    furthest = torch.zeros(tokens.shape[1])
    for held in range(FOLDS):
        learnt, tested = tokens[fold != held], tokens[fold == held]
        if len(learnt) < FOLDS or not len(tested):
            continue
        width = min(consensus.shapes, max(1, len(learnt) // 2))
        without = BandConsensus(tokens.shape[1], tokens.shape[2], width, width)
        learn_consensus(without, learnt, generator=generator, usual=False)
        without.noise.copy_(consensus.noise)  # the same units
        without.usual.fill_(1.0)
        found = without.contradiction(tested, without.agree(tested))
        furthest = torch.maximum(furthest, found.amax(dim=0))
    return (SLACK * furthest).clamp(min=LEAST_USUAL)


def _principal(flat: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (T·I,), the strongest components (T·I, W), and the variance along them (W,), of (P, T·I) float64."""
    mean = flat.mean(dim=0)
    centred = flat - mean
    if len(flat) < flat.shape[1]:
        components, variance = _principal_of_few(centred, width)
    else:  # the same from the smaller matrix
        values, vectors = torch.linalg.eigh(centred.T @ centred / len(flat))  # ascending
        components, variance = vectors.flip(1), values.flip(0).clamp(min=0.0)
    missing = max(0, width - len(variance))
    return mean, F.pad(components, (0, missing))[:, :width], F.pad(variance, (0, missing))[:width]


def _principal_of_few(centred: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Components (T·I, ·) and variances (·,) of fewer pixels than numbers, (P, T·I): from products of pixels, (P, P).

    The singular vectors are the same and take twice as long. Only they can tell what hardly varies from what does not
    vary at all, for the products square the ratio.
    """
    values, vectors = torch.linalg.eigh(centred @ centred.T)  # ascending
    squared, vectors = values.flip(0)[:width], vectors.flip(1)[:, :width]
    if squared[-1] > LEAST_RATIO * squared[0]:
        return centred.T @ (vectors / squared.sqrt()), squared / len(centred)
    _, lengths, components = torch.linalg.svd(centred, full_matrices=False)
    return components.T, lengths.square() / len(centred)


def _enough(target: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Positions of the training pixels to use, ascending: all, or `MOST_PIXELS` of them or so."""
    if len(target) <= MOST_PIXELS:
        return torch.arange(len(target))
    order = torch.randperm(len(target), generator=generator)
    chosen = []
    for index in range(classes):
        members = order[target[order] == index]
        share = max(MOST_PIXELS * len(members) // len(target), MOST_PIXELS // (4 * classes))
        chosen.append(members[:share])
    return torch.cat(chosen).sort().values


def _sizes(plan: ConsensusPlan, *, pixels: int, numbers: int) -> dict[str, int]:
    """Sizes that so many training pixels of so many numbers can fill."""
    width = max(1, min(plan.width, pixels - 1, numbers))
    return {
        "window": plan.window,
        "width": width,
        "shapes": max(1, min(width, plan.shapes, pixels // 2)),
        "linear_percent": plan.linear_percent,
        "linear_width": width,
    }
