"""What docs/testing.md shows of the test kit's words is what it says."""

from __future__ import annotations

from typing import Any

import pytest
from documents import blocks

from modules.core.scheduler.testing import TestApplication


async def test_the_message_about_what_is_not_scheduled_is_as_the_page_shows_it() -> None:
    (module,) = (block for block in blocks("docs/testing.md") if block.file == "modules/acme/reports/__init__.py")
    (shown,) = (block for block in blocks("docs/testing.md") if block.language == "text")
    names: dict[str, Any] = {}
    exec(module.text, names)  # our own document

    async with TestApplication([names["ReportsModule"]()]) as app:
        with pytest.raises(AssertionError) as told:
            await app.assert_scheduled("acme.reports:write", parameters={"title": "costs"})

    assert f"{told.value}\n" == shown.text
