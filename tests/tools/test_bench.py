"""The measurements measure what they say: wrong answers are no speed, and a goal that is missed is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from bench.figures import AT_LEAST, AT_MOST, GROWTH, keep, told
from bench.rig.load import get, post, send_all
from bench.rig.rounds import AnswersWereWrong, best_of, ratio
from sandbox.serving import serving

ROOT = Path(__file__).parents[2]
app = FastAPI()


@app.get("/ok")
def ok() -> dict[str, bool]:
    return {"ok": True}


@app.get("/closing")
def closing() -> Response:
    return Response("x", headers={"connection": "close"})


@app.post("/echo")
def echo(body: dict[str, str]) -> dict[str, str]:
    return body


async def test_every_request_is_sent_once_and_wrong_answers_are_counted() -> None:
    async with serving(app) as url:
        port = int(url.rpartition(":")[2])
        right = await send_all(port, [get("/ok")] * 30 + [post("/echo", b'{"a":"b"}')] * 10, 4)
        wrong = await send_all(port, [get("/ok"), get("/nowhere")], 2)
        closed = await send_all(port, [get("/closing")] * 10, 2)
    assert (right.failures, wrong.failures, closed.failures) == (0, 1, 0)


async def test_a_round_of_refusals_is_no_measurement() -> None:
    async with serving(app) as url:
        port = int(url.rpartition(":")[2])
        best = await best_of(2, {"ok": lambda: send_all(port, [get("/ok")] * 10, 2)})
        assert ratio(best["ok"], best["ok"]) == 1
        with pytest.raises(AnswersWereWrong):
            await best_of(1, {"refused": lambda: send_all(port, [get("/nowhere")], 1)})


def test_a_missed_goal_is_told() -> None:
    assert "MISSED" not in told(dict(AT_LEAST))
    assert told({name: most + 1 for name, most in AT_MOST.items()}).count("MISSED") == len(AT_MOST)
    assert "MISSED" in told({GROWTH: 0.5})


def test_the_figures_are_kept_for_programs(tmp_path: Path) -> None:
    keep({"wake.p99_ms": 1.5}, tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == {"wake.p99_ms": 1.5}


def test_a_measurement_that_does_not_exist_is_named() -> None:
    called = subprocess.run([sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True)
    assert (called.returncode, "no measurement 'speed'" in called.stderr) == (2, True)
