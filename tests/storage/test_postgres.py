"""The PostgreSQL that tests are given: real, empty each time, and gone afterwards."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgres import empty_database, running_postgres

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
A_TEST_RUN = """
import time
from tests.postgres import running_postgres

with running_postgres() as url:
    print(url, flush=True)
    time.sleep(60)
"""


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def folder_of(url: str) -> Path:
    return Path(str(make_url(url).query["host"]))


def test_a_new_database_knows_nothing_of_the_one_before(postgres_url: str) -> None:
    with empty_database(postgres_url) as first, psycopg.connect(plain(first)) as connection:
        connection.execute("CREATE TABLE seen (id int)")
        connection.commit()
    with empty_database(postgres_url) as second, psycopg.connect(plain(second)) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_database_goes_although_somebody_holds_a_connection(postgres_url: str) -> None:
    with empty_database(postgres_url) as url:
        connection = psycopg.connect(plain(url))
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


async def test_the_url_is_one_for_our_engine(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    await engine.dispose()


def test_the_server_goes_when_the_tests_fail() -> None:
    with pytest.raises(ZeroDivisionError), running_postgres() as url:
        raise ZeroDivisionError
    assert not folder_of(url).exists()


def test_the_server_goes_when_the_test_run_is_killed() -> None:
    program = (
        "import time, tests.postgres as p\nwith p.running_postgres() as url: print(url, flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    folder = folder_of(run.stdout.readline().strip())
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists()
