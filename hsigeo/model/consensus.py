"""The default network: the stretches of a spectrum settle what it looks like, and a memory is asked what that is.

Windows of bands become tokens. Band attention gives each token a say: all tokens together are summed up in a few
numbers, and a token that contradicts what the others say of it (dead, saturated, misread) loses its say and is
replaced by what they expect there. The healed spectrum is compared with a memory of prototypes by a Gaussian kernel,
and, apart from that, weighed linearly; both vote on the class. Nothing here is trained by descent: every constant
follows from the labelled spectra in closed form (`hsigeo.training.consensus`). Why each part is there, and what it is
worth: docs/model.md.

Shape legend: P pixels, B bands, T tokens, I inputs of a token, S shapes, W width, M prototypes, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hsigeo.model.spectrum import CHANNELS, Channels, make_tokens

__all__ = ["BandConsensus", "ConsensusNetwork", "KernelMemory", "LinearEvidence", "Reading", "Settled"]

ROUNDS = 5
"""How often tokens and consensus are settled with each other; after that nothing moves any more."""

GROUP = 32
"""Odd pixels are settled so many at a time, filled up: then a pixel's last bit does not depend on its company."""

FALL = 2.0
"""How fast a token's say falls with its contradiction beyond what is usual: to 1/e at one and a half times that."""


class Reading(NamedTuple):
    """What a pixel finds in the memory.

    Parameters
    ----------
    weights : (P, M)
        Likeness to each prototype, 0 to 1: one is identity, and a pixel unlike everything learnt reads nothing.
    evidence : (P, K)
        The prototypes' evidence for each class, weighted by likeness; near 0 for a pixel that reads nothing.
    """

    weights: Tensor
    evidence: Tensor


class Settled(NamedTuple):
    """Tokens and their say, once they stand still.

    Parameters
    ----------
    say : (P, T)
        0 to 1, and 1 wherever nothing is contradicted.
    tokens : (P, T, I)
        As they were as far as they have a say, and for the rest what the others expect.
    """

    say: Tensor
    tokens: Tensor


