"""Somebody tidies up beside a SQLite database while the product runs."""

from pathlib import Path

from tests.world import open_world


async def test_a_worker_whose_file_was_cleared_away_goes_on_working(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        await product.until(lambda: _left(tmp_path))
        for file in _left(tmp_path):
            file.unlink()
        product.kommo.latency = 0.6
        lead_id = await product.paid_deal()
        assert len(product.notes(lead_id)) == 1


def _left(folder: Path) -> list[Path]:
    return list(folder.glob("product.db-worker-*"))
