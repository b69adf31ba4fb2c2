"""The variant ``gated``, an earlier default: attention weighs tokens, and what is left reads a memory of prototypes.

Windows of bands become tokens. Self-attention over the tokens, averaged over its queries, says per pixel and head how
much each token counts; because the values it weighs are resolved by token, the network knows *which* wavelength a
value came from, which a plain mean over tokens forgets. A stretch that looks like nothing in training (dead, saturated,
misread) loses its say. The weighted evidence is the query to a memory of prototypes, and the query plus what it reads
decides the class. A few members share the attention, differ in everything after it, and are averaged; a linear
discriminant of the same tokens has half the say. Why each part is there, and what it is worth: docs/model.md.

Shape legend: P pixels, B bands, T tokens, I inputs of a token, H heads, E members, W width, M prototypes, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from hsigeo.model.memory import ContextReading
from hsigeo.model.spectrum import CHANNELS, Channels, make_tokens, position_code, token_centres

__all__ = ["BandAttention", "GatedNetwork", "LinearEvidence", "MemberMemory"]

WAVES = 16
"""Cosines in the positional code."""

LINEAR_SHARE = 0.5
"""The say of the linear evidence about a pixel like those of training, in log-probabilities."""

LEAST_USUAL = 4.0
"""Mean square deviation: two standard deviations are never strange, however few the labels."""

SHARPNESS = 8.0
"""How strongly the memory prefers the most similar prototype, before training."""


class BandAttention(nn.Module):
    """How much each token counts, per pixel and head: attention over tokens, averaged over its queries.

    The score of query i for key j is ``q_i·k_j - s·max(0, |t_j|²/r_j - 1)``. q and k are affine in the token's window,
    shifted by a smooth function of its wavelength. ``|t_j|²`` is the token's mean square deviation from the training
    mean, r_j the largest that training showed there, and s a learnt suspicion of each head: a token like those of
    training keeps its say; a dead, saturated or otherwise impossible one loses it, and the others take over. Values
    are left to the reader of the weights, so none are projected here.

    Parameters
    ----------
    inputs, tokens
        Numbers in a token, and tokens in a spectrum.
    heads, key_width
        Attention heads, and the length of a query and key in each.
    """

    usual: Tensor

    def __init__(self, inputs: int, tokens: int, heads: int, key_width: int) -> None:
        super().__init__()
        if heads < 1 or key_width < 1:
            raise ValueError(f"attention needs heads and a key width, not {heads} and {key_width}")
        self.heads, self.key_width = heads, key_width
        self.content = nn.Linear(inputs, 2 * heads * key_width, bias=False)
        self.place = nn.Linear(WAVES, 2 * heads * key_width, bias=False)
        self.log_suspicion = nn.Parameter(torch.zeros(heads, 1, 1))
        self.register_buffer("usual", torch.full((tokens,), LEAST_USUAL))
        # Small, so that attention starts near uniform and departs from there only for a reason.
        nn.init.normal_(self.content.weight, std=0.1 * inputs**-0.5)
        nn.init.normal_(self.place.weight, std=0.1 * WAVES**-0.5)

    def learn(self, tokens: Tensor) -> None:
        """Take from training tokens (P, T, I) how far out each of them usually lies."""
        self.usual.copy_(tokens.square().mean(dim=-1).amax(dim=0).clamp(min=LEAST_USUAL))

    def strangeness(self, tokens: Tensor) -> Tensor:
        """How far tokens (P, T, I) lie beyond what training showed, (P, T); 0 for those like the training's."""
        return (tokens.square().mean(dim=-1) / self.usual - 1.0).relu()

    def forward(self, tokens: Tensor, code: Tensor) -> Tensor:
        """Weights (P, H, T), with mean one over the tokens, from tokens (P, T, I) and their code (T, WAVES)."""
        both = self.content(tokens) + self.place(code)  # (P, T, 2·H·key)
        query, key = both.unflatten(-1, (2, self.heads, self.key_width)).permute(2, 0, 3, 1, 4)  # (P, H, T, key)
        scores = query @ key.transpose(-1, -2) * self.key_width**-0.5  # (P, H, T, T)
        scores = scores - self.log_suspicion.exp() * self.strangeness(tokens)[:, None, None]
        # softmax subtracts the largest score of a row, so no exponential overflows whatever the input.
        return torch.as_tensor(scores.softmax(dim=-1).mean(dim=-2) * tokens.shape[1])  # (P, H, T)


