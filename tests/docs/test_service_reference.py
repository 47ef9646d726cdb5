"""The reference of the service is what its signatures and docstrings say."""

from __future__ import annotations

import service_reference


async def test_the_reference_of_the_service_says_what_the_code_says() -> None:
    wanted = await service_reference.page()

    assert service_reference.PAGE.read_text() == wanted, "run PYTHONPATH=.:tests python tests/service_reference.py"