class BandConsensus(nn.Module):
    """Attention over the tokens of a spectrum: how much each has to say, given what the others say.

    A spectrum is described as ``mean + basis·z + noise``. Each token t votes on the description z by its own linear
    map (so a vote knows which wavelengths it comes from), with a say a_t, and the consensus is the most probable z
    under these votes: ``z = (Λ⁻¹ + Σ_t a_t B_tᵀΨ_t⁻¹B_t)⁻¹ Σ_t a_t B_tᵀΨ_t⁻¹x_t``. A token's contradiction is its mean
    square distance from what z says of it, over the largest that held-out training spectra showed there; beyond 1
    its say falls exponentially. Says and consensus are settled with each other in a few rounds: iteratively
    reweighted least squares (Huber 1981, Robust Statistics, section 7.8) on a probabilistic principal component model
    (Tipping & Bishop 1999, J. R. Statist. Soc. B 61, 611).

    Attention by learnt queries and keys, as in transformers, was measured too, and earned nothing (docs/model.md).

    Parameters
    ----------
    tokens, inputs
        Tokens of a spectrum, and numbers in a token.
    width
        Columns of the basis.
    shapes
        How many of them, the strongest first, the tokens agree on.
    whitened
        Whether coordinates are turned and stretched by a matrix of their own, `whitening`, before they are compared and
        weighed; what tokens agree on is not.
    """

    mean: Tensor
    basis: Tensor
    noise: Tensor
    spread: Tensor
    usual: Tensor
    whitening: Tensor | None

    def __init__(self, tokens: int, inputs: int, width: int, shapes: int, *, whitened: bool = False) -> None:
        super().__init__()
        if not 1 <= shapes <= width <= tokens * inputs:
            raise ValueError(f"{shapes} shapes of a basis of width {width} do not fit {tokens} tokens of {inputs}")
        self.shapes = shapes
        self.register_buffer("mean", torch.zeros(tokens, inputs))
        basis = torch.zeros(tokens * inputs, width)
        basis.diagonal().fill_(1.0)  # not torch.eye: where a network is only laid out, that imports torch's compiler
        self.register_buffer("basis", basis.view(tokens, inputs, width))
        self.register_buffer("noise", torch.ones(tokens, inputs))
        self.register_buffer("spread", torch.ones(shapes))
        self.register_buffer("usual", torch.full((tokens,), torch.inf))
        self.register_buffer("whitening", None)
        if whitened:
            self.whiten(torch.zeros(width, width))

    def forward(self, tokens: Tensor) -> Settled:
        """What tokens (P, T, I) have to say, and what is left standing of them."""
        say, healed = tokens.new_ones(tokens.shape[:2]), tokens
        odd = (self.contradiction(tokens, self.agree(tokens)) > 1).any(dim=1)  # few pixels; the others are done
        if bool(odd.any()):
            found = [self._settle(group) for group in _in_groups(tokens[odd])]
            count = int(odd.sum())
            say[odd] = torch.cat([part.say for part in found])[:count]
            healed = tokens.clone()
            healed[odd] = torch.cat([part.tokens for part in found])[:count]
        return Settled(say=say, tokens=healed)

    def heal(self, tokens: Tensor, say: Tensor) -> Tensor:
        """Tokens (P, T, I) as far as they have a say (P, T), and for the rest what the others expect in their place."""
        return torch.lerp(self._expected(self.agree(tokens, say)), tokens, say[..., None])

    def embed(self, tokens: Tensor) -> Tensor:
        """Coordinates (P, W) of tokens (P, T, I) as they are compared with prototypes: whitened, where they are."""
        return self.whitened(self.coordinates(tokens))

    def coordinates(self, tokens: Tensor) -> Tensor:
        """Coordinates (P, W) of tokens (P, T, I) in the basis."""
        return (tokens - self.mean).flatten(1) @ self.basis.flatten(0, 1)

    def whitened(self, coordinates: Tensor) -> Tensor:
        """Coordinates (P, W) of the basis, as they are compared with prototypes."""
        return coordinates if self.whitening is None else coordinates @ self.whitening

    def whiten(self, whitening: Tensor) -> None:
        """From now on, multiply coordinates by a matrix (W, W)."""
        self.whitening = whitening

    def contradiction(self, tokens: Tensor, consensus: Tensor) -> Tensor:
        """How far tokens (P, T, I) lie from what a consensus (P, S) says of them; (P, T), above 1 is unusual."""
        distance = (tokens - self._expected(consensus)).square() / self.noise
        return distance.mean(dim=-1) / self.usual

    def _settle(self, tokens: Tensor) -> Settled:
        # The first consensus is bent by the very tokens it should expose: all that deviate step back at first.
        say = self.contradiction(tokens, self.agree(tokens)).clamp(min=1.0) ** -2
        for _ in range(ROUNDS):
            say = torch.exp(-FALL * (self.contradiction(tokens, self.agree(tokens, say)) - 1.0).relu())
        return Settled(say=say, tokens=self.heal(tokens, say))

    def agree(self, tokens: Tensor, say: Tensor | None = None) -> Tensor:
        """The consensus (P, S) of tokens (P, T, I) with their say (P, T); without one, all have all of it."""
        basis = self.basis[..., : self.shapes]  # (T, I, S)
        votes = basis / self.noise[..., None]  # (T, I, S)
        strength = basis.transpose(1, 2) @ votes  # (T, S, S)
        prior = torch.diag(1 / self.spread)  # (S, S)
        heard = tokens - self.mean if say is None else say[..., None] * (tokens - self.mean)
        said = heard.flatten(1) @ votes.flatten(0, 1)  # (P, S)
        if say is None:
            return torch.as_tensor(torch.linalg.solve(prior + strength.sum(dim=0), said.T).T)
        precision = prior + (say @ strength.flatten(1)).view(-1, *prior.shape)  # (P, S, S)
        return torch.as_tensor(torch.linalg.solve(precision, said))

    def _expected(self, consensus: Tensor) -> Tensor:
        """The tokens (P, T, I) that a consensus (P, S) describes."""
        flat = consensus @ self.basis[..., : self.shapes].flatten(0, 1).T
        return torch.as_tensor(flat.view(-1, *self.mean.shape) + self.mean)


def _in_groups(rows: Tensor) -> Iterator[Tensor]:
    """Rows in groups of `GROUP`, the last one filled up with copies of its last row."""
    for group in torch.split(rows, GROUP):
        missing = GROUP - len(group)
        yield torch.cat([group, group[-1:].expand(missing, *group.shape[1:])]) if missing else group