class MemberMemory(nn.Module):
    """Prototypes read by scaled cosine similarity about their centre, a memory of its own for each member.

    Parameters
    ----------
    members, prototypes, width
        Sizes.
    """

    def __init__(self, members: int, prototypes: int, width: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.zeros(members, prototypes, width))
        self.log_sharpness = nn.Parameter(torch.full((members, 1, 1), SHARPNESS).log())

    def forward(self, query: Tensor) -> ContextReading:
        """Read with queries (E, P, W): context (E, P, W) and read weights (E, P, M)."""
        centre = self.prototypes.mean(dim=1, keepdim=True)  # (E, 1, W); without it every cosine is near one
        keys = F.normalize(self.prototypes - centre, dim=-1)  # (E, M, W)
        likeness = F.normalize(query - centre, dim=-1) @ keys.transpose(1, 2)  # (E, P, M)
        weights = (likeness * self.log_sharpness.clamp(max=5.0).exp()).softmax(dim=-1)  # (E, P, M)
        return ContextReading(context=weights @ self.prototypes, weights=weights)


class LinearEvidence(nn.Module):
    """Class scores that are linear in the tokens: computed in closed form from the labels, not trained by descent.

    Parameters
    ----------
    inputs
        Numbers in all tokens of a spectrum.
    classes
        Number of classes.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.zeros(inputs, classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores (P, K) of tokens (P, T, I)."""
        return tokens.flatten(1) @ self.weights + self.bias


class GatedNetwork(nn.Module):
    """Band attention, band-resolved evidence, prototype memory, head; members averaged, with linear evidence.

    Parameters
    ----------
    wavelength
        (band,) nm; decides the positional code.
    bands, classes
        Size of input and output.
    window, stride
        Bands in a token, and between the starts of neighbouring tokens.
    heads, key_width
        Of the attention.
    width
        Length of an embedding; a multiple of `heads`.
    members
        Networks that share the attention.
    prototypes
        Of each member's memory; about ten times the classes.

    Raises
    ------
    ValueError
        Sizes that do not fit each other.
    """

    code: Tensor

    def __init__(
        self,
        wavelength: Tensor,
        *,
        classes: int,
        window: int,
        stride: int,
        heads: int,
        key_width: int,
        width: int,
        members: int,
        prototypes: int,
    ) -> None:
        super().__init__()
        if min(window, stride, heads, members, prototypes) < 1 or width % heads:
            raise ValueError(f"width {width} must be a multiple of {heads} heads, and every size at least 1")
        self.window, self.stride, self.heads = window, stride, heads
        centres = token_centres(wavelength.float(), window, stride)
        inputs, tokens = CHANNELS * window, len(centres)
        self.channels = Channels(len(wavelength))
        self.register_buffer("code", position_code(centres, WAVES))
        self.attention = BandAttention(inputs, tokens, heads, key_width)
        self.values = nn.Parameter(torch.randn(members, heads, tokens * inputs, width // heads))
        self.values.data *= (tokens * inputs) ** -0.5
        self.shift = nn.Parameter(torch.zeros(members, 1, width))
        self.memory = MemberMemory(members, prototypes, width)
        self.head = nn.Parameter(torch.zeros(members, width, classes))
        self.bias = nn.Parameter(torch.zeros(members, 1, classes))
        self.linear = LinearEvidence(tokens * inputs, classes)

    def tokens(self, spectra: Tensor) -> Tensor:
        """Tokens (P, T, I) of reflectance (P, B)."""
        return make_tokens(self.channels(spectra), self.window, self.stride)

    def embed(self, tokens: Tensor) -> Tensor:
        """One embedding per member and pixel (E, P, W) of tokens (P, T, I)."""
        weights = self.attention(tokens, self.code)  # (P, H, T)
        weighted = (weights[..., None] * tokens[:, None]).flatten(2)  # (P, H, T·I)
        evidence = weighted.transpose(0, 1) @ self.values  # (E, H, P, W/H)
        return torch.as_tensor(F.gelu(evidence.transpose(1, 2).flatten(2) + self.shift))  # (E, P, W)

    def decide(self, embedding: Tensor) -> Tensor:
        """Logits of each member (E, P, K) of embeddings (E, P, W)."""
        known = embedding + self.memory(embedding).context  # (E, P, W); the residual read
        return torch.as_tensor(known @ self.head + self.bias)

    def forward(self, spectra: Tensor) -> Tensor:
        """From reflectance (P, B) to class logits (P, K)."""
        tokens = self.tokens(spectra)
        learnt = self.decide(self.embed(tokens)).log_softmax(dim=-1).mean(dim=0)  # (P, K)
        linear = self.linear(tokens).log_softmax(dim=-1)  # (P, K)
        # One dead band throws a discriminant off; a pixel with a strange stretch is left to the network.
        strangest = self.attention.strangeness(tokens).amax(dim=1, keepdim=True)  # (P, 1)
        share = LINEAR_SHARE * torch.exp(-strangest)
        return torch.as_tensor((1 - share) * learnt + share * linear)
