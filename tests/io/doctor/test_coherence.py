"""Whether numbers look like an image does not depend on how they are written."""

from __future__ import annotations

import numpy as np

from hsigeo.io.doctor.coherence import judge


def test_coherence_goes_by_rank_whether_numbers_are_whole_or_not():
    random = np.random.default_rng(0)
    image = random.normal(size=(2, 20, 12, 16)).cumsum(axis=1).cumsum(axis=2).cumsum(axis=3)
    whole = np.round(20 * image).astype(np.int16)
    looks = judge(whole)
    assert looks.coherence is not None
    assert 0.5 < looks.coherence < 1
    np.testing.assert_allclose(judge(whole.astype(np.float32) / 3).coherence, looks.coherence, rtol=1e-12)
    far = whole.astype(np.int32) * 30_000
    np.testing.assert_allclose(judge(far).coherence, looks.coherence, rtol=1e-12)