class KernelMemory(nn.Module):
    """The external memory: prototypes, and the evidence that likeness to each of them is for each class.

    Read weights are Gaussian kernels of the distance between query and prototype, ``exp(-|q - p|²/r²)``, not shares
    of a softmax: what is unlike every prototype reads nothing, and its classes come out even. With the prototypes as
    centres and the evidence fitted in closed form this is a radial basis function network (Poggio & Girosi 1990,
    Proc. IEEE 78, 1481).

    It is read in double precision: where kernels are wide, evidence is large and of either sign, and of a sum of
    thousands tenths are left.

    Parameters
    ----------
    prototypes, width, classes
        Sizes.
    """

    prototypes: Tensor
    reach: Tensor
    evidence: Tensor

    def __init__(self, prototypes: int, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("prototypes", torch.zeros(prototypes, width))
        self.register_buffer("reach", torch.ones(()))
        self.register_buffer("evidence", torch.zeros(prototypes, classes))

    def forward(self, query: Tensor) -> Reading:
        """Read with queries (P, W)."""
        asked, prototypes = query.double(), self.prototypes.double()
        # |q|² + |p|² - 2 q·p, one matrix product; rounding may take it a little below 0.
        apart = asked.square().sum(dim=1, keepdim=True) + prototypes.square().sum(dim=1)  # (P, M)
        distance = torch.addmm(apart, asked, prototypes.T, alpha=-2.0).clamp(min=0.0)
        weights = torch.exp(-distance / self.reach.double().square())
        evidence = weights @ self.evidence.double()
        return Reading(weights=weights.to(query.dtype), evidence=evidence.to(query.dtype))


class LinearEvidence(nn.Module):
    """Class scores that are linear in the standardised reflectance and in the coordinates: shrinkage discriminants.

    Parameters
    ----------
    bands, classes
        Sizes.
    width
        Coordinates that are weighed beside the bands, the strongest; 0 in models from before they were.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, bands: int, classes: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("weights", torch.zeros(bands + width, classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, reflectance: Tensor, query: Tensor) -> Tensor:
        """Scores (P, K) of standardised reflectance (P, B) and of coordinates (P, W)."""
        weighed = torch.cat([reflectance, query[:, : self.width]], dim=1)
        scores = weighed.double() @ self.weights.double() + self.bias.double()  # large terms of either sign
        return scores.to(reflectance.dtype)


class ConsensusNetwork(nn.Module):
    """Band consensus, then two votes on the healed spectrum: the memory's, and the linear evidence's.

    Parameters
    ----------
    bands, classes
        Size of input and output.
    window
        Bands in a token.
    width, shapes
        Of the consensus's basis.
    prototypes
        Entries of the memory.
    linear_percent
        The linear evidence's say, in log-probabilities, in per cent; the memory has the rest.
    linear_width
        Coordinates that the linear evidence weighs beside the bands' reflectance, at most `width`.
    whitened
        1 where the coordinates are whitened, see `BandConsensus`; 0 where they are not.

    Raises
    ------
    ValueError
        Sizes that do not fit each other.
    """

    def __init__(
        self,
        *,
        bands: int,
        classes: int,
        window: int,
        width: int,
        shapes: int,
        prototypes: int,
        linear_percent: int,
        linear_width: int = 0,
        whitened: int = 0,
    ) -> None:
        super().__init__()
        if min(window, prototypes) < 1 or not 0 <= linear_percent <= 100:
            raise ValueError(f"a window of {window}, {prototypes} prototypes or {linear_percent} % make no network")
        if not 0 <= linear_width <= width:
            raise ValueError(f"{linear_width} coordinates of {width} cannot be weighed")
        if whitened not in (0, 1):
            raise ValueError(f"coordinates are whitened (1) or not (0), and not {whitened}")
        self.bands, self.window = bands, window
        self.linear_share = linear_percent / 100
        self.channels = Channels(bands)
        tokens = max(1, -(-bands // window))
        self.consensus = BandConsensus(tokens, CHANNELS * window, width, shapes, whitened=whitened == 1)
        self.memory = KernelMemory(prototypes, width, classes)
        self.linear = LinearEvidence(bands, classes, linear_width)

    def tokens(self, spectra: Tensor) -> Tensor:
        """Tokens (P, T, I) of reflectance (P, B)."""
        return make_tokens(self.channels(spectra), self.window, self.window)

    def reflectance(self, tokens: Tensor) -> Tensor:
        """Standardised reflectance (P, B) out of tokens (P, T, I); it is the first of a token's channels."""
        return tokens[..., : self.window].flatten(1)[:, : self.bands]

    def healed(self, spectra: Tensor) -> Tensor:
        """Tokens (P, T, I) of reflectance (P, B), with what is contradicted replaced by what the rest expects."""
        settled: Settled = self.consensus(self.tokens(spectra))
        return settled.tokens

    def recall(self, tokens: Tensor) -> Reading:
        """What the memory says of healed tokens (P, T, I)."""
        reading: Reading = self.memory(self.consensus.embed(tokens))
        return reading

    def forward(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to class logits (P, K)."""
        tokens = self.healed(spectra)
        return self.decide(tokens, self.consensus.embed(tokens))

    def decide(self, tokens: Tensor, query: Tensor) -> Tensor:
        """Class logits (P, K) of healed tokens (P, T, I) and their coordinates (P, W), in logarithms of probability."""
        remembered = self.memory(query).evidence.log_softmax(dim=-1)  # (P, K)
        linear = self.linear(self.reflectance(tokens), query).log_softmax(dim=-1)  # (P, K)
        return torch.as_tensor((1 - self.linear_share) * remembered + self.linear_share * linear)
